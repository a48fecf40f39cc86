// The end of a window: regions age, and neighbours that were accessed alike become one (rules 2.5).
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/monitor/pass_evidence.h"
#include "engine/monitor/probe_weights.h"
#include "engine/monitor/region_list.h"

namespace damon {

struct MergeLimits {
    uint64_t threshold = 0;         // scores this far apart count as alike, at first: a tenth of the highest (M-17)
    uint64_t threshold_cap = 0;     // how far escalation may go (M-21, Q-29)
    uint64_t max_region_bytes = 0;  // L of M-22, never exceeded by a merge
    uint64_t max_nr_regions = 0;    // above it the threshold escalates
    uint64_t window_us = 0;         // what the window adds to ages
    const PassEvidence* passes = nullptr;  // what else is known; nullptr: nothing
};

// M-18: a region whose score stayed within `threshold` of the previous window's is one window older; one that changed
// more, or became or ceased to be zero, is new again.
uint32_t aged(uint32_t age, uint64_t score, uint64_t last_score, uint64_t threshold);

// M-18 to M-21: ages every region once, then merges with a growing threshold until few enough are left. A region that
// was looked at in vain does not age, and joins one that was seen only at the last threshold (M-36).
void age_and_merge(RegionList& regions, const ProbeWeights& weights, const MergeLimits& limits);

}  // namespace damon
