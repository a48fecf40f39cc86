/* SPDX-License-Identifier: MIT */
/* The kernel's DAMON and its pageout action, as the documentation of its sysfs files says. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel_damon.h"
#include "proc_file.h"
#include "reclaimer.h"

#define CONTEXT "0/contexts/0/"
#define SCHEME CONTEXT "schemes/0/"

static uint64_t get(const char* name) {
    uint64_t value = 0;
    return kernel_damon_get(name, &value) ? value : 0;
}

static int start(const void* memory, size_t bytes) {
    const uint64_t begin = (uint64_t)(uintptr_t)memory;
    const struct kernel_damon_setting settings[] = {
        {"nr_kdamonds", NULL, 1},
        {"0/contexts/nr_contexts", NULL, 1},
        {CONTEXT "operations", "fvaddr", 0},
        {CONTEXT "monitoring_attrs/intervals/sample_us", NULL, 5000},
        {CONTEXT "monitoring_attrs/intervals/aggr_us", NULL, 100000},
        {CONTEXT "monitoring_attrs/nr_regions/min", NULL, 10},
        {CONTEXT "monitoring_attrs/nr_regions/max", NULL, 1000},
        {CONTEXT "targets/nr_targets", NULL, 1},
        {CONTEXT "targets/0/pid_target", NULL, (uint64_t)getpid()},
        {CONTEXT "targets/0/regions/nr_regions", NULL, 1},
        {CONTEXT "targets/0/regions/0/start", NULL, begin},
        {CONTEXT "targets/0/regions/0/end", NULL, begin + bytes},
        {CONTEXT "schemes/nr_schemes", NULL, 1},
        {SCHEME "action", "pageout", 0},
        {SCHEME "access_pattern/sz/max", NULL, UINT64_MAX},
        {SCHEME "access_pattern/nr_accesses/max", NULL, 0},
        {SCHEME "access_pattern/age/min", NULL, RECLAIM_AFTER_MS / 100},
        {SCHEME "access_pattern/age/max", NULL, UINT32_MAX},
        {"0/state", "on", 0},
    };
    const int error = kernel_damon_set_all(settings, sizeof settings / sizeof settings[0]);
    if (error != 0) fprintf(stderr, "%s\n", kernel_damon_failure());
    return error;
}

static void read_stat(struct reclaimer_stat* stat) {
    char path[32];
    (void)kernel_damon_set(&(struct kernel_damon_setting){"0/state", "update_schemes_stats", 0});
    stat->sz_tried = get(SCHEME "stats/sz_tried");
    stat->sz_applied = get(SCHEME "stats/sz_applied");
    snprintf(path, sizeof path, "%" PRIu64, get("0/pid"));
    stat->cpu_ns = thread_cpu_ns(path);
}

const struct reclaimer kernel_reclaimer = {"kernel", start, read_stat, kernel_damon_stop};
