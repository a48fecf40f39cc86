/* SPDX-License-Identifier: MIT */
/* The built-in scenarios. */
#include <stdio.h>
#include <string.h>

#include "workload.h"

#define MB ((uint64_t)1000 * 1000)
#define PAGE 4096

static uint64_t whole_pages(uint64_t bytes) { return bytes < PAGE ? PAGE : bytes / PAGE * PAGE; }

/* Touches each page of a part in turn, by writing. */
static int touch_pages(struct workload* w, size_t region, uint64_t offset, uint64_t length) {
    const struct workload_access access = {region, offset, length, WORKLOAD_SEQUENTIAL, PAGE, 16, 1};
    return workload_add_access(w, &access);
}

static int add_numbered_regions(struct workload* w, unsigned count, uint64_t length) {
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%u", i);
        const int added = workload_add_region(w, name, length);
        if (added < 0) return added;
    }
    return 0;
}

static int add_step(struct workload* w, unsigned region) {
    char name[16];
    snprintf(name, sizeof name, "r%u", region);
    const int phase = workload_add_phase(w, name, 5000);
    return phase < 0 ? phase : touch_pages(w, region, 0, 0);
}

static int build_stairs(struct workload* w, uint64_t bytes) {
    int error = add_numbered_regions(w, 10, whole_pages(bytes / 10));
    for (unsigned i = 0; i < 10 && error == 0; i++) error = add_step(w, i);
    return error;
}

static int build_zigzag(struct workload* w, uint64_t bytes) {
    int error = build_stairs(w, bytes);
    for (unsigned i = 8; i > 0 && error == 0; i--) error = add_step(w, i);
    return error;
}

static int build_hot10(struct workload* w, uint64_t bytes) {
    const int error = add_numbered_regions(w, 10, whole_pages(bytes / 10));
    return error != 0 ? error : add_step(w, 3);
}

static int build_uniform(struct workload* w, uint64_t bytes) {
    const int error = add_numbered_regions(w, 1, whole_pages(bytes));
    return error != 0 ? error : add_step(w, 0);
}

static int build_thousandth(struct workload* w, uint64_t bytes) {
    const int region = workload_add_region(w, "heap", whole_pages(bytes));
    const int phase = workload_add_phase(w, "hot", 5000);
    if (region < 0 || phase < 0) return region < 0 ? region : phase;
    return touch_pages(w, (size_t)region, whole_pages(bytes / 3), whole_pages(bytes / 1000));
}

static int build_moving(struct workload* w, uint64_t bytes) {
    const unsigned steps = 40;
    const uint64_t window = whole_pages(bytes / 10);
    const int region = workload_add_region(w, "space", whole_pages(bytes));
    int error = region < 0 ? region : 0;
    for (unsigned i = 0; i < steps && error == 0; i++) {
        char name[16];
        snprintf(name, sizeof name, "step%u", i);
        const int phase = workload_add_phase(w, name, 250);
        const uint64_t offset = (whole_pages(bytes) - window) / PAGE * i / (steps - 1) * PAGE;
        error = phase < 0 ? phase : touch_pages(w, (size_t)region, offset, window);
    }
    return error;
}

static int build_stream(struct workload* w, uint64_t bytes) {
    const int region = workload_add_region(w, "stream", whole_pages(bytes));
    const int phase = workload_add_phase(w, "stream", 5000);
    if (region < 0 || phase < 0) return region < 0 ? region : phase;
    const struct workload_access access = {(size_t)region, 0, 0, WORKLOAD_SEQUENTIAL, 64, 64, 0};
    return workload_add_access(w, &access);
}

static const struct {
    const char* name;
    uint64_t bytes;
    int (*build)(struct workload* w, uint64_t bytes);
} scenarios[] = {
    {"stairs", 100 * MB, build_stairs},         {"zigzag", 100 * MB, build_zigzag},
    {"hot10", 100 * MB, build_hot10},           {"uniform", 100 * MB, build_uniform},
    {"hot0.1pct", 1000 * MB, build_thousandth}, {"moving", 100 * MB, build_moving},
    {"stream", 100 * MB, build_stream},
};
static const size_t nr_scenarios = sizeof scenarios / sizeof scenarios[0];

const char* workload_scenario_name(size_t idx) { return idx < nr_scenarios ? scenarios[idx].name : NULL; }

struct workload* workload_scenario(const char* name, uint64_t bytes) {
    for (size_t i = 0; i < nr_scenarios; i++) {
        if (strcmp(name, scenarios[i].name) != 0) continue;
        struct workload* w = workload_new();
        if (w == NULL || scenarios[i].build(w, bytes != 0 ? bytes : scenarios[i].bytes) == 0) return w;
        workload_free(w);
        return NULL;
    }
    return NULL;
}
