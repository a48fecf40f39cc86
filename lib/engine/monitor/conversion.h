// Counters and ages of one pair of intervals, told in another (M-30).
#pragma once

#include <cstdint>
#include <span>

#include "engine/monitor/region.h"
#include "model/attrs.h"

namespace damon {

struct IntervalChange {
    const Attrs& before;
    const Attrs& after;
    bool aggregating;    // in mid-window: the counts so far are dropped (M-31)
    uint32_t nr_probes;  // installed probes, whose counters are converted as well
};

// Nothing happens where one of the four intervals is 0. Rounds down twice and does not clamp to the new maximum (Q-6,
// Q-7), so that an access count may exceed it.
void convert_results(std::span<Region> regions, const IntervalChange& change);

}  // namespace damon
