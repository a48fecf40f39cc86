// Changing intervals: what becomes of counters and ages (M-29 to M-31, Q-6 to ).
#include <gtest/gtest.h>

#include "engine/monitor/conversion.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::region_at;
using test::regions_of;
using test::started_engine;
using test::toy_params;
using test::toy_traits;

Attrs intervals(uint64_t sample_us, uint64_t aggr_us) {
    Attrs attrs;
    attrs.sample_us = sample_us;
    attrs.aggr_us = aggr_us;
    return attrs;
}

Region converted(Region region, const Attrs& before, const Attrs& after, bool aggregating = false) {
    convert_results({&region, 1}, {before, after, aggregating, 1});
    return region;
}

TEST(Conversion, VectorsOfM30) {
    const Attrs old = intervals(10, 1'000);
    const Region region = region_at({0, 10}, 15, 20, 15);
    const Region finer = converted(region, old, intervals(100, 10'000));
    EXPECT_EQ(finer, region_at({0, 10}, 15, 2, 15));
    EXPECT_EQ(converted(region_at({0, 10}, 15, 2), old, intervals(1, 1'000)), region_at({0, 10}, 150, 2));
    EXPECT_EQ(converted(region_at({0, 10}, 150, 2), old, intervals(1, 100)), region_at({0, 10}, 150, 20));
    EXPECT_EQ(converted(region_at({0, 10}, 13), intervals(1, 20), intervals(1, 10)).nr_accesses, 6u);
    EXPECT_EQ(converted(region_at({0, 10}, 1), intervals(1, 3), intervals(2, 6)).nr_accesses, 0u);
    EXPECT_EQ(converted(region_at({0, 10}, 2), intervals(1, 3), intervals(2, 6)).nr_accesses, 1u);
}

TEST(Conversion, MidWindowCountsAreDroppedWithWhatIsKnownOfThem_M30_M31) {
    Region region = region_at({0, 10}, 7, 4, 10);
    region.probe_hits[0] = 5;
    region.last_probe_hits[0] = 6;
    region.evidence = kEvidenceAnswered;
    region.last_evidence = kEvidenceUnknown;
    Region expected = region_at({0, 10}, 0, 2, 5);
    expected.last_probe_hits[0] = 3;
    expected.last_evidence = kEvidenceUnknown;
    EXPECT_EQ(converted(region, intervals(10, 100), intervals(40, 200), true), expected);
}

TEST(Conversion, IsSkippedWhereAnIntervalIsZero_M30) {
    const Region region = region_at({0, 10}, 7, 4, 9);
    for (const Attrs& zero : {intervals(0, 100), intervals(0, 0)}) {
        EXPECT_EQ(converted(region, zero, intervals(10, 100), true), region);
        EXPECT_EQ(converted(region, intervals(10, 100), zero, true), region);
    }
}

TEST(Conversion, MayExceedTheNewMaximum_Q7) {
    // 15 of a maximum of 10: more than there can be, as after an earlier change.
    EXPECT_EQ(converted(region_at({0, 10}, 15), intervals(1, 10), intervals(1, 20)).nr_accesses, 30u);
}

TEST(Conversion, LargeCountsDoNotWrapButSaturate_Q8_Q26) {
    EXPECT_EQ(converted(region_at({0, 10}, 4'000'000'000, 4'000'000'000), intervals(1, 10), intervals(1, 100)),
              region_at({0, 10}, UINT32_MAX, 400'000'000));
    Region region = region_at({0, 10});
    region.probe_hits[0] = 200;
    EXPECT_EQ(converted(region, intervals(1, 10), intervals(1, 20)).probe_hits[0], 255);
}

// A commit in mid-window: the window begins again and moving sums fall back on the previous one.
TEST(ChangingAttrs, InMidWindowShowsThePreviousWindow_M31) {
    Params params = toy_params({{{0, 30}}});
    params.attrs.min_nr_regions = 3;
    Engine engine = started_engine(params);
    test::run_intervals(engine, 13, accesses_in({{0, 30}}));
    ASSERT_EQ(engine.moving_sum(engine.regions().at(0, 0)), 10u);
    params.attrs.sample_us = 5;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.cadence().next_aggregation, 13u + 20);
    const Region region = engine.regions().at(0, 0);
    EXPECT_EQ(region.nr_accesses, 0u);
    EXPECT_EQ(region.last_nr_accesses, 20u);
    EXPECT_EQ(engine.moving_sum(region), 20u);
}

// A change from a callback inside an aggregation tick converts the finished window (M-31).
TEST(ChangingAttrs, InAnAggregationTickConvertsTheFinishedWindow_M31_L12) {
    Params params = toy_params({{{0, 30}}});
    params.attrs.min_nr_regions = 3;
    Engine engine = started_engine(params);
    test::run_intervals(engine, 9, accesses_in({{0, 30}}));
    ASSERT_TRUE(test::sample_once(engine, accesses_in({{0, 30}})).aggregation);
    params.attrs.sample_us = 20;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.regions().at(0, 0).nr_accesses, 5u);
    engine.finish();
    EXPECT_EQ(engine.regions().at(0, 0).last_nr_accesses, 5u);
    EXPECT_EQ(engine.cadence().next_aggregation, 10u + 5) << "from the latched deadline (L-12)";
}

TEST(ChangingAttrs, LimitsAndGoalsLeaveTheWindowAlone_Q5) {
    Params params = toy_params({{{0, 1'000}}});
    Engine engine = started_engine(params);
    test::run_intervals(engine, 13, accesses_in({{0, 500}}));
    const std::vector<Region> before = regions_of(engine, 0);
    const Cadence cadence = engine.cadence();
    params.attrs.max_nr_regions = 50;
    params.attrs.intervals_goal.access_bp = 7;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_EQ(regions_of(engine, 0), before);
    EXPECT_EQ(engine.cadence(), cadence);
    EXPECT_EQ(engine.params().attrs.max_nr_regions, 50u);
}

TEST(ChangingAttrs, TheUpdateTimerKeepsItsElapsedTime_Q4) {
    Params params = toy_params({{{0, 1'000}}});
    params.attrs.ops_update_us = 1'000;
    Engine engine = started_engine(params);
    uint64_t updates = 0;
    // A change every 50 intervals of 10 us: with a timer that starts again, an update every 100 would never come.
    for (int round = 0; round < 20; ++round) {
        for (int interval = 0; interval < 50; ++interval) updates += test::run_interval(engine, accesses_in({}));
        params.attrs.aggr_us = params.attrs.aggr_us == 100 ? 200 : 100;
        ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    }
    EXPECT_EQ(updates, 10u);
}

TEST(ChangingAttrs, CallersAttrsAreNotWrittenTo_Q13) {
    const Params params = toy_params({{{0, 1'000}}});
    const Params copy = test::copy_of(params);
    Engine engine = started_engine(params);
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_TRUE(params == copy);
}

TEST(Attrs, ATenthOfTheRegionsAndSixteenOrHalfAreKeptForSplits_Q77) {
    const auto least = [](uint64_t min, uint64_t max) {
        Attrs attrs;
        attrs.min_nr_regions = min;
        attrs.max_nr_regions = max;
        return attrs.least_nr_regions();
    };
    EXPECT_EQ(least(10, 1'000), 10u);
    EXPECT_EQ(least(1'000, 1'000), 900u);
    EXPECT_EQ(least(100, 100), 84u);
    EXPECT_EQ(least(84, 100), 84u);
    EXPECT_EQ(least(20, 20), 10u);
    EXPECT_EQ(least(10, 10), 5u);
    EXPECT_EQ(least(9, 9), 8u);
    EXPECT_EQ(least(3, 3), 2u);
}

// Were all regions spent on being small, none could be cut where something is found.
TEST(Attrs, AWindowEndsWithATenthOfTheRegionsLeftForSplits_Q77) {
    Params params = toy_params({{{0, 100'000}}});
    params.attrs.min_nr_regions = params.attrs.max_nr_regions = 100;
    Engine engine = started_engine(params);
    EXPECT_LE(engine.nr_regions(), 92u);
    for (int window = 0; window < 5; ++window) {
        for (int i = 0; i < 9; ++i) test::run_interval(engine, accesses_in({}));
        ASSERT_TRUE(test::sample_once(engine, accesses_in({})).aggregation);
        EXPECT_LE(engine.nr_regions(), 92u) << window;
        engine.finish();
    }
}

}  // namespace
}  // namespace damon
