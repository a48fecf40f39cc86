// Changing a running engine: what stays, what goes, what is new.
#include <gtest/gtest.h>

#include <utility>

#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::copy_of;
using test::regions_of;
using test::run_intervals;
using test::started_engine;
using test::toy_params;
using test::toy_traits;

TEST(Commit, OfTheSameParametersChangesNothing_A17) {
    Params params = toy_params({{{0, 1'000}, {2'000, 3'000}}, {{0, 500}}});
    params.attrs.intervals_goal = {.access_bp = 1, .aggrs = 50, .min_sample_us = 1, .max_sample_us = 100};
    ASSERT_TRUE(params.schemes.resize(2));
    params.schemes[0].quota.sz = 100;
    ASSERT_TRUE(params.probes.resize(1));
    Engine engine = started_engine(params);
    for (int round = 0; round < 30; ++round) {
        run_intervals(engine, 7, accesses_in({{0, 300}}));
        Engine before;
        ASSERT_TRUE(before.copy_from(engine));
        ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
        ASSERT_TRUE(engine == before) << "round " << round;
    }
}

TEST(Commit, RunningParametersWithTunedIntervalsChangeNothing_A17) {
    Params params = toy_params({{{0, 1'000}}});
    params.attrs.intervals_goal = {.access_bp = 400, .aggrs = 2, .min_sample_us = 1, .max_sample_us = 1'000};
    Engine engine = started_engine(params);
    run_intervals(engine, 205, accesses_in({}));
    ASSERT_NE(engine.params().attrs.sample_us, params.attrs.sample_us);
    Engine before;
    ASSERT_TRUE(before.copy_from(engine));
    const Params running = copy_of(engine.params());
    ASSERT_TRUE(engine.commit(running, toy_traits(), nullptr).ok());
    EXPECT_TRUE(engine == before);
}

TEST(Commit, KeepsRegionsOfATargetWithoutRanges_A20) {
    Params params = toy_params({{{0, 1'000}}});
    Engine engine = started_engine(params);
    run_intervals(engine, 33, accesses_in({{0, 300}}));
    const std::vector<Region> before = regions_of(engine, 0);
    params.targets[0].ranges.clear();
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_EQ(regions_of(engine, 0), before);
}

TEST(Commit, SetsGivenRangesAndKeepsWhatIsKnownOfThem_A20) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    run_intervals(engine, 33, accesses_in({{0, 300}}));
    const Region second = engine.regions().at(0, 1);
    Params params = toy_params({{{second.range.start, second.range.end}, {second.range.end, 2'000}}});
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.regions().at(0, 0), second) << "touching ranges are one, so nothing is cut at its end";
    EXPECT_EQ(regions_of(engine, 0).back().range.end, 2'000u);
}

TEST(Commit, MatchesTargetsByPosition_A19) {
    Engine engine = started_engine(toy_params({{{0, 100}}, {{200, 300}}, {{400, 500}}}));
    engine.set_target_valid(1, false);
    const std::vector<Region> second = regions_of(engine, 1);
    Vector<uint8_t> marks;
    Params params = toy_params({{}, {}, {}, {}});
    params.targets[0].obsolete = true;
    params.targets[2].obsolete = true;
    ASSERT_TRUE(engine.commit(params, toy_traits(), &marks).ok());
    ASSERT_EQ(engine.nr_targets(), 2u);
    EXPECT_EQ(regions_of(engine, 0), second);
    EXPECT_FALSE(engine.regions().target_valid(0)) << "validity moves with its target";
    EXPECT_EQ(engine.nr_regions(), second.size());
    EXPECT_EQ(engine.params().targets.size(), 2u);
    ASSERT_EQ(marks.size(), 2u);
    EXPECT_FALSE(marks[0]);
    EXPECT_TRUE(marks[1]) << "the fourth is new and empty (Q-41)";
}

TEST(Commit, MissingTargetsGo_A21) {
    Engine engine = started_engine(toy_params({{{0, 100}}, {{200, 300}}}));
    ASSERT_TRUE(engine.commit(toy_params({{}}), toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.nr_targets(), 1u);
    ASSERT_TRUE(engine.commit(toy_params({}), toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.nr_regions(), 0u);
    run_intervals(engine, 30, accesses_in({}));
}

TEST(Commit, MarksOnlyTargetsThatAreNewAndEmpty_Q41) {
    Engine engine = started_engine(toy_params({{{0, 100}}, {}}));
    Params params = toy_params({{}, {}, {{500, 600}}, {}});
    params.targets[1].pid = 7;
    Vector<uint8_t> marks;
    ASSERT_TRUE(engine.commit(params, toy_traits(), &marks).ok());
    ASSERT_EQ(marks.size(), 4u);
    EXPECT_FALSE(marks[0]);
    EXPECT_TRUE(marks[1]) << "another process's, and nothing is known of it";
    EXPECT_FALSE(marks[2]) << "its ranges are given";
    EXPECT_TRUE(marks[3]);
}

TEST(Commit, RefitsKeptRegionsToACoarserGranularity_Q39) {
    Params params = toy_params({{{10, 1'000}, {1'001, 1'500}}});
    Engine engine = started_engine(params);
    run_intervals(engine, 57, accesses_in({{10, 200}}));
    params.targets[0].ranges.clear();
    params.min_region_sz = 64;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    for (const Region& region : regions_of(engine, 0)) {
        EXPECT_EQ(region.range.start % 64, 0u);
        EXPECT_EQ(region.range.end % 64, 0u);
    }
    EXPECT_EQ(regions_of(engine, 0).front().range.start, 0u);
    EXPECT_EQ(regions_of(engine, 0).back().range.end, 1'536u);
    // The baseline refuses every later commit.
    EXPECT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
}

TEST(Commit, ReplacedProbesStartAtZeroAndOthersGoOn_Q30) {
    Params params = toy_params({{{0, 30}}});
    params.attrs.min_nr_regions = 3;
    ASSERT_TRUE(params.probes.resize(2));
    Engine engine = started_engine(params);
    for (int interval = 0; interval < 14; ++interval) {
        engine.plan();
        for (uint8_t& hits : engine.probe_hits()) hits = 0b11;
        engine.record_samples();
        engine.finish();
    }
    params.probes[1].weight = 0;
    ASSERT_TRUE(params.probes[1].filters.push_back(ProbeFilter{.matching = true}));
    ASSERT_TRUE(params.probes.resize(3));
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    for (const Region& region : regions_of(engine, 0)) {
        EXPECT_EQ(region.probe_hits[0], 4);
        EXPECT_EQ(region.last_probe_hits[0], 10);
        EXPECT_EQ(region.probe_hits[1], 0);
        EXPECT_EQ(region.last_probe_hits[1], 0);
        EXPECT_EQ(region.probe_hits[2], 0);
    }
}

TEST(Commit, AHigherLimitBringsItsCapacity) {
    Params params = toy_params({{{0, 1'000'000}}});
    Engine engine = started_engine(params);
    run_intervals(engine, 100, accesses_in({{0, 1'000}}));
    params.attrs.min_nr_regions = 5'000;
    params.attrs.max_nr_regions = 20'000;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_GE(engine.region_capacity(), 40'000u);
    run_intervals(engine, 20, accesses_in({{0, 1'000}}));
    EXPECT_GE(engine.nr_regions(), 5'000u);
}

TEST(Commit, InTheMiddleOfAnApplyPassEndsThePass) {
    Params params = toy_params({{{0, 1'000}}});
    ASSERT_TRUE(params.schemes.resize(1));
    Engine engine = started_engine(params);
    run_intervals(engine, 9, accesses_in({}));
    test::sample_once(engine, accesses_in({}));
    ASSERT_TRUE(engine.apply_begin(0));
    ActionRequest request;
    ASSERT_TRUE(engine.next_request(request));
    ASSERT_TRUE(engine.commit(toy_params({{{500, 800}}}), toy_traits(), nullptr).ok());
    engine.complete({.applied = 100});
    EXPECT_FALSE(engine.next_request(request));
    EXPECT_EQ(engine.nr_schemes(), 0u);
    engine.finish();
    run_intervals(engine, 30, accesses_in({}));
}

}  // namespace
}  // namespace damon
