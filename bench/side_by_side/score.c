/* SPDX-License-Identifier: MIT */
#include "score.h"

static uint64_t overlap(const struct score_ranges* ranges, uint64_t start, uint64_t end) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        const uint64_t from = ranges->ranges[i].start > start ? ranges->ranges[i].start : start;
        const uint64_t to = ranges->ranges[i].end < end ? ranges->ranges[i].end : end;
        if (from < to) bytes += to - from;
    }
    return bytes;
}

uint64_t score_bytes(const struct score_ranges* ranges) { return overlap(ranges, 0, UINT64_MAX); }

struct score score_regions(const struct monitor_region* regions, size_t nr_regions, uint64_t hot_from,
                           const struct score_ranges* memory, const struct score_ranges* hot) {
    struct score score = {score_bytes(hot), 0, 0, 0};
    for (size_t i = 0; i < nr_regions; i++) {
        if (regions[i].nr_accesses == 0) continue;
        const uint64_t bytes = overlap(memory, regions[i].start, regions[i].end);
        score.touched_bytes += bytes;
        if (regions[i].nr_accesses < hot_from) continue;
        score.found_bytes += bytes;
        score.both_bytes += overlap(hot, regions[i].start, regions[i].end);
    }
    return score;
}
