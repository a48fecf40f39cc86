// Bandwidth and idle time of a whole snapshot.
#include "model/idle_statistics.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace damon {
namespace {

// Unchanged for `age` windows of 100 ms, and idle for one more.
RegionInfo region(uint64_t start, uint64_t size, uint32_t nr_accesses, uint32_t age, uint32_t flags = 0) {
    return {.start = start,
            .end = start + size,
            .age_us = age * 100'000ull,
            .idle_us = nr_accesses != 0 ? 0 : age * 100'000ull + 100'000,
            .nr_accesses = nr_accesses,
            .age = age,
            .flags = flags};
}

using Percentiles = std::array<int64_t, kNrIdlePercentiles>;

TEST(IdleStatistics, VectorOfR8AndR7) {
    std::vector<RegionInfo> regions = {region(0, 60, 0, 9), region(60, 40, 3, 4)};
    EXPECT_EQ(estimated_bandwidth(regions, 100'000), 1200u);
    Percentiles percentiles;
    EXPECT_EQ(idle_percentiles(regions, 100'000, percentiles), 100u);
    for (size_t i = 0; i <= 40; ++i) EXPECT_EQ(percentiles[i], -500) << i;
    for (size_t i = 41; i <= 100; ++i) EXPECT_EQ(percentiles[i], 1000) << i;
}

TEST(IdleStatistics, MemoryThatNobodyCouldLookAtTakesNoPart) {
    std::vector<RegionInfo> regions = {region(0, 1000, 0, 50, kRegionUnknown), region(1000, 10, 1, 0)};
    Percentiles percentiles;
    EXPECT_EQ(idle_percentiles(regions, 100'000, percentiles), 10u);
    EXPECT_EQ(percentiles[0], -100);
    EXPECT_EQ(percentiles[100], -100);
    EXPECT_EQ(idle_percentiles(std::span(regions).first(0), 100'000, percentiles), 0u);
    EXPECT_EQ(percentiles[100], 0);
}

TEST(IdleStatistics, TimesAreThoseOfTheClockHoweverLongTheWindowsWere_Q75) {
    std::vector<RegionInfo> regions = {region(0, 50, 0, 3), region(50, 50, 2, 3)};
    regions[0].idle_us = 20'000'000;
    regions[1].age_us = 9'000'000;
    EXPECT_EQ(estimated_bandwidth(regions, 1'000'000), 100u);
    Percentiles percentiles;
    idle_percentiles(regions, 1'000'000, percentiles);
    EXPECT_EQ(percentiles[0], -10'000);
    EXPECT_EQ(percentiles[100], 20'000);
}

TEST(IdleStatistics, RoundsTowardsZero) {
    std::vector<RegionInfo> regions = {region(0, 1, 1, 0), region(1, 1, 0, 0)};
    regions[1].idle_us = 1'999;
    Percentiles percentiles;
    idle_percentiles(regions, 1'999, percentiles);
    EXPECT_EQ(percentiles[0], -1);
    EXPECT_EQ(percentiles[100], 1);
}

TEST(IdleStatistics, HugeMemoryDoesNotOverflow) {
    std::vector<RegionInfo> regions = {region(0, uint64_t{1} << 62, UINT32_MAX, UINT32_MAX)};
    EXPECT_EQ(estimated_bandwidth(regions, 1), UINT64_MAX);
    Percentiles percentiles;
    idle_percentiles(regions, UINT64_MAX, percentiles);
    EXPECT_EQ(percentiles[0], -(INT64_MAX / 1'000));
}

}  // namespace
}  // namespace damon
