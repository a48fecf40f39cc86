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

// Finds out where longer intervals show no more accesses, and goes back to the shortest that shows as many (M-39).
class IntervalsTuner {
public:
    // next_intervals(), unless the goal is out of reach.
    TunedIntervals next(uint64_t score, const Attrs& attrs, uint64_t aggr_samples);
    bool out_of_reach() const { return out_of_reach_; }
    // At the latest tuning, bp of the goal.
    uint64_t score() const { return score_; }
    bool operator==(const IntervalsTuner&) const = default;

private:
    TunedIntervals below_goal(uint64_t score, const Attrs& attrs, uint64_t aggr_samples);

    IntervalsGoal goal_;
    uint64_t sample_us_ = 0;  // as the latest tuning left it
    uint64_t score_ = 0;
    uint64_t base_sample_us_ = 0;  // since when the score has been about the same; 0: not known
    uint64_t base_score_ = 0;
    bool saturated_ = false;  // back at the base
    bool out_of_reach_ = false;
};

}  // namespace damon
