// Quotas in apply passes: windows, resuming, goals, ranking (S-16, S-22 to S-28, S-36).
#include <gtest/gtest.h>

#include "engine/schemes/apply_walk.h"
#include "unit/apply_fixture.h"

namespace damon {
namespace {

using ApplyQuotaTest = test::ApplyFixture;
using test::Asked;

TEST_F(ApplyQuotaTest, GoesRoundTheAddressSpace) {  // vector of S-25; Q-20
    attrs_.min_nr_regions = 100;
    add_target({3, 30});
    add_scheme().quota.sz = 35;
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(applied(pass()), (Ranges{{0, 30}, {30, 35}}));
        EXPECT_EQ(applied(pass()), (Ranges{{35, 60}, {60, 70}}));
        EXPECT_EQ(applied(pass()), (Ranges{{70, 90}}));
    }
    EXPECT_EQ(states_[0].stats.qt_exceeds, 4u) << "windows that ended full; the last one is not over yet";
}

TEST_F(ApplyQuotaTest, AWindowFilledAtTheVeryEndLeavesNothingToResume) {
    add_target({3, 30});
    add_scheme().quota.sz = 90;
    EXPECT_EQ(applied(pass()).size(), 3u);
    EXPECT_FALSE(states_[0].quota.resume.set);
    EXPECT_EQ(applied(pass()).size(), 3u);
}

TEST_F(ApplyQuotaTest, ResumesInTheNextTarget) {  // S-24
    add_target({1, 30});
    add_target({1, 30});
    add_target({1, 30});
    add_scheme().quota.sz = 30;
    for (const uint32_t target : {0u, 1u, 2u, 0u}) {
        EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, target, {0, 30}}}));
    }
}

TEST_F(ApplyQuotaTest, AResumePointInATargetThatIsGoneIsForgotten) {  // S-11
    add_target({2, 30});
    add_target({1, 30});
    add_scheme().quota.sz = 30;
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 0, {0, 30}}}));
    regions_.set_target_valid(0, false);
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 1, {0, 30}}}));
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 1, {0, 30}}}));
}

TEST_F(ApplyQuotaTest, AResumePointInATargetThatLostItsRegionsIsForgotten) {
    add_target({2, 30});
    add_target({1, 30});
    add_scheme().quota.sz = 30;
    pass();
    regions_.erase_all_of(0);
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 1, {0, 30}}}));
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 1, {0, 30}}}));
}

TEST_F(ApplyQuotaTest, ResumingInsideARegionCutsIt) {  // first vector of S-24
    min_region_sz_ = 8;
    attrs_.min_nr_regions = 100;
    add_target({1, 104});
    add_scheme().quota.sz = 200;
    commit_schemes();
    states_[0].quota.resume = {.addr = 37, .target_idx = 0, .set = true};
    EXPECT_EQ(applied(pass()), (Ranges{{32, 104}}));
    EXPECT_FALSE(states_[0].quota.resume.set);
}

TEST_F(ApplyQuotaTest, WhereNoRegionCanBeCutTheResumedOneIsSkippedWhole) {
    RegionList full;
    ASSERT_TRUE(full.reserve(2));
    regions_ = std::move(full);
    add_target({2, 50});
    add_scheme().quota.sz = 200;
    commit_schemes();
    states_[0].quota.resume = {.addr = 37, .target_idx = 0, .set = true};
    EXPECT_EQ(applied(pass()), (Ranges{{50, 100}}));
}

TEST_F(ApplyQuotaTest, AWindowLastsAsLongAsItIsSetTo) {  // 1.7
    add_target({4, 10});
    add_scheme().quota = {.reset_interval_ms = 5, .sz = 10};
    EXPECT_EQ(applied(pass(0)), (Ranges{{0, 10}}));
    EXPECT_EQ(applied(pass(4'999)), (Ranges{}));
    EXPECT_EQ(applied(pass(5'000)), (Ranges{{10, 20}}));
    EXPECT_EQ(states_[0].stats.qt_exceeds, 1u);
}

TEST_F(ApplyQuotaTest, WindowsOfSchemesThatAreNotDueStayOpen) {  // S-26
    add_target({4, 10});
    SchemeParams& scheme = add_scheme();
    scheme.apply_interval_us = 100;
    scheme.quota = {.reset_interval_ms = 5, .sz = 10};
    add_scheme();
    commit_schemes();
    states_[0].next_apply_sis = 0;
    EXPECT_EQ(applied(pass(0), 0).size(), 1u);
    EXPECT_EQ(applied(pass(5'000), 1).size(), 4u);
    EXPECT_EQ(states_[0].quota.charged_from_us, 0u);
    EXPECT_EQ(states_[0].stats.qt_exceeds, 0u);
}

TEST_F(ApplyQuotaTest, FailedBytesMayCostLess) {  // S-23
    add_target({4, 10});
    add_scheme().quota = {.reset_interval_ms = 5, .sz = 20, .fail_charge_num = 1, .fail_charge_denom = 10};
    apply_ = [](const ActionRequest&) { return Outcome{}; };
    EXPECT_EQ(applied(pass()).size(), 4u);
    EXPECT_EQ(states_[0].quota.charged_sz, 4u);
}

TEST_F(ApplyQuotaTest, StatIsChargedToo) {  // S-23
    add_target({2, 10});
    add_scheme().quota = {.reset_interval_ms = 5, .sz = 15};
    pass();
    EXPECT_EQ(states_[0].quota.charged_sz, 15u);
}

TEST_F(ApplyQuotaTest, ATimeBudgetGoesByMeasuredThroughput) {  // S-15, S-26a, Q-23
    add_target({10, 1'000'000});
    add_scheme(DamosAction::kPageout).quota = {.reset_interval_ms = 5, .ms = 1};
    apply_ = [](const ActionRequest& request) {
        return Outcome{.applied = request.range.size(), .elapsed_ns = request.range.size() * 2};
    };
    pass(0);
    EXPECT_EQ(states_[0].quota.esz, 4'096u * 1'024) << "nothing was measured yet";
    pass(5'000);
    EXPECT_EQ(states_[0].quota.esz, 500'000u) << "a byte takes 2 ns";
    EXPECT_EQ(states_[0].quota.charged_sz, 500'000u);
}

TEST_F(ApplyQuotaTest, TheFirstPassOfIntervalZeroTunesOnce) {
    add_target({1, 10});
    SchemeParams& scheme = add_scheme();
    ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{.target_value = 100}));
    for (const uint64_t esz : {2u, 4u, 8u}) {
        pass();
        EXPECT_EQ(states_[0].quota.esz, esz);
    }
}

TEST_F(ApplyQuotaTest, AConsistGoalNeedsTwelveWindowsToReachAPage) {  // vector of S-28
    min_region_sz_ = 4'096;
    add_target({4, 16'384});
    SchemeParams& scheme = add_scheme();
    ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{.target_value = 100}));
    for (int window = 1; window < 12; ++window) EXPECT_EQ(pass().size(), 0u) << window;
    EXPECT_EQ(states_[0].stats.qt_exceeds, 10u);
    EXPECT_EQ(applied(pass()), (Ranges{{0, 4'096}}));
    EXPECT_EQ(states_[0].stats.qt_exceeds, 11u);
}

TEST_F(ApplyQuotaTest, TheTunerDecidesHowAGoalActs) {  // S-28
    add_target({1, 1'000});
    SchemeParams& scheme = add_scheme();
    scheme.quota = {.sz = 300, .goal_tuner = GoalTuner::kTemporal};
    ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{.target_value = 100}));
    pass();
    EXPECT_EQ(states_[0].quota.esz, 300u) << "at once everything that the size allows";
    schemes_[0].goals[0].current_value = 100;
    pass();
    EXPECT_EQ(states_[0].quota.esz, 0u) << "and nothing once the goal is met";
}

TEST_F(ApplyQuotaTest, GoalsAreMeasuredOnlyWhenAWindowOpens) {  // S-28
    add_target({1, 10});
    SchemeParams& scheme = add_scheme();
    scheme.quota.reset_interval_ms = 5;
    ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{.metric = QuotaMetric::kUserInput, .target_value = 100}));
    ASSERT_TRUE(scheme.goals.push_back(
        QuotaGoal{.metric = QuotaMetric::kNodeMemcgUsedBp, .nid = 3, .target_value = 100, .memcg_id = 77}));
    uint64_t nr_asked = 0;
    measure_ = [&](MetricQuery& query) {
        EXPECT_EQ(query.metric, QuotaMetric::kNodeMemcgUsedBp);
        EXPECT_EQ(query.nid, 3);
        EXPECT_EQ(query.memcg_id, 77u);
        EXPECT_EQ(query.scheme_idx, 0u);
        EXPECT_EQ(query.goal_idx, 1u);
        query.answer = 100;
        query.answered = true;
        ++nr_asked;
    };
    for (uint64_t now_us = 0; now_us < 10'000; now_us += 1'000) pass(now_us);
    EXPECT_EQ(nr_asked, 2u);
    EXPECT_EQ(states_[0].quota.esz, 1u) << "the satisfied goal wins";
}

TEST_F(ApplyQuotaTest, PressureIsCountedFromTheFirstEvaluation) {  // S-28, Q-19
    add_target({1, 10});
    SchemeParams& scheme = add_scheme();
    ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{.metric = QuotaMetric::kSomeMemPsiUs, .target_value = 100}));
    uint64_t total_us = 1'000;
    measure_ = [&](MetricQuery& query) {
        query.answer = total_us;
        query.answered = true;
    };
    pass();
    EXPECT_EQ(states_[0].goals[0].current_value, 100u) << "neutral without a baseline";
    EXPECT_EQ(states_[0].quota.esz, 1u);
    total_us += 30;
    pass();
    EXPECT_EQ(states_[0].goals[0].current_value, 30u);
    EXPECT_EQ(states_[0].quota.esz_bp, 17'000u);
}

TEST_F(ApplyQuotaTest, TheColdestRegionsAreServedFirst) {  // S-26 (5), (6), S-36
    traits_.score = ScoreSource::kBuiltin;
    add_target({3, 10});
    attrs_.aggr_us = 1'000'000;
    attrs_.sample_us = 100'000;
    set_age(0, 0, 100);
    set_age(0, 1, 10'000);
    set_age(0, 2, 1'000);
    SchemeParams& scheme = add_scheme(DamosAction::kPageout);
    scheme.quota = {.reset_interval_ms = 1'000, .sz = 15, .weight_age = 1};
    const std::vector<Asked> asked = pass();
    EXPECT_EQ(applied(asked), (Ranges{{10, 20}, {20, 25}}));
    EXPECT_EQ(states_[0].quota.min_score, 66u);
}

TEST_F(ApplyQuotaTest, EachSchemeIsRankedForItself) {  // S-26 (5)
    traits_.score = ScoreSource::kBuiltin;
    add_target({3, 10});
    add_scheme(DamosAction::kStat).quota = {.sz = 10};
    add_scheme(DamosAction::kPageout).quota = {.sz = 10, .weight_age = 1};
    const std::vector<Asked> asked = pass();
    EXPECT_EQ(states_[0].quota.min_score, 99u);
    EXPECT_EQ(states_[1].quota.min_score, 50u);
    EXPECT_EQ(applied(asked, 1), (Ranges{{0, 10}}));
}

TEST_F(ApplyQuotaTest, WeightsDecideWhatComesFirst) {  // S-36
    traits_.score = ScoreSource::kBuiltin;
    SchemeParams& scheme = add_scheme(DamosAction::kPageout);
    scheme.quota = {.sz = 10};
    const auto served_first = [&](uint32_t weight_nr_accesses, uint32_t weight_age) {
        regions_ = RegionList();
        EXPECT_TRUE(regions_.reserve(8));
        add_target({2, 10});
        cadence_.passed_sample_intervals = cadence_.next_aggregation;
        regions_.at(0, 0).nr_accesses = 1;  // rarely used, since a moment ago
        regions_.at(0, 1).nr_accesses = 9;  // often used
        set_age(0, 0, 30'000'000);
        schemes_[0].quota.weight_nr_accesses = weight_nr_accesses;
        schemes_[0].quota.weight_age = weight_age;
        states_.clear();
        return applied(pass());
    };
    EXPECT_EQ(served_first(1, 0), (Ranges{{0, 10}})) << "the rarely used one";
    EXPECT_EQ(served_first(0, 1), (Ranges{{10, 20}})) << "the one that has not been hot for so long";
}

TEST_F(ApplyQuotaTest, WithoutAQuotaNothingIsRanked) {  // S-2, S-26 (1)
    traits_.score = ScoreSource::kAsk;
    add_target({2, 10});
    add_scheme();
    for (const Asked& asked : pass()) EXPECT_EQ(asked.kind, RequestKind::kApply);
}

TEST_F(ApplyQuotaTest, OpsThatScoreThemselvesAreAskedTwice) {  // S-2, S-26 (5)
    traits_.score = ScoreSource::kAsk;
    add_target({3, 10});
    set_age(0, 2, 9);
    SchemeParams& scheme = add_scheme();
    scheme.quota.sz = 10;
    scheme.pattern.max_age = 5;
    apply_ = [](const ActionRequest& request) {
        if (request.kind == RequestKind::kApply) return Outcome{.applied = request.range.size()};
        return Outcome{.score = request.range.start == 0 ? 20u : 4'000'000'000u};
    };
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kScore, 0, 0, {0, 10}},
                                          {RequestKind::kScore, 0, 0, {10, 20}},
                                          {RequestKind::kScore, 0, 0, {0, 10}},
                                          {RequestKind::kScore, 0, 0, {10, 20}},
                                          {RequestKind::kApply, 0, 0, {10, 20}}}));
    EXPECT_EQ(states_[0].quota.min_score, 99u);
}

TEST_F(ApplyQuotaTest, RegionsThatMayNotBeActedOnDoNotCompeteForTheQuota) {
    traits_.score = ScoreSource::kBuiltin;
    add_target({3, 10});
    attrs_.aggr_us = 1'000'000;
    attrs_.sample_us = 100'000;
    for (size_t i = 0; i < 3; ++i) set_age(0, i, i == 2 ? 10 : 10'000);
    regions_.at(0, 0).evidence = kEvidenceUnknown;
    SchemeParams& scheme = add_scheme(DamosAction::kPageout);
    scheme.quota = {.sz = 10, .weight_age = 1};
    ASSERT_TRUE(scheme.core_filters.push_back(address_filter({10, 20}, false)));
    EXPECT_EQ(applied(pass()), (Ranges{{20, 30}})) << "one could not be seen, one is filtered out";
}

TEST_F(ApplyQuotaTest, RankingCutsAtAddressFilters) {
    traits_.score = ScoreSource::kBuiltin;
    attrs_.min_nr_regions = 100;
    add_target({1, 100});
    SchemeParams& scheme = add_scheme();
    scheme.quota = {.sz = 10};
    ASSERT_TRUE(scheme.core_filters.push_back(address_filter({0, 50}, true)));
    EXPECT_EQ(applied(pass()), (Ranges{{0, 10}}));
    EXPECT_EQ(ranges_of(0), (Ranges{{0, 10}, {10, 50}, {50, 100}})) << "the quota ended long before 50";
}

TEST_F(ApplyQuotaTest, ChargesNeverPassTheWindowsEffectiveSize) {  // I-9
    min_region_sz_ = 4;
    add_target({7, 36});
    add_scheme().quota = {.reset_interval_ms = 3, .sz = 50};
    for (uint64_t now_us = 0; now_us < 100'000; now_us += 700) {
        pass(now_us);
        EXPECT_LE(states_[0].quota.charged_sz, states_[0].quota.esz);
    }
    EXPECT_GT(states_[0].stats.qt_exceeds, 20u);
}

}  // namespace
}  // namespace damon
