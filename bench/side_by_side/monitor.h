/* SPDX-License-Identifier: MIT */
/* What is compared: two monitors of this process behind one interface. */
#ifndef DAMON_BENCH_MONITOR_H
#define DAMON_BENCH_MONITOR_H

#include <stddef.h>
#include <stdint.h>

enum { MONITOR_MAX_REGIONS = 4096 };

struct monitor_attrs {
    uint64_t sample_us;
    uint64_t aggr_us;
    uint64_t min_nr_regions;
    uint64_t max_nr_regions;
};

struct monitor_region {
    uint64_t start;
    uint64_t end;
    uint64_t nr_accesses; /* of aggr_us / sample_us samples */
};

/* What a monitor has done since it started. */
struct monitor_cost {
    uint64_t cpu_ns;     /* of its thread */
    uint64_t nr_windows; /* aggregation intervals that have ended */
    uint64_t nr_samples; /* pages looked at; 0: it does not tell */
};

/* Functions give 0 or a count, or a negative errno. One monitor runs at a time. */
struct monitor {
    const char* name;
    /* Watches the virtual addresses of this process, as its mappings are. */
    int (*start)(const struct monitor_attrs* attrs);
    /* Waits for the end of a window and gives the regions as they were then. -ETIMEDOUT: none ended in a second. */
    int (*read)(struct monitor_region* regions, size_t cap);
    int (*cost)(struct monitor_cost* cost);
    /* How it sees accesses, or why it last failed, in one line. */
    void (*describe)(char* text, size_t bytes);
    void (*stop)(void);
};

/* The DAMON of the running kernel, "vaddr" operations. Needs root, and that nobody else uses it. */
extern const struct monitor kernel_monitor;
/* This library, DAMON_OPS_VADDR. */
extern const struct monitor library_monitor;

#endif
