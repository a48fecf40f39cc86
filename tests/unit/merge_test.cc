// Ageing and merging at the end of a window (M-17 to M-21).
#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/monitor/merging.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::list_of;
using test::region_at;
using test::regions_of;

MergeLimits limits_of(uint64_t threshold, uint64_t cap, uint64_t max_nr_regions,
                      uint64_t max_region_bytes = 1'000'000) {
    return {.threshold = threshold,
            .threshold_cap = cap,
            .max_region_bytes = max_region_bytes,
            .max_nr_regions = max_nr_regions};
}

TEST(Merge, AgeingVectorsOfM18) {
    EXPECT_EQ(aged(3, 5, 7, 2), 4u);
    EXPECT_EQ(aged(3, 5, 8, 2), 0u);
    EXPECT_EQ(aged(3, 1, 0, 2), 0u);
    EXPECT_EQ(aged(3, 0, 0, 2), 4u);
    EXPECT_EQ(aged(3, 0, 2, 2), 0u);
}

TEST(Merge, AgeStopsAtItsMaximum) { EXPECT_EQ(aged(UINT32_MAX, 0, 0, 0), UINT32_MAX); }

TEST(Merge, EscalatesUntilFewEnoughAreLeft_M21) {
    RegionList list = list_of({{}});
    for (uint32_t i = 0; i < 10; ++i) {
        ASSERT_TRUE(list.insert(0, i, {i * 10, i * 10 + 10}));
        list.at(0, i) = region_at({i * 10, i * 10 + 10}, i, 4, i);
    }
    age_and_merge(list, ProbeWeights(), limits_of(0, 20, 3));
    EXPECT_EQ(regions_of(list, 0), (std::vector<Region>{region_at({0, 40}, 1, 5, 0), region_at({40, 80}, 5, 5, 4),
                                                        region_at({80, 100}, 8, 5, 8)}));
}

RegionList alternating() {
    RegionList list = list_of({{}});
    for (uint32_t i = 0; i < 10; ++i) {
        EXPECT_TRUE(list.insert(0, i, {i * 10, i * 10 + 10}));
        list.at(0, i).nr_accesses = i % 2 == 0 ? 0 : 20;
    }
    return list;
}

TEST(Merge, EscalationJoinsOppositesUpToTheCap_M21) {
    RegionList list = alternating();
    age_and_merge(list, ProbeWeights(), limits_of(2, 20, 4));
    ASSERT_EQ(list.nr_regions(), 1u);
    EXPECT_EQ(list.at(0, 0).nr_accesses, 8u);
}

TEST(Merge, TheSizeLimitIsNeverRelaxed_M21) {
    RegionList list = alternating();
    age_and_merge(list, ProbeWeights(), limits_of(2, 20, 4, 20));
    ASSERT_EQ(list.nr_regions(), 5u);
    for (const Region& region : regions_of(list, 0)) EXPECT_EQ(region.nr_accesses, 10u);
}

TEST(Merge, ComparesWithTheScoreThatEarlierMergesAveraged_M19_Q47) {
    // 0 and 2 become 1 (within 2), which is within 2 of 3; the pair 2, 3 and the pair 0, 3 would tell another story.
    RegionList list = list_of({{region_at({0, 10}, 0), region_at({10, 20}, 2), region_at({20, 30}, 4)}});
    age_and_merge(list, ProbeWeights(), limits_of(2, 2, 100));
    ASSERT_EQ(list.nr_regions(), 2u);
    EXPECT_EQ(list.at(0, 0).nr_accesses, 1u);
}

TEST(Merge, NeverBridgesAGap_I2) {
    RegionList list = list_of({{region_at({0, 10}), region_at({11, 20})}, {region_at({20, 30})}});
    age_and_merge(list, ProbeWeights(), limits_of(0, 20, 1));
    EXPECT_EQ(list.nr_regions(), 3u);
}

TEST(Merge, TheLastWindowOfTheLeftRegionDecidesTheNextAgeing_Q12) {
    RegionList list = list_of({{region_at({0, 10}, 4, 4, 4), region_at({10, 40}, 5, 10, 6)}});
    age_and_merge(list, ProbeWeights(), limits_of(2, 20, 100));
    // Ages 5 and 11, weighted 1 to 3.
    EXPECT_EQ(regions_of(list, 0), std::vector<Region>{region_at({0, 40}, 4, 9, 4)});
}

TEST(Merge, AZeroCapLeavesTheFirstPassAlone_M21) {
    RegionList list = alternating();
    age_and_merge(list, ProbeWeights(), limits_of(0, 0, 1));
    EXPECT_EQ(list.nr_regions(), 10u);
}

TEST(Merge, WeightedProbesScoreInsteadOfAccesses_M17_P4) {
    ProbeParams probes[2];
    probes[0].weight = 3;
    const ProbeWeights weights(probes);
    RegionList list = list_of({{region_at({0, 10}, 0, 1), region_at({10, 20}, 9, 1)}});
    list.at(0, 0).probe_hits[0] = list.at(0, 0).last_probe_hits[0] = 2;
    list.at(0, 1).probe_hits[0] = 3;
    list.at(0, 1).last_probe_hits[0] = 2;
    EXPECT_EQ(weights.score(list.at(0, 1)), 9u);
    age_and_merge(list, weights, limits_of(2, 2, 100));
    EXPECT_EQ(list.at(0, 0).age, 2u);
    EXPECT_EQ(list.at(0, 1).age, 0u);
    EXPECT_EQ(list.nr_regions(), 2u);
    age_and_merge(list, weights, limits_of(3, 3, 100));
    EXPECT_EQ(list.nr_regions(), 1u);
}

TEST(Merge, ProbesWithoutWeightInfluenceNothing_P6) {
    ProbeParams probes[1];
    const ProbeWeights weights(probes);
    RegionList list = list_of({{region_at({0, 10}, 5), region_at({10, 20}, 5)}});
    list.at(0, 0).probe_hits[0] = 200;
    age_and_merge(list, weights, limits_of(0, 20, 100));
    EXPECT_EQ(list.nr_regions(), 1u);
}

Region in_vain(Region region) {
    region.evidence = kEvidenceUnknown;
    return region;
}

Region answered(Region region) {
    region.evidence = kEvidenceAnswered | kEvidenceUnknown;
    return region;
}

TEST(Merge, ARegionThatWasLookedAtInVainDoesNotAge_M36) {
    RegionList list = list_of({{in_vain(region_at({0, 10}, 0, 7)), in_vain(region_at({20, 30}, 0, 7, 9)),
                                answered(region_at({40, 50}, 0, 7))}});
    age_and_merge(list, ProbeWeights(), limits_of(0, 20, 100));
    EXPECT_EQ(list.at(0, 0).age, 7u);
    EXPECT_EQ(list.at(0, 1).age, 7u) << "nor does a rate that nobody could confirm make it new";
    EXPECT_EQ(list.at(0, 2).age, 8u);
}

// Else memory that nobody could look at would pass for cold.
TEST(Merge, UnknownMemoryJoinsKnownMemoryOnlyAtTheCap_M36) {
    const std::vector<Region> regions = {answered(region_at({0, 10})), in_vain(region_at({10, 20})),
                                         in_vain(region_at({20, 30})), answered(region_at({30, 40}))};
    RegionList enough = list_of({regions});
    age_and_merge(enough, ProbeWeights(), limits_of(0, 20, 3));
    ASSERT_EQ(enough.nr_regions(), 3u);
    EXPECT_EQ(enough.at(0, 1).range, (AddressRange{10, 30}));
    EXPECT_EQ(enough.at(0, 1).evidence, kEvidenceUnknown);
    RegionList too_many = list_of({regions});
    age_and_merge(too_many, ProbeWeights(), limits_of(0, 20, 2));
    EXPECT_EQ(too_many.nr_regions(), 1u) << "max_nr_regions holds";
}

TEST(Merge, KeepsCoverageAndSizes_I2) {
    const uint64_t seed = 99;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    for (int round = 0; round < 200; ++round) {
        RegionList list = list_of({{}, {}});
        uint64_t total = 0;
        for (size_t target = 0; target < 2; ++target) {
            uint64_t start = 0;
            for (size_t i = 0; i < 50; ++i) {
                start += random.between(0, 4) == 0 ? 5 : 0;
                const uint64_t size = random.between(1, 30);
                total += size;
                ASSERT_TRUE(list.insert(target, i, {start, start + size}));
                list.at(target, i).nr_accesses = static_cast<uint32_t>(random.between(0, 20));
                start += size;
            }
        }
        age_and_merge(list, ProbeWeights(), limits_of(random.between(0, 3), 20, random.between(1, 100), 60));
        ASSERT_TRUE(list.is_valid());
        uint64_t merged_total = 0;
        for (const Region& region : list.all()) merged_total += region.size();
        ASSERT_EQ(merged_total, total);
    }
}

}  // namespace
}  // namespace damon
