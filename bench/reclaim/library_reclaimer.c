/* SPDX-License-Identifier: MIT */
/* This library, embedded in the program whose memory it pages out. */
#include <stdio.h>

#include "damon_c.h"
#include "proc_file.h"
#include "reclaimer.h"

static damon_ctx* ctx;

static void stop(void) {
    damon_ctx_free(ctx);
    ctx = NULL;
}

static int complain(int error) {
    char why[256] = "";
    if (error < 0) {
        damon_ctx_errmsg(ctx, why, sizeof why);
        fprintf(stderr, "library: %s (%s)\n", damon_strerror(error), why);
        stop();
    }
    return error;
}

static int start(const void* memory, size_t bytes) {
    const uint64_t begin = (uint64_t)(uintptr_t)memory;
    const struct damon_addr_range range = {begin, begin + bytes};
    struct damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.pattern.min_age = RECLAIM_AFTER_MS / 100;
    ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    damos* scheme = damos_new(&params);
    int error = damon_target_set_regions(target, &range, 1);
    if (error == 0) error = damon_ctx_add_target(ctx, target);
    if (error == 0) error = damon_ctx_add_scheme(ctx, scheme);
    if (error == 0) error = damon_ctx_set_ops(ctx, DAMON_OPS_FVADDR);
    if (error == 0) error = damon_start(&ctx, 1, 0);
    return complain(error);
}

static void read_stat(struct reclaimer_stat* out) {
    struct damos_stat stat;
    damos_stat_init(&stat);
    (void)complain(damon_ctx_get_scheme_stat(ctx, 0, &stat));
    char path[40];
    snprintf(path, sizeof path, "self/task/%d", (int)damon_kdamond_tid(ctx));
    *out = (struct reclaimer_stat){stat.sz_tried, stat.sz_applied, thread_cpu_ns(path)};
}

const struct reclaimer library_reclaimer = {"library", start, read_stat, stop};
