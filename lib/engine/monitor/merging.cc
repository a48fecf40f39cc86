#include "engine/monitor/merging.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

// M-37: nobody could look, but passes know whether it was touched.
void age_by_passes(Region& region, const MergeLimits& limits) {
    const PassEvidence::Answer answer = limits.passes->of(region.range);
    if (!answer.known) return;
    const bool touched = answer.idle_us == 0;
    region.age = touched ? 0 : saturate_u32(uint64_t{region.age} + 1);
    region.age_us = touched ? 0 : saturating_add(region.age_us, limits.window_us);
}

void age_regions(RegionList& regions, const ProbeWeights& weights, const MergeLimits& limits) {
    for (Region& region : regions.all()) {
        if (looked_at_in_vain(region)) {
            if (limits.passes != nullptr) age_by_passes(region, limits);
            continue;
        }
        region.age = aged(region.age, weights.score(region), weights.last_score(region), limits.threshold);
        region.age_us = region.age == 0 ? 0 : saturating_add(region.age_us, limits.window_us);
        const bool seen_idle = region.nr_accesses == 0;
        const bool asked = (region.evidence & kEvidenceAnswered) != 0;
        if (asked) region.idle_us = seen_idle ? saturating_add(region.idle_us, limits.window_us) : 0;
    }
}

// M-19 for regions that touch, but for the size. The score of `left` is the one that earlier merges have averaged
//
bool alike(const Region& left, const Region& right, const ProbeWeights& weights, const MergeLimits& limits) {
    // Unknown is as far from known as can be (M-36).
    if (looked_at_in_vain(left) != looked_at_in_vain(right) && limits.threshold < limits.threshold_cap) return false;
    const bool last = limits.threshold >= limits.threshold_cap;
    if (limits.passes != nullptr && !last && !limits.passes->alike_around(right.range.start)) return false;
    return absolute_difference(weights.score(left), weights.score(right)) <= limits.threshold;
}

}  // namespace

uint32_t aged(uint32_t age, uint64_t score, uint64_t last_score, uint64_t threshold) {
    if (absolute_difference(score, last_score) > threshold) return 0;
    if ((score == 0) != (last_score == 0)) return 0;
    return saturate_u32(uint64_t{age} + 1);
}

void age_and_merge(RegionList& regions, const ProbeWeights& weights, const MergeLimits& limits) {
    MergeLimits pass = limits;
    age_regions(regions, weights, pass);
    while (true) {
        regions.merge_neighbours([&](const Region& left, const Region& right) {
            const uint64_t joined_bytes = right.range.end - left.range.start;
            return joined_bytes <= pass.max_region_bytes && alike(left, right, weights, pass);
        });
        if (regions.nr_regions() <= pass.max_nr_regions || pass.threshold >= pass.threshold_cap) return;
        const bool far_from_cap = pass.threshold < pass.threshold_cap / 2;
        pass.threshold = far_from_cap ? std::max<uint64_t>(1, 2 * pass.threshold) : pass.threshold_cap;
    }
}

}  // namespace damon
