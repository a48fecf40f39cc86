/* A program with a 512 MiB heap, of which 10 % are in use at a time, and a monitor inside that finds out which.
 *
 *   1. It starts the monitor and draws what the monitor sees.
 *   2. The hot part moves. The monitor follows.
 *   3. It pauses the monitor: no CPU, no wake-up; and resumes it: the regions are as they were.
 *   4. For contrast it stops and starts it: everything has to be learned again.
 *   5. It compares what was found with the truth, and says what the monitor cost.
 *
 * Ordinary use of damon_c.h throughout. Runs in about 25 seconds, needs no privileges. */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "damon_c.h"

enum { HEAP = 512 << 20, HOT = HEAP / 10, PAGE = 4096, STRIP = 64, MAX_REGIONS = 1200 };

static unsigned char* heap;
static _Atomic size_t hot_start;      /* the truth: [hot_start, hot_start + HOT) is in use */
static _Atomic uint64_t objects_read; /* how much work the program got done */
static atomic_bool quit;

static damon_ctx* ctx;
static struct damon_region_info regions[MAX_REGIONS];
static struct damon_snapshot_info info;
static int nr_regions;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(int result, const char* what) {
    if (result >= 0) return;
    char why[256] = "";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "%s: %s (%s)\n", what, damon_strerror(result), why);
    exit(1);
}

/* The program: reads objects all over its hot part, now and then writes one. */
static void* program(void* unused) {
    uint64_t seed = 88172645463325252u, sum = 0;
    while (!atomic_load(&quit)) {
        unsigned char* hot = heap + atomic_load(&hot_start);
        for (int i = 0; i < 10000; ++i) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            unsigned char* object = hot + seed % (HOT / 64) * 64;
            if (seed >> 60 == 0) *object = (unsigned char)sum;
            sum += *object;
        }
        atomic_fetch_add(&objects_read, 10000);
    }
    (void)unused;
    return NULL;
}

/* A region counts as found hot when at least half of its samples were positive. */
static int is_hot(const struct damon_region_info* r) { return r->nr_accesses * 2 >= info.max_nr_accesses; }

/* F1: harmonic mean of precision and recall of the hot bytes. */
static double f1_now(void) {
    uint64_t lo = (uintptr_t)heap + hot_start, hi = lo + HOT, found = 0, right = 0;
    for (int i = 0; i < nr_regions; ++i) {
        if (!is_hot(&regions[i])) continue;
        uint64_t start = regions[i].start > lo ? regions[i].start : lo, end = regions[i].end < hi ? regions[i].end : hi;
        found += regions[i].end - regions[i].start;
        right += start < end ? end - start : 0;
    }
    return found + HOT == 0 ? 0 : 2.0 * (double)right / (double)(found + HOT);
}

static void draw(const char* title) {
    static const char shades[] = " .:-=+*#%@";
    static char strip[STRIP + 1], truth[STRIP + 1];
    for (int i = 0; i < STRIP; ++i) {
        uint64_t address = (uintptr_t)heap + (uint64_t)HEAP / STRIP * (unsigned)i + HEAP / STRIP / 2;
        uint32_t rate = 0;
        for (int r = 0; r < nr_regions; ++r)
            if (regions[r].start <= address && address < regions[r].end) rate = regions[r].nr_accesses;
        uint32_t max = info.max_nr_accesses ? info.max_nr_accesses : 1;
        strip[i] = shades[(rate > max ? max : rate) * (sizeof shades - 2) / max];
        size_t offset = (size_t)(address - (uintptr_t)heap), start = hot_start;
        truth[i] = offset >= start && offset < start + HOT ? '^' : ' ';
    }
    if (isatty(STDOUT_FILENO)) printf("\033[H\033[J");
    printf("%s\n  seen  |%s|\n  truth |%s|  %d regions, F1 of hot bytes %.3f\n", title, strip, truth, nr_regions,
           f1_now());
    if (!isatty(STDOUT_FILENO)) return;
    printf("\n  %10s %10s  %8s  %s\n", "offset", "size", "accesses", "age (s)");
    for (int i = 0; i < nr_regions && i < 24; ++i)
        printf("  %7" PRIu64 " KiB %6" PRIu64 " KiB  %3u / %-3u  %.1f\n", (regions[i].start - (uintptr_t)heap) >> 10,
               (regions[i].end - regions[i].start) >> 10, regions[i].nr_accesses, info.max_nr_accesses,
               regions[i].age * (double)info.aggr_us * 1e-6);
    fflush(stdout);
}

static double look(void) {
    must(damon_snapshot_wait(ctx, info.seq, 5000), "damon_snapshot_wait");
    must(nr_regions = damon_snapshot_read(ctx, regions, MAX_REGIONS, &info), "damon_snapshot_read");
    return f1_now();
}

/* Watches for some seconds; returns after how many of them F1 was at 0.9 first (or -1). */
static double watch(const char* title, double seconds) {
    double start = now_s(), reached = -1, drawn = 0;
    while (now_s() - start < seconds) {
        if (look() >= 0.9 && reached < 0) reached = now_s() - start;
        if (now_s() - drawn < (isatty(STDOUT_FILENO) ? 0.1 : 1.0)) continue;
        draw(title);
        drawn = now_s();
    }
    return reached;
}

static double speed(double seconds) {
    uint64_t before = objects_read;
    double start = now_s();
    usleep((useconds_t)(seconds * 1e6));
    return (double)(objects_read - before) / (now_s() - start);
}

static struct damon_ctx_stats stats_now(void) {
    struct damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    must(damon_ctx_get_stats(ctx, &stats), "damon_ctx_get_stats");
    return stats;
}

int main(void) {
    /* Memory that the library maps and knows to be shared can be watched for reads and writes on any kernel. */
    heap = damon_shared_map(HEAP);
    if (heap == NULL) return perror("damon_shared_map"), 1;
    for (size_t i = 0; i < HEAP; i += PAGE) heap[i] = 1;
    hot_start = (size_t)HEAP / 8 + (5 << 20);
    pthread_t thread;
    pthread_create(&thread, NULL, program, NULL);

    ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    struct damon_addr_range range = {(uintptr_t)heap, (uintptr_t)heap + HEAP};
    must(damon_target_set_regions(target, &range, 1), "damon_target_set_regions");
    must(damon_ctx_add_target(ctx, target), "damon_ctx_add_target");
    must(damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR), "damon_ctx_set_ops"); /* just these addresses */
    must(damon_start(&ctx, 1, 0), "damon_start");
    damon_snapshot_info_init(&info);

    double found_first = watch("1. Learning which 10 % of 512 MiB are in use", 5);
    hot_start = (size_t)HEAP / 2 + (9 << 20);
    double found_moved = watch("2. The hot part has moved", 5);
    double f1_before = look();
    struct damon_ctx_stats before = stats_now();
    double cpu_percent = (double)before.cpu_ns / 10e9 * 100, speed_monitored = speed(1.0);

    must(damon_set_pause(ctx, 1), "damon_set_pause");
    static struct damon_region_info kept[MAX_REGIONS];
    int nr_kept = nr_regions = damon_snapshot_read(ctx, regions, MAX_REGIONS, &info);
    memcpy(kept, regions, sizeof kept);
    before = stats_now();
    double speed_paused = speed(2.0);
    struct damon_ctx_stats after = stats_now();
    nr_regions = damon_snapshot_read(ctx, regions, MAX_REGIONS, &info);
    int same = nr_kept == nr_regions && memcmp(kept, regions, (size_t)nr_regions * sizeof *kept) == 0;
    draw("3. Paused for 2 seconds");
    must(damon_set_pause(ctx, 0), "damon_set_pause");
    double f1_resumed = look();
    draw("   resumed: one window later");

    must(damon_stop(&ctx, 1), "damon_stop");
    must(damon_start(&ctx, 1, 0), "damon_start");
    double f1_restarted = look();
    draw("4. Stopped and started: one window later");
    double found_again = watch("   learning it all again", 4);
    double f1_end = look();
    must(damon_stop(&ctx, 1), "damon_stop");
    atomic_store(&quit, 1);
    pthread_join(thread, NULL);

    printf("\n5. What was found, and what it cost\n");
    printf("   hot part found (F1 >= 0.9)      after %.1f s; moved: %.1f s; after stop/start: %.1f s (-1: not)\n",
           found_first, found_moved, found_again);
    printf("   F1 before pause                 %.3f\n   F1 one window after resume      %.3f\n", f1_before, f1_resumed);
    printf("   F1 one window after stop/start  %.3f   (at the end: %.3f)\n", f1_restarted, f1_end);
    printf("   while paused: %" PRIu64 " ns of CPU, %" PRIu64 " wake-ups, regions %s\n", after.cpu_ns - before.cpu_ns,
           after.nr_wakeups - before.nr_wakeups, same ? "bit for bit the same" : "CHANGED");
    printf("   worker CPU while monitoring     %.2f %% of one core, %" PRIu64 " samples of %" PRIu64 " not answered\n",
           cpu_percent, after.nr_unknown_samples, after.nr_samples);
    printf("   program's speed: %.1f million objects/s monitored, %.1f paused (%+.1f %%)\n", speed_monitored * 1e-6,
           speed_paused * 1e-6, (speed_monitored / speed_paused - 1) * 100);
    damon_ctx_free(ctx);
    damon_shared_unmap(heap, HEAP);
    return same ? 0 : 1;
}
