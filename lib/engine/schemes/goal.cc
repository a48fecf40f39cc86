#include "engine/schemes/goal.h"

#include <algorithm>

#include "engine/monitor/feedback.h"

namespace damon {
namespace {

uint64_t pressure_growth(const QuotaGoal& goal, GoalTuner tuner, uint64_t esz, uint64_t total_us, GoalState& state) {
    const uint64_t before = state.last_pressure_total_us;
    state.last_pressure_total_us = total_us;
    if (before != kU64Max) return total_us > before ? total_us - before : 0;
    if (tuner == GoalTuner::kTemporal && esz != 0) return 0;
    return goal.target_value;
}

uint64_t temporal_esz_bp(const QuotaParams& quota, uint64_t score) {
    if (score >= kBp) return 0;
    return quota.sz != 0 ? saturating_mul(quota.sz, kBp) : kU64Max;
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

uint64_t tune_esz_bp(const QuotaParams& quota, uint64_t esz_bp, GoalsScore score) {
    if (quota.goal_tuner == GoalTuner::kTemporal) {
        return score.measured ? temporal_esz_bp(quota, score.score) : esz_bp;
    }
    return next_feedback_input(std::max(esz_bp, kBp), score.score);
}

}  // namespace damon
