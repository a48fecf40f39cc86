/* SPDX-License-Identifier: MIT */
/* Reclaim of cold file-backed memory on the machine as it is. Prints one JSON object a line:
 * {"name": ..., "value": ..., "unit": ...}. Slow-downs are ratios within one run, in turns. */
#include <stdio.h>
#include <stdlib.h>

#include "damon_c.h"
#include "program.h"

enum { MEMORY_BYTES = 512 << 20, PAIRS = 15, SLICE_MS = 400, WINDOWS = 6 };

static void print(const char* name, double value, const char* unit) {
    printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", name, value, unit);
    fflush(stdout);
}

static void must(const damon_ctx* ctx, int result, const char* what) {
    if (result >= 0) return;
    char why[256] = "";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "%s: %s (%s)\n", what, damon_strerror(result), why);
    exit(1);
}

static damon_ctx* watch(const struct program* program) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    const uint64_t start = (uint64_t)(uintptr_t)program->memory;
    const struct damon_addr_range range = {start, start + program->bytes};
    must(ctx, damon_target_set_regions(target, &range, 1), "damon_target_set_regions");
    must(ctx, damon_ctx_add_target(ctx, target), "damon_ctx_add_target");
    must(ctx, damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR), "damon_ctx_set_ops");
    return ctx;
}

/* Pages out what was not accessed for half a second, and takes at most 10 ms of every second for it. */
static void add_reclaim(damon_ctx* ctx) {
    struct damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.pattern.min_age = 5;
    params.quota.ms = 10;
    params.quota.reset_interval_ms = 1000;
    params.quota.weight_age = 1;
    must(ctx, damon_ctx_add_scheme(ctx, damos_new(&params)), "damon_ctx_add_scheme");
}

static uint64_t applied_bytes(const damon_ctx* ctx) {
    struct damos_stat stat;
    damos_stat_init(&stat);
    must(ctx, damon_ctx_get_scheme_stat(ctx, 0, &stat), "damon_ctx_get_scheme_stat");
    return stat.sz_applied;
}

static uint64_t worker_cpu_ns(const damon_ctx* ctx) {
    struct damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    must(ctx, damon_ctx_get_stats(ctx, &stats), "damon_ctx_get_stats");
    return stats.cpu_ns;
}

/* Bytes a second, once a first window has taught the quota what a page costs; memory stays plentiful until the end. */
static void bench_throughput(const struct program* program) {
    damon_ctx* ctx = watch(program);
    add_reclaim(ctx);
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    program_sleep_ms(2500);
    program_populate(program);
    const uint64_t applied_before = applied_bytes(ctx), cpu_before = worker_cpu_ns(ctx), begin = program_now_ns();
    program_sleep_ms(WINDOWS * 1000);
    const double seconds = (double)(program_now_ns() - begin) / 1e9;
    print("reclaim.bytes_per_s", (double)(applied_bytes(ctx) - applied_before) / seconds, "B/s");
    print("reclaim.worker_cpu", (double)(worker_cpu_ns(ctx) - cpu_before) / seconds / 1e7, "% of a core");
    const uint64_t cold_left = program_present_bytes(program, program->hot_bytes, program->bytes);
    print("reclaim.cold_left", (double)cold_left / (double)(program->bytes - program->hot_bytes) * 100, "%");
    damon_ctx_free(ctx);
    program_populate(program);
}

/* What an access costs the program: time that passes, and processor time with the page faults in it. */
struct price {
    double wall, cpu;
};

static struct price price_over_slice(const struct program* program) {
    const uint64_t before = program->nr_accesses, begin = program_now_ns(), cpu_begin = program_cpu_ns(program);
    program_sleep_ms(SLICE_MS);
    const double accesses = (double)(program->nr_accesses - before);
    return (struct price){(double)(program_now_ns() - begin) / accesses,
                          (double)(program_cpu_ns(program) - cpu_begin) / accesses};
}

static int compare(const void* a, const void* b) {
    return (*(const double*)a > *(const double*)b) - (*(const double*)a < *(const double*)b);
}

static void print_quartiles(const char* name, const char* kind, double* ratios) {
    static const struct {
        const char* suffix;
        int place;
    } quartiles[] = {{"", PAIRS / 2}, {".lower_quartile", PAIRS / 4}, {".upper_quartile", PAIRS * 3 / 4}};
    qsort(ratios, PAIRS, sizeof ratios[0], compare);
    for (int i = 0; i < 3; ++i) {
        char label[96];
        snprintf(label, sizeof label, "slowdown.%s%s%s", name, kind, quartiles[i].suffix);
        print(label, ratios[quartiles[i].place] * 100, "%");
    }
}

/* Against the same program with a paused context, which costs nothing. What was paged out is back before each slice. */
static void bench_slowdown(const struct program* program, int reclaims, const char* name) {
    damon_ctx* ctx = watch(program);
    if (reclaims) add_reclaim(ctx);
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    program_sleep_ms(2500);
    double wall[PAIRS], cpu[PAIRS];
    const uint64_t applied_before = reclaims ? applied_bytes(ctx) : 0;
    for (int i = 0; i < PAIRS; ++i) {
        must(ctx, damon_set_pause(ctx, 1), "damon_set_pause");
        program_populate(program);
        const struct price without = price_over_slice(program);
        must(ctx, damon_set_pause(ctx, 0), "damon_set_pause");
        const struct price with = price_over_slice(program);
        wall[i] = with.wall / without.wall - 1;
        cpu[i] = with.cpu / without.cpu - 1;
    }
    if (reclaims) {
        const double seconds = PAIRS * SLICE_MS / 1e3;
        print("slowdown.reclaimed_per_s", (double)(applied_bytes(ctx) - applied_before) / seconds, "B/s");
    }
    damon_ctx_free(ctx);
    program_populate(program);
    print_quartiles(name, "", wall);
    print_quartiles(name, "_cpu", cpu);
}

int main(void) {
    struct program program;
    program_start(&program, PROGRAM_FILE, MEMORY_BYTES);
    const int declared = damon_shared_declare(program.memory, program.bytes);
    if (declared != 0) {
        fprintf(stderr, "damon_shared_declare: %s\n", damon_strerror(declared));
        return 1;
    }
    bench_throughput(&program);
    bench_slowdown(&program, 1, "reclaim");
    bench_slowdown(&program, 0, "reclaim_monitored_only");
    damon_shared_withdraw(program.memory, program.bytes);
    return program_stop(&program) != 0;
}
