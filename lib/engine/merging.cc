#include "engine/merging.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

void age_regions(RegionList& regions, const ProbeWeights& weights, uint64_t threshold) {
    for (Region& region : regions.all()) {
        region.age = aged(region.age, weights.score(region), weights.last_score(region), threshold);
    }
}

// M-19, one pass over one target. The score of `previous` is the one that earlier merges have averaged.
void merge_target(RegionList& regions, size_t target, const ProbeWeights& weights, uint64_t threshold,
                  uint64_t max_region_bytes) {
    size_t index = 1;
    while (index < regions.nr_regions_of(target)) {
        const Region& previous = regions.at(target, index - 1);
        const Region& region = regions.at(target, index);
        if (previous.range.end == region.range.start && region.range.end - previous.range.start <= max_region_bytes &&
            absolute_difference(weights.score(previous), weights.score(region)) <= threshold) {
            regions.merge_into_previous(target, index);
        } else {
            ++index;
        }
    }
}

}  // namespace

uint32_t aged(uint32_t age, uint64_t score, uint64_t last_score, uint64_t threshold) {
    if (absolute_difference(score, last_score) > threshold) return 0;
    if ((score == 0) != (last_score == 0)) return 0;
    return saturate_u32(uint64_t{age} + 1);
}

void age_and_merge(RegionList& regions, const ProbeWeights& weights, const MergeLimits& limits) {
    uint64_t threshold = limits.threshold;
    age_regions(regions, weights, threshold);
    while (true) {
        for (size_t target = 0; target < regions.nr_targets(); ++target) {
            merge_target(regions, target, weights, threshold, limits.max_region_bytes);
        }
        if (regions.nr_regions() <= limits.max_nr_regions || threshold >= limits.threshold_cap) return;
        threshold = threshold < limits.threshold_cap / 2 ? std::max<uint64_t>(1, 2 * threshold) : limits.threshold_cap;
    }
}

}  // namespace damon
