/* The whole library in a program, through damon_c.h only. Prints one JSON object a line:
 * {"name": ..., "value": ..., "unit": ...}. Ratios are taken within one run, in turns, because machines are noisy.
 *
 *   runtime_bench            everything
 *   runtime_bench NAME       one of: snapshot, call, idle, slowdown, sparse, pause */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "damon_c.h"

enum { PAGE = 4096, MAX_REGIONS = 4096 };

static struct damon_region_info regions[MAX_REGIONS];

static void print(const char* name, double value, const char* unit) {
    printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", name, value, unit);
    fflush(stdout);
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(const damon_ctx* ctx, int result, const char* what) {
    if (result >= 0) return;
    char why[256] = "";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "%s: %s (%s)\n", what, damon_strerror(result), why);
    exit(1);
}

static unsigned char* map_private(size_t bytes, size_t touched) {
    unsigned char* memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return perror("mmap"), exit(1), NULL;
    for (size_t at = 0; at < touched; at += PAGE) memory[at] = 1;
    return memory;
}

static unsigned char* map_shared(size_t bytes) {
    unsigned char* memory = damon_shared_map(bytes);
    if (memory == NULL) return perror("damon_shared_map"), exit(1), NULL;
    for (size_t at = 0; at < bytes; at += PAGE) memory[at] = 1;
    return memory;
}

static damon_ctx* watch(const void* start, size_t bytes, const struct damon_attrs* attrs) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    const struct damon_addr_range range = {(uintptr_t)start, (uintptr_t)start + bytes};
    must(ctx, damon_target_set_regions(target, &range, 1), "damon_target_set_regions");
    must(ctx, damon_ctx_add_target(ctx, target), "damon_ctx_add_target");
    must(ctx, damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR), "damon_ctx_set_ops");
    must(ctx, damon_ctx_set_attrs(ctx, attrs), "damon_ctx_set_attrs");
    return ctx;
}

static struct damon_attrs attrs_with(uint64_t min, uint64_t max) {
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.min_nr_regions = min;
    attrs.max_nr_regions = max;
    attrs.max_overhead_permil = 0;  // what is measured is the cost, not its bound
    return attrs;
}

static struct damon_ctx_stats stats_of(const damon_ctx* ctx) {
    struct damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    must(ctx, damon_ctx_get_stats(ctx, &stats), "damon_ctx_get_stats");
    return stats;
}

static void sleep_ms(unsigned ms) {
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* --- reading and calling ------------------------------------------------------------------------------------- */

static void bench_snapshot(void) {
    const struct damon_attrs attrs = attrs_with(1000, 1000);
    damon_ctx* ctx = watch((void*)((uintptr_t)1 << 40), (size_t)1 << 30, &attrs);
    struct damon_operations ops;
    damon_operations_init(&ops);
    must(ctx, damon_ctx_set_custom_ops(ctx, &ops, NULL), "damon_ctx_set_custom_ops");
    must(ctx, damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL), "damon_ctx_set_drive");
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    for (uint64_t i = 1; i <= 40; ++i) must(ctx, damon_step(ctx, i * 5000), "damon_step");
    struct damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    const int rounds = 20000;
    const uint64_t start = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < rounds; ++i) must(ctx, damon_snapshot_read(ctx, regions, MAX_REGIONS, &info), "read");
    const double ns = (double)(clock_ns(CLOCK_MONOTONIC) - start) / rounds;
    print("snapshot_read.regions", (double)info.nr_regions, "regions");
    print("snapshot_read", ns / 1000, "us");
    damon_ctx_free(ctx);
}

static int nothing(void* data) {
    (void)data;
    return 0;
}

static void bench_call(void) {
    unsigned char* memory = map_private(16 << 20, 16 << 20);
    struct damon_attrs attrs = attrs_with(10, 100);
    damon_ctx* ctx = watch(memory, 16 << 20, &attrs);
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    must(ctx, damon_set_pause(ctx, 1), "damon_set_pause");
    struct damon_call_control control;
    damon_call_control_init(&control);
    control.fn = nothing;
    const int rounds = 2000;
    const uint64_t start = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < rounds; ++i) must(ctx, damon_call(ctx, &control), "damon_call");
    print("call_round_trip.paused", (double)(clock_ns(CLOCK_MONOTONIC) - start) / rounds / 1000, "us");
    damon_ctx_free(ctx);
    munmap(memory, 16 << 20);
}

/* --- the worker's own cost ----------------------------------------------------------------------------------- */

static void measure_idle(const char* kind, const void* memory, size_t bytes, uint64_t nr_regions) {
    const struct damon_attrs attrs = attrs_with(nr_regions, nr_regions);
    damon_ctx* ctx = watch(memory, bytes, &attrs);
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    sleep_ms(300);
    const struct damon_ctx_stats before = stats_of(ctx);
    const uint64_t start = clock_ns(CLOCK_MONOTONIC);
    sleep_ms(2000);
    const struct damon_ctx_stats after = stats_of(ctx);
    const double wall = (double)(clock_ns(CLOCK_MONOTONIC) - start), cpu = (double)(after.cpu_ns - before.cpu_ns);
    char name[80];
    snprintf(name, sizeof name, "worker_cpu.%s.%u_regions", kind, (unsigned)nr_regions);
    print(name, cpu / wall * 100, "% of a core");
    snprintf(name, sizeof name, "worker_ns_per_sample.%s.%u_regions", kind, (unsigned)nr_regions);
    print(name, cpu / (double)(after.nr_samples - before.nr_samples), "ns");
    snprintf(name, sizeof name, "worker_skipped_intervals.%s.%u_regions", kind, (unsigned)nr_regions);
    print(name, (double)(after.nr_skipped_intervals - before.nr_skipped_intervals), "of 400");
    damon_ctx_free(ctx);
}

static void bench_idle(void) {
    const size_t bytes = (size_t)256 << 20;
    unsigned char* private_memory = map_private(bytes, bytes);
    unsigned char* shared_memory = map_shared(bytes);
    static const uint64_t counts[] = {10, 100, 1000};
    for (int i = 0; i < 3; ++i) {
        measure_idle("private", private_memory, bytes, counts[i]);
        measure_idle("shared", shared_memory, bytes, counts[i]);
    }
    munmap(private_memory, bytes);
    damon_shared_unmap(shared_memory, bytes);
}

/* Same region bounds, 1,024 times the size. */
static void bench_sparse(void) {
    const struct damon_attrs attrs = attrs_with(100, 100);
    double per_second[2];
    for (int big = 0; big < 2; ++big) {
        const size_t bytes = (size_t)1 << (big ? 40 : 30), touched = (size_t)1 << 30;
        unsigned char* memory = map_private(bytes, 0);
        for (size_t i = 0; i < touched / PAGE; ++i) memory[i * (bytes / touched) * PAGE] = 1;
        damon_ctx* ctx = watch(memory, bytes, &attrs);
        must(ctx, damon_start(&ctx, 1, 0), "damon_start");
        sleep_ms(300);
        const struct damon_ctx_stats before = stats_of(ctx);
        sleep_ms(2000);
        const struct damon_ctx_stats after = stats_of(ctx);
        per_second[big] = (double)(after.cpu_ns - before.cpu_ns) / (double)(after.nr_intervals - before.nr_intervals);
        damon_ctx_free(ctx);
        munmap(memory, bytes);
    }
    print("interval_cpu.1GiB", per_second[0] / 1000, "us");
    print("interval_cpu.1TiB_sparse", per_second[1] / 1000, "us");
    print("interval_cpu.1TiB_over_1GiB", per_second[1] / per_second[0], "ratio");
}

/* --- what the program pays ----------------------------------------------------------------------------------- */

struct load {
    unsigned char* memory;
    size_t bytes; /* of which this much from the start is accessed */
    _Atomic uint64_t accesses;
    atomic_bool quit;
    clockid_t cpu;
};

/* Memory-bound: every access misses the caches and most miss the TLB. */
static void* run_load(void* data) {
    struct load* load = data;
    uint64_t seed = 88172645463325252u, sum = 0;
    while (!atomic_load_explicit(&load->quit, memory_order_relaxed)) {
        for (int i = 0; i < 4096; ++i) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            unsigned char* at = load->memory + seed % load->bytes;
            if (i % 4 == 0) *at = (unsigned char)seed;
            sum += *at;
        }
        atomic_fetch_add_explicit(&load->accesses, 4096, memory_order_relaxed);
    }
    return (void*)(uintptr_t)sum;
}

/* Accesses in a nanosecond of the load's CPU time: page faults and interrupts for TLB flushes are in it, the time that
 * other programs of the machine take is not. */
static double rate_over(struct load* load, unsigned ms) {
    const uint64_t before = load->accesses, start = clock_ns(load->cpu);
    sleep_ms(ms);
    return (double)(load->accesses - before) / (double)(clock_ns(load->cpu) - start);
}

static int compare(const void* a, const void* b) {
    return (*(const double*)a > *(const double*)b) - (*(const double*)a < *(const double*)b);
}

struct comparison {
    const char* name;
    size_t hot;    /* bytes that the load accesses */
    int tuned;     /* the intervals goal is on */
    int unlimited; /* max_overhead_permil is 0 */
    int stopped;   /* compare paused with stopped, instead of monitored with paused */
};

static struct damon_attrs attrs_of(const struct comparison* what) {
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    if (what->unlimited) attrs.max_overhead_permil = 0;
    if (what->tuned) {
        attrs.intervals_goal.access_bp = 400;
        attrs.intervals_goal.aggrs = 3;
        attrs.intervals_goal.min_sample_us = 5000;
        attrs.intervals_goal.max_sample_us = 10000000;
    }
    return attrs;
}

/* Median over pairs of slices, in turns. What a resumed monitor spends to arm its pages anew is in the slices' first
 * part and left out: nobody pauses every second. */
static void measure_slowdown(const struct comparison* what, unsigned char* memory, size_t bytes) {
    enum { PAIRS = 9, SETTLE_MS = 500, SLICE_MS = 500 };
    struct load load = {memory, what->hot, 0, 0, 0};
    const struct damon_attrs attrs = attrs_of(what);
    damon_ctx* ctx = watch(memory, bytes, &attrs);
    pthread_t thread;
    pthread_create(&thread, NULL, run_load, &load);
    pthread_getcpuclockid(thread, &load.cpu);
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    sleep_ms(what->tuned ? 8000 : 3000);
    double ratios[PAIRS];
    for (int i = 0; i < PAIRS; ++i) {
        must(ctx, damon_set_pause(ctx, what->stopped), "damon_set_pause");
        if (!damon_is_running(ctx)) must(ctx, damon_start(&ctx, 1, 0), "damon_start");
        sleep_ms(SETTLE_MS);
        const double with = rate_over(&load, SLICE_MS);
        if (what->stopped) must(ctx, damon_stop(&ctx, 1), "damon_stop");
        must(ctx, damon_set_pause(ctx, 1), "damon_set_pause");
        ratios[i] = rate_over(&load, SLICE_MS) / with - 1;
    }
    load.quit = 1;
    pthread_join(thread, NULL);
    damon_ctx_free(ctx);
    qsort(ratios, PAIRS, sizeof ratios[0], compare);
    char label[80];
    snprintf(label, sizeof label, "slowdown.%s", what->name);
    print(label, ratios[PAIRS / 2] * 100, "%");
    snprintf(label, sizeof label, "slowdown.%s.lower_quartile", what->name);
    print(label, ratios[PAIRS / 4] * 100, "%");
    snprintf(label, sizeof label, "slowdown.%s.upper_quartile", what->name);
    print(label, ratios[PAIRS * 3 / 4] * 100, "%");
}

static void bench_slowdown(void) {
    const size_t bytes = (size_t)256 << 20, tenth = bytes / 10;
    unsigned char* private_memory = map_private(bytes, bytes);
    measure_slowdown(&(struct comparison){"private_defaults", bytes, 0, 0, 0}, private_memory, bytes);
    measure_slowdown(&(struct comparison){"private_unlimited", bytes, 0, 1, 0}, private_memory, bytes);
    measure_slowdown(&(struct comparison){"private_tuned", bytes, 1, 0, 0}, private_memory, bytes);
    measure_slowdown(&(struct comparison){"private_hot_tenth_defaults", tenth, 0, 0, 0}, private_memory, bytes);
    measure_slowdown(&(struct comparison){"private_hot_tenth_tuned", tenth, 1, 0, 0}, private_memory, bytes);
    munmap(private_memory, bytes);
    unsigned char* shared_memory = map_shared(bytes);
    measure_slowdown(&(struct comparison){"shared_defaults", bytes, 0, 0, 0}, shared_memory, bytes);
    measure_slowdown(&(struct comparison){"shared_unlimited", bytes, 0, 1, 0}, shared_memory, bytes);
    measure_slowdown(&(struct comparison){"shared_tuned", bytes, 1, 0, 0}, shared_memory, bytes);
    measure_slowdown(&(struct comparison){"shared_hot_tenth_defaults", tenth, 0, 0, 0}, shared_memory, bytes);
    measure_slowdown(&(struct comparison){"shared_hot_tenth_tuned", tenth, 1, 0, 0}, shared_memory, bytes);
    measure_slowdown(&(struct comparison){"shared_paused_over_stopped", bytes, 0, 0, 1}, shared_memory, bytes);
    damon_shared_unmap(shared_memory, bytes);
}

static void bench_pause(void) {
    const size_t bytes = (size_t)256 << 20;
    unsigned char* memory = map_shared(bytes);
    const struct damon_attrs attrs = attrs_with(10, 1000);
    damon_ctx* ctx = watch(memory, bytes, &attrs);
    must(ctx, damon_start(&ctx, 1, 0), "damon_start");
    sleep_ms(500);
    must(ctx, damon_set_pause(ctx, 1), "damon_set_pause");
    const struct damon_ctx_stats before = stats_of(ctx);
    sleep_ms(2000);
    const struct damon_ctx_stats after = stats_of(ctx);
    print("paused.worker_cpu", (double)(after.cpu_ns - before.cpu_ns), "ns in 2 s");
    print("paused.wakeups", (double)(after.nr_wakeups - before.nr_wakeups), "in 2 s");
    damon_ctx_free(ctx);
    damon_shared_unmap(memory, bytes);
}

int main(int argc, char** argv) {
    static const struct {
        const char* name;
        void (*run)(void);
    } all[] = {{"snapshot", bench_snapshot}, {"call", bench_call},     {"pause", bench_pause},
               {"idle", bench_idle},         {"sparse", bench_sparse}, {"slowdown", bench_slowdown}};
    int ran = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
        if (argc > 1 && strcmp(argv[1], all[i].name) != 0) continue;
        all[i].run();
        ++ran;
    }
    if (ran == 0) fprintf(stderr, "no benchmark is named %s\n", argv[1]);
    return ran == 0;
}
