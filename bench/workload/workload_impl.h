/* SPDX-License-Identifier: MIT */
/* What the files of the workload generator share. */
#ifndef DAMON_BENCH_WORKLOAD_IMPL_H
#define DAMON_BENCH_WORKLOAD_IMPL_H

#include "workload.h"

#define WORKLOAD_NAME_BYTES 32

struct workload_region {
    char name[WORKLOAD_NAME_BYTES];
    uint64_t length;
    unsigned char* memory;  /* NULL: not mapped */
    unsigned char* mapping; /* what mmap returned, which huge pages make larger */
    uint64_t mapping_bytes;
};

struct workload_entry {
    struct workload_access access;
    uint64_t cursor; /* SEQUENTIAL: offset of the next access within the part */
};

struct workload_phase {
    char name[WORKLOAD_NAME_BYTES];
    uint64_t duration_ms;
    struct workload_entry* entries;
    size_t nr_entries;
};

struct workload {
    struct workload_region* regions;
    size_t nr_regions;
    struct workload_phase* phases;
    size_t nr_phases;
    uint64_t rest_us;
    uint64_t random; /* state */
    int populated;
};

#endif
