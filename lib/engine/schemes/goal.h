// Quota goals: how far a measured value is from the one that is wanted, (S-28).
#pragma once

#include <cstdint>
#include <span>

#include "base/arithmetic.h"
#include "model/metrics.h"
#include "model/scheme.h"

namespace damon {

// Run-time state of one goal.
struct GoalState {
    uint64_t current_value = 0;                 // as last measured; user_input goals keep theirs in QuotaGoal
    uint64_t last_pressure_total_us = kU64Max;  // 2^64-1: unknown (O-8)
    bool measured = false;                      // whether current_value says anything
    bool operator==(const GoalState&) const = default;
};

// Whether the goal's value comes from the ops and not from the user.
bool goal_needs_measuring(const QuotaGoal& goal);

// Takes an answer of the ops. `esz` is the effective quota of the window that ended: a pressure goal without a baseline
// answers so that the last decision stays (S-28). An unanswered query leaves the goal unmeasured.
void take_goal_answer(const QuotaGoal& goal, GoalTuner tuner, uint64_t esz, const MetricQuery& query, GoalState& state);

// The value that the goal's score is made of.
uint64_t goal_value(const QuotaGoal& goal, const GoalState& state);

// The largest score of all goals, 10,000 = met: the least aggressive choice. Goals that cannot be measured take no
// part; where none can, the score is 10,000, which changes nothing.
struct GoalsScore {
    uint64_t score = kBp;
    bool measured = false;
};
GoalsScore score_goals(std::span<const QuotaGoal> goals, std::span<const GoalState> states);

}  // namespace damon
