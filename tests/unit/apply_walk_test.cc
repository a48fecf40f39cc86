// The apply pass region by region (S-10 to S-21).
#include "engine/schemes/apply_walk.h"

#include <gtest/gtest.h>

#include "support/heap_fault.h"
#include "unit/apply_fixture.h"

namespace damon {
namespace {

using ApplyWalkTest = test::ApplyFixture;
using test::Asked;

TEST_F(ApplyWalkTest, NothingHappensWhileNoSchemeIsDue) {  // S-10
    add_target({2, 10});
    add_scheme().apply_interval_us = 50;
    commit_schemes();
    cadence_.passed_sample_intervals = 4;
    EXPECT_FALSE(walk_.begin(context(), 0));
    EXPECT_EQ(states_[0].next_apply_sis, 5u);
    cadence_.passed_sample_intervals = 5;
    EXPECT_EQ(pass().size(), 2u);
    EXPECT_EQ(states_[0].next_apply_sis, 10u) << "counted from T (L-2, S-20)";
}

TEST_F(ApplyWalkTest, DeadlinesOfInactiveSchemesMoveOnlyWithAPass) {  // S-10, S-20
    add_target({1, 10});
    add_scheme().wmarks.metric = WatermarkMetric::kFreeMemRate;
    commit_schemes();
    states_[0].activated = false;
    cadence_.passed_sample_intervals = 7;
    EXPECT_FALSE(walk_.begin(context(), 0));
    EXPECT_FALSE(states_[0].due);
    EXPECT_EQ(states_[0].next_apply_sis, 0u);

    add_scheme();
    commit_schemes();
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 1, 0, {0, 10}}}));
    EXPECT_EQ(states_[0].next_apply_sis, 7u);
    EXPECT_TRUE(states_[0].due) << "for walk marks (A-14)";
    EXPECT_EQ(states_[0].stats.nr_snapshots, 0u);
}

TEST_F(ApplyWalkTest, GoesRegionByRegionThenSchemeByScheme) {  // S-11
    add_target({2, 10});
    add_target({1, 10});
    add_scheme();
    add_scheme();
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 0, {0, 10}},
                                          {RequestKind::kApply, 1, 0, {0, 10}},
                                          {RequestKind::kApply, 0, 0, {10, 20}},
                                          {RequestKind::kApply, 1, 0, {10, 20}},
                                          {RequestKind::kApply, 0, 1, {0, 10}},
                                          {RequestKind::kApply, 1, 1, {0, 10}}}));
}

TEST_F(ApplyWalkTest, TargetsThatAreGoneArePassedOver) {  // S-11
    add_target({1, 10});
    add_target({1, 10});
    add_scheme();
    regions_.set_target_valid(0, false);
    EXPECT_EQ(pass(), (std::vector<Asked>{{RequestKind::kApply, 0, 1, {0, 10}}}));
}

TEST_F(ApplyWalkTest, TheRequestCarriesWhatTheOpsNeed) {
    add_target({1, 40});
    Region& region = regions_.at(0, 0);
    region.nr_accesses = 3;
    region.last_nr_accesses = 10;
    region.age = 6;
    region.evidence = kEvidenceAnswered | kEvidenceWritesOnly;
    traits_.obeys_unseen_rule = true;
    SchemeParams& scheme = add_scheme(DamosAction::kMigrateCold);
    scheme.target_nid = 2;
    ASSERT_TRUE(scheme.migrate_dests.push_back({.nid = 1, .weight = 5}));
    scheme.callback_data = &scheme;
    DamosFilter anon;
    anon.allow = true;
    ASSERT_TRUE(scheme.ops_filters.push_back(anon));
    cadence_.passed_sample_intervals = 5;
    commit_schemes();
    states_[0].next_apply_sis = 5;
    uint64_t nr_requests = 0;
    apply_ = [&](const ActionRequest& request) {
        EXPECT_EQ(request.scheme, &schemes_[0]) << "action, node, destinations and callback travel with the scheme";
        EXPECT_EQ(request.nr_accesses, 8u) << "the moving sum (M-16)";
        EXPECT_EQ(request.age, 6u);
        EXPECT_EQ(request.region_flags, kRegionWritesOnly);
        EXPECT_TRUE(request.ops_filters_default_reject) << "the last ops filter allows (S-33)";
        EXPECT_FALSE(request.core_filters_allowed);
        ++nr_requests;
        return Outcome{};
    };
    pass();
    EXPECT_EQ(nr_requests, 1u);
}

TEST_F(ApplyWalkTest, PatternsSeeTheMovingSum) {  // S-1, M-16
    add_target({1, 10});
    regions_.at(0, 0).last_nr_accesses = 10;
    regions_.at(0, 0).nr_accesses = 3;
    add_scheme().pattern.min_nr_accesses = 8;
    commit_schemes();
    cadence_.passed_sample_intervals = 5;
    EXPECT_EQ(pass().size(), 1u);
    cadence_.passed_sample_intervals = 8;
    EXPECT_EQ(pass().size(), 0u);
}

TEST_F(ApplyWalkTest, StatisticsCountTriedAndApplied) {  // S-18
    add_target({3, 10});
    add_scheme();
    apply_ = [](const ActionRequest& request) {
        return request.range.start == 0 ? Outcome{} : Outcome{.applied = 25, .filter_passed = 7};
    };
    pass();
    EXPECT_EQ(states_[0].stats, (SchemeStats{.nr_tried = 3,
                                             .sz_tried = 30,
                                             .nr_applied = 2,
                                             .sz_applied = 50,
                                             .sz_ops_filter_passed = 14,
                                             .qt_exceeds = 0,
                                             .nr_snapshots = 1}));
}

TEST_F(ApplyWalkTest, EveryActionButStatMakesTheRegionYoung) {  // S-17, S-3
    for (int32_t action = 0; action < kNrDamosActions; ++action) {
        regions_ = RegionList();
        ASSERT_TRUE(regions_.reserve(4));
        schemes_.clear();
        states_.clear();
        add_target({1, 10});
        regions_.at(0, 0).age = 5;
        add_scheme(static_cast<DamosAction>(action));
        apply_ = [](const ActionRequest&) { return Outcome{}; };
        EXPECT_EQ(pass().size(), 1u);
        EXPECT_EQ(regions_.at(0, 0).age, schemes_[0].action == DamosAction::kStat ? 5u : 0u) << action;
    }
}

TEST_F(ApplyWalkTest, WithoutAnExecutorRegionsAreTriedAndMadeYoungAllTheSame) {  // S-13, S-17
    traits_.has_apply = false;
    add_target({2, 10});
    regions_.at(0, 1).age = 5;
    SchemeParams& scheme = add_scheme(DamosAction::kPageout);
    scheme.quota.sz = 15;
    EXPECT_EQ(pass().size(), 0u);
    EXPECT_EQ(states_[0].stats.sz_tried, 20u) << "nothing is charged, so the quota does not end it";
    EXPECT_EQ(states_[0].stats.sz_applied, 0u);
    EXPECT_EQ(regions_.at(0, 0).age, 0u);
}

TEST_F(ApplyWalkTest, RegionsThatNobodyCouldLookAtAreLeftAlone) {  // S-38
    add_target({2, 10});
    regions_.at(0, 0).evidence = kEvidenceUnknown;
    add_scheme(DamosAction::kPageout);
    add_scheme(DamosAction::kStat);
    const std::vector<Asked> asked = pass();
    EXPECT_EQ(applied(asked, 0), (Ranges{{10, 20}}));
    EXPECT_EQ(applied(asked, 1), (Ranges{{0, 10}, {10, 20}}));
}

TEST_F(ApplyWalkTest, WhereOnlyAttributesAreMonitoredNoAccessIsMissed) {  // P-5
    add_target({1, 10});
    regions_.at(0, 0).evidence = regions_.at(0, 0).last_evidence = 0;
    cadence_.latched_attributes_only = true;
    add_scheme(DamosAction::kPageout);
    EXPECT_EQ(pass().size(), 1u);
}

TEST_F(ApplyWalkTest, AddressFilterVectorsOfS18) {
    constexpr uint64_t u = 8;
    min_region_sz_ = u;
    attrs_.min_nr_regions = 100;  // no re-merge (S-19) in this test
    add_target({1, 4 * u});
    ASSERT_TRUE(add_scheme().core_filters.push_back(address_filter({2 * u, 8 * u}, false)));
    pass();
    EXPECT_EQ(states_[0].stats.sz_tried, 2 * u);
    EXPECT_EQ(ranges_of(0), (Ranges{{0, 2 * u}, {2 * u, 4 * u}}));
}

TEST_F(ApplyWalkTest, AllowingAddressFilterVectorOfS18) {
    constexpr uint64_t u = 8;
    min_region_sz_ = u;
    attrs_.min_nr_regions = 100;
    add_target({0, 0});
    ASSERT_TRUE(regions_.insert(0, 0, {2 * u, 10 * u}));
    ASSERT_TRUE(add_scheme().core_filters.push_back(address_filter({2 * u, 8 * u}, true)));
    bool allowed = false;
    apply_ = [&](const ActionRequest& request) {
        allowed = request.core_filters_allowed;
        return Outcome{};
    };
    pass();
    EXPECT_TRUE(allowed) << "S-31";
    EXPECT_EQ(states_[0].stats.sz_tried, 6 * u);
    EXPECT_EQ(ranges_of(0), (Ranges{{2 * u, 8 * u}, {8 * u, 10 * u}}));
}

TEST_F(ApplyWalkTest, FilteredRegionsLeaveNoTrace) {  // S-14
    add_target({2, 10});
    regions_.at(0, 0).age = 4;
    SchemeParams& scheme = add_scheme(DamosAction::kPageout);
    ASSERT_TRUE(scheme.core_filters.push_back(address_filter({0, 10}, false)));
    scheme.quota.sz = 10;
    EXPECT_EQ(applied(pass()), (Ranges{{10, 20}})) << "nothing was charged for the first region";
    EXPECT_EQ(regions_.at(0, 0).age, 4u);
    EXPECT_EQ(states_[0].stats.nr_tried, 1u);
}

TEST_F(ApplyWalkTest, ARejectedRegionIsNotCutByTheQuota) {
    attrs_.min_nr_regions = 100;
    add_target({1, 100});
    SchemeParams& scheme = add_scheme();
    scheme.quota.sz = 40;
    ASSERT_TRUE(scheme.core_filters.push_back(address_filter({0, 90}, false)));
    EXPECT_EQ(applied(pass()), (Ranges{{90, 100}}));
    EXPECT_EQ(ranges_of(0), (Ranges{{0, 90}, {90, 100}}));
}

// One smallest region of quota: in pieces of that size the walk over a rejected tebibyte would not end in this test.
TEST_F(ApplyWalkTest, ALargeRejectedRegionIsOneStep) {
    constexpr uint64_t kTebibyte = uint64_t{1} << 40;
    attrs_.min_nr_regions = 1;
    add_target({1, kTebibyte});
    SchemeParams& scheme = add_scheme();
    scheme.quota.sz = min_region_sz_;
    ASSERT_TRUE(scheme.core_filters.push_back(address_filter({0, kTebibyte}, false)));
    EXPECT_EQ(applied(pass()), Ranges{});
    EXPECT_EQ(ranges_of(0), (Ranges{{0, kTebibyte}}));
}

TEST_F(ApplyWalkTest, QuotaCutsTheRegionItEndsIn) {  // S-13, third vector of S-18
    constexpr uint64_t u = 8;
    min_region_sz_ = u;
    attrs_.min_nr_regions = 100;
    add_target({1, 8 * u});
    add_scheme().quota.sz = 2 * u;
    EXPECT_EQ(applied(pass()), (Ranges{{0, 2 * u}}));
    EXPECT_EQ(states_[0].stats.sz_tried, 2 * u);
    EXPECT_EQ(ranges_of(0), (Ranges{{0, 2 * u}, {2 * u, 8 * u}}));
}

TEST_F(ApplyWalkTest, WhereNoRegionCanBeCutTheQuotaIsCountedAsTriedOnly) {  // S-13
    RegionList full;
    ASSERT_TRUE(full.reserve(1));
    regions_ = std::move(full);
    add_target({1, 100});
    add_scheme(DamosAction::kPageout).quota.sz = 30;
    regions_.at(0, 0).age = 3;
    EXPECT_EQ(pass().size(), 0u);
    EXPECT_EQ(states_[0].stats.nr_tried, 1u);
    EXPECT_EQ(states_[0].stats.sz_tried, 30u);
    EXPECT_EQ(states_[0].quota.charged_sz, 0u);
    EXPECT_EQ(regions_.at(0, 0).age, 3u);
}

TEST_F(ApplyWalkTest, WhereNoRegionCanBeCutAddressFiltersReject) {  // S-34
    RegionList full;
    ASSERT_TRUE(full.reserve(1));
    regions_ = std::move(full);
    add_target({1, 100});
    ASSERT_TRUE(add_scheme().core_filters.push_back(address_filter({50, 100}, true)));
    EXPECT_EQ(pass().size(), 0u);
    EXPECT_EQ(states_[0].stats.nr_tried, 0u);
}

TEST_F(ApplyWalkTest, SplitsAreMergedAgainWhereNothingTellsThePartsApart) {  // S-19
    add_target({1, 90});
    ASSERT_TRUE(add_scheme().core_filters.push_back(address_filter({30, 60}, false)));
    EXPECT_EQ(applied(pass()), (Ranges{{0, 30}, {60, 90}}));
    EXPECT_EQ(ranges_of(0), (Ranges{{0, 30}, {30, 60}, {60, 90}})) << "joining would pass a third of the whole";
    attrs_.min_nr_regions = 1;
    EXPECT_EQ(applied(pass()), (Ranges{{0, 30}, {60, 90}}));
    EXPECT_EQ(ranges_of(0), (Ranges{{0, 90}}));
}

TEST_F(ApplyWalkTest, RegionsWithDifferentHistoriesStayApart) {  // S-19, Q-56
    using Change = void (*)(Region&);
    const Change changes[] = {
        [](Region& region) { region.age = 1; },
        [](Region& region) { region.nr_accesses = 1; },
        [](Region& region) { region.last_nr_accesses = 1; },
        [](Region& region) { region.probe_hits[3] = 1; },
        [](Region& region) { region.last_probe_hits[0] = 1; },
        [](Region& region) { region.evidence = kEvidenceUnknown; },
        [](Region& region) { region.last_evidence = 0; },
        [](Region& region) { region.range.start += 1; },
    };
    attrs_.min_nr_regions = 1;
    add_scheme();
    const auto regions_after = [&](Change change) {
        regions_ = RegionList();
        EXPECT_TRUE(regions_.reserve(8));
        add_target({2, 10});
        if (change != nullptr) change(regions_.at(0, 1));
        pass();
        return regions_.nr_regions();
    };
    EXPECT_EQ(regions_after(nullptr), 1u) << "also regions that were never one";
    for (const Change change : changes) EXPECT_EQ(regions_after(change), 2u);
}

TEST_F(ApplyWalkTest, ASchemeActsOnceEvenWhereAnotherCutsTheRegionAfterwards) {  // I-9, Q-67
    attrs_.min_nr_regions = 100;
    add_target({1, 100});
    add_scheme();
    ASSERT_TRUE(add_scheme().core_filters.push_back(address_filter({0, 40}, false)));
    const std::vector<Asked> asked = pass();
    EXPECT_EQ(applied(asked, 0), (Ranges{{0, 100}}));
    EXPECT_EQ(applied(asked, 1), (Ranges{{40, 100}}));
    EXPECT_EQ(states_[0].stats.sz_tried, 100u);
}

TEST_F(ApplyWalkTest, SnapshotsAreCountedOncePerPass) {
    add_target({2, 10});
    add_target({2, 10});
    add_scheme().quota.sz = 5;
    for (uint64_t nr_passes = 1; nr_passes <= 3; ++nr_passes) {
        pass();
        EXPECT_EQ(states_[0].stats.nr_snapshots, nr_passes);
    }
}

TEST_F(ApplyWalkTest, APassOverNothingIsNoSnapshot) {
    add_target({0, 0});
    add_scheme();
    EXPECT_EQ(pass().size(), 0u);
    EXPECT_EQ(states_[0].stats.nr_snapshots, 0u);
}

TEST_F(ApplyWalkTest, AtItsLimitASchemeFallsSilentAndTheOthersGoOn) {  // S-21
    add_target({1, 10});
    add_scheme().max_nr_snapshots = 2;
    add_scheme();
    for (int i = 0; i < 4; ++i) pass();
    EXPECT_EQ(states_[0].stats.nr_tried, 2u);
    EXPECT_EQ(states_[0].stats.nr_snapshots, 2u);
    EXPECT_EQ(states_[1].stats.nr_tried, 4u);
    schemes_[0].max_nr_snapshots = 3;
    commit_schemes();
    pass();
    EXPECT_EQ(states_[0].stats.nr_tried, 3u) << "a commit that raises the limit wakes it";
}

TEST_F(ApplyWalkTest, ACancelledPassEndsWithItsDeadlinesServed) {
    add_target({2, 10});
    add_scheme().apply_interval_us = 30;
    commit_schemes();
    cadence_.passed_sample_intervals = 3;
    ASSERT_TRUE(walk_.begin(context(), 0));
    ActionRequest request;
    ASSERT_TRUE(walk_.next_request(context(), request));
    walk_.cancel(context());
    walk_.complete(context(), Outcome{.applied = 10});
    EXPECT_FALSE(walk_.next_request(context(), request));
    EXPECT_EQ(states_[0].stats, SchemeStats{});
    EXPECT_EQ(states_[0].next_apply_sis, 6u);
    cadence_.passed_sample_intervals = 6;
    EXPECT_EQ(pass().size(), 2u);
}

TEST_F(ApplyWalkTest, TakesNoMemory) {
    constexpr uint64_t u = 4;
    min_region_sz_ = u;
    add_target({8, 10 * u});
    traits_.score = ScoreSource::kBuiltin;
    for (int i = 0; i < 3; ++i) {
        SchemeParams& scheme = add_scheme(DamosAction::kPageout);
        scheme.quota = {.reset_interval_ms = 1, .sz = 7 * u, .weight_nr_accesses = 1, .weight_age = 1};
        ASSERT_TRUE(scheme.core_filters.push_back(address_filter({3 * u, 60 * u}, true)));
        for (int goal = 0; goal < 5; ++goal) {
            ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{.metric = QuotaMetric::kActiveMemBp, .target_value = 10}));
        }
    }
    commit_schemes();
    ApplyWalk copy;
    ASSERT_TRUE(copy.copy_from(walk_));
    const test::HeapFault fault(0);
    for (uint64_t now_us = 0; now_us < 20'000; now_us += 1'000) pass(now_us);
    ASSERT_TRUE(copy.begin(context(), 50'000));
    EXPECT_EQ(copy.metric_queries().size(), 15u);
    EXPECT_FALSE(fault.hit());
}

TEST_F(ApplyWalkTest, SizesThatWereTriedAndAppliedSaturate) {  // S-18
    add_target({1, 10});
    add_scheme(DamosAction::kPageout);
    commit_schemes();
    states_[0].stats.sz_tried = states_[0].stats.sz_applied = states_[0].stats.sz_ops_filter_passed = kU64Max - 3;
    apply_ = [](const ActionRequest&) { return Outcome{.applied = 10, .filter_passed = 10}; };
    pass();
    EXPECT_EQ(states_[0].stats.sz_tried, kU64Max);
    EXPECT_EQ(states_[0].stats.sz_applied, kU64Max);
    EXPECT_EQ(states_[0].stats.sz_ops_filter_passed, kU64Max);
}

}  // namespace
}  // namespace damon
