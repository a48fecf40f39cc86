// The engine as the mirror of a monitor elsewhere.
#include <gtest/gtest.h>

#include <vector>

#include "engine/engine.h"

namespace damon::test {
namespace {

Params params_of(size_t nr_targets, size_t nr_schemes) {
    Params params;
    EXPECT_TRUE(params.targets.resize(nr_targets));
    EXPECT_TRUE(params.schemes.resize(nr_schemes));
    params.attrs.max_nr_regions = 10;
    return params;
}

Engine engine_of(const Params& params) {
    Engine engine;
    OpsTraits traits;
    traits.offloaded = true;
    EXPECT_TRUE(engine.prepare(params, traits).ok());
    engine.start(1);
    return engine;
}

Observation seen(const std::vector<RegionInfo>& regions) {
    Observation observation;
    observation.sample_us = 5'000;
    observation.aggr_us = 100'000;
    for (const RegionInfo& region : regions) EXPECT_TRUE(observation.regions.push_back(region));
    return observation;
}

std::vector<RegionInfo> regions_of(const Engine& engine) {
    std::vector<RegionInfo> regions(engine.nr_regions());
    engine.read_regions(regions, false);
    return regions;
}

TEST(Mirror, ShowsRegionsAsTheyWereFound) {
    Engine engine = engine_of(params_of(2, 0));
    const std::vector<RegionInfo> found = {
        {.start = 0, .end = 8, .age_us = 400'000, .idle_us = 0, .target_idx = 0, .nr_accesses = 3, .age = 4},
        {.start = 8, .end = 9, .age_us = 900'000, .idle_us = 1'000'000, .target_idx = 0, .nr_accesses = 0, .age = 9},
        {.start = 4, .end = 16, .age_us = 0, .idle_us = 0, .target_idx = 1, .nr_accesses = 20, .age = 0},
    };
    ASSERT_TRUE(engine.mirror(seen(found)));
    EXPECT_EQ(regions_of(engine), found) << "known, all of them: nobody says otherwise";
    EXPECT_TRUE(engine.is_valid());
    const std::vector<RegionInfo> later = {found[2]};
    ASSERT_TRUE(engine.mirror(seen(later)));
    EXPECT_EQ(regions_of(engine), later);
    EXPECT_EQ(engine.passed_sample_intervals(), 0u);
}

TEST(Mirror, WhatCannotBeIsLeftOut) {
    Engine engine = engine_of(params_of(1, 0));
    const RegionInfo right = {.start = 8, .end = 16, .idle_us = 100'000};
    ASSERT_TRUE(
        engine.mirror(seen({right, {.start = 12, .end = 20}, {.start = 30, .end = 30}, {.start = 40, .end = 39}})));
    EXPECT_EQ(regions_of(engine), std::vector<RegionInfo>{right});
    ASSERT_TRUE(engine.mirror(seen({{.start = 8, .end = 16, .target_idx = 1}})));
    EXPECT_EQ(engine.nr_regions(), 0u) << "there is no such target";
}

TEST(Mirror, MoreRegionsThanThereIsRoomForTakeMore) {
    Engine engine = engine_of(params_of(1, 0));
    std::vector<RegionInfo> many;
    for (uint64_t i = 0; i < engine.region_capacity() + 100; ++i) many.push_back({.start = 2 * i, .end = 2 * i + 1});
    ASSERT_TRUE(engine.mirror(seen(many)));
    EXPECT_EQ(engine.nr_regions(), many.size());
    EXPECT_GE(engine.region_capacity(), many.size());
}

TEST(Mirror, HitsOfProbesComeWithTheirRegions) {
    Params params = params_of(1, 0);
    ASSERT_TRUE(params.probes.resize(2));
    Engine engine;
    OpsTraits traits;
    traits.offloaded = traits.has_probes = true;
    ASSERT_TRUE(engine.prepare(params, traits).ok());
    engine.start(1);
    Observation observation = seen({{.start = 0, .end = 8}, {.start = 4, .end = 9}, {.start = 8, .end = 16}});
    for (const uint8_t hits : {uint8_t{1}, uint8_t{2}, uint8_t{3}})
        ASSERT_TRUE(observation.hits.push_back(ProbeHits{{0, hits}}));
    ASSERT_TRUE(engine.mirror(observation));
    ProbeHits hits[3];
    ASSERT_EQ(engine.read_probe_hits(hits), 2u);
    EXPECT_EQ(hits[0].hits[1], 1);
    EXPECT_EQ(hits[1].hits[1], 3) << "the region in between cannot be";
}

TEST(Mirror, TakesTunedIntervalsAndTheSchemesProgress) {
    Engine engine = engine_of(params_of(1, 1));
    Observation observation = seen({{.start = 0, .end = 8, .nr_accesses = 20, .age = 5}});
    observation.sample_us = 10'000;
    observation.aggr_us = 200'000;
    ASSERT_TRUE(observation.schemes.resize(1));
    observation.schemes[0].more.nr_tried = 2;
    observation.schemes[0].esz = 77;
    ASSERT_TRUE(engine.mirror(observation));
    ASSERT_TRUE(engine.mirror(observation));
    EXPECT_EQ(engine.params().attrs.sample_us, 10'000u);
    EXPECT_EQ(engine.params().attrs.aggr_us, 200'000u);
    EXPECT_EQ(regions_of(engine)[0].age, 5u) << "counted in the new windows already";
    EXPECT_EQ(engine.scheme(0).stats.nr_tried, 4u);
    EXPECT_EQ(engine.scheme(0).quota.esz, 77u);
}

}  // namespace
}  // namespace damon::test
