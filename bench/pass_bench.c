/* What passes over accessed bits cost: the worker's CPU time for each pass, and how long another thread waits for an
 * mmap with its munmap and for a page fault, beside the same without passes. One line of JSON a case:
 *
 *     pass_bench [MiB [seconds [passes a minute]]]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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

enum { PAGE = 4096, MOST_PROBES = 1 << 20 };

struct prober {
    atomic_int stop;
    size_t nr;
    double wait_us[MOST_PROBES];
};
static struct prober prober;
static volatile char seen;

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What an allocator does: a mapping, its first page, and away with it. */
static void* probe(void* unused) {
    (void)unused;
    const size_t bytes = 16 * PAGE;
    while (!atomic_load(&prober.stop) && prober.nr < MOST_PROBES) {
        const double begin_us = now_us();
        char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) break;
        memory[0] = 1;
        munmap(memory, bytes);
        prober.wait_us[prober.nr++] = now_us() - begin_us;
        usleep(200);
    }
    return NULL;
}

static int ascending(const void* left, const void* right) {
    const double a = *(const double*)left, b = *(const double*)right;
    return (a > b) - (a < b);
}

struct trial {
    const char* pages; /* "small" or "huge" */
    size_t bytes;
    unsigned seconds;
    uint64_t referenced_us; /* 0: without passes */
    unsigned hot_percent;   /* of the pages, read all the time */
};

static damon_ctx* start(const struct trial* trial, char* memory) {
    damon_ctx* ctx = damon_ctx_new();
    struct damon_attrs attrs;
    char text[256] = "";
    damon_attrs_init(&attrs);
    attrs.referenced_us = trial->referenced_us;
    attrs.max_overhead_permil = 0;
    if (damon_ctx_set_attrs(ctx, &attrs) != 0 ||
        damon_ctx_add_range(ctx, memory, trial->bytes, DAMON_RANGE_STABLE) != 0 || damon_start(&ctx, 1, 0) != 0) {
        damon_ctx_errmsg(ctx, text, sizeof text);
        fprintf(stderr, "start: %s\n", text);
        damon_ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static void read_hot(const struct trial* trial, const char* memory) {
    const double end_us = now_us() + trial->seconds * 1e6;
    while (now_us() < end_us) {
        for (size_t at = 0; at < trial->bytes / 100 * trial->hot_percent; at += PAGE) seen = memory[at];
        usleep(10000);
    }
}

/* Bytes of the snapshot that are called idle, in [0, hot) and behind it. */
static void count_idle(damon_ctx* ctx, const struct trial* trial, const char* memory, uint64_t idle[2],
                       uint64_t* unknown) {
    static struct damon_region_info regions[2000];
    struct damon_snapshot_info info;
    const uint64_t start = (uint64_t)(uintptr_t)memory;
    const uint64_t hot_end = start + trial->bytes / 100 * trial->hot_percent;
    damon_snapshot_info_init(&info);
    const int nr = damon_snapshot_read(ctx, regions, 2000, &info);
    idle[0] = idle[1] = *unknown = 0;
    for (int i = 0; i < nr; i++) {
        const uint64_t middle =
            regions[i].start < hot_end ? (regions[i].end < hot_end ? regions[i].end : hot_end) : regions[i].start;
        if ((regions[i].flags & DAMON_REGION_UNKNOWN) != 0) *unknown += regions[i].end - regions[i].start;
        if ((regions[i].flags & (DAMON_REGION_UNKNOWN | DAMON_REGION_REFERENCED)) != DAMON_REGION_REFERENCED ||
            regions[i].nr_accesses != 0) {
            continue;
        }
        idle[0] += middle - regions[i].start;
        idle[1] += regions[i].end - middle;
    }
}

static int run(const struct trial* trial) {
    const size_t huge = 2u << 20;
    char* mapping = mmap(NULL, trial->bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return 1;
    char* memory = mapping + (huge - (uintptr_t)mapping % huge) % huge;
    madvise(memory, trial->bytes, strcmp(trial->pages, "huge") == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memset(memory, 1, trial->bytes);
    damon_ctx* ctx = start(trial, memory);
    if (ctx == NULL) return 1;
    read_hot(trial, memory); /* the windows are made, and the first passes */
    struct damon_ctx_stats before, after;
    damon_ctx_stats_init(&before);
    damon_ctx_stats_init(&after);
    pthread_t thread;
    atomic_store(&prober.stop, 0);
    prober.nr = 0;
    damon_ctx_get_stats(ctx, &before);
    if (pthread_create(&thread, NULL, probe, NULL) != 0) return 1;
    read_hot(trial, memory);
    atomic_store(&prober.stop, 1);
    pthread_join(thread, NULL);
    damon_ctx_get_stats(ctx, &after);
    uint64_t idle[2], unknown;
    count_idle(ctx, trial, memory, idle, &unknown);
    damon_ctx_free(ctx);
    const double passes = trial->referenced_us == 0 ? 0 : trial->seconds * 1e6 / (double)trial->referenced_us;
    const double pass_ms = (double)(after.referenced_cpu_ns - before.referenced_cpu_ns) / 1e6;
    qsort(prober.wait_us, prober.nr, sizeof *prober.wait_us, ascending);
    const double* wait_us = prober.wait_us;
    printf(
        "{\"bench\": \"pass\", \"pages\": \"%s\", \"mib\": %zu, \"hot_percent\": %u, \"referenced_us\": %llu, "
        "\"pass_cpu_ms\": %.2f, \"pass_cpu_ms_per_gib\": %.2f, \"mmap_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": "
        "%.1f, "
        "\"max\": %.1f, \"probes\": %zu}, \"hot_called_idle_mib\": %.1f, \"cold_called_idle_mib\": %.1f, "
        "\"unknown_mib\": %.1f}\n",
        trial->pages, trial->bytes >> 20, trial->hot_percent, (unsigned long long)trial->referenced_us,
        passes == 0 ? 0 : pass_ms / passes, passes == 0 ? 0 : pass_ms / passes * 1073741824.0 / (double)trial->bytes,
        wait_us[prober.nr / 2], wait_us[prober.nr * 99 / 100], wait_us[prober.nr * 999 / 1000], wait_us[prober.nr - 1],
        prober.nr, (double)idle[0] / 1048576, (double)idle[1] / 1048576, (double)unknown / 1048576);
    fflush(stdout);
    munmap(mapping, trial->bytes + huge);
    return 0;
}

int main(int argc, char** argv) {
    const size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
    const unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10;
    const unsigned per_minute = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 30;
    if (mib == 0 || seconds == 0 || per_minute == 0) return 2;
    const uint64_t referenced_us = 60000000 / per_minute;
    const char* const pages[] = {"small", "huge"};
    int failed = 0;
    for (size_t i = 0; i < 2; i++) {
        for (int passes = 0; passes < 2; passes++) {
            const struct trial trial = {pages[i], mib << 20, seconds, passes == 0 ? 0 : referenced_us, 10};
            failed |= run(&trial);
        }
    }
    return failed;
}
