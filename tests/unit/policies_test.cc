// Ready-made policies as values: what follows from a choice, without a context.
#include "engine/schemes/policies.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace damon {
namespace {

TEST(Policies, ReclaimPagesOutWhatWasNotAccessedWithinItsQuota) {
    ReclaimChoice choice;
    choice.skips_anon = true;
    choice.mem_pressure_us = 50;
    Policy policy;
    ASSERT_TRUE(reclaim_policy(choice, 65'536, policy).ok());
    ASSERT_EQ(policy.schemes.size(), 1u);
    const SchemeParams& scheme = policy.schemes[0];
    EXPECT_EQ(scheme.action, DamosAction::kPageout);
    EXPECT_EQ(scheme.pattern.min_sz, 65'536u);
    EXPECT_EQ(scheme.pattern.max_nr_accesses, 0u);
    EXPECT_EQ(scheme.min_age_us, 120'000'000u);
    EXPECT_EQ(scheme.quota.ms, 10u);
    EXPECT_EQ(scheme.quota.sz, 128u << 20);
    ASSERT_EQ(scheme.goals.size(), 1u);
    EXPECT_EQ(scheme.goals[0].metric, QuotaMetric::kSomeMemPsiUs);
    ASSERT_EQ(scheme.ops_filters.size(), 1u);
    EXPECT_EQ(scheme.ops_filters[0].type, FilterType::kAnon);
    EXPECT_TRUE(scheme.ops_filters[0].matching);
    EXPECT_EQ(policy.attrs, Attrs());
}

TEST(Policies, LruSortSharesItsTimeAndCountsHotInSamplesOfAWindow) {
    LruSortChoice choice;
    choice.bounds.quota_ms = 11;
    choice.active_mem_bp = 4'000;
    choice.filters_young = true;
    Policy policy;
    ASSERT_TRUE(lru_sort_policy(choice, OpsId::kSim, policy).ok());
    ASSERT_EQ(policy.schemes.size(), 2u);
    const SchemeParams& hot = policy.schemes[0];
    const SchemeParams& cold = policy.schemes[1];
    EXPECT_EQ(hot.action, DamosAction::kLruPrio);
    EXPECT_EQ(cold.action, DamosAction::kLruDeprio);
    EXPECT_EQ(hot.quota.ms + cold.quota.ms, 10u);
    EXPECT_EQ(hot.pattern.min_nr_accesses, 10u);  // 500 permil of 100 ms / 5 ms
    EXPECT_EQ(hot.goals[0].target_value, 4'000u);
    EXPECT_EQ(cold.goals[0].target_value, 6'002u);
    EXPECT_FALSE(hot.ops_filters[0].matching);
    EXPECT_TRUE(cold.ops_filters[0].matching);
}

// There is no action that makes virtual memory more active.
TEST(Policies, LruSortOnlyCountsHotMemoryOnVirtualAddresses) {
    for (const OpsId ops_id : {OpsId::kVaddr, OpsId::kFvaddr, OpsId::kKernelVaddr, OpsId::kKernelFvaddr}) {
        Policy policy;
        ASSERT_TRUE(lru_sort_policy({}, ops_id, policy).ok());
        EXPECT_EQ(policy.schemes[0].action, DamosAction::kStat);
    }
}

TEST(Policies, ContradictionsAreRefusedByTheMembersName) {
    LruSortChoice choice;
    choice.active_mem_bp = 10'001;
    Policy policy;
    const Status too_much = lru_sort_policy(choice, OpsId::kVaddr, policy);
    EXPECT_EQ(too_much.error(), -EINVAL);
    EXPECT_NE(std::string(too_much.text()).find("active_mem_bp is 10001"), std::string::npos);
    ReclaimChoice no_window;
    no_window.bounds.aggr_us = 0;
    EXPECT_EQ(reclaim_policy(no_window, 4'096, policy).error(), -EINVAL);
    EXPECT_TRUE(policy.schemes.empty());
}

TEST(Policies, TunedIntervalsBeginAtTheirLeast) {
    ReclaimChoice choice;
    choice.bounds.tunes_intervals = true;
    choice.bounds.sample_us = 1;
    Policy policy;
    ASSERT_TRUE(reclaim_policy(choice, 4'096, policy).ok());
    EXPECT_EQ(policy.attrs.sample_us, 5'000u);
    EXPECT_EQ(policy.attrs.intervals_goal.access_bp, 40u);
    EXPECT_EQ(stat_attrs().intervals_goal.access_bp, 400u);
}

}  // namespace
}  // namespace damon
