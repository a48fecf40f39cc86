/* SPDX-License-Identifier: MIT */
/*
 * reclaim_side_by_side: a program whose memory is 80 % cold and anonymous, on its own, with the kernel's DAMON paging
 * out what is cold, and with this library doing it. Each is a life of its own: 2 s before, 6 s during, 2 s after the
 * reclaimer. Prints one JSON object a line. Needs root, swap, and a kernel whose DAMON nobody uses.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "program.h"
#include "reclaimer.h"

enum { MEMORY_BYTES = 80 << 20, BEFORE_MS = 2000, DURING_MS = 6000, AFTER_MS = 2000, SLICE_MS = 250 };

static long nr_major_faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_majflt;
}

struct moment {
    uint64_t now_ns, cpu_ns, nr_accesses;
    long nr_major_faults;
};

static struct moment moment_of(const struct program* program) {
    return (struct moment){program_now_ns(), program_cpu_ns(program), program->nr_accesses, nr_major_faults()};
}

static void print_phase(const struct program* program, const char* who, const char* phase, struct moment before) {
    const struct moment now = moment_of(program);
    const double accesses = (double)(now.nr_accesses - before.nr_accesses);
    printf("{\"kind\": \"phase\", \"reclaimer\": \"%s\", \"phase\": \"%s\", \"rss_bytes\": %" PRIu64
           ", \"hot_present_bytes\": %" PRIu64 ", \"cold_present_bytes\": %" PRIu64
           ", \"accesses_per_s\": %.0f, \"cpu_ns_per_access\": %.2f, \"major_faults\": %ld}\n",
           who, phase, program_rss_bytes(), program_present_bytes(program, 0, program->hot_bytes),
           program_present_bytes(program, program->hot_bytes, program->bytes),
           accesses / ((double)(now.now_ns - before.now_ns) / 1e9), (double)(now.cpu_ns - before.cpu_ns) / accesses,
           now.nr_major_faults - before.nr_major_faults);
    fflush(stdout);
}

static void pass_phase(const struct program* program, const char* who, const char* phase, uint64_t ms) {
    const struct moment before = moment_of(program);
    const uint64_t end_ns = before.now_ns + ms * 1000000;
    while (program_now_ns() < end_ns) {
        program_sleep_ms(SLICE_MS);
        printf("{\"kind\": \"rss\", \"reclaimer\": \"%s\", \"phase\": \"%s\", \"at_ms\": %" PRIu64
               ", \"rss_bytes\": %" PRIu64 "}\n",
               who, phase, (program_now_ns() - before.now_ns) / 1000000, program_rss_bytes());
    }
    print_phase(program, who, phase, before);
}

static int live(const struct reclaimer* reclaimer) {
    const char* who = reclaimer != NULL ? reclaimer->name : "none";
    struct program program;
    program_start(&program, PROGRAM_ANON, MEMORY_BYTES);
    pass_phase(&program, who, "before", BEFORE_MS);
    if (reclaimer != NULL && reclaimer->start(program.memory, program.bytes) != 0) return 1;
    pass_phase(&program, who, "during", DURING_MS);
    struct reclaimer_stat stat = {0, 0, 0};
    if (reclaimer != NULL) {
        reclaimer->read_stat(&stat);
        reclaimer->stop();
    }
    pass_phase(&program, who, "after", AFTER_MS);
    const uint64_t nr_damaged = program_stop(&program);
    printf("{\"kind\": \"life\", \"reclaimer\": \"%s\", \"tried_bytes\": %" PRIu64 ", \"applied_bytes\": %" PRIu64
           ", \"monitor_cpu_ns\": %" PRIu64 ", \"damaged_pages\": %" PRIu64 "}\n",
           who, stat.sz_tried, stat.sz_applied, stat.cpu_ns, nr_damaged);
    fflush(stdout);
    return nr_damaged != 0;
}

int main(void) {
    static const struct reclaimer* const reclaimers[] = {NULL, &kernel_reclaimer, &library_reclaimer};
    const char* repeats = getenv("RECLAIM_REPEATS");
    int failed = 0;
    for (long round = repeats != NULL ? strtol(repeats, NULL, 10) : 1; round > 0; --round) {
        for (size_t i = 0; i < sizeof reclaimers / sizeof reclaimers[0]; ++i) failed |= live(reclaimers[i]);
    }
    return failed;
}
