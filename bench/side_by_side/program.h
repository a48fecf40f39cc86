/* SPDX-License-Identifier: MIT */
/* The program that is watched: a thread that runs a workload, phase after phase. */
#ifndef DAMON_BENCH_PROGRAM_H
#define DAMON_BENCH_PROGRAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "score.h"
#include "workload.h"

struct program {
    struct workload* workload;
    uint64_t phase_ns;
    _Atomic uint64_t begin_ns;
    struct score_ranges memory;
    pthread_t thread;
    _Atomic uint64_t nr_accesses;
    _Atomic int32_t tid; /* of the thread; 0: not yet known */
    atomic_bool quit;
};

/* Maps and fills its memory, and begins with phase 0. `bytes` in all, each phase for phase_ms. 0 or a negative errno.
 */
int program_start(struct program* p, const char* scenario, uint64_t bytes, uint64_t phase_ms);
/* Ends it. How many pages have lost their content: anything but 0 is damage. */
uint64_t program_stop(struct program* p);
/* Phase 0 begins (again) now. */
void program_restart(struct program* p);

/* The phase at a moment of CLOCK_MONOTONIC, and what is hot then. */
size_t program_phase_at(const struct program* p, uint64_t at_ns);
void program_truth(const struct program* p, size_t phase, struct score_ranges* hot);

/* CPU time of its thread so far, page faults included. */
uint64_t program_cpu_ns(const struct program* p);

uint64_t program_now_ns(void);

#endif
