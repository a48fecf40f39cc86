/* SPDX-License-Identifier: MIT */
/* Who pages out what a program has not accessed for a second. */
#ifndef DAMON_BENCH_RECLAIMER_H
#define DAMON_BENCH_RECLAIMER_H

#include <stddef.h>
#include <stdint.h>

struct reclaimer_stat {
    uint64_t sz_tried;
    uint64_t sz_applied;
    uint64_t cpu_ns; /* of the monitor's thread, actions included */
};

struct reclaimer {
    const char* name;
    /* 0, or a negative errno. Both use fixed virtual addresses, 5 ms sampling, 100 ms windows, 10 to 1,000 regions. */
    int (*start)(const void* memory, size_t bytes);
    void (*read_stat)(struct reclaimer_stat* stat);
    void (*stop)(void);
};

/* The kernel's DAMON, through sysfs: for machines whose DAMON nobody else uses. */
extern const struct reclaimer kernel_reclaimer;
/* This library. */
extern const struct reclaimer library_reclaimer;

enum { RECLAIM_AFTER_MS = 1000 };

#endif
