// Areas round the largest gaps between pieces of memory.
#include "model/memory_areas.h"

#include <gtest/gtest.h>

#include <vector>

namespace damon::test {
namespace {

constexpr uint64_t kPage = 4096;

std::vector<AddressRange> areas_of(const std::vector<AddressRange>& pieces, size_t max_areas, const AreaThrift& thrift,
                                   size_t keep_gap_before = 0) {
    MemoryAreas areas;
    Vector<AddressRange> found;
    EXPECT_TRUE(areas.begin(max_areas));
    for (size_t i = 0; i < pieces.size(); ++i) {
        if (i != 0 && i == keep_gap_before) areas.keep_next_gap();
        EXPECT_TRUE(areas.add({pieces[i].start * kPage, pieces[i].end * kPage}));
    }
    EXPECT_TRUE(areas.finish(kPage, thrift, found));
    std::vector<AddressRange> pages;
    for (const AddressRange& area : found) pages.push_back({area.start / kPage, area.end / kPage});
    return pages;
}

using Ranges = std::vector<AddressRange>;

std::vector<AddressRange> areas_of(const Ranges& pieces, size_t max_areas, uint64_t spare_pages,
                                   size_t keep_gap_before = 0) {
    return areas_of(pieces, max_areas, AreaThrift{.spare_bytes = spare_pages * kPage}, keep_gap_before);
}

TEST(MemoryAreas, LieRoundTheLargestGaps) {
    const Ranges pieces = {{0, 1}, {10, 11}, {12, 13}, {32, 33}, {37, 38}};
    EXPECT_EQ(areas_of(pieces, 1, 0), (Ranges{{0, 38}}));
    EXPECT_EQ(areas_of(pieces, 2, 0), (Ranges{{0, 13}, {32, 38}}));
    EXPECT_EQ(areas_of(pieces, 3, 0), (Ranges{{0, 1}, {10, 13}, {32, 38}}));
    EXPECT_EQ(areas_of(pieces, 4, 0), (Ranges{{0, 1}, {10, 13}, {32, 33}, {37, 38}}));
    EXPECT_EQ(areas_of(pieces, 9, 0), pieces);
}

TEST(MemoryAreas, OfEqualGapsTheLowerOneStaysM2) {
    EXPECT_EQ(areas_of({{0, 1}, {2, 3}, {4, 5}}, 2, 0), (Ranges{{0, 1}, {2, 5}}));
}

TEST(MemoryAreas, AreAsFewAsTheSpareAllows) {
    const Ranges pieces = {{0, 1}, {2, 3}, {5, 6}, {9, 10}};  // gaps of 1, 2 and 3 pages
    EXPECT_EQ(areas_of(pieces, 9, 0).size(), 4u);
    EXPECT_EQ(areas_of(pieces, 9, 1), (Ranges{{0, 3}, {5, 6}, {9, 10}}));
    EXPECT_EQ(areas_of(pieces, 9, 2), (Ranges{{0, 3}, {5, 6}, {9, 10}}));
    EXPECT_EQ(areas_of(pieces, 9, 3), (Ranges{{0, 6}, {9, 10}}));
    EXPECT_EQ(areas_of(pieces, 9, 6), (Ranges{{0, 10}}));
}

TEST(MemoryAreas, BeyondAFewOnlyLargeGapsAreWorthOne) {
    const auto with = [](size_t nr_areas, uint64_t min_gap_pages) {
        return areas_of({{0, 1}, {2, 3}, {5, 6}, {9, 10}, {110, 111}}, 9,
                        AreaThrift{.nr_areas = nr_areas, .min_gap_bytes = min_gap_pages * kPage});
    };
    EXPECT_EQ(with(2, 4), (Ranges{{0, 10}, {110, 111}})) << "gaps of 1, 2 and 3 pages";
    EXPECT_EQ(with(2, 3), (Ranges{{0, 6}, {9, 10}, {110, 111}}));
    EXPECT_EQ(with(4, 100), (Ranges{{0, 3}, {5, 6}, {9, 10}, {110, 111}})) << "the first ones, whatever they are";
    EXPECT_EQ(with(1, 0).size(), 5u);
}

TEST(MemoryAreas, AGapThatMustStayStaysWhateverItsSize) {
    const Ranges pieces = {{0, 1}, {10, 11}, {12, 13}};
    EXPECT_EQ(areas_of(pieces, 1, 100, 2), (Ranges{{0, 11}, {12, 13}}));
    EXPECT_EQ(areas_of(pieces, 2, 0, 2), (Ranges{{0, 11}, {12, 13}}));
    EXPECT_EQ(areas_of(pieces, 3, 0, 2), pieces);
}

TEST(MemoryAreas, TouchingAndNoPieces) {
    EXPECT_EQ(areas_of({{0, 1}, {1, 3}}, 4, 0), (Ranges{{0, 3}}));
    EXPECT_TRUE(areas_of({}, 4, 0).empty());
}

TEST(MemoryAreas, BoundsAreWholePagesOnce) {
    MemoryAreas areas;
    Vector<AddressRange> found;
    ASSERT_TRUE(areas.begin(8));
    ASSERT_TRUE(areas.add({100, 200}));
    ASSERT_TRUE(areas.add({300, 400}));
    ASSERT_TRUE(areas.add({kPage + 1, 3 * kPage - 1}));
    ASSERT_TRUE(areas.finish(kPage, {}, found));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0], (AddressRange{0, 3 * kPage}));
    EXPECT_EQ(areas.piece_bytes(), 200 + 2 * kPage - 2);
}

}  // namespace
}  // namespace damon::test
