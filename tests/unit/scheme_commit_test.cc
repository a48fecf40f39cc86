// What a scheme keeps when its parameters are replaced (A-19, A-20, A-30; ).
#include "engine/schemes/scheme_commit.h"

#include <gtest/gtest.h>

#include "support/heap_fault.h"

namespace damon {
namespace {

class SchemeCommit : public ::testing::Test {
protected:
    SchemeCommit() {
        attrs_.sample_us = 10;
        attrs_.aggr_us = 100;
        EXPECT_TRUE(next_.resize(1));
        EXPECT_TRUE(before_.resize(1));
        before_[0].stats.nr_tried = 11;
        before_[0].next_apply_sis = 77;
        QuotaState& quota = before_[0].quota;
        quota = {.esz = 5,
                 .esz_bp = 50'000,
                 .charged_sz = 3,
                 .charged_from_us = 9,
                 .total_charged_sz = 100,
                 .total_charged_ns = 200,
                 .resume = {.addr = 64, .target_idx = 1, .set = true},
                 .min_score = 44,
                 .window_open = true};
    }

    Vector<SchemeState> commit() {
        Vector<SchemeState> after;
        Cadence now;
        now.passed_sample_intervals = 50;
        EXPECT_TRUE(carry_over_schemes(before_.span(), next_.span(), attrs_, now, after));
        return after;
    }
    void add_goal(QuotaMetric metric) {
        QuotaGoal goal;
        goal.metric = metric;
        goal.target_value = 100;
        ASSERT_TRUE(next_[0].goals.push_back(goal));
    }

    Attrs attrs_;
    Vector<SchemeParams> next_;
    Vector<SchemeState> before_;
};

TEST_F(SchemeCommit, AnExistingSchemeKeepsStatisticsQuotaAndDeadline) {
    next_[0].quota.sz = 1'000;
    next_[0].apply_interval_us = 30;
    const Vector<SchemeState> after = commit();
    EXPECT_EQ(after[0].stats, before_[0].stats);
    EXPECT_EQ(after[0].quota, before_[0].quota);
    EXPECT_EQ(after[0].next_apply_sis, 77u) << "a new interval counts from the next application on";
}

TEST_F(SchemeCommit, AddedSchemesAreNewAndSurplusOnesGo) {
    ASSERT_TRUE(next_.resize(2));
    next_[1].apply_interval_us = 30;
    Vector<SchemeState> after = commit();
    ASSERT_EQ(after.size(), 2u);
    EXPECT_EQ(after[1].stats, SchemeStats{});
    EXPECT_EQ(after[1].next_apply_sis, 53u);
    EXPECT_TRUE(after[1].activated);
    before_.swap(after);
    next_.truncate(1);
    EXPECT_EQ(commit().size(), 1u);
}

TEST_F(SchemeCommit, AnInactiveSchemeStaysInactive) {
    before_[0].activated = false;
    next_[0].wmarks.metric = WatermarkMetric::kFreeMemRate;
    EXPECT_FALSE(commit()[0].activated);
}

TEST_F(SchemeCommit, WithoutWatermarksASchemeIsActive) {
    before_[0].activated = false;
    EXPECT_TRUE(commit()[0].activated);
}

TEST_F(SchemeCommit, ARemovedQuotaLeavesNoEffectiveSize) {
    EXPECT_EQ(commit()[0].quota.esz, 0u);
}

TEST_F(SchemeCommit, PressureGoalsForgetTheirBaseline) {
    add_goal(QuotaMetric::kSomeMemPsiUs);
    add_goal(QuotaMetric::kActiveMemBp);
    ASSERT_TRUE(
        before_[0].goals.push_back(GoalState{.current_value = 5, .last_pressure_total_us = 10, .measured = true}));
    const Vector<SchemeState> after = commit();
    ASSERT_EQ(after[0].goals.size(), 2u);
    EXPECT_EQ(after[0].goals[0].last_pressure_total_us, kU64Max);
    EXPECT_EQ(after[0].goals[0].current_value, 5u) << "only user_input values come with the commit";
    EXPECT_EQ(after[0].goals[1].last_pressure_total_us, kU64Max);
}

TEST_F(SchemeCommit, FilterDefaultsAreComputedAnew) {  // S-33
    DamosFilter filter;
    filter.type = FilterType::kTarget;
    filter.allow = true;
    ASSERT_TRUE(next_[0].core_filters.push_back(filter));
    EXPECT_TRUE(commit()[0].filter_defaults.core_reject);
}

TEST_F(SchemeCommit, OutOfMemoryLeavesEverything) {
    add_goal(QuotaMetric::kActiveMemBp);
    ASSERT_TRUE(next_.resize(3));
    Vector<SchemeState> after;
    ASSERT_TRUE(after.resize(1));
    uint64_t nr_failed = 0;
    for (uint64_t k = 0;; ++k) {
        const test::HeapFault fault(k);
        const bool done = carry_over_schemes(before_.span(), next_.span(), attrs_, Cadence{}, after);
        ASSERT_EQ(done, !fault.hit());
        if (done) break;
        ASSERT_EQ(after.size(), 1u);
        ++nr_failed;
    }
    EXPECT_GT(nr_failed, 0u);
    EXPECT_EQ(after.size(), 3u);
}

}  // namespace
}  // namespace damon
