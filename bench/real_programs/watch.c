/* Loaded into a program with LD_PRELOAD: watches it without ranges, and writes a line a window to $DAMON_WATCH_OUT.
 *
 *   $DAMON_WATCH_COVERAGE  flags of damon_ctx_set_coverage(), default 0
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "damon_c.h"

#define MAX_REGIONS 4096
static struct damon_region_info regions[MAX_REGIONS];

/* Bytes of the regions that lie in readable or writable mappings. */
static uint64_t mapped_bytes(int nr) {
    uint64_t bytes = 0;
    FILE* maps = fopen("/proc/self/maps", "re");
    char line[4352];
    int i = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char flags[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, flags) != 3 || (flags[0] != 'r' && flags[1] != 'w')) continue;
        while (i < nr && regions[i].end <= start) i++;
        for (int j = i; j < nr && regions[j].start < end; j++) {
            uint64_t from = regions[j].start > start ? regions[j].start : start;
            uint64_t to = regions[j].end < end ? regions[j].end : end;
            bytes += to - from;
        }
    }
    if (maps != NULL) fclose(maps);
    return bytes;
}

static void report(damon_ctx* ctx, FILE* out, double seconds) {
    struct damon_snapshot_info info;
    struct damon_ctx_stats stats;
    uint64_t total = 0, hot = 0, unknown = 0;
    damon_snapshot_info_init(&info);
    damon_ctx_stats_init(&stats);
    int nr = damon_snapshot_read(ctx, regions, MAX_REGIONS, &info);
    if (nr < 0) return;
    for (int i = 0; i < nr; i++) {
        uint64_t bytes = regions[i].end - regions[i].start;
        total += bytes;

        if (regions[i].nr_accesses * 10 >= info.max_nr_accesses) hot += bytes;
        if (regions[i].flags & DAMON_REGION_UNKNOWN) unknown += bytes;
    }
    damon_ctx_get_stats(ctx, &stats);
    fprintf(out, "%.1f regions %d total_mib %.1f mapped_mib %.1f hot_mib %.1f unknown_mib %.1f cpu_ms %.1f\n", seconds,
            nr, total / 1048576.0, mapped_bytes(nr) / 1048576.0, hot / 1048576.0, unknown / 1048576.0,
            stats.cpu_ns / 1e6);
    fflush(out);
}

static void* watch(void* path) {
    const char* coverage = getenv("DAMON_WATCH_COVERAGE");
    FILE* out = fopen(path, "we");
    damon_ctx* ctx = damon_ctx_new();
    struct damon_attrs attrs;
    char text[256];
    if (out == NULL || ctx == NULL) return NULL;
    sleep(1); /* the program starts threads and changes users first */
    damon_attrs_init(&attrs);
    damon_ctx_set_attrs(ctx, &attrs);
    if (coverage != NULL) damon_ctx_set_coverage(ctx, (uint32_t)atoi(coverage));
    damon_ctx_add_target(ctx, damon_target_new());
    if (damon_start(&ctx, 1, 0) != 0) {
        damon_ctx_errmsg(ctx, text, sizeof text);
        fprintf(out, "start: %s\n", text);
        fclose(out);
        return NULL;
    }
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (uint64_t seq = 0;;) {
        if (damon_snapshot_wait(ctx, seq, 20000) != 0) break;
        struct damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        if (damon_snapshot_read(ctx, regions, MAX_REGIONS, &info) < 0) break;
        seq = info.seq;
        clock_gettime(CLOCK_MONOTONIC, &now);
        report(ctx, out, (double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9);
    }
    return NULL;
}

__attribute__((constructor)) static void begin(void) {
    static char path[4096];
    pthread_t thread;
    const char* out = getenv("DAMON_WATCH_OUT");
    if (out == NULL) return;
    snprintf(path, sizeof path, "%s", out);
    unsetenv("LD_PRELOAD"); /* not for the program's children */
    if (pthread_create(&thread, NULL, watch, path) == 0) pthread_detach(thread);
}
