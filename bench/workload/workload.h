/* SPDX-License-Identifier: MIT */
/*
 * A program with known accesses: regions of memory, and phases that say which parts of them are accessed how. What a
 * monitor finds can be compared with workload_hot_ranges(). Used by benchmarks, tests and, as the program `workload`,
 * next to monitors of other processes.
 *
 *     struct workload *w = workload_scenario("stairs", 0);
 *     workload_map(w, WORKLOAD_ANON, 1);
 *     for (size_t phase = 0; phase < workload_nr_phases(w); phase++) workload_run_phase(w, phase);
 *     workload_free(w);
 *
 * Needs Linux. One thread at a time. Functions that return int give a position or 0, or a negative errno.
 */
#ifndef DAMON_BENCH_WORKLOAD_H
#define DAMON_BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct workload;

enum workload_memory {
    WORKLOAD_ANON,   /* private anonymous memory in small pages */
    WORKLOAD_SHARED, /* a memfd, mapped shared */
    WORKLOAD_HUGE    /* private anonymous memory, aligned and advised to be huge pages */
};

enum workload_order {
    WORKLOAD_SEQUENTIAL, /* every stride bytes, from the start again at the end */
    WORKLOAD_RANDOM      /* any multiple of stride */
};

struct workload_access {
    size_t region;   /* position of the region */
    uint64_t offset; /* part of the region that is accessed: from here, */
    uint64_t length; /* so many bytes; 0: to the end */
    enum workload_order order;
    uint64_t stride; /* bytes, a multiple of 8 */
    uint32_t weight; /* share of the accesses, relative to the others of the phase; 0: none */
    int is_write;
};

struct workload_range {
    uint64_t start;
    uint64_t end;
};

/* --- making one ------------------------------------------------------------------------------------------------- */

/* NULL: out of memory. */
struct workload* workload_new(void);
void workload_free(struct workload* w);

int workload_add_region(struct workload* w, const char* name, uint64_t length);
int workload_add_phase(struct workload* w, const char* name, uint64_t duration_ms);
/* To the last phase. -EINVAL: outside the region, stride 0 or not a multiple of 8. */
int workload_add_access(struct workload* w, const struct workload_access* access);
/* Sleep so long after every round of accesses; 0 (default): never. */
void workload_set_rest_us(struct workload* w, uint64_t rest_us);

/* Built-in scenarios, `bytes` in all (0: the scenario's own size). NULL: no such name, or out of memory.
 *   stairs    ten regions of 10 MB, hot one after another for 5 s each
 *   zigzag    the same, up and down
 *   hot10     one hot region of ten, 100 MB, for ever
 *   uniform   100 MB, all of it
 *   hot0.1pct 1 MB of 1 GB
 *   moving    10 MB that move through 100 MB in 10 s, in forty steps
 *   stream    100 MB, each cache line in turn: bound by memory, for measuring slow-down
 */
struct workload* workload_scenario(const char* name, uint64_t bytes);
/* Names in order; NULL behind the last. */
const char* workload_scenario_name(size_t idx);

/* From a text, line by line; # begins a comment; lengths may end in K, M or G (powers of 1,024):
 *   region NAME LENGTH
 *   phase NAME DURATION_MS
 *   access REGION seq|rand STRIDE WEIGHT r|w [OFFSET LENGTH]
 *   rest MICROSECONDS
 * NULL: `error` (if error_bytes > 0) says which line is wrong and why. */
struct workload* workload_parse(const char* text, char* error, size_t error_bytes);

/* --- running it ------------------------------------------------------------------------------------------------- */

/* Maps every region; `populate`: and writes a mark to each page, so that all of it is present. -EBUSY: mapped already.
 * On failure nothing more is mapped than before. */
int workload_map(struct workload* w, enum workload_memory memory, int populate);
/* Accesses as the phase says until its time is over. Returns how many accesses were made. */
uint64_t workload_run_phase(struct workload* w, size_t phase);
/* The same for a number of rounds: in each, every access entry makes 64 accesses for each unit of its weight. */
uint64_t workload_run_rounds(struct workload* w, size_t phase, uint64_t rounds);
/* Populated memory: how many pages have lost their mark. Anything but 0 is damage. Touches every page. */
uint64_t workload_damaged_pages(const struct workload* w);

/* --- reading ---------------------------------------------------------------------------------------------------- */

size_t workload_nr_regions(const struct workload* w);
const char* workload_region_name(const struct workload* w, size_t region);
/* Where the region lies once it is mapped. */
struct workload_range workload_region_range(const struct workload* w, size_t region);

size_t workload_nr_phases(const struct workload* w);
const char* workload_phase_name(const struct workload* w, size_t phase);
uint64_t workload_phase_ms(const struct workload* w, size_t phase);
/* The phase that runs so long after the first one began, phases repeated for ever. */
size_t workload_phase_at(const struct workload* w, uint64_t elapsed_ms);

/* The truth: the addresses that a phase accesses, rounded out to pages, sorted and joined. Returns how many there are;
 * writes at most `cap`. */
size_t workload_hot_ranges(const struct workload* w, size_t phase, struct workload_range* ranges, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
