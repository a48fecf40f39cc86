// Quota goals (S-28).
#include "engine/schemes/goal.h"

#include <gtest/gtest.h>

#include "base/vector.h"

namespace damon {
namespace {

QuotaGoal goal_of(QuotaMetric metric, uint64_t target_value) {
    QuotaGoal goal;
    goal.metric = metric;
    goal.target_value = target_value;
    return goal;
}

MetricQuery answer_of(uint64_t answer) {
    MetricQuery query;
    query.answer = answer;
    query.answered = true;
    return query;
}

struct Step {
    GoalTuner tuner;
    uint64_t esz;
    uint64_t total_us;
};

uint64_t pressure_after(const QuotaGoal& goal, GoalState& state, const Step& step) {
    take_goal_answer(goal, step.tuner, step.esz, answer_of(step.total_us), state);
    return goal_value(goal, state);
}

TEST(Goal, PressureFollowsTheVectorsOfS28) {
    const QuotaGoal goal = goal_of(QuotaMetric::kSomeMemPsiUs, 100);
    GoalState state;
    EXPECT_EQ(pressure_after(goal, state, {GoalTuner::kConsist, 0, 1'000}), 100u);
    EXPECT_EQ(pressure_after(goal, state, {GoalTuner::kConsist, 0, 1'030}), 30u);
    state.last_pressure_total_us = kU64Max;
    EXPECT_EQ(pressure_after(goal, state, {GoalTuner::kTemporal, 0, 2'000}), 100u);
    state.last_pressure_total_us = kU64Max;
    EXPECT_EQ(pressure_after(goal, state, {GoalTuner::kTemporal, 65'536, 3'000}), 0u);
    EXPECT_EQ(pressure_after(goal, state, {GoalTuner::kTemporal, 65'536, 3'250}), 250u);
}

TEST(Goal, APressureCounterThatFellCountsAsNoPressure) {
    const QuotaGoal goal = goal_of(QuotaMetric::kSomeMemPsiUs, 100);
    GoalState state;
    state.last_pressure_total_us = 500;
    EXPECT_EQ(pressure_after(goal, state, {GoalTuner::kConsist, 0, 400}), 0u);
    EXPECT_EQ(state.last_pressure_total_us, 400u);
}

TEST(Goal, OtherMetricsAreTakenAsAnswered) {
    for (int32_t metric = 2; metric < kNrQuotaMetrics; ++metric) {
        const QuotaGoal goal = goal_of(static_cast<QuotaMetric>(metric), 100);
        GoalState state;
        take_goal_answer(goal, GoalTuner::kConsist, 0, answer_of(4'321), state);
        EXPECT_TRUE(goal_needs_measuring(goal));
        EXPECT_EQ(goal_value(goal, state), 4'321u);
    }
}

TEST(Goal, UserInputIsWhatTheOwnerSet) {
    QuotaGoal goal = goal_of(QuotaMetric::kUserInput, 1'000);
    goal.current_value = 250;
    EXPECT_FALSE(goal_needs_measuring(goal));
    const GoalState state;
    EXPECT_EQ(score_goals({&goal, 1}, {&state, 1}).score, 2'500u);
}

TEST(Goal, TheMostSatisfiedGoalWins) {
    QuotaGoal goals[3];
    GoalState states[3];
    const uint64_t values[] = {10, 90, 50};
    for (int i = 0; i < 3; ++i) {
        goals[i] = goal_of(QuotaMetric::kUserInput, 100);
        goals[i].current_value = values[i];
    }
    EXPECT_EQ(score_goals(goals, states).score, 9'000u);
}

TEST(Goal, GoalsThatCannotBeMeasuredTakeNoPart) {
    QuotaGoal goals[] = {goal_of(QuotaMetric::kActiveMemBp, 100), goal_of(QuotaMetric::kUserInput, 100)};
    goals[1].current_value = 20;
    GoalState states[2];
    states[0].current_value = 1'000'000;
    take_goal_answer(goals[0], GoalTuner::kConsist, 0, MetricQuery{}, states[0]);
    EXPECT_EQ(score_goals(goals, states).score, 2'000u);
    EXPECT_TRUE(score_goals(goals, states).measured);

    const GoalsScore none = score_goals({goals, 1}, {states, 1});
    EXPECT_FALSE(none.measured);
}

}  // namespace
}  // namespace damon
