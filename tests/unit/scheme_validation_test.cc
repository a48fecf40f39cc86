// What start and commit refuse in a scheme, and with which words (O-8, 8.1).
#include "engine/schemes/scheme_validation.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace damon {
namespace {

std::string refusal(const SchemeParams& scheme, const OpsTraits& traits = {}) {
    const Status status = validate_scheme(scheme, 3, traits);
    EXPECT_TRUE(status.ok() || status.error() == -EINVAL);
    return status.text();
}

SchemeParams with_goal(const QuotaGoal& goal) {
    SchemeParams scheme;
    EXPECT_TRUE(scheme.goals.push_back(goal));
    return scheme;
}

QuotaGoal goal_of(QuotaMetric metric) {
    QuotaGoal goal;
    goal.metric = metric;
    goal.target_value = 1;
    return goal;
}

TEST(SchemeValidation, AcceptsEveryActionOfTheTable) {
    for (int32_t action = 0; action < kNrDamosActions; ++action) {
        SchemeParams scheme;
        scheme.action = static_cast<DamosAction>(action);
        scheme.callback_id = &scheme;
        EXPECT_EQ(refusal(scheme), "") << action;
    }
}

TEST(SchemeValidation, RefusesUnknownActions) {
    SchemeParams scheme;
    scheme.action = static_cast<DamosAction>(12);
    EXPECT_EQ(refusal(scheme), "schemes[3].action is 12, must be 0 to 11");
    scheme.action = static_cast<DamosAction>(-1);
    EXPECT_EQ(refusal(scheme), "schemes[3].action is -1, must be 0 to 11");
}

TEST(SchemeValidation, RefusesACallbackWithoutFunction) {
    SchemeParams scheme;
    scheme.action = DamosAction::kCallback;
    EXPECT_EQ(refusal(scheme), "schemes[3].action_fn is NULL, DAMOS_CALLBACK needs a function");
}

TEST(SchemeValidation, RefusesAGoalWithoutTarget) {  // O-8
    EXPECT_EQ(refusal(with_goal(QuotaGoal{})), "schemes[3].goals[0].target_value is 0, must be at least 1");
}

TEST(SchemeValidation, RefusesSharesAboveTheWhole) {
    QuotaGoal goal = goal_of(QuotaMetric::kNodeMemFreeBp);
    goal.target_value = 10'001;
    EXPECT_EQ(refusal(with_goal(goal)), "schemes[3].goals[0].target_value is 10001, must be at most 10000 (bp)");
    goal = goal_of(QuotaMetric::kSomeMemPsiUs);
    goal.target_value = 10'001;
    EXPECT_EQ(refusal(with_goal(goal)), "") << "microseconds";
}

TEST(SchemeValidation, RefusesUnknownMetricsAndTuners) {
    EXPECT_EQ(refusal(with_goal(goal_of(static_cast<QuotaMetric>(10)))),
              "schemes[3].goals[0].metric is 10, must be 0 to 9");
    SchemeParams scheme;
    scheme.quota.goal_tuner = static_cast<GoalTuner>(2);
    EXPECT_EQ(refusal(scheme), "schemes[3].quota.goal_tuner is 2, must be 0 (consist) or 1 (temporal)");
    scheme = {};
    scheme.wmarks.metric = static_cast<WatermarkMetric>(3);
    EXPECT_EQ(refusal(scheme),
              "schemes[3].wmarks.metric is 3, must be 0 (none), 1 (free_mem_rate) or 2 (own_memcg_free_rate)");
}

TEST(SchemeValidation, EligibleMemoryNeedsPhysicalTargets) {  // O-8
    const SchemeParams scheme = with_goal(goal_of(QuotaMetric::kNodeEligibleMemBp));
    EXPECT_NE(refusal(scheme, {.has_subject = true}).find("DAMOS_QUOTA_NODE_ELIGIBLE_MEM_BP"), std::string::npos);
    EXPECT_EQ(refusal(scheme, {.has_subject = false}), "");
}

TEST(SchemeValidation, RefusesInvertedFilterBounds) {  // O-9
    DamosFilter filter;
    filter.type = FilterType::kAddr;
    filter.range = {20, 10};
    SchemeParams scheme;
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    EXPECT_EQ(refusal(scheme), "schemes[3].core_filters[0]: the lower bound 20 is above the upper bound 10");
    scheme = {};
    filter.type = FilterType::kHugepageSize;
    ASSERT_TRUE(scheme.ops_filters.push_back(filter));
    EXPECT_EQ(refusal(scheme), "schemes[3].ops_filters[0]: the lower bound 20 is above the upper bound 10");
    scheme.ops_filters[0].range = {10, 10};
    EXPECT_EQ(refusal(scheme), "");
}

TEST(SchemeValidation, RefusesFiltersOfAnUnknownTypeOrTheOtherLayer) {
    DamosFilter filter;
    filter.type = static_cast<FilterType>(8);
    SchemeParams scheme;
    ASSERT_TRUE(scheme.ops_filters.push_back(filter));
    EXPECT_EQ(refusal(scheme), "schemes[3].ops_filters[0].type is 8, must be 0 to 7");
    scheme.ops_filters[0].type = FilterType::kTarget;
    EXPECT_EQ(refusal(scheme),
              "schemes[3].ops_filters[0].type is DAMOS_FILTER_TARGET, which belongs to the core layer");
    scheme.ops_filters.clear();
    filter.type = FilterType::kAnon;
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    EXPECT_EQ(refusal(scheme), "schemes[3].core_filters[0].type is DAMOS_FILTER_ANON, which belongs to the ops layer");
}

TEST(SchemeValidation, RefusesDestinationsWithoutAnyWeight) {
    SchemeParams scheme;
    ASSERT_TRUE(scheme.migrate_dests.push_back(MigrateDest{.nid = 0, .weight = 0}));
    ASSERT_TRUE(scheme.migrate_dests.push_back(MigrateDest{.nid = 1, .weight = 0}));
    EXPECT_EQ(refusal(scheme), "schemes[3].migrate_dests: all 2 weights are 0, one must be at least 1");
    scheme.migrate_dests[1].weight = 1;
    EXPECT_EQ(refusal(scheme), "");
}

TEST(SchemeValidation, RefusesWatermarksThatWouldHoldItBackForEver) {
    SchemeParams scheme;
    scheme.wmarks = {.metric = WatermarkMetric::kFreeMemRate, .high = 1'001, .mid = 500, .low = 200};
    EXPECT_EQ(refusal(scheme), "schemes[3].wmarks.high is 1001, must be at most 1000 (permil)");
    scheme.wmarks.high = 400;
    EXPECT_EQ(refusal(scheme), "schemes[3].wmarks.mid is 500, must be at most high (400)");
    scheme.wmarks.mid = 100;
    EXPECT_EQ(refusal(scheme), "schemes[3].wmarks.low is 200, must be at most mid (100)");
    scheme.wmarks.low = 100;
    EXPECT_EQ(refusal(scheme), "");
    scheme.wmarks = {.metric = WatermarkMetric::kNone, .high = 1, .mid = 2, .low = 3};
    EXPECT_EQ(refusal(scheme), "") << "nothing is compared with them";
}

TEST(SchemeValidation, RefusesBoundsThatNoRegionCanLieIn) {
    SchemeParams scheme;
    scheme.pattern = {.min_sz = 10, .max_sz = 5};
    EXPECT_EQ(refusal(scheme), "schemes[3].pattern.min_sz is 10, must be at most max_sz (5)");
    scheme.pattern = {.min_nr_accesses = 3, .max_nr_accesses = 1};
    EXPECT_EQ(refusal(scheme), "schemes[3].pattern.min_nr_accesses is 3, must be at most max_nr_accesses (1)");
    scheme.pattern = {.min_age = 3, .max_age = 2};
    EXPECT_EQ(refusal(scheme), "schemes[3].pattern.min_age is 3, must be at most max_age (2)");
}

TEST(SchemeValidation, RefusesMoreAccessesThanAWindowHasSamples) {
    SchemeParams scheme;
    scheme.pattern.min_nr_accesses = 21;
    Attrs attrs;  // 20 samples
    EXPECT_EQ(std::string(validate_reach(scheme, 3, attrs).text()),
              "schemes[3].pattern.min_nr_accesses is 21, must be at most 20, the samples of a window (aggr_us / "
              "sample_us)");
    scheme.pattern.min_nr_accesses = 20;
    EXPECT_TRUE(validate_reach(scheme, 3, attrs).ok());
}

TEST(SchemeValidation, AcceptsWhatTheRulesAccept) {  // Q-61, I-9
    SchemeParams scheme;
    scheme.quota.fail_charge_num = 5;
    scheme.quota.fail_charge_denom = 1;
    scheme.target_nid = 4'000;
    DamosFilter filter;
    filter.type = FilterType::kTarget;
    filter.target_idx = 99;
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    EXPECT_EQ(refusal(scheme), "");
}

}  // namespace
}  // namespace damon
