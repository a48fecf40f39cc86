// Choosing the sampling interval, so that a wanted share of all samples finds an access (rules 2.9).
#pragma once

#include <cstdint>

#include "engine/monitor/probe_weights.h"
#include "engine/monitor/region_list.h"
#include "model/attrs.h"

namespace damon {

struct TunedIntervals {
    uint64_t sample_us = 0;
    uint64_t aggr_us = 0;
    bool operator==(const TunedIntervals&) const = default;
};

// M-32 (1) to (3): how much of the goal the finished window reached, in bp of the goal. With weighted probes the
// weighted share of their hits stands for accesses. Memory that was looked at in vain takes no part; where there
// is no other, the goal counts as met (M-36).
uint64_t intervals_score(const RegionList& regions, const ProbeWeights& weights, const Attrs& attrs,
                         uint64_t aggr_samples);

// M-32 (3), (4): the next intervals; the present ones where the goal is met. A remainder of aggr_us div sample_us is
// lost. A sampling interval of 0 stays, and no other becomes 0: no factor leads back from there.
TunedIntervals next_intervals(uint64_t score, const Attrs& attrs, uint64_t aggr_samples);

}  // namespace damon
