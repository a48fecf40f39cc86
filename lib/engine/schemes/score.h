// How eligible a region is for an action, 0 to 99: what a quota spends itself on first (rules 5.8).
#pragma once

#include <cstdint>

#include "model/ops_traits.h"
#include "model/scheme.h"

namespace damon {

inline constexpr uint32_t kMaxScore = 99;

struct ScoreInput {
    uint32_t nr_accesses = 0;      // moving sum (M-16)
    uint64_t max_nr_accesses = 1;  // N of C-2, not 0
    uint64_t age_us = 0;
};

// S-36. Weights are relative; weight_sz takes no part. Both other weights 0: 0.
uint32_t hot_score(const ScoreInput& input, const QuotaParams& quota);
// 99 - hot_score.
uint32_t cold_score(const ScoreInput& input, const QuotaParams& quota);

// The score column of 5.2 for `source`, which is kBuiltin or kPhysical. Actions that the back-end does not know, and
// those without a preference between hot and cold, get 99.
uint32_t action_score(ScoreSource source, DamosAction action, const ScoreInput& input, const QuotaParams& quota);

}  // namespace damon
