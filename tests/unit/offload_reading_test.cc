#include "ops/offload/offload_reading.h"

#include <gtest/gtest.h>

#include <vector>

namespace damon::test {
namespace {

TEST(TargetFinder, TriedRegionsComeTargetByTargetInAddressOrder) {
    // Two processes with the same addresses, the second one with more.
    const std::vector<RegionInfo> regions = {
        {.start = 0, .end = 8, .target_idx = 0},
        {.start = 8, .end = 16, .target_idx = 0},
        {.start = 0, .end = 16, .target_idx = 1},
        {.start = 32, .end = 64, .target_idx = 1},
    };
    TargetFinder finder(regions);
    EXPECT_EQ(finder.target_of(8, 12), 0u);
    EXPECT_EQ(finder.target_of(12, 16), 0u) << "a part of the same region";
    EXPECT_EQ(finder.target_of(0, 4), 1u);
    EXPECT_EQ(finder.target_of(40, 48), 1u);
    EXPECT_EQ(finder.target_of(100, 108), 1u) << "nowhere: where the walk is";
    TargetFinder skipping(regions);
    EXPECT_EQ(skipping.target_of(32, 40), 1u);
    EXPECT_EQ(TargetFinder({}).target_of(0, 8), 0u);
}

TEST(StatBook, TellsWhatStatisticsHaveGrownBy) {
    StatBook book;
    ASSERT_TRUE(book.resize(2));
    SchemeStats now;
    now.nr_tried = 5;
    now.sz_tried = 50;
    EXPECT_EQ(book.grown(0, now).nr_tried, 5u);
    EXPECT_EQ(book.grown(0, now).nr_tried, 0u);
    now.nr_tried = 7;
    EXPECT_EQ(book.grown(0, now).nr_tried, 2u);
    EXPECT_EQ(book.grown(0, now).sz_tried, 0u);
    EXPECT_EQ(book.grown(1, now).nr_tried, 7u) << "positions count by themselves";
}

TEST(StatBook, APositionKeepsItsCountWhoeverHasIt) {
    StatBook book;
    ASSERT_TRUE(book.resize(1));
    SchemeStats now;
    now.nr_tried = 5;
    (void)book.grown(0, now);
    ASSERT_TRUE(book.resize(2));
    EXPECT_EQ(book.grown(0, now).nr_tried, 0u);
    EXPECT_EQ(book.grown(1, now).nr_tried, 5u) << "a new position begins at 0";
    ASSERT_TRUE(book.resize(1));
    ASSERT_TRUE(book.resize(2));
    EXPECT_EQ(book.grown(1, now).nr_tried, 5u) << "one that was away as well";
    now.nr_tried = 3;
    EXPECT_EQ(book.grown(1, now).nr_tried, 3u) << "it went down: it began anew";
    book.clear();
    ASSERT_TRUE(book.resize(1));
    EXPECT_EQ(book.grown(0, now).nr_tried, 3u);
}

}  // namespace
}  // namespace damon::test
