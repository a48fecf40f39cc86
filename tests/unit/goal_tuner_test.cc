// From goals to quotas: consist (S-28, S-40), temporal, goals that are out of reach (S-41).
#include "engine/schemes/goal_tuner.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace damon {
namespace {

constexpr uint64_t kPage = 4'096;
constexpr uint64_t kGiB = uint64_t{1} << 30;

SchemeParams scheme_with(QuotaMetric metric, GoalTuner tuner = GoalTuner::kConsist) {
    SchemeParams scheme;
    scheme.quota.goal_tuner = tuner;
    QuotaGoal goal;
    goal.metric = metric;
    goal.target_value = 3'000;
    EXPECT_TRUE(scheme.goals.push_back(goal));
    return scheme;
}

// A scheme in front of what its goal measures.
struct Loop {
    explicit Loop(QuotaMetric metric, GoalTuner tuner = GoalTuner::kConsist) : scheme(scheme_with(metric, tuner)) {}

    // One window. The scheme has `matching` bytes to act on; returns what it charged.
    uint64_t window(uint64_t value, uint64_t matching) {
        const GoalsScore score{mul_div(value, kBp, scheme.goals[0].target_value), true};
        esz_bp = tune_esz_bp(scheme, esz_bp, score, end, kPage, memory);
        uint64_t esz = esz_bp / kBp;
        if (scheme.quota.sz != 0) esz = std::min(esz, scheme.quota.sz);
        const uint64_t charged = std::min(align_down(esz, kPage), matching);
        end = {charged, esz, true, esz - charged < kPage};
        return charged;
    }

    SchemeParams scheme;
    uint64_t esz_bp = 0;
    WindowEnd end;
    TunerMemory memory;
};

// Free memory, which the scheme's work raises; `lost_permil` of the work is undone in every window.
struct FreeMemory {
    uint64_t lost_permil = 0;
    uint64_t freed = 0;
    uint64_t free_bp() const { return 1'000 + freed * kBp / kGiB; }
    uint64_t matching() const { return kGiB * 8 / 10 - freed; }
    void pass(uint64_t charged) { freed = (freed + charged) * (1'000 - lost_permil) / 1'000; }
};

TEST(GoalTuner, ConsistStartsAtOneUnitAndDoublesAtBest) {  // vector of S-28
    Loop loop(QuotaMetric::kNodeMemFreeBp);
    for (const uint64_t expected : {2, 4, 8, 16}) {
        loop.window(0, kGiB);
        EXPECT_EQ(loop.esz_bp / kBp, expected);
    }
}

TEST(GoalTuner, ConsistNeverReachesZero) {
    Loop loop(QuotaMetric::kNodeMemFreeBp);
    loop.esz_bp = 1'000'000;
    for (int i = 0; i < 20; ++i) loop.window(4'500, kGiB);
    EXPECT_EQ(loop.esz_bp, 10'000u);
}

// The baseline's rule ends at 46 % of free memory here, and stays there.
TEST(GoalTuner, ConsistStopsAtItsGoalWhereNothingUndoesTheWork_Q81) {
    for (const uint64_t least_bp : {2'500, 2'900}) {
        Loop loop(QuotaMetric::kNodeMemFreeBp);
        FreeMemory memory;
        for (int i = 0; i < 100; ++i) {
            memory.pass(loop.window(memory.free_bp(), memory.matching()));
            EXPECT_LE(memory.free_bp(), 3'060u) << "window " << i;
        }
        EXPECT_GE(memory.free_bp(), least_bp);
    }
}

TEST(GoalTuner, ConsistHoldsItsGoalWhereTheWorkIsUndone_Q81) {
    for (const uint64_t lost_permil : {10u, 50u, 200u}) {
        Loop loop(QuotaMetric::kNodeMemFreeBp);
        FreeMemory memory{lost_permil};
        for (int i = 0; i < 300; ++i) {
            memory.pass(loop.window(memory.free_bp(), memory.matching()));
            EXPECT_LE(memory.free_bp(), 3'300u) << lost_permil << " permil lost, window " << i;
            if (i > 60) {
                EXPECT_GE(memory.free_bp(), 2'500u) << lost_permil << " permil lost, window " << i;
            }
        }
    }
}

// A value that the owner sets may be a level or a rate: one test of it decides.
TEST(GoalTuner, ARateIsRecognisedAndFed_S40) {
    for (const QuotaMetric metric : {QuotaMetric::kUserInput, QuotaMetric::kSomeMemPsiUs}) {
        Loop loop(metric);
        uint64_t value = 0;
        for (int i = 0; i < 200; ++i) {
            value = loop.window(value, kGiB) / 10'000;  // 30,000,000 units a window meet the goal
            EXPECT_LE(value, 3'300u) << "window " << i;
            if (i > 80) {
                EXPECT_GE(value, 2'900u) << "window " << i;
            }
        }
        EXPECT_TRUE(loop.memory.follows_rate);
    }
}

TEST(GoalTuner, AGoalThatNobodyCanMeasureLeavesTheQuota) {
    TunerMemory memory;
    const WindowEnd end{7, 7, true, true};
    EXPECT_EQ(tune_esz_bp(scheme_with(QuotaMetric::kActiveMemBp), 70'000, {}, end, 1, memory), 70'000u);
    const SchemeParams temporal = scheme_with(QuotaMetric::kActiveMemBp, GoalTuner::kTemporal);
    EXPECT_EQ(tune_esz_bp(temporal, 70'000, {}, end, 1, memory), 70'000u);
}

TEST(GoalTuner, OtherGoalsAreLearnedAnew_S40) {
    Loop loop(QuotaMetric::kUserInput);
    for (int i = 0; i < 30; ++i) loop.window(1'000, kPage);
    ASSERT_TRUE(loop.memory.out_of_reach());
    loop.scheme.goals[0].current_value = 5;
    loop.window(1'000, kPage);
    EXPECT_TRUE(loop.memory.out_of_reach()) << "a value is no goal";
    loop.scheme.goals[0].target_value = 2'999;
    loop.window(1'000, kPage);
    EXPECT_FALSE(loop.memory.out_of_reach());
}

TEST(GoalTuner, AGoalIsOutOfReachWhereNothingIsLeftToDo_S41) {
    Loop loop(QuotaMetric::kNodeMemFreeBp);
    FreeMemory memory;
    for (int i = 0; i < 60; ++i) {
        const uint64_t left = memory.freed < kGiB / 10 ? kGiB / 10 - memory.freed : 0;
        memory.pass(loop.window(memory.free_bp(), left));
    }
    EXPECT_NEAR(static_cast<double>(memory.free_bp()), 2'000.0, 1.0);
    EXPECT_TRUE(loop.memory.out_of_reach());
    EXPECT_LE(loop.esz_bp / kBp, kGiB) << "no quota for all times is saved up";
    loop.window(3'000, 0);
    EXPECT_FALSE(loop.memory.out_of_reach()) << "somebody else has reached it";
}

TEST(GoalTuner, AGoalIsOutOfReachWhereItsSizeLimitDoesNotDo_S41) {
    for (const GoalTuner tuner : {GoalTuner::kConsist, GoalTuner::kTemporal}) {
        Loop loop(QuotaMetric::kNodeMemFreeBp, tuner);
        loop.scheme.quota.sz = 1 << 20;
        FreeMemory memory{900};  // what is done is undone at once
        for (int i = 0; i < 60; ++i) memory.pass(loop.window(memory.free_bp(), memory.matching()));
        EXPECT_TRUE(loop.memory.out_of_reach());
        if (tuner == GoalTuner::kConsist) {
            EXPECT_LE(loop.esz_bp / kBp, (2u << 20) + kPage) << "the quota follows its limit";
        }
        FreeMemory slow;  // on the way: not out of reach
        Loop on_the_way(QuotaMetric::kNodeMemFreeBp, tuner);
        on_the_way.scheme.quota.sz = 8 << 20;
        for (int i = 0; i < 25; ++i) {
            slow.pass(on_the_way.window(slow.free_bp(), slow.matching()));
            EXPECT_FALSE(on_the_way.memory.out_of_reach()) << i;
        }
    }
}

TEST(GoalTuner, TemporalIsAllOrNothing) {
    SchemeParams scheme = scheme_with(QuotaMetric::kUserInput, GoalTuner::kTemporal);
    scheme.quota.sz = 300;
    TunerMemory memory;
    const WindowEnd end{300, 300, true, true};
    EXPECT_EQ(tune_esz_bp(scheme, 5, {10'000, true}, end, 1, memory), 0u);
    EXPECT_EQ(tune_esz_bp(scheme, 5, {9'999, true}, end, 1, memory), 3'000'000u);
    scheme.quota.sz = 0;
    EXPECT_EQ(tune_esz_bp(scheme, 5, {0, true}, end, 1, memory) / kBp, 1'844'674'407'370'955u);
    scheme.quota.sz = kU64Max / kBp + 1;
    EXPECT_EQ(tune_esz_bp(scheme, 5, {0, true}, end, 1, memory), kU64Max);
}

}  // namespace
}  // namespace damon
