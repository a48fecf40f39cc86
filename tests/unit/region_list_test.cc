// The list of regions: splitting (M-27), merging (M-20), and the gap that makes both cheap.
#include "engine/monitor/region_list.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "base/random.h"
#include "support/heap_fault.h"

namespace damon {
namespace {

RegionList list_of(size_t nr_targets, size_t capacity) {
    RegionList list;
    EXPECT_TRUE(list.reserve(capacity));
    EXPECT_TRUE(list.resize_targets(nr_targets));
    return list;
}

Region region(uint64_t start, uint64_t end, uint32_t nr_accesses, uint32_t age) {
    return {.range = {start, end}, .nr_accesses = nr_accesses, .age = age};
}

void append(RegionList& list, size_t target, const Region& region) {
    const size_t index = list.nr_regions_of(target);
    ASSERT_TRUE(list.insert(target, index, region.range));
    list.at(target, index) = region;
}

TEST(RegionList, AFreshRegionHasNoHistory_O5) {
    RegionList list = list_of(1, 4);
    ASSERT_TRUE(list.insert(0, 0, {10, 20}));
    EXPECT_EQ(list.at(0, 0), (Region{.range = {10, 20}}));
}

TEST(RegionList, SplitKeepsAgeRateAndEvidence_M27) {
    RegionList list = list_of(1, 4);
    Region whole = region(100, 200, 7, 9);
    whole.last_nr_accesses = 5;
    whole.probe_hits[2] = 3;
    whole.last_probe_hits[1] = 4;
    whole.evidence = kEvidenceAnswered;
    whole.last_evidence = kEvidenceUnknown;
    append(list, 0, whole);
    ASSERT_TRUE(list.split_at(0, 0, 30));
    ASSERT_EQ(list.nr_regions(), 2u);
    Region left = whole;
    left.range = {100, 130};
    Region right = whole;
    right.range = {130, 200};
    EXPECT_EQ(list.at(0, 0), left);
    EXPECT_EQ(list.at(0, 1), right);
    EXPECT_TRUE(list.is_valid());
}

TEST(RegionList, MergeWeighsRateAndAgeBySize_M20) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 100, 10, 9));
    append(list, 0, region(100, 300, 20, 21));
    list.merge_into_previous(0, 1);
    ASSERT_EQ(list.nr_regions(), 1u);
    EXPECT_EQ(list.at(0, 0), region(0, 300, 16, 17));
}

TEST(RegionList, MergeWeighsTimesBySize_Q75) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 100, 0, 0));
    append(list, 0, region(100, 300, 0, 0));
    list.at(0, 0).age_us = 90;
    list.at(0, 1).age_us = 31;
    list.at(0, 0).idle_us = kU64Max - 3;
    list.at(0, 1).idle_us = kU64Max;
    list.merge_into_previous(0, 1);
    EXPECT_EQ(list.at(0, 0).age_us, 50u);
    EXPECT_EQ(list.at(0, 0).idle_us, kU64Max - 1);
}

TEST(RegionList, MergeKeepsTheReasonOfTheLargerPart) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 100, 0, 0));
    append(list, 0, region(100, 300, 0, 0));
    append(list, 0, region(300, 900, 0, 0));
    list.at(0, 0).unknown_reason = 3;
    list.at(0, 1).unknown_reason = 4;
    list.at(0, 0).last_unknown_reason = 5;
    list.merge_into_previous(0, 1);
    EXPECT_EQ(list.at(0, 0).unknown_reason, 4);
    EXPECT_EQ(list.at(0, 0).last_unknown_reason, 5);
    list.merge_into_previous(0, 1);
    EXPECT_EQ(list.at(0, 0).unknown_reason, 4) << "a part without a reason has none to give";
}

TEST(RegionList, MergeKeepsTheLeftRegionsLastWindow_M20_Q12) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 10, 4, 4));
    list.at(0, 0).last_nr_accesses = 4;
    append(list, 0, region(10, 40, 5, 10));
    list.at(0, 1).last_nr_accesses = 6;
    list.merge_into_previous(0, 1);
    EXPECT_EQ(list.at(0, 0).nr_accesses, 4u);
    EXPECT_EQ(list.at(0, 0).last_nr_accesses, 4u);
    EXPECT_EQ(list.at(0, 0).age, 8u);
}

TEST(RegionList, MergeAveragesProbeHitsAndCollectsEvidence_M20) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 10, 0, 0));
    append(list, 0, region(10, 40, 0, 0));
    list.at(0, 0).probe_hits[3] = 200;
    list.at(0, 1).probe_hits[3] = 100;
    list.at(0, 0).evidence = kEvidenceAnswered;
    list.at(0, 1).evidence = kEvidenceUnknown;
    list.merge_into_previous(0, 1);
    EXPECT_EQ(list.at(0, 0).probe_hits[3], 125);
    EXPECT_EQ(list.at(0, 0).evidence, kEvidenceAnswered | kEvidenceUnknown);
}

// A walk that changed regions of every target used to count all targets behind each of them anew.
TEST(RegionList, AWalkOverManyTargetsCostsAsManySteps) {
    constexpr size_t kTargets = 200'000;
    RegionList list = list_of(kTargets, 2 * kTargets);
    for (size_t target = 0; target < kTargets; ++target) ASSERT_TRUE(list.insert(target, 0, {0, 100}));
    const auto begin = std::chrono::steady_clock::now();
    for (size_t target = 0; target < kTargets; ++target) ASSERT_TRUE(list.split_at(target, 0, 50));
    for (size_t target = 0; target < kTargets; ++target) list.merge_into_previous(target, 1);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took.count(), 3.0) << "milliseconds; a square of them takes far longer";
    EXPECT_TRUE(list.is_valid());
    EXPECT_EQ(list.first_of(kTargets - 1), kTargets - 1);
}

TEST(RegionList, MergeOfHugeRegionsDoesNotWrap_Q10) {
    RegionList list = list_of(1, 4);
    const uint64_t half = uint64_t{1} << 63;
    append(list, 0, region(0, half, 4'000'000'000, 4'000'000'000));
    append(list, 0, region(half, kU64Max, 2'000'000'000, 0));
    list.merge_into_previous(0, 1);
    EXPECT_EQ(list.at(0, 0).nr_accesses, 3'000'000'000u);
    EXPECT_EQ(list.at(0, 0).age, 2'000'000'000u);
}

TEST(RegionList, ExhaustedCapacityRefusesAndChangesNothing) {
    RegionList list = list_of(1, 1);
    append(list, 0, region(0, 100, 1, 2));
    RegionList before;
    ASSERT_TRUE(before.copy_from(list));
    EXPECT_FALSE(list.split_at(0, 0, 50));
    EXPECT_FALSE(list.insert(0, 1, {200, 300}));
    EXPECT_TRUE(list == before);
}

TEST(RegionList, TargetsKeepTheirRegionsApart) {
    RegionList list = list_of(3, 8);
    append(list, 2, region(0, 10, 3, 0));
    append(list, 0, region(0, 10, 1, 0));
    append(list, 0, region(10, 20, 2, 0));
    ASSERT_TRUE(list.split_at(0, 1, 5));
    EXPECT_EQ(list.nr_regions_of(0), 3u);
    EXPECT_EQ(list.nr_regions_of(1), 0u);
    EXPECT_EQ(list.first_of(2), 3u);
    EXPECT_EQ(list.all()[3].nr_accesses, 3u);
    list.erase_all_of(0);
    EXPECT_EQ(list.at(2, 0).nr_accesses, 3u);
    ASSERT_TRUE(list.resize_targets(1));
    EXPECT_EQ(list.nr_regions(), 0u);
    EXPECT_TRUE(list.is_valid());
}

TEST(RegionList, GrowingAndCopyingKeepTheRegionsOnBothSidesOfTheGap) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 10, 1, 0));
    append(list, 0, region(10, 30, 2, 0));
    append(list, 0, region(40, 50, 3, 0));
    ASSERT_TRUE(list.split_at(0, 0, 4));
    RegionList copy;
    ASSERT_TRUE(copy.copy_from(list));
    EXPECT_TRUE(copy == list);
    EXPECT_EQ(copy.capacity(), list.capacity());
    ASSERT_TRUE(list.reserve(100));
    EXPECT_TRUE(copy == list);
    EXPECT_EQ(list.nr_free(), 96u);
}

TEST(RegionList, OutOfMemoryLeavesTheListAsItWas) {
    RegionList list = list_of(1, 4);
    append(list, 0, region(0, 10, 1, 0));
    RegionList copy;
    for (uint64_t fail_at = 0; fail_at < 2; ++fail_at) {
        const test::HeapFault fault(fail_at);
        EXPECT_FALSE(copy.copy_from(list));
    }
    const test::HeapFault fault(0);
    EXPECT_FALSE(list.reserve(100));
    EXPECT_EQ(list.capacity(), 4u);
    EXPECT_EQ(list.at(0, 0).nr_accesses, 1u);
}

// Against a plain array: any order of changes gives the same regions.
TEST(RegionList, RandomChangesMatchAPlainArray) {
    const uint64_t seed = 20'240'611;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    RegionList list = list_of(1, 40);
    std::vector<Region> plain;
    append(list, 0, region(0, 1'000'000, 5, 5));
    plain.push_back(list.at(0, 0));
    for (int step = 0; step < 20'000; ++step) {
        const size_t index = random.between(0, plain.size());
        Region& chosen = plain[index];
        if (random.between(0, 2) == 0 && chosen.size() > 1) {
            const uint64_t left_bytes = random.between(1, chosen.size());
            const bool full = plain.size() == list.capacity();
            ASSERT_EQ(list.split_at(0, index, left_bytes), !full);
            if (full) continue;
            Region right = chosen;
            right.range.start += left_bytes;
            chosen.range.end = right.range.start;
            plain.insert(plain.begin() + static_cast<ptrdiff_t>(index) + 1, right);
        } else if (index > 0) {
            list.merge_into_previous(0, index);
            plain[index - 1].range.end = chosen.range.end;
            plain.erase(plain.begin() + static_cast<ptrdiff_t>(index));
        }
        ASSERT_TRUE(list.is_valid());
        ASSERT_EQ(list.nr_regions(), plain.size());
        for (size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(list.at(0, i), plain[i]);
    }
}

}  // namespace
}  // namespace damon
