#include "engine/schemes/goal.h"

#include <algorithm>

namespace damon {
namespace {

uint64_t pressure_growth(const QuotaGoal& goal, GoalTuner tuner, uint64_t esz, uint64_t total_us, GoalState& state) {
    const uint64_t before = state.last_pressure_total_us;
    state.last_pressure_total_us = total_us;
    if (before != kU64Max) return total_us > before ? total_us - before : 0;
    if (tuner == GoalTuner::kTemporal && esz != 0) return 0;
    return goal.target_value;
}

}  // namespace

bool goal_needs_measuring(const QuotaGoal& goal) { return goal.metric != QuotaMetric::kUserInput; }

void take_goal_answer(const QuotaGoal& goal, GoalTuner tuner, uint64_t esz, const MetricQuery& query,
                      GoalState& state) {
    state.measured = query.answered;
    if (!query.answered) return;
    state.current_value = goal.metric == QuotaMetric::kSomeMemPsiUs
                              ? pressure_growth(goal, tuner, esz, query.answer, state)
                              : query.answer;
}

uint64_t goal_value(const QuotaGoal& goal, const GoalState& state) {
    return goal_needs_measuring(goal) ? state.current_value : goal.current_value;
}

GoalsScore score_goals(std::span<const QuotaGoal> goals, std::span<const GoalState> states) {
    DAMON_CHECK(goals.size() == states.size());
    GoalsScore result;
    for (size_t i = 0; i < goals.size(); ++i) {
        if (goal_needs_measuring(goals[i]) && !states[i].measured) continue;
        const uint64_t score = mul_div(goal_value(goals[i], states[i]), kBp, goals[i].target_value);
        result.score = result.measured ? std::max(result.score, score) : score;
        result.measured = true;
    }
    return result;
}

}  // namespace damon
