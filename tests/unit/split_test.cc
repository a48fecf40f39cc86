// Minimum region count (M-22) and random splits (M-24 to M-28).
#include <gtest/gtest.h>

#include "engine/monitor/splitting.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::list_of;
using test::region_at;
using test::regions_of;

struct CutVector {
    uint64_t total, granularity, min_nr_regions, limit;
    size_t count;
};

TEST(SizeLimit, VectorsOfM22) {
    for (const CutVector& vector : {CutVector{10, 1, 10, 1, 10}, CutVector{10, 1, 15, 1, 10}, CutVector{10, 2, 2, 6, 2},
                                    CutVector{10, 2, 10, 2, 5}, CutVector{20, 4, 4, 8, 3}}) {
        RegionList list = list_of({{region_at({0, vector.total})}});
        EXPECT_EQ(cut_to_size_limit(list, {vector.min_nr_regions, vector.granularity}), vector.limit);
        EXPECT_EQ(list.nr_regions(), vector.count) << vector.total << " by " << vector.min_nr_regions;
        EXPECT_TRUE(list.is_valid());
    }
}

TEST(SizeLimit, CountsTheSizesOfAllTargets_M22) {
    RegionList list = list_of({{region_at({0, 50})}, {region_at({0, 10}), region_at({20, 60})}});
    EXPECT_EQ(cut_to_size_limit(list, {10, 1}), 10u);
    EXPECT_EQ(list.nr_regions_of(0), 5u);
    EXPECT_EQ(list.nr_regions_of(1), 5u);
}

TEST(SizeLimit, ExhaustedCapacityStopsAllFurtherCutting_M22) {
    RegionList list = list_of({{region_at({0, 100})}, {region_at({0, 100})}}, 5);
    EXPECT_EQ(cut_to_size_limit(list, {10, 1}), 20u);
    EXPECT_EQ(list.nr_regions_of(0), 4u);
    EXPECT_EQ(list.nr_regions_of(1), 1u);
}

TEST(SizeLimit, TheWholeAddressSpaceDoesNotWrap_Q10) {
    RegionList list = list_of({{region_at({0, kU64Max})}, {region_at({0, kU64Max})}});
    EXPECT_EQ(unaligned_size_limit(list, {3, 4096}), 2 * (kU64Max / 3));
    EXPECT_EQ(unaligned_size_limit(list, {1, 4096}), kU64Max);
    EXPECT_EQ(cut_to_size_limit(list, {1, 4096}), kU64Max);
    EXPECT_EQ(list.nr_regions(), 2u);
}

// M-26's vectors: how many regions `count` large ones become with a maximum of 1,000.
size_t split_count(size_t count, SplitMemory& memory, Random& random) {
    RegionList list = list_of({{}}, 2'000);
    for (size_t i = 0; i < count; ++i) EXPECT_TRUE(list.insert(0, i, {i * 1'000, i * 1'000 + 1'000}));
    split_regions(list, {.max_nr_regions = 1'000, .min_region_sz = 1}, memory, random);
    EXPECT_TRUE(list.is_valid());
    return list.nr_regions();
}

TEST(Split, VectorsOfM26) {
    struct Expected {
        size_t before, least, most;
    };
    for (const Expected& expected :
         {Expected{500, 1'000, 1'000}, Expected{501, 751, 752}, Expected{600, 900, 900}, Expected{900, 990, 990},
          Expected{990, 999, 1'000}, Expected{1'000, 1'000, 1'000}}) {
        Random random(expected.before);
        for (uint64_t rotation = 0; rotation < 120; ++rotation) {
            SplitMemory memory{.nr_regions = 0, .rotation = rotation};
            const size_t after = split_count(expected.before, memory, random);
            ASSERT_GE(after, expected.least) << expected.before << " rotation " << rotation;
            ASSERT_LE(after, expected.most) << expected.before << " rotation " << rotation;
            ASSERT_EQ(memory.nr_regions, expected.before);
        }
    }
}

TEST(Split, AnUnchangedSmallCountSplitsInThree_M25) {
    Random random(1);
    SplitMemory memory;
    EXPECT_EQ(split_count(100, memory, random), 200u);
    EXPECT_EQ(split_count(100, memory, random), 300u);
    EXPECT_EQ(split_count(99, memory, random), 198u);
    // A third of the maximum is not small any more.
    memory.nr_regions = 333;
    EXPECT_EQ(split_count(333, memory, random), 666u);
    memory.nr_regions = 332;
    EXPECT_EQ(split_count(332, memory, random), 996u);
}

TEST(Split, EachContextRemembersItsOwnCount_Q1_M28) {
    Random random(1);
    SplitMemory first;
    SplitMemory second;
    EXPECT_EQ(split_count(100, first, random), 200u);
    EXPECT_EQ(split_count(100, second, random), 200u);
}

TEST(Split, PartialSplitsRotateThroughAllRegions_M26) {
    RegionList list = list_of({{}}, 2'000);
    for (size_t i = 0; i < 900; ++i) ASSERT_TRUE(list.insert(0, i, {i * 1'000, i * 1'000 + 1'000}));
    Random random(3);
    for (uint64_t rotation = 0; rotation < 10; ++rotation) {
        RegionList copy;
        ASSERT_TRUE(copy.copy_from(list));
        SplitMemory memory{.nr_regions = 900, .rotation = rotation};
        split_regions(copy, {.max_nr_regions = 1'000, .min_region_sz = 1}, memory, random);
        EXPECT_EQ(memory.rotation, rotation + 1);
        size_t index = 0;
        for (size_t original = 0; original < 900; ++original, ++index) {
            const bool split = copy.at(0, index).range.end != (original + 1) * 1'000;
            ASSERT_EQ(split, original % 10 == rotation) << original;
            index += split;
        }
    }
}

TEST(Split, NumbersRegionsAcrossTargets_M26) {
    // Two of three: every third region, offset 1; that is the one of the second target.
    RegionList list = list_of({{region_at({0, 1'000})}, {region_at({0, 1'000})}}, 10);
    SplitMemory memory{.nr_regions = 0, .rotation = 1};
    Random random(1);
    split_regions(list, {.max_nr_regions = 3, .min_region_sz = 1}, memory, random);
    EXPECT_EQ(list.nr_regions_of(0), 1u);
    EXPECT_EQ(list.nr_regions_of(1), 2u);
}

TEST(Split, FullNeedsMoreThanTwiceTheGranularityPartialTwice_M25_M26_Q45) {
    Random random(5);
    RegionList full = list_of({{region_at({0, 16})}}, 10);
    SplitMemory memory;
    split_regions(full, {.max_nr_regions = 100, .min_region_sz = 8}, memory, random);
    EXPECT_EQ(full.nr_regions(), 1u);
    // Two of three: the first of every three is tried, and split where the cut aligns to 8.
    size_t partial_splits = 0;
    for (uint64_t round = 0; round < 30; ++round) {
        RegionList partial = list_of({{region_at({0, 16}), region_at({100, 116})}}, 10);
        memory.rotation = 0;
        split_regions(partial, {.max_nr_regions = 3, .min_region_sz = 8}, memory, random);
        partial_splits += partial.nr_regions() - 2;
    }
    EXPECT_GT(partial_splits, 0u);
}

TEST(Split, CutsLieOnTheGranularityBetweenOneAndNineTenths_M25) {
    Random random(11);
    bool cuts_seen[10] = {};
    for (int round = 0; round < 500; ++round) {
        RegionList list = list_of({{region_at({0, 1'000})}}, 10);
        SplitMemory memory;
        split_regions(list, {.max_nr_regions = 100, .min_region_sz = 4}, memory, random);
        ASSERT_EQ(list.nr_regions(), 2u);
        const uint64_t cut = list.at(0, 0).range.end;
        ASSERT_EQ(cut % 4, 0u);
        bool tenth_found = false;
        for (uint64_t tenth = 1; tenth < 10; ++tenth) {
            if (cut != tenth * 100) continue;
            cuts_seen[tenth] = tenth_found = true;
        }
        ASSERT_TRUE(tenth_found) << cut;
    }
    for (uint64_t tenth = 1; tenth < 10; ++tenth) EXPECT_TRUE(cuts_seen[tenth]) << tenth;
}

TEST(Split, ACutThatAlignsToNothingIsAWastedAttempt_M25_Q46) {
    // 1 tenth of 20 aligned to 8 is 0; the attempt counts all the same.
    Random random(2);
    size_t unsplit = 0;
    for (int round = 0; round < 100; ++round) {
        RegionList list = list_of({{region_at({0, 24})}}, 10);
        SplitMemory memory;
        split_regions(list, {.max_nr_regions = 100, .min_region_sz = 8}, memory, random);
        ASSERT_TRUE(list.is_valid());
        unsplit += list.nr_regions() == 1;
    }
    EXPECT_GT(unsplit, 10u);  // cuts of 1, 2 and 3 tenths: a third of all
    EXPECT_LT(unsplit, 60u);
}

TEST(Split, TheSecondCutIsLeftOfTheFirst_M25_Q47) {
    Random random(4);
    for (int round = 0; round < 100; ++round) {
        RegionList list = list_of({{region_at({0, 1'000})}}, 10);
        SplitMemory memory{.nr_regions = 1, .rotation = 0};
        split_regions(list, {.max_nr_regions = 100, .min_region_sz = 1}, memory, random);
        ASSERT_EQ(list.nr_regions(), 3u);
        ASSERT_EQ(list.at(0, 1).range.end % 100, 0u);
        ASSERT_EQ(list.at(0, 2).range.end, 1'000u);
    }
}

TEST(Split, NeverRaisesTheCountAboveTheMaximum_I5) {
    const uint64_t seed = 31;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    SplitMemory memory;
    for (int round = 0; round < 500; ++round) {
        const uint64_t max_nr_regions = random.between(3, 60);
        RegionList list = list_of({{}}, 200);
        const size_t count = random.between(0, 70);
        for (size_t i = 0; i < count; ++i) ASSERT_TRUE(list.insert(0, i, {i * 100, i * 100 + random.between(1, 100)}));
        split_regions(list, {max_nr_regions, 1}, memory, random);
        ASSERT_TRUE(list.is_valid());
        ASSERT_LE(list.nr_regions(), std::max<uint64_t>(count, max_nr_regions));
    }
}

}  // namespace
}  // namespace damon
