/* SPDX-License-Identifier: MIT */
/* How well regions agree with the truth. */
#ifndef DAMON_BENCH_SCORE_H
#define DAMON_BENCH_SCORE_H

#include "monitor.h"
#include "workload.h"

enum { SCORE_MAX_RANGES = 64 };

/* Sorted, disjoint ranges. */
struct score_ranges {
    struct workload_range ranges[SCORE_MAX_RANGES];
    size_t count;
};

/* Of the workload's memory only: other memory of the program is in use as well, and nobody knows how. */
struct score {
    uint64_t hot_bytes;     /* true */
    uint64_t found_bytes;   /* in regions with at least `hot_from` accesses */
    uint64_t both_bytes;    /* the two at once */
    uint64_t touched_bytes; /* in regions with any access: the usual estimate of a working set */
};

struct score score_regions(const struct monitor_region* regions, size_t nr_regions, uint64_t hot_from,
                           const struct score_ranges* memory, const struct score_ranges* hot);

uint64_t score_bytes(const struct score_ranges* ranges);

#endif
