/* SPDX-License-Identifier: MIT */
/*
 * workload [--memory=anon|shared|huge] [--bytes=N] [--rounds=N] [--sparse] SCENARIO | --config=FILE
 *
 * Runs a workload and tells, one line each and at once, what a monitor of another process must know:
 *   pid PID
 *   region NAME START END
 *   ready
 *   phase NAME MONOTONIC_NS hot START-END ...
 *   end MONOTONIC_NS accesses N damaged N
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

#define MAX_RANGES 256

struct options {
    enum workload_memory memory;
    uint64_t bytes;
    uint64_t rounds; /* of all phases; 0: for ever */
    int sparse;
    const char* config;
    const char* scenario;
};

static int usage(void) {
    fprintf(stderr,
            "usage: workload [--memory=anon|shared|huge] [--bytes=N] [--rounds=N] [--sparse] SCENARIO|--config=FILE\n"
            "  --rounds=N  how often all phases run; 0: for ever; default 1\n"
            "  --sparse    do not touch every page first\n"
            "  scenarios: ");
    for (size_t i = 0; workload_scenario_name(i) != NULL; i++) fprintf(stderr, " %s", workload_scenario_name(i));
    fprintf(stderr, "\n");
    return 2;
}

static int parse_memory(const char* name, enum workload_memory* memory) {
    static const char* const names[] = {"anon", "shared", "huge"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *memory = (enum workload_memory)i;
        return 0;
    }
    return -1;
}

/* 0: the options are understood. */
static int parse_options(int argc, char** argv, struct options* options) {
    for (int i = 1; i < argc; i++) {
        const char* word = argv[i];
        if (strncmp(word, "--memory=", 9) == 0) {
            if (parse_memory(word + 9, &options->memory) != 0) return -1;
        } else if (strncmp(word, "--bytes=", 8) == 0) {
            options->bytes = strtoull(word + 8, NULL, 10);
        } else if (strncmp(word, "--rounds=", 9) == 0) {
            options->rounds = strtoull(word + 9, NULL, 10);
        } else if (strncmp(word, "--config=", 9) == 0) {
            options->config = word + 9;
        } else if (strcmp(word, "--sparse") == 0) {
            options->sparse = 1;
        } else if (word[0] == '-' || options->scenario != NULL) {
            return -1;
        } else {
            options->scenario = word;
        }
    }
    return (options->config != NULL) == (options->scenario != NULL) ? -1 : 0;
}

static struct workload* read_config(const char* path) {
    char text[65536];
    FILE* file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return NULL;
    }
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    char error[200];
    struct workload* w = workload_parse(text, error, sizeof error);
    if (w == NULL) fprintf(stderr, "%s: %s\n", path, error);
    return w;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void tell_phase(const struct workload* w, size_t phase) {
    struct workload_range hot[MAX_RANGES];
    const size_t nr_hot = workload_hot_ranges(w, phase, hot, MAX_RANGES);
    printf("phase %s %" PRIu64 " hot", workload_phase_name(w, phase), now_ns());
    for (size_t i = 0; i < nr_hot && i < MAX_RANGES; i++) {
        printf(" 0x%" PRIx64 "-0x%" PRIx64, hot[i].start, hot[i].end);
    }
    printf("\n");
}

static void tell_regions(const struct workload* w) {
    printf("pid %d\n", (int)getpid());
    for (size_t i = 0; i < workload_nr_regions(w); i++) {
        const struct workload_range range = workload_region_range(w, i);
        printf("region %s 0x%" PRIx64 " 0x%" PRIx64 "\n", workload_region_name(w, i), range.start, range.end);
    }
    printf("ready\n");
}

int main(int argc, char** argv) {
    struct options options = {WORKLOAD_ANON, 0, 1, 0, NULL, NULL};
    if (parse_options(argc, argv, &options) != 0) return usage();
    struct workload* w =
        options.config != NULL ? read_config(options.config) : workload_scenario(options.scenario, options.bytes);
    if (w == NULL) return options.config != NULL ? 1 : usage();
    const int error = workload_map(w, options.memory, !options.sparse);
    if (error != 0) {
        fprintf(stderr, "workload: cannot map its memory: %s\n", strerror(-error));
        workload_free(w);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    tell_regions(w);
    uint64_t accesses = 0;
    for (uint64_t round = 0; options.rounds == 0 || round < options.rounds; round++) {
        for (size_t phase = 0; phase < workload_nr_phases(w); phase++) {
            tell_phase(w, phase);
            accesses += workload_run_phase(w, phase);
        }
    }
    const uint64_t end_ns = now_ns();
    const uint64_t damaged = workload_damaged_pages(w);
    printf("end %" PRIu64 " accesses %" PRIu64 " damaged %" PRIu64 "\n", end_ns, accesses, damaged);
    workload_free(w);
    return damaged == 0 ? 0 : 1;
}
