/* SPDX-License-Identifier: MIT */
/*
 * side_by_side [PATTERN...]: runs each pattern (all if none is named) unwatched, under the kernel's DAMON and under
 * this library, in turns within one life of one program, with equal attributes. SIDE_BY_SIDE_REPEATS (1) says how
 * often. Prints what turn.h tells. Needs root, and a kernel whose DAMON nobody uses.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "turn.h"

#define MIB ((uint64_t)1 << 20)

struct pattern {
    const char* name;
    const char* scenario;
    uint64_t bytes;
    uint64_t rest_us; /* so that each hot page is accessed at least twice a sampling interval */
    uint64_t phase_ms;
    uint64_t run_ms;
    uint64_t min_nr_regions;
    uint64_t max_nr_regions;
};

static const struct pattern patterns[] = {
    {"hot10", "hot10", 256 * MIB, 250, 6000, 6000, 10, 1000},
    {"stairs", "stairs", 256 * MIB, 250, 2000, 20000, 10, 1000},
    {"zigzag", "zigzag", 256 * MIB, 250, 2000, 36000, 10, 1000},
    {"uniform", "uniform", 64 * MIB, 50, 6000, 6000, 10, 1000},
    {"moving", "moving", 256 * MIB, 250, 250, 10000, 10, 1000},
    {"hot0.1pct", "hot0.1pct", 1024 * MIB, 1000, 16000, 16000, 10, 1000},
    /* As many regions for both, so that the cost of one sample can be told. */
    {"regions100", "hot10", 256 * MIB, 250, 5000, 5000, 100, 100},
    {"regions1000", "hot10", 256 * MIB, 250, 5000, 5000, 1000, 1000},
};
static const size_t nr_patterns = sizeof patterns / sizeof patterns[0];

static int run_pattern(const struct pattern* pattern, unsigned nr_repeats) {
    static const struct monitor* const monitors[] = {NULL, &kernel_monitor, &library_monitor};
    struct program program;
    int error = program_start(&program, pattern->scenario, pattern->bytes, pattern->phase_ms);
    if (error == 0) workload_set_rest_us(program.workload, pattern->rest_us);
    if (error != 0) {
        fprintf(stderr, "%s: cannot start the program: %s\n", pattern->name, strerror(-error));
        return error;
    }
    for (unsigned i = 0; i < 3 * nr_repeats && error == 0; i++) {
        const struct monitor_attrs attrs = {5000, 100000, pattern->min_nr_regions, pattern->max_nr_regions};
        const struct turn turn = {pattern->name, monitors[i % 3], attrs, pattern->run_ms, i / 3};
        error = turn_run(&program, &turn);
    }
    const uint64_t damaged = program_stop(&program);
    if (damaged != 0) fprintf(stderr, "%s: %llu pages were damaged\n", pattern->name, (unsigned long long)damaged);
    return damaged != 0 ? -1 : error;
}

/* Another process that runs for a moment every millisecond, as there is on any machine in use: switching to it empties
 * the emulated TLB. The kernel's DAMON does not flush TLBs, and cannot see accesses that an entry in there serves. */
static pid_t start_neighbour(void) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct timespec pause = {0, 1000000};
    for (;;) nanosleep(&pause, NULL);
}

static int is_wanted(const struct pattern* pattern, int argc, char** argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], pattern->name) == 0) return 1;
    }
    return argc <= 1;
}

int main(int argc, char** argv) {
    const char* repeats = getenv("SIDE_BY_SIDE_REPEATS");
    const unsigned nr_repeats = repeats != NULL && atoi(repeats) > 0 ? (unsigned)atoi(repeats) : 1;
    int failed = 0, nr_run = 0;
    const pid_t neighbour = start_neighbour();
    for (size_t i = 0; i < nr_patterns; i++) {
        if (!is_wanted(&patterns[i], argc, argv)) continue;
        failed |= run_pattern(&patterns[i], nr_repeats) != 0;
        nr_run++;
    }
    if (neighbour > 0 && kill(neighbour, SIGKILL) == 0) waitpid(neighbour, NULL, 0);
    if (nr_run == 0) {
        fprintf(stderr, "no pattern is named so; there are:");
        for (size_t i = 0; i < nr_patterns; i++) fprintf(stderr, " %s", patterns[i].name);
        fputc('\n', stderr);
    }
    return failed || nr_run == 0;
}
