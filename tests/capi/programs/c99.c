/* Uses the library as a C program does: written from damon_c.h alone, C99, no GNU extensions. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damon_c.h"

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

enum { PAGE = 4096, PAGES = 256, HOT_FIRST = 64, HOT_LAST = 96 };

/* The program's own access check: pages HOT_FIRST to HOT_LAST - 1 are always in use. */
static void look(void* priv, struct damon_sample* samples, size_t nr) {
    const uint64_t base = *(const uint64_t*)priv;
    size_t i;
    for (i = 0; i < nr; i++) {
        const uint64_t page = (samples[i].addr - base) / PAGE;
        samples[i].seen = page >= HOT_FIRST && page < HOT_LAST ? DAMON_SEEN_YES : DAMON_SEEN_NO;
    }
}

static int count(void* data) { return ++*(int*)data; }

static void walked(void* data, damon_ctx* ctx, const struct damon_region_info* r, size_t scheme_idx,
                   uint64_t sz_filter_passed) {
    (void)ctx;
    (void)scheme_idx;
    (void)sz_filter_passed;
    *(uint64_t*)data += r->end - r->start;
}

static uint64_t purge(void* data, damon_ctx* ctx, const struct damon_region_info* r, size_t scheme_idx) {
    (void)ctx;
    (void)scheme_idx;
    *(uint64_t*)data += r->end - r->start;
    return r->end - r->start;
}

static damon_ctx* make(uint64_t* base) {
    struct damon_operations ops;
    struct damon_attrs attrs;
    struct damon_addr_range range;
    damon_target* target = damon_target_new();
    damon_ctx* ctx = damon_ctx_new();
    CHECK(ctx != NULL && target != NULL);
    damon_operations_init(&ops);
    ops.check_accesses = look;
    CHECK(damon_ctx_set_custom_ops(ctx, &ops, base) == 0);
    damon_attrs_init(&attrs);
    CHECK(attrs.size == sizeof attrs && attrs.sample_us == 5000 && attrs.aggr_us == 100000);
    CHECK(attrs.ops_update_us == 1000000 && attrs.min_nr_regions == 10 && attrs.max_nr_regions == 1000);
    attrs.sample_us = 1000;
    attrs.aggr_us = 20000;
    CHECK(damon_ctx_set_attrs(ctx, &attrs) == 0);
    CHECK(damon_ctx_set_min_region_sz(ctx, PAGE) == 0);
    range.start = *base;
    range.end = *base + (uint64_t)PAGES * PAGE;
    CHECK(damon_target_set_regions(target, &range, 1) == 0);
    CHECK(damon_ctx_add_target(ctx, target) == 0);
    CHECK(damon_ctx_nr_targets(ctx) == 1 && damon_ctx_target(ctx, 0) == target);
    return ctx;
}

/* Bytes of the last snapshot that lie in the hot pages and were found in use all the time. */
static uint64_t hot_bytes(damon_ctx* ctx, uint64_t base) {
    static struct damon_region_info regions[1000];
    struct damon_snapshot_info info;
    uint64_t bytes = 0;
    int i, nr;
    damon_snapshot_info_init(&info);
    nr = damon_snapshot_read(ctx, regions, 1000, &info);
    CHECK(nr > 0 && (uint64_t)nr == info.nr_regions && info.max_nr_accesses == 20 && info.nr_targets == 1);
    for (i = 0; i < nr; i++) {
        CHECK(regions[i].start < regions[i].end && regions[i].nr_accesses <= info.max_nr_accesses);
        if (regions[i].nr_accesses * 10 < info.max_nr_accesses * 9) continue;
        CHECK(regions[i].start >= base && regions[i].end <= base + (uint64_t)PAGES * PAGE);
        bytes += regions[i].end - regions[i].start;
    }
    return bytes;
}

/* Every window is a snapshot; windows until the hot pages are found. Bounded by windows, not by time. */
static void find_hot(damon_ctx* ctx, uint64_t base) {
    const uint64_t wanted = (uint64_t)(HOT_LAST - HOT_FIRST) * PAGE;
    struct damon_snapshot_info info;
    int windows;
    damon_snapshot_info_init(&info);
    for (windows = 0; windows < 1000; windows++) {
        const uint64_t seen = info.seq;
        uint64_t found;
        CHECK(damon_snapshot_wait(ctx, seen, -1) == 0);
        CHECK(damon_snapshot_read(ctx, NULL, 0, &info) == -ENOSPC && info.seq > seen);
        found = hot_bytes(ctx, base);
        if (found * 10 >= wanted * 9 && found * 9 <= wanted * 10) return;
    }
    CHECK(!"the hot pages were found");
}

int main(void) {
    uint64_t base = 16 * PAGE, walked_bytes = 0, purged_bytes = 0;
    struct damos_walk_control walk;
    struct damon_call_control call;
    struct damos_params params;
    struct damos_stat stat;
    damos* scheme;
    damon_ctx* ctx;
    char text[256];
    int calls = 0;

    CHECK(damon_version() == (DAMON_VERSION_MAJOR << 16 | DAMON_VERSION_MINOR << 8 | DAMON_VERSION_PATCH));
    CHECK(strcmp(damon_version_string(), "0.1.0") == 0);
    CHECK(strcmp(damon_strerror(-EINVAL), "invalid argument") == 0 && damon_strerror(12345) != NULL);

    ctx = make(&base);
    damos_params_init(&params);
    CHECK(params.size == sizeof params && params.action == DAMOS_STAT && params.target_nid == -1);
    params.action = DAMOS_CALLBACK;
    params.action_fn = purge;
    params.action_data = &purged_bytes;
    scheme = damos_new(&params);
    CHECK(scheme != NULL && damon_ctx_add_scheme(ctx, scheme) == 0 && damon_ctx_nr_schemes(ctx) == 1);

    CHECK(damon_is_running(ctx) == 0 && damon_kdamond_tid(ctx) == 0 && damon_nr_running_ctxs() == 0);
    CHECK(damon_start(&ctx, 1, 1) == 0);
    CHECK(damon_is_running(ctx) == 1 && damon_kdamond_tid(ctx) > 0 && damon_nr_running_ctxs() == 1);
    CHECK(damon_start(&ctx, 1, 0) == -EBUSY && damon_ctx_errmsg(ctx, text, sizeof text) > 0);

    damon_call_control_init(&call);
    call.fn = count;
    call.data = &calls;
    CHECK(damon_call(ctx, &call) == 0 && calls == 1 && call.return_code == 1 && call.canceled == 0);

    find_hot(ctx, base);

    damos_walk_control_init(&walk);
    walk.walk_fn = walked;
    walk.data = &walked_bytes;
    CHECK(damos_walk(ctx, &walk) == 0 && walk.canceled == 0);
    CHECK(walked_bytes == (uint64_t)PAGES * PAGE);

    CHECK(damon_set_pause(ctx, 1) == 0 && damon_is_paused(ctx) == 1);
    CHECK(damos_walk(ctx, &walk) == -ECANCELED && walk.canceled == 1);
    CHECK(damon_call(ctx, &call) == 0 && calls == 2);
    CHECK(damon_set_pause(ctx, 0) == 0 && damon_is_paused(ctx) == 0);

    CHECK(damon_stop(&ctx, 1) == 0 && damon_stop(&ctx, 1) == 0);
    CHECK(damon_is_running(ctx) == 0 && damon_nr_running_ctxs() == 0);
    CHECK(damon_call(ctx, &call) == -ECANCELED && call.canceled == 1 && calls == 2);
    damos_stat_init(&stat);
    CHECK(damon_ctx_get_scheme_stat(ctx, 0, &stat) == 0 && stat.nr_tried > 0);
    CHECK(stat.sz_applied == stat.sz_tried && stat.sz_applied == purged_bytes);
    CHECK(hot_bytes(ctx, base) > 0);
    damon_ctx_free(ctx);
    damon_ctx_free(NULL);
    return 0;
}
