/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc_file.h"

uint64_t program_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

size_t program_phase_at(const struct program* p, uint64_t at_ns) {
    const uint64_t begin = p->begin_ns;
    return at_ns < begin ? 0 : (size_t)((at_ns - begin) / p->phase_ns % workload_nr_phases(p->workload));
}

static void* run(void* data) {
    struct program* p = data;
    atomic_store(&p->tid, (int32_t)gettid());
    while (!atomic_load_explicit(&p->quit, memory_order_relaxed)) {
        const uint64_t made = workload_run_rounds(p->workload, program_phase_at(p, program_now_ns()), 2);
        atomic_fetch_add_explicit(&p->nr_accesses, made, memory_order_relaxed);
    }
    return NULL;
}

uint64_t program_cpu_ns(const struct program* p) {
    char path[40];
    snprintf(path, sizeof path, "self/task/%d", (int)p->tid);
    return thread_cpu_ns(path);
}

/* Regions in the order of their addresses, as the truth is. */
static void list_memory(struct program* p) {
    p->memory.count = 0;
    for (size_t i = 0; i < workload_nr_regions(p->workload) && i < SCORE_MAX_RANGES; i++) {
        p->memory.ranges[p->memory.count++] = workload_region_range(p->workload, i);
    }
}

int program_start(struct program* p, const char* scenario, uint64_t bytes, uint64_t phase_ms) {
    memset(p, 0, sizeof *p);
    p->workload = workload_scenario(scenario, bytes);
    if (p->workload == NULL) return -ENOMEM;
    int error = workload_map(p->workload, WORKLOAD_ANON, 1);
    if (error == 0) {
        list_memory(p);
        p->phase_ns = phase_ms * 1000000;
        program_restart(p);
        error = -pthread_create(&p->thread, NULL, run, p);
    }
    if (error != 0) workload_free(p->workload);
    return error;
}

uint64_t program_stop(struct program* p) {
    atomic_store(&p->quit, 1);
    pthread_join(p->thread, NULL);
    const uint64_t damaged = workload_damaged_pages(p->workload);
    workload_free(p->workload);
    return damaged;
}

void program_restart(struct program* p) { p->begin_ns = program_now_ns(); }

void program_truth(const struct program* p, size_t phase, struct score_ranges* hot) {
    const size_t count = workload_hot_ranges(p->workload, phase, hot->ranges, SCORE_MAX_RANGES);
    hot->count = count < SCORE_MAX_RANGES ? count : SCORE_MAX_RANGES;
}
