/* SPDX-License-Identifier: MIT */
/* This library, embedded in the program that it watches. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "damon_c.h"
#include "monitor.h"
#include "proc_file.h"

static damon_ctx* ctx;
static uint64_t seq_read;
static uint64_t seed;
static struct damon_region_info buffer[MONITOR_MAX_REGIONS];

static int set_up(const struct monitor_attrs* wanted) {
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = wanted->sample_us;
    attrs.aggr_us = wanted->aggr_us;
    attrs.min_nr_regions = wanted->min_nr_regions;
    attrs.max_nr_regions = wanted->max_nr_regions;
    attrs.max_overhead_permil = 0; /* the kernel's DAMON has no such limit either */
    int error = damon_ctx_set_attrs(ctx, &attrs);
    if (error == 0) error = damon_ctx_set_seed(ctx, ++seed);
    damon_target* target = damon_target_new();
    if (error == 0) error = damon_ctx_add_target(ctx, target);
    if (error != 0) damon_target_free(target);
    return error;
}

static void stop(void) {
    damon_ctx_free(ctx);
    ctx = NULL;
}

static int start(const struct monitor_attrs* attrs) {
    stop();
    ctx = damon_ctx_new();
    seq_read = 0;
    const int error = set_up(attrs);
    return error != 0 ? error : damon_start(&ctx, 1, 0);
}

static int read_regions(struct monitor_region* regions, size_t cap) {
    const int waited = damon_snapshot_wait(ctx, seq_read, 1000);
    if (waited != 0) return waited;
    struct damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    const int count = damon_snapshot_read(ctx, buffer, cap < MONITOR_MAX_REGIONS ? cap : MONITOR_MAX_REGIONS, &info);
    seq_read = info.seq;
    for (int i = 0; i < count; i++) {
        regions[i] = (struct monitor_region){buffer[i].start, buffer[i].end, buffer[i].nr_accesses};
    }
    return count;
}

static int cost(struct monitor_cost* out) {
    char path[40];
    snprintf(path, sizeof path, "self/task/%d", (int)damon_kdamond_tid(ctx));
    struct damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    const int error = damon_ctx_get_stats(ctx, &stats);
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    if (error == 0) (void)damon_ctx_get_attrs(ctx, &attrs);
    out->cpu_ns = thread_cpu_ns(path);
    out->nr_windows = stats.nr_intervals / (attrs.sample_us != 0 ? attrs.aggr_us / attrs.sample_us : 1);
    out->nr_samples = stats.nr_samples;
    return error;
}

static void describe(char* text, size_t bytes) {
    struct damon_access_check_info info;
    damon_access_check_info_init(&info);
    if (ctx != NULL && damon_ctx_errmsg(ctx, text, bytes) > 0) return;
    const int error = damon_access_check_probe(DAMON_ACCESS_CHECK_AUTO, &info);
    snprintf(text, bytes, "%s", error == 0 ? info.reason : damon_strerror(error));
}

const struct monitor library_monitor = {"library", start, read_regions, cost, describe, stop};
