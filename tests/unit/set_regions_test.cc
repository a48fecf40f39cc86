// New coverage that keeps what was learnt (M-8 to M-11, Q-39, A-20).
#include "engine/monitor/set_regions.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/toy_engine.h"

namespace damon {
namespace {

using test::list_of;
using test::region_at;
using test::regions_of;
using Ranges = std::vector<AddressRange>;

std::vector<Region> after_setting(std::initializer_list<Region> before, const Ranges& ranges,
                                  uint64_t granularity = 1) {
    RegionList list = list_of({before});
    EXPECT_TRUE(check_ranges(ranges, granularity).ok());
    const size_t slots = slots_for_ranges(list, 0, ranges.size());
    const size_t count_before = list.nr_regions();
    set_regions(list, 0, ranges, granularity);
    EXPECT_TRUE(list.is_valid());
    EXPECT_LE(list.nr_regions(), count_before + slots);
    return regions_of(list, 0);
}

TEST(SetRegions, VectorsOfM11) {
    EXPECT_EQ(after_setting({region_at({0, 80}, 1), region_at({80, 120}, 2)}, {{0, 40}, {40, 120}}),
              (std::vector<Region>{region_at({0, 40}, 1), region_at({40, 120}, 2)}));
    EXPECT_EQ(after_setting({region_at({0, 80}, 1)}, {{0, 40}, {50, 70}}),
              (std::vector<Region>{region_at({0, 40}, 1), region_at({50, 70}, 0)}));
    EXPECT_EQ(after_setting({region_at({4, 16}, 1), region_at({24, 32}, 2)}, {{8, 28}}),
              (std::vector<Region>{region_at({8, 16}, 1), region_at({16, 24}, 0), region_at({24, 28}, 2)}));
}

TEST(SetRegions, WithoutCommonMemoryAllRegionsAreFresh_M9) {
    EXPECT_EQ(after_setting({region_at({0, 10}, 7)}, {{20, 30}, {40, 50}}),
              (std::vector<Region>{region_at({20, 30}), region_at({40, 50})}));
    EXPECT_EQ(after_setting({}, {{23, 31}}, 8), std::vector<Region>{region_at({16, 32})});
}

TEST(SetRegions, ComparesUnalignedRangesAndSetsAlignedOnes_M9_M10) {
    // [0, 8) touches the aligned range [8, 24) only; it goes.
    EXPECT_EQ(after_setting({region_at({0, 8}, 1), region_at({8, 16}, 2)}, {{9, 17}}, 8),
              std::vector<Region>{region_at({8, 24}, 2)});
}

TEST(SetRegions, NoRangesRemoveAllRegions_M8) {
    EXPECT_TRUE(after_setting({region_at({0, 8}, 1), region_at({8, 16}, 2)}, {}).empty());
}

TEST(SetRegions, TheSameRangesChangeNothing_A17) {
    const std::initializer_list<Region> before = {region_at({0, 10}, 1, 4), region_at({10, 40}, 2, 5),
                                                  region_at({50, 60}, 3, 6)};
    EXPECT_EQ(after_setting(before, {{0, 40}, {50, 60}}), std::vector<Region>(before));
}

TEST(SetRegions, StretchedRegionsKeepTheirHistory_M11_Q43) {
    EXPECT_EQ(after_setting({region_at({10, 20}, 3, 9)}, {{0, 1'000}}),
              std::vector<Region>{region_at({0, 1'000}, 3, 9)});
}

TEST(SetRegions, RefusesEmptyInvertedAndOverlappingRanges_M8) {
    EXPECT_EQ(check_ranges(Ranges{{10, 10}}, 1).error(), -EINVAL);
    EXPECT_EQ(check_ranges(Ranges{{20, 10}}, 1).error(), -EINVAL);
    EXPECT_EQ(check_ranges(Ranges{{9, 1}}, 16).error(), -EINVAL);
    EXPECT_EQ(check_ranges(Ranges{{0, 10}, {9, 20}}, 1).error(), -EINVAL);
    EXPECT_EQ(check_ranges(Ranges{{0, 10}, {12, 20}}, 8).error(), -EINVAL) << "both reach into [8, 16)";
    EXPECT_TRUE(check_ranges(Ranges{{0, 10}, {10, 20}}, 1).ok());
    EXPECT_EQ(check_ranges(Ranges{{0, kU64Max}}, 4096).error(), -EINVAL) << "the aligned end wraps";
    EXPECT_STREQ(
        check_ranges(Ranges{{0, 0x1800}, {0x1900, 0x3000}}, 0x1000).text(),
        "range 1 [0x1900, 0x3000) must start at 0x2000 or above, where the one before it ends in units of 4096");
}

TEST(SetRegions, GivenRangesThatTouchCountAsOne_A20) {
    const Ranges touching{{0, 100}, {100, 200}, {4096, 5000}};
    EXPECT_EQ(check_ranges(touching, 4096).error(), -EINVAL);
    EXPECT_TRUE(check_given_ranges(touching, 4096).ok());
    Vector<AddressRange> ranges;
    for (const AddressRange range : touching) ASSERT_TRUE(ranges.push_back(range));
    coalesce_ranges(ranges);
    ASSERT_EQ(ranges.size(), 2u);
    EXPECT_EQ(ranges[0], (AddressRange{0, 200}));
    EXPECT_EQ(check_given_ranges(Ranges{{0, 100}, {100, 50}}, 1).error(), -EINVAL);
}

TEST(SetRegions, RefittingAlignsEveryBoundAndLosesNoMemory_Q39) {
    RegionList list = list_of({{region_at({10, 30}, 1), region_at({30, 34}, 2), region_at({34, 38}, 3),
                                region_at({50, 60}, 4), region_at({61, 90}, 5)}});
    refit_regions(list, 0, 16);
    EXPECT_TRUE(list.is_valid());
    EXPECT_EQ(regions_of(list, 0),
              (std::vector<Region>{region_at({0, 16}, 1), region_at({16, 32}, 2), region_at({32, 48}, 3),
                                   region_at({48, 64}, 4), region_at({64, 96}, 5)}));
    RegionList apart = list_of({{region_at({0, 4}, 1), region_at({6, 9}, 2), region_at({10, 12}, 3)}});
    refit_regions(apart, 0, 16);
    EXPECT_EQ(regions_of(apart, 0), std::vector<Region>{region_at({0, 16}, 1)});
}

TEST(SetRegions, RefittingAtTheEndOfTheAddressSpaceLosesNoMemory) {
    const uint64_t end = kU64Max - 4095;
    RegionList list = list_of({{region_at({end - 8 * 4096, end}, 5)}});
    refit_regions(list, 0, uint64_t{1} << 20);
    EXPECT_EQ(regions_of(list, 0), std::vector<Region>{region_at({end - 255 * 4096, end}, 5)})
        << "2^64 is no address, so the region ends where it did";
}

// Whatever the coverage was and becomes: exactly the aligned ranges are covered, and regions that stay keep counters.
TEST(SetRegions, RandomCoverageIsCoveredExactly) {
    const uint64_t seed = 77;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const auto random_ranges = [&random](uint64_t granularity) {
        Ranges ranges;
        uint64_t start = 0;
        const uint64_t count = random.between(0, 6);
        for (uint64_t i = 0; i < count; ++i) {
            start = align_up(start + random.between(0, 3) * granularity, granularity) + random.between(0, granularity);
            const uint64_t end = start + random.between(1, 10 * granularity);
            ranges.push_back({start, end});
            start = align_up(end, granularity);
        }
        return ranges;
    };
    RegionList list = list_of({{}}, 2'000);
    for (int round = 0; round < 3'000; ++round) {
        const uint64_t granularity = uint64_t{1} << random.between(0, 4);
        const Ranges ranges = random_ranges(granularity);
        ASSERT_TRUE(check_ranges(ranges, granularity).ok());
        ASSERT_LE(slots_for_ranges(list, 0, ranges.size()), list.nr_free());
        const size_t most = list.nr_regions() + slots_for_ranges(list, 0, ranges.size());
        set_regions(list, 0, ranges, granularity);
        ASSERT_TRUE(list.is_valid());
        ASSERT_LE(list.nr_regions(), most);
        Vector<AddressRange> covered;
        for (const Region& region : regions_of(list, 0)) ASSERT_TRUE(covered.push_back(region.range));
        Vector<AddressRange> wanted;
        for (const AddressRange range : ranges) {
            ASSERT_TRUE(wanted.push_back({align_down(range.start, granularity), align_up(range.end, granularity)}));
        }
        coalesce_ranges(covered);
        coalesce_ranges(wanted);
        ASSERT_TRUE(covered == wanted) << "round " << round;
        for (size_t i = 0; i < list.nr_regions_of(0); ++i) {
            const uint64_t size = list.at(0, i).size();
            if (size > 1 && random.between(0, 2) == 0) {
                ASSERT_TRUE(list.split_at(0, i, random.between(1, size)));
            }
        }
        while (list.nr_regions() > 60) list.erase(0, random.between(0, list.nr_regions_of(0)));
    }
}

}  // namespace
}  // namespace damon
