/* SPDX-License-Identifier: MIT */
/* Describing a workload, and reading the description. */
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workload_impl.h"

/* One more element of `bytes`, zeroed, at the end of an array; NULL: out of memory, and the array is as before. */
static void* append(void** array, size_t* count, size_t bytes) {
    char* grown = realloc(*array, (*count + 1) * bytes);
    if (grown == NULL) return NULL;
    *array = grown;
    for (size_t i = 0; i < bytes; i++) grown[*count * bytes + i] = 0;
    return grown + bytes * (*count)++;
}

struct workload* workload_new(void) {
    struct workload* w = calloc(1, sizeof *w);
    if (w != NULL) w->random = 0x9e3779b97f4a7c15;
    return w;
}

void workload_free(struct workload* w) {
    if (w == NULL) return;
    for (size_t i = 0; i < w->nr_regions; i++) {
        if (w->regions[i].mapping != NULL) munmap(w->regions[i].mapping, w->regions[i].mapping_bytes);
    }
    for (size_t i = 0; i < w->nr_phases; i++) free(w->phases[i].entries);
    free(w->regions);
    free(w->phases);
    free(w);
}

int workload_add_region(struct workload* w, const char* name, uint64_t length) {
    if (length == 0) return -EINVAL;
    void* array = w->regions;
    struct workload_region* region = append(&array, &w->nr_regions, sizeof *region);
    if (region == NULL) return -ENOMEM;
    w->regions = array;
    snprintf(region->name, sizeof region->name, "%s", name);
    region->length = length;
    return (int)w->nr_regions - 1;
}

int workload_add_phase(struct workload* w, const char* name, uint64_t duration_ms) {
    if (duration_ms == 0) return -EINVAL;
    void* array = w->phases;
    struct workload_phase* phase = append(&array, &w->nr_phases, sizeof *phase);
    if (phase == NULL) return -ENOMEM;
    w->phases = array;
    snprintf(phase->name, sizeof phase->name, "%s", name);
    phase->duration_ms = duration_ms;
    return (int)w->nr_phases - 1;
}

int workload_add_access(struct workload* w, const struct workload_access* access) {
    if (w->nr_phases == 0 || access->region >= w->nr_regions) return -EINVAL;
    const uint64_t length = w->regions[access->region].length;
    if (access->offset >= length || access->length > length - access->offset) return -EINVAL;
    const uint64_t part = access->length != 0 ? access->length : length - access->offset;
    if (access->stride == 0 || access->stride % 8 != 0 || access->offset % 8 != 0 || part < 8) return -EINVAL;
    struct workload_phase* phase = &w->phases[w->nr_phases - 1];
    void* array = phase->entries;
    struct workload_entry* entry = append(&array, &phase->nr_entries, sizeof *entry);
    if (entry == NULL) return -ENOMEM;
    phase->entries = array;
    entry->access = *access;
    entry->access.length = part;
    return 0;
}

void workload_set_rest_us(struct workload* w, uint64_t rest_us) { w->rest_us = rest_us; }

size_t workload_nr_regions(const struct workload* w) { return w->nr_regions; }
const char* workload_region_name(const struct workload* w, size_t region) { return w->regions[region].name; }

struct workload_range workload_region_range(const struct workload* w, size_t region) {
    const uint64_t start = (uint64_t)(uintptr_t)w->regions[region].memory;
    const struct workload_range range = {start, start + w->regions[region].length};
    return range;
}

size_t workload_nr_phases(const struct workload* w) { return w->nr_phases; }
const char* workload_phase_name(const struct workload* w, size_t phase) { return w->phases[phase].name; }
uint64_t workload_phase_ms(const struct workload* w, size_t phase) { return w->phases[phase].duration_ms; }

size_t workload_phase_at(const struct workload* w, uint64_t elapsed_ms) {
    uint64_t total = 0;
    for (size_t i = 0; i < w->nr_phases; i++) total += w->phases[i].duration_ms;
    if (total == 0) return 0;
    uint64_t rest = elapsed_ms % total;
    size_t phase = 0;
    while (rest >= w->phases[phase].duration_ms) rest -= w->phases[phase++].duration_ms;
    return phase;
}

static int by_start(const void* a, const void* b) {
    const uint64_t start_a = ((const struct workload_range*)a)->start;
    const uint64_t start_b = ((const struct workload_range*)b)->start;
    return (start_a > start_b) - (start_a < start_b);
}

/* The accesses of the phase as ranges of pages, unsorted; `all` has room for each. */
static size_t list_ranges(const struct workload* w, const struct workload_phase* phase, struct workload_range* all) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    size_t count = 0;
    for (size_t i = 0; i < phase->nr_entries; i++) {
        const struct workload_access* access = &phase->entries[i].access;
        if (access->weight == 0) continue;
        const uint64_t start = workload_region_range(w, access->region).start + access->offset;
        all[count].start = start / page * page;
        all[count].end = (start + access->length + page - 1) / page * page;
        count++;
    }
    return count;
}

size_t workload_hot_ranges(const struct workload* w, size_t phase_idx, struct workload_range* ranges, size_t cap) {
    const struct workload_phase* phase = &w->phases[phase_idx];
    struct workload_range* all = malloc((phase->nr_entries + 1) * sizeof *all);
    if (all == NULL) return 0;
    const size_t listed = list_ranges(w, phase, all);
    qsort(all, listed, sizeof *all, by_start);
    size_t count = 0;
    for (size_t i = 0; i < listed; i++) {
        if (count > 0 && all[i].start <= all[count - 1].end) {
            if (all[i].end > all[count - 1].end) all[count - 1].end = all[i].end;
        } else {
            all[count++] = all[i];
        }
    }
    for (size_t i = 0; i < count && i < cap; i++) ranges[i] = all[i];
    free(all);
    return count;
}
