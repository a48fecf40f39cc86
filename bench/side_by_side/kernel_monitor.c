/* SPDX-License-Identifier: MIT */
/* The kernel's DAMON through its sysfs files, as its documentation says. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel_damon.h"
#include "monitor.h"
#include "proc_file.h"

#define CONTEXT "0/contexts/0/"
#define SCHEME CONTEXT "schemes/0/"

static char kdamond_path[32]; /* below /proc */

static int set_up(const struct monitor_attrs* attrs) {
    const struct kernel_damon_setting settings[] = {
        {"nr_kdamonds", NULL, 1},
        {"0/contexts/nr_contexts", NULL, 1},
        {CONTEXT "operations", "vaddr", 0},
        {CONTEXT "monitoring_attrs/intervals/sample_us", NULL, attrs->sample_us},
        {CONTEXT "monitoring_attrs/intervals/aggr_us", NULL, attrs->aggr_us},
        {CONTEXT "monitoring_attrs/intervals/update_us", NULL, 60000000},
        {CONTEXT "monitoring_attrs/nr_regions/max", NULL, attrs->max_nr_regions},
        {CONTEXT "monitoring_attrs/nr_regions/min", NULL, attrs->min_nr_regions},
        {CONTEXT "targets/nr_targets", NULL, 1},
        {CONTEXT "targets/0/pid_target", NULL, (uint64_t)getpid()},
        /* Everything matches, so that each pass "tries", and tells, all regions. */
        {CONTEXT "schemes/nr_schemes", NULL, 1},
        {SCHEME "action", "stat", 0},
        {SCHEME "access_pattern/sz/max", NULL, UINT64_MAX},
        {SCHEME "access_pattern/nr_accesses/max", NULL, UINT32_MAX},
        {SCHEME "access_pattern/age/max", NULL, UINT32_MAX},
        {"0/state", "on", 0},
    };
    return kernel_damon_set_all(settings, sizeof settings / sizeof settings[0]);
}

static int start(const struct monitor_attrs* attrs) {
    int error = set_up(attrs);
    uint64_t pid = 0;
    if (error == 0 && !kernel_damon_get("0/pid", &pid)) error = -ESRCH;
    if (error != 0) kernel_damon_stop();
    snprintf(kdamond_path, sizeof kdamond_path, "%" PRIu64, pid);
    return error;
}

/* 0, or a negative errno. */
static int command(const char* name) { return kernel_damon_set(&(struct kernel_damon_setting){"0/state", name, 0}); }

static int read_regions(struct monitor_region* regions, size_t cap) {
    /* Returns when the scheme's next pass is over, which is at the end of a window. */
    const int error = command("update_schemes_tried_regions");
    if (error != 0) return error;
    size_t count = 0;
    for (; count < cap; count++) {
        static const char* const members[] = {"start", "end", "nr_accesses"};
        uint64_t values[3];
        for (int i = 0; i < 3; i++) {
            char name[100];
            snprintf(name, sizeof name, SCHEME "tried_regions/%zu/%s", count, members[i]);
            if (!kernel_damon_get(name, &values[i])) return (int)count;
        }
        regions[count] = (struct monitor_region){values[0], values[1], values[2]};
    }
    return (int)count;
}

static int cost(struct monitor_cost* out) {
    const int error = command("update_schemes_stats");
    out->cpu_ns = thread_cpu_ns(kdamond_path);
    out->nr_windows = 0;
    out->nr_samples = 0;
    (void)kernel_damon_get(SCHEME "stats/nr_snapshots", &out->nr_windows);
    return error;
}

static void describe(char* text, size_t bytes) {
    snprintf(text, bytes, "%s",
             kernel_damon_failure()[0] != '\0' ? kernel_damon_failure() : "accessed bits of page tables");
}

const struct monitor kernel_monitor = {"kernel", start, read_regions, cost, describe, kernel_damon_stop};
