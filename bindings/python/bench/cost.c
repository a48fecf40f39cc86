/* What bench/cost.py measures, in C: prints the median nanoseconds of a snapshot of 1,000 regions, of a call to the
 * worker of a paused context, and of a call to a manually driven one. */
#include <damon_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { kRegions = 1000, kRounds = 2000 };

static uint64_t times[kRounds];

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

static unsigned long long median(void) {
    qsort(times, kRounds, sizeof times[0], compare);
    return times[kRounds / 2];
}

static int nothing(void* data) { return data != NULL; }

static damon_ctx* start(int32_t drive) {
    static struct damon_addr_range ranges[kRegions];
    struct damon_operations ops;
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    for (int i = 0; i < kRegions; i++) {
        ranges[i].start = ((uint64_t)i * 2 + 1) << 20;
        ranges[i].end = ranges[i].start + (1 << 20);
    }
    damon_operations_init(&ops);
    damon_ctx_set_custom_ops(ctx, &ops, NULL);
    damon_ctx_set_drive(ctx, drive);
    damon_target_set_regions(target, ranges, kRegions);
    damon_ctx_add_target(ctx, target);
    if (damon_start(&ctx, 1, 0) != 0) exit(EXIT_FAILURE);
    return ctx;
}

static unsigned long long time_snapshot(damon_ctx* ctx) {
    static struct damon_region_info regions[4 * kRegions];
    struct damon_snapshot_info info;
    for (uint64_t step = 1; step <= 20; step++) damon_step(ctx, step * 5000);
    for (int i = 0; i < kRounds; i++) {
        const uint64_t begin = now_ns();
        damon_snapshot_info_init(&info);
        if (damon_snapshot_read(ctx, regions, 4 * kRegions, &info) != kRegions) exit(EXIT_FAILURE);
        times[i] = now_ns() - begin;
    }
    return median();
}

static unsigned long long time_call(damon_ctx* ctx) {
    struct damon_call_control control;
    for (int i = 0; i < kRounds; i++) {
        const uint64_t begin = now_ns();
        damon_call_control_init(&control);
        control.fn = nothing;
        if (damon_call(ctx, &control) != 0) exit(EXIT_FAILURE);
        times[i] = now_ns() - begin;
    }
    return median();
}

int main(void) {
    damon_ctx* manual = start(DAMON_DRIVE_MANUAL);
    const unsigned long long snapshot = time_snapshot(manual), manual_call = time_call(manual);
    damon_ctx_free(manual);
    damon_ctx* threaded = start(DAMON_DRIVE_THREAD);
    damon_set_pause(threaded, 1);
    const unsigned long long call = time_call(threaded);
    damon_ctx_free(threaded);
    printf("{\"snapshot_ns\": %llu, \"call_ns\": %llu, \"manual_call_ns\": %llu}\n", snapshot, call, manual_call);
    return EXIT_SUCCESS;
}
