// Monitoring attributes: how often to look, how many regions to keep (rules 1.2, O-2, O-3).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

// Aim of the interval tuning: over `aggrs` aggregations, `access_bp` of the possible samples are positive.
struct IntervalsGoal {
    uint64_t access_bp = 0;
    uint64_t aggrs = 0;  // 0: no tuning
    uint64_t min_sample_us = 0;
    uint64_t max_sample_us = 0;
    bool operator==(const IntervalsGoal&) const = default;
};

struct Attrs {
    uint64_t sample_us = 5'000;
    uint64_t aggr_us = 100'000;
    uint64_t ops_update_us = 1'000'000;
    uint64_t min_nr_regions = 10;
    uint64_t max_nr_regions = 1'000;
    IntervalsGoal intervals_goal{};
    uint64_t max_overhead_permil = 10;  // of one CPU; 0: no limit. The worker's business, not the engine's.
    uint64_t referenced_us = 0;         // passes over accessed bits; 0: none
    uint64_t survey_bp = kU64Max;       // budget of surveys; kU64Max: the library's choice

    static constexpr uint64_t kDefaultSurveyBp = 10;
    // What surveys may cost; `served`: the ops can serve them.
    constexpr uint64_t survey_share_bp(bool served) const {
        if (survey_bp != kU64Max) return survey_bp;
        return served ? kDefaultSurveyBp : 0;
    }

    // S of C-2: the sampling interval that every division uses.
    constexpr uint64_t divisor_us() const { return sample_us == 0 ? 1 : sample_us; }
    // W of C-2: sampling intervals in one aggregation window.
    constexpr uint64_t aggr_samples() const { return aggr_us / divisor_us(); }
    // N of C-2: the largest nr_accesses that a window can count.
    constexpr uint64_t max_nr_accesses() const { return std::clamp<uint64_t>(aggr_samples(), 1, kU32Max); }

    // How few regions there are at least: min_nr_regions, but a tenth of the maximum is kept for splits, without which
    // nothing adapts, and from 10 on 16 where that is less, or half of it.
    constexpr uint64_t least_nr_regions() const {
        const uint64_t tenth = max_nr_regions / 10 + (max_nr_regions % 10 != 0);
        const uint64_t few = max_nr_regions < 10 ? 0 : std::min<uint64_t>(16, max_nr_regions / 2);
        const uint64_t most = max_nr_regions - std::max(tenth, few);
        return std::max<uint64_t>(std::min(min_nr_regions, most), 1);
    }

    bool operator==(const Attrs&) const = default;
};

}  // namespace damon
