// What was learned moves with its ranges, and a run goes on from it.
#include "engine/monitor/restoring.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::list_of;
using test::region_at;
using test::run_intervals;
using test::started_engine;
using test::toy_params;
using Ranges = std::vector<AddressRange>;
// Start, end, age of a region or piece.
using Known = std::vector<std::tuple<uint64_t, uint64_t, uint32_t>>;

SavedTarget saved_target(const Ranges& ranges, const Known& regions) {
    SavedTarget target;
    for (const AddressRange range : ranges) EXPECT_TRUE(target.ranges.push_back(range));
    for (const auto& [start, end, age] : regions) {
        SavedRegion region;
        region.range = {start, end};
        region.age = age;
        region.nr_accesses = age;
        EXPECT_TRUE(target.regions.push_back(region));
    }
    return target;
}

Known moved(const Ranges& then, const Known& regions, const Ranges& now) {
    SavedTarget target = saved_target(then, regions);
    EXPECT_TRUE(move_to(target, now));
    EXPECT_EQ(std::vector<AddressRange>(target.ranges.begin(), target.ranges.end()), now);
    Known known;
    for (const SavedRegion& region : target.regions) {
        known.emplace_back(region.range.start, region.range.end, region.age);
    }
    return known;
}

Known fitted(std::initializer_list<Region> coverage, const Known& pieces, uint64_t granularity = 1) {
    const RegionList list = list_of({coverage});
    const SavedTarget target = saved_target({}, pieces);
    Vector<Region> regions;
    EXPECT_TRUE(fit_saved(list, 0, target.regions.span(), granularity, regions));
    Known known;
    for (const Region& region : regions) known.emplace_back(region.range.start, region.range.end, region.age);
    return known;
}

TEST(Restoring, RegionsMoveWithTheirRange) {
    EXPECT_EQ(
        moved({{100, 200}, {300, 400}}, {{100, 140, 1}, {140, 200, 2}, {300, 400, 3}}, {{1000, 1100}, {5000, 5100}}),
        (Known{{1000, 1040, 1}, {1040, 5000, 2}, {5000, 5100, 3}}));
}

TEST(Restoring, WhatARangeLostIsDroppedAndWhatItGainedIsNotKnown) {
    EXPECT_EQ(moved({{100, 200}}, {{100, 140, 1}, {140, 200, 2}}, {{0, 60}}), (Known{{0, 40, 1}, {40, 60, 2}}));
    EXPECT_EQ(moved({{100, 200}}, {{100, 140, 1}, {140, 200, 2}}, {{0, 30}}), (Known{{0, 30, 1}}));
    EXPECT_EQ(moved({{100, 200}, {200, 300}}, {{100, 200, 1}, {200, 300, 2}}, {{0, 150}, {500, 600}}),
              (Known{{0, 100, 1}, {500, 600, 2}}));
}

TEST(Restoring, ARegionOverSeveralRangesGoesWithEachOfThem) {
    EXPECT_EQ(moved({{100, 200}, {200, 300}}, {{100, 250, 1}, {250, 300, 2}}, {{100, 200}, {900, 1000}}),
              (Known{{100, 950, 1}, {950, 1000, 2}}));
}

TEST(Restoring, WhatLiesOutsideOfTheRangesIsNobodys) {
    EXPECT_EQ(moved({{100, 200}}, {{0, 150, 1}, {150, 300, 2}}, {{1100, 1200}}),
              (Known{{1100, 1150, 1}, {1150, 1200, 2}}));
    EXPECT_EQ(moved({}, {{0, 150, 1}}, {}), Known{});
}

TEST(Restoring, AnAddressMovesWithItsRange) {
    const SavedTarget target = saved_target({{100, 200}, {300, 400}}, {});
    const Ranges now = {{1000, 1050}, {2000, 2100}};
    uint64_t address = 310;
    EXPECT_TRUE(moved_address(target, now, address));
    EXPECT_EQ(address, 2010u);
    for (const uint64_t lost : {150, 250, 400}) {
        address = lost;
        EXPECT_FALSE(moved_address(target, now, address)) << lost;
    }
}

TEST(Restoring, RegionsAreCutToWhatIsCoveredAndTheRestIsFresh) {
    EXPECT_EQ(fitted({region_at({0, 100}), region_at({100, 200}), region_at({500, 600})},
                     {{50, 150, 7}, {180, 520, 8}, {700, 800, 9}}),
              (Known{{0, 50, 0}, {50, 150, 7}, {150, 180, 0}, {180, 200, 8}, {500, 520, 8}, {520, 600, 0}}));
    EXPECT_EQ(fitted({region_at({0, 100})}, {}), (Known{{0, 100, 0}}));
}

TEST(Restoring, RegionsKeepToTheGranularity) {
    EXPECT_EQ(fitted({region_at({0, 64})}, {{3, 21, 1}, {21, 22, 2}, {22, 23, 3}, {23, 61, 4}}, 8),
              (Known{{0, 16, 1}, {16, 64, 4}}));
    // The small piece at the end of a run is the first of the next one.
    EXPECT_EQ(fitted({region_at({0, 16}), region_at({32, 64})}, {{0, 15, 1}, {15, 64, 2}}, 8),
              (Known{{0, 8, 1}, {8, 16, 2}, {32, 64, 2}}));
}

TEST(Restoring, NoMoreRegionsThanTheContextMayHaveAndTheMostAlikeAreJoined) {
    RegionList list = list_of({{region_at({0, 10}, 9), region_at({10, 20}, 8), region_at({20, 30}, 1)},
                               {region_at({50, 60}, 1), region_at({70, 80}, 1)}});
    join_down_to(list, 4);
    EXPECT_EQ(list.nr_regions_of(0), 2u);
    EXPECT_EQ(list.at(0, 0).range, (AddressRange{0, 20}));
    join_down_to(list, 1);  // no two touch any more
    EXPECT_EQ(list.nr_regions(), 3u);
}

// A run of 30 windows: [0, 200) is always accessed, [200, 1000) never.
Engine learned_engine() {
    Engine engine = started_engine(toy_params({{{0, 1000}}}));
    run_intervals(engine, 300, accesses_in({{0, 200}}));
    return engine;
}

TEST(Restoring, TheFirstWindowAfterwardsGoesOnFromWhatWasLearned) {
    SavedContext saved;
    ASSERT_TRUE(learned_engine().save(0, saved));
    ASSERT_TRUE(move_to(saved.targets[0], Ranges{{5000, 6000}}));
    Engine engine = started_engine(toy_params({{{5000, 6000}}}), 2);
    ASSERT_TRUE(engine.restore(saved, 0).ok());
    for (uint64_t i = 0; i < 10; ++i) test::sample_once(engine, accesses_in({{5000, 5200}}));
    uint64_t old_bytes = 0;
    for (const Region& region : test::regions_of(engine, 0)) {
        const bool hot = region.range.end <= 5210;
        EXPECT_TRUE(hot || region.range.start >= 5190) << region.range.start << " to " << region.range.end;
        if (region.age > 5) old_bytes += region.range.size();
    }
    EXPECT_GT(old_bytes, 800u);
}

TEST(Restoring, AWindowThatHadBegunBeginsAnew) {
    SavedContext saved;
    ASSERT_TRUE(learned_engine().save(0, saved));
    Engine engine = started_engine(toy_params({{{0, 1000}}}), 2);
    run_intervals(engine, 17, accesses_in({}));
    ASSERT_TRUE(engine.restore(saved, 0).ok());
    for (uint64_t i = 1; i < 10; ++i) EXPECT_FALSE(test::sample_once(engine, accesses_in({{0, 200}})).aggregation);
    engine.plan();
    EXPECT_TRUE(test::sample_once(engine, accesses_in({{0, 200}})).aggregation);
}

// In a call between the last interval of a window and its snapshot.
TEST(Restoring, AtTheEndOfAWindowWhatIsRestoredIsItsResult) {
    SavedContext saved;
    ASSERT_TRUE(learned_engine().save(0, saved));
    Engine engine = started_engine(toy_params({{{0, 1000}}}), 2);
    run_intervals(engine, 9, accesses_in({}));
    ASSERT_TRUE(test::sample_once(engine, accesses_in({})).aggregation);
    ASSERT_TRUE(engine.restore(saved, 0).ok());
    SavedContext again;
    ASSERT_TRUE(engine.save(0, again));
    EXPECT_EQ(again, saved);
    engine.finish();
    for (int i = 1; i < 10; ++i) EXPECT_FALSE(test::sample_once(engine, accesses_in({{0, 200}})).aggregation);
    EXPECT_TRUE(test::sample_once(engine, accesses_in({{0, 200}})).aggregation);
    uint64_t old_bytes = 0;
    for (const Region& region : test::regions_of(engine, 0)) old_bytes += region.age > 5 ? region.range.size() : 0;
    EXPECT_GT(old_bytes, 800u);
}

TEST(Restoring, SavedAgainAtOnceItIsTheSame) {
    SavedContext saved;
    ASSERT_TRUE(learned_engine().save(0, saved));
    Engine engine = started_engine(toy_params({{{0, 1000}}}), 2);
    ASSERT_TRUE(engine.restore(saved, 0).ok());
    SavedContext again;
    ASSERT_TRUE(engine.save(0, again));
    EXPECT_EQ(again, saved);
}

TEST(Restoring, AContextOfFewerRegionsJoinsThem) {
    SavedContext saved;
    ASSERT_TRUE(learned_engine().save(0, saved));
    saved.targets[0].regions.clear();
    for (uint64_t i = 0; i < 100; ++i) {
        SavedRegion region;
        region.range = {10 * i, 10 * i + 10};
        region.nr_accesses = static_cast<uint32_t>(i % 11);
        ASSERT_TRUE(saved.targets[0].regions.push_back(region));
    }
    Params params = toy_params({{{0, 1000}}});
    params.attrs.min_nr_regions = 3;
    params.attrs.max_nr_regions = 20;
    Engine engine = started_engine(params);
    ASSERT_TRUE(engine.restore(saved, 0).ok());
    EXPECT_LE(engine.nr_regions(), 20u + 3u);  // those that are cut for the minimum come on top
    for (int i = 0; i < 10; ++i) run_intervals(engine, 1, accesses_in({}));
    EXPECT_LE(engine.nr_regions(), 20u + 3u);
}

TEST(Restoring, CountsAndAgesAreToldInTheIntervalsOfNow) {
    SavedContext saved;
    ASSERT_TRUE(learned_engine().save(0, saved));
    Params params = toy_params({{{0, 1000}}});
    params.attrs.aggr_us = 200;  // 20 samples in place of 10
    Engine engine = started_engine(params, 2);
    ASSERT_TRUE(engine.restore(saved, 0).ok());
    SavedContext again;
    ASSERT_TRUE(engine.save(0, again));
    ASSERT_EQ(again.targets[0].regions.size(), saved.targets[0].regions.size());
    for (size_t i = 0; i < again.targets[0].regions.size(); ++i) {
        EXPECT_EQ(again.targets[0].regions[i].nr_accesses, 2 * saved.targets[0].regions[i].nr_accesses);
        EXPECT_EQ(again.targets[0].regions[i].age, saved.targets[0].regions[i].age / 2);
        EXPECT_EQ(again.targets[0].regions[i].age_us, saved.targets[0].regions[i].age_us);
    }
}

TEST(Restoring, ASchemesQuotaGoesOnInItsWindow) {
    Params params = toy_params({{{0, 1000}}});
    SchemeParams scheme;
    scheme.quota.sz = 100;
    scheme.quota.reset_interval_ms = 1000;
    ASSERT_TRUE(params.schemes.push_back(std::move(scheme)));
    SavedContext saved;
    ASSERT_TRUE(started_engine(params).save(0, saved));
    saved.schemes[0].stats.nr_applied = 41;
    saved.schemes[0].charged_sz = 60;
    saved.schemes[0].window_open = true;
    saved.schemes[0].window_us = 300'000;
    Engine engine = started_engine(params);
    ASSERT_TRUE(engine.restore(saved, 2'000'000).ok());
    EXPECT_EQ(engine.scheme(0).stats.nr_applied, 41u);
    EXPECT_EQ(engine.scheme(0).quota.charged_sz, 60u);
    EXPECT_EQ(engine.scheme(0).quota.charged_from_us, 1'700'000u);
    SavedContext again;
    ASSERT_TRUE(engine.save(2'000'000, again));
    EXPECT_EQ(again, saved);
    saved.schemes[0].action = DamosAction::kCold;  // another scheme's
    saved.schemes[0].charged_sz = 1;
    ASSERT_TRUE(engine.restore(saved, 2'000'000).ok());
    EXPECT_EQ(engine.scheme(0).quota.charged_sz, 60u);
}

}  // namespace
}  // namespace damon
