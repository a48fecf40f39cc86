/* SPDX-License-Identifier: MIT */
/* How soon small hot sets are found in real memory, and what that costs, at the default attributes:
 *
 *     survey_real PATTERN SEED SURVEY_BP SECONDS [MAX_OVERHEAD_PERMIL, default 0] [zap|read]
 *
 * PATTERN: 1m (1 MiB of 1 GiB is written), jump (4 MiB, elsewhere every 5 s), 64x64k. SEED: one, or all from
 * FIRST-LAST. `zap`: declared shared memory, which is read. `read`: private memory, which is read (where reads can be
 * seen, Linux 7.3). SURVEY_BP: as damon_attrs.survey_bp; "default". One line of JSON for each seed.
 */
#include <damon_c.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_RUNS = 64, MAX_WINDOWS = 4096, MAX_REGIONS = 4096, MAX_SECONDS = 300 };
static const uint64_t SPACE = 1ull << 30;

struct run {
    uint64_t start;
    uint64_t end;
};

static struct {
    char* memory;
    int reads;
    struct run runs[MAX_RUNS];
    atomic_int nr_runs;
    atomic_int generation;
    atomic_int quit;
} program;

static uint64_t random_state;

static uint64_t next_random(void) {
    random_state += 0x9e3779b97f4a7c15ull;
    uint64_t mixed = random_state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return mixed ^ (mixed >> 31);
}

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void place(uint64_t low, uint64_t high, uint64_t bytes) {
    const uint64_t pages = (high - low - bytes) / PAGE + 1;
    struct run* run = &program.runs[program.nr_runs];
    run->start = low + next_random() % pages * PAGE;
    run->end = run->start + bytes;
    atomic_fetch_add(&program.nr_runs, 1);
}

/* Touches each hot page every millisecond. */
static void* use_memory(void* unused) {
    (void)unused;
    const struct timespec pause = {0, 500000};
    while (!atomic_load(&program.quit)) {
        const int nr_runs = atomic_load(&program.nr_runs);
        for (int i = 0; i < nr_runs; ++i) {
            for (uint64_t at = program.runs[i].start; at < program.runs[i].end; at += PAGE) {
                volatile char* page = program.memory + at;
                if (program.reads) {
                    (void)*page;
                } else {
                    ++*page;
                }
            }
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static double f1_of(const struct damon_region_info* regions, int nr, uint64_t max_nr_accesses) {
    uint64_t hot = 0, found = 0, both = 0;
    const uint64_t base = (uint64_t)(uintptr_t)program.memory;
    for (int i = 0; i < program.nr_runs; ++i) hot += program.runs[i].end - program.runs[i].start;
    for (int r = 0; r < nr; ++r) {
        if (2 * (uint64_t)regions[r].nr_accesses < max_nr_accesses) continue;
        found += regions[r].end - regions[r].start;
        for (int i = 0; i < program.nr_runs; ++i) {
            const uint64_t low =
                regions[r].start > base + program.runs[i].start ? regions[r].start : base + program.runs[i].start;
            const uint64_t high =
                regions[r].end < base + program.runs[i].end ? regions[r].end : base + program.runs[i].end;
            if (low < high) both += high - low;
        }
    }
    return hot + found == 0 ? 1 : 2.0 * (double)both / (double)(hot + found);
}

static void fail(damon_ctx* ctx, const char* what) {
    char text[200] = "";
    if (ctx != NULL) damon_ctx_errmsg(ctx, text, sizeof text);
    fprintf(stderr, "survey_real: %s: %s\n", what, text);
    exit(1);
}

static damon_ctx* begin(uint64_t seed, const char* bp, uint64_t permil, int zap) {
    damon_ctx* ctx = damon_ctx_new();
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.max_overhead_permil = permil;
    if (strcmp(bp, "default") != 0) attrs.survey_bp = strtoull(bp, NULL, 10);
    if (ctx == NULL || damon_ctx_set_attrs(ctx, &attrs) != 0) fail(ctx, "attributes");
    damon_ctx_set_seed(ctx, seed);
    if (damon_ctx_add_range(ctx, program.memory, SPACE, zap ? DAMON_RANGE_SHARED : 0) != 0) fail(ctx, "range");
    if (damon_start(&ctx, 1, 0) != 0) fail(ctx, "start");
    return ctx;
}

struct result {
    double found_s;
    double change_s[MAX_SECONDS];
    int nr_changes;
    int windows_to_find;
    double mean;
    double mean_after_5s;
    double regions;
    int nr_windows;
    double most_ms_in_10s;
};

static void watch(damon_ctx* ctx, struct result* result, double seconds, int jumps) {
    static struct damon_region_info regions[MAX_REGIONS];
    static double spent_ms[MAX_SECONDS + 1];
    const double begin_s = now_s();
    double changed_s = begin_s, sum_late = 0;
    int nr_late = 0, found = 0, second = 0;
    uint64_t seq = 0;
    for (double now = begin_s; now - begin_s < seconds; now = now_s()) {
        if (jumps && now - changed_s >= 5) {
            atomic_store(&program.nr_runs, 0);
            place(0, SPACE, 4 << 20);
            changed_s += 5;
            result->change_s[result->nr_changes++] = 5;
            found = 0;
        }
        damon_snapshot_wait(ctx, seq, 200);
        struct damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx, regions, MAX_REGIONS, &info);
        if (nr < 0 || info.seq == seq) continue;
        seq = info.seq;
        const double f1 = f1_of(regions, nr, info.max_nr_accesses);
        now = now_s();
        result->mean += f1;
        result->regions += nr;
        ++result->nr_windows;
        if (now - begin_s >= 5) sum_late += f1, ++nr_late;
        if (f1 >= 0.9 && !found) {
            found = 1;
            if (result->nr_changes > 0) result->change_s[result->nr_changes - 1] = now - changed_s;
            if (result->found_s < 0) result->found_s = now - begin_s, result->windows_to_find = result->nr_windows;
        }
        for (; second <= (int)(now - begin_s) && second <= MAX_SECONDS; ++second) {
            struct damon_ctx_stats stats;
            damon_ctx_stats_init(&stats);
            damon_ctx_get_stats(ctx, &stats);
            spent_ms[second] = (double)stats.survey_cpu_ns / 1e6;
            const double before = second >= 10 ? spent_ms[second - 10] : 0;
            if (spent_ms[second] - before > result->most_ms_in_10s) result->most_ms_in_10s = spent_ms[second] - before;
        }
    }
    result->mean /= result->nr_windows > 0 ? result->nr_windows : 1;
    result->regions /= result->nr_windows > 0 ? result->nr_windows : 1;
    result->mean_after_5s = nr_late > 0 ? sum_late / nr_late : -1;
}

static int compare(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

struct wish {
    const char* pattern;
    const char* bp;
    const char* kind;
    double seconds;
    uint64_t permil;
};

static void measure(const struct wish* wish, uint64_t seed) {
    const int zap = strcmp(wish->kind, "_zap") == 0;
    const int jumps = strcmp(wish->pattern, "jump") == 0;
    random_state = seed * 1000003;
    const int flags = MAP_ANONYMOUS | (zap ? MAP_SHARED : MAP_PRIVATE);
    program.memory = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (program.memory == MAP_FAILED) fail(NULL, "memory");
    madvise(program.memory, SPACE, MADV_NOHUGEPAGE);
    for (uint64_t at = 0; at < SPACE; at += PAGE) program.memory[at] = 1;
    program.reads = wish->kind[0] != '\0';
    atomic_store(&program.nr_runs, 0);
    atomic_store(&program.quit, 0);
    if (strcmp(wish->pattern, "64x64k") == 0) {
        for (uint64_t i = 0; i < 64; ++i) place(i * (SPACE / 64), (i + 1) * (SPACE / 64), 64 << 10);
    } else {
        place(0, SPACE, jumps ? 4 << 20 : 1 << 20);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, use_memory, NULL);
    damon_ctx* ctx = begin(seed, wish->bp, wish->permil, zap);
    struct result result = {.found_s = -1};
    watch(ctx, &result, wish->seconds, jumps);
    damon_stop(&ctx, 1);
    atomic_store(&program.quit, 1);
    pthread_join(thread, NULL);
    struct damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    damon_ctx_get_stats(ctx, &stats);
    qsort(result.change_s, (size_t)result.nr_changes, sizeof result.change_s[0], compare);
    printf(
        "{\"pattern\": \"%s%s\", \"seed\": %llu, \"survey_bp\": \"%s\", \"permil\": %llu, \"seconds\": %.0f, "
        "\"found_s\": "
        "%.3f, \"windows_to_find\": %d, \"change_s\": %.3f, \"f1_mean\": %.3f, \"f1_after_5s\": %.3f, \"regions\": "
        "%.1f, "
        "\"windows\": %d, \"cpu_pct\": %.3f, \"survey_pct\": %.4f, \"survey_ms_in_10s\": %.3f, \"unknown\": %.3f}\n",
        wish->pattern, wish->kind, (unsigned long long)seed, wish->bp, (unsigned long long)wish->permil, wish->seconds,
        result.found_s, result.windows_to_find, result.nr_changes > 0 ? result.change_s[result.nr_changes / 2] : -1.0,
        result.mean, result.mean_after_5s, result.regions, result.nr_windows,
        (double)stats.cpu_ns / wish->seconds / 1e7, (double)stats.survey_cpu_ns / wish->seconds / 1e7,
        result.most_ms_in_10s,
        stats.nr_samples > 0 ? (double)stats.nr_unknown_samples / (double)stats.nr_samples : 0.0);
    fflush(stdout);
    damon_ctx_free(ctx);
    munmap(program.memory, SPACE);
}

int main(int argc, char** argv) {
    if (argc < 5) return fprintf(stderr, "survey_real PATTERN SEED SURVEY_BP SECONDS [PERMIL] [zap|read]\n"), 2;
    struct wish wish = {argv[1], argv[3], "", strtod(argv[4], NULL), argc > 5 ? strtoull(argv[5], NULL, 10) : 0};
    if (argc > 6) wish.kind = strcmp(argv[6], "zap") == 0 ? "_zap" : "_read";
    if (wish.seconds > MAX_SECONDS) fail(NULL, "too long");
    char* end = NULL;
    const uint64_t first = strtoull(argv[2], &end, 10);
    const uint64_t last = *end == '-' ? strtoull(end + 1, NULL, 10) : first;
    for (uint64_t seed = first; seed <= last; ++seed) measure(&wish, seed);
    return 0;
}
