/* SPDX-License-Identifier: MIT */
/*
 * An allocator that gives memory back where its program does not come any more (DAMOS_CALLBACK).
 *
 * The arena has 192 MiB in spans of 64 KiB. A load phase uses all of it and frees nearly all; from then on the program
 * takes and gives back the same few spans, over and over. Purging at every free would fault them in again each time;
 * purging by the clock has to guess. Here the monitor finds ranges that nobody has written to for half a second, and
 * calls the allocator, which purges the free spans in them. Spans in use are never touched.
 */
#define _GNU_SOURCE
#include <damon_c.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum { SPAN = 64 << 10, NR_SPANS = 3072, NR_BUSY = 128, SECONDS = 4 };
enum { CLEAN, USED, DIRTY, PURGING }; /* free and given back; in use; free and still resident; being given back */

static unsigned char* arena;
static _Atomic int state[NR_SPANS];

static int take(int i, int from, int to) { return atomic_compare_exchange_strong(&state[i], &from, to); }

/* Resident free spans first, lowest address first. */
static void* span_alloc(void) {
    for (int i = 0; i < NR_SPANS; ++i) {
        if (take(i, DIRTY, USED)) return arena + (size_t)i * SPAN;
    }
    for (int i = 0; i < NR_SPANS; ++i) {
        if (take(i, CLEAN, USED)) return arena + (size_t)i * SPAN;
    }
    return NULL;
}

static void span_free(void* span) { atomic_store(&state[((unsigned char*)span - arena) / SPAN], DIRTY); }

/* The allocator's part of the bargain, called on the monitor's thread: purge what is free in a cold range. The range is
 * made of whole spans, because min_region_sz is a span. */
static uint64_t purge(void* data, damon_ctx* ctx, const struct damon_region_info* r, size_t scheme_idx) {
    uint64_t purged = 0;
    for (uint64_t at = r->start; at < r->end; at += SPAN) {
        int i = (int)((at - (uintptr_t)arena) / SPAN);
        if (!take(i, DIRTY, PURGING)) continue;
        if (madvise(arena + (size_t)i * SPAN, SPAN, MADV_DONTNEED) == 0) purged += SPAN;
        atomic_store(&state[i], CLEAN);
    }
    (void)data, (void)ctx, (void)scheme_idx;
    return purged; /* counted as applied, and charged to the quota */
}

static damon_ctx* start_monitor(void) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    struct damon_addr_range range = {(uintptr_t)arena, (uintptr_t)arena + (uint64_t)NR_SPANS * SPAN};
    struct damos_params p;
    damos_params_init(&p);
    p.action = DAMOS_CALLBACK;
    p.action_fn = purge;
    p.pattern.max_nr_accesses = 0;
    p.min_age_us = 500000;
    p.quota.ms = 20; /* of each second: purging must not be felt */
    p.quota.reset_interval_ms = 1000;
    p.quota.weight_age = 1;
    damos* scheme = damos_new(&p);
    if (ctx != NULL && damon_target_set_regions(target, &range, 1) == 0 &&
        damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR) == 0 && damon_ctx_set_min_region_sz(ctx, SPAN) == 0 &&
        damon_ctx_add_target(ctx, target) == 0 && damon_ctx_add_scheme(ctx, scheme) == 0 &&
        damon_start(&ctx, 1, 0) == 0) {
        return ctx;
    }
    char why[200] = "out of memory";
    damon_ctx_errmsg(ctx, why, sizeof why);
    fprintf(stderr, "no monitor: %s\n", why);
    exit(1);
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static long resident_mib(void) {
    unsigned char in_core[SPAN / 4096];
    long pages = 0;
    for (int i = 0; i < NR_SPANS; ++i) {
        if (mincore(arena + (size_t)i * SPAN, SPAN, in_core) != 0) return -1;
        for (size_t k = 0; k < sizeof in_core; ++k) pages += in_core[k] & 1;
    }
    return pages / 256;
}

/* Takes spans, fills them, gives them back. */
static void churn(double seconds) {
    static void* busy[NR_BUSY];
    double end = now_s() + seconds;
    for (unsigned turn = 0; now_s() < end; ++turn) {
        void** slot = &busy[turn % NR_BUSY];
        if (*slot != NULL) span_free(*slot);
        *slot = span_alloc();
        memset(*slot, (int)turn, SPAN);
    }
}

int main(void) {
    static void* all[NR_SPANS];
    if (posix_memalign((void**)&arena, SPAN, (size_t)NR_SPANS * SPAN) != 0) return 1;
    madvise(arena, (size_t)NR_SPANS * SPAN, MADV_NOHUGEPAGE); /* spans are smaller than a huge page */
    damon_ctx* ctx = start_monitor();
    for (int i = 0; i < NR_SPANS; ++i) memset(all[i] = span_alloc(), 1, SPAN);
    for (int i = 0; i < NR_SPANS; ++i) span_free(all[i]);
    printf("after the load phase %4ld MiB of the arena are resident, all of it is free\n", resident_mib());
    long left = 0;
    for (int second = 1; second <= SECONDS; ++second) {
        struct rusage before, after;
        getrusage(RUSAGE_THREAD, &before);
        churn(1);
        getrusage(RUSAGE_THREAD, &after);
        left = resident_mib();
        printf("second %d             %4ld MiB, %ld page faults of the program\n", second, left,
               after.ru_minflt - before.ru_minflt);
    }
    struct damos_stat stat;
    damos_stat_init(&stat);
    damon_ctx_get_scheme_stat(ctx, 0, &stat);
    printf("purged %llu MiB in %llu calls; the program uses %d MiB\n", (unsigned long long)(stat.sz_applied >> 20),
           (unsigned long long)stat.nr_tried, NR_BUSY * SPAN >> 20);
    damon_stop(&ctx, 1);
    damon_ctx_free(ctx);
    free(arena);
    return left < NR_SPANS * (SPAN >> 10) / 1024 / 2 ? 0 : 1;
}
