// Mappings of one run of a program found again in another one.
#include "model/saved_mappings.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace damon {
namespace {

constexpr uint64_t kMib = 1 << 20;

uint64_t name(std::string_view text, uint64_t offset = 0) { return mapping_name_of(text.data(), text.size(), offset); }

NamedRange at(uint64_t start_mib, uint64_t size_mib, uint64_t name = 0) {
    return {{start_mib * kMib, (start_mib + size_mib) * kMib}, name};
}

// The mappings of then, each of which has one region, at its second mebibyte, with its number as its accesses.
SavedTarget target_of(const std::vector<NamedRange>& then) {
    SavedTarget target;
    target.place = SavedPlace::kByMapping;
    for (const NamedRange& one : then) {
        SavedRegion region;
        region.range = {one.range.start + kMib, one.range.start + 2 * kMib};
        region.nr_accesses = static_cast<uint32_t>(target.ranges.size() + 1);
        EXPECT_TRUE(target.ranges.push_back(one.range) && target.names.push_back(one.name));
        EXPECT_TRUE(target.regions.push_back(region));
    }
    return target;
}

struct Found {
    std::vector<std::pair<uint32_t, uint64_t>> regions;  // number, where it begins in MiB
    uint64_t found_mib = 0;
    uint64_t saved_mib = 0;
};

Found moved(const std::vector<NamedRange>& then, const std::vector<NamedRange>& now) {
    SavedTarget target = target_of(then);
    Found found;
    uint64_t bytes = 0;
    uint64_t saved = 0;
    EXPECT_TRUE(move_to_mappings(target, now, bytes, saved));
    for (const SavedRegion& region : target.regions) {
        found.regions.emplace_back(region.nr_accesses, region.range.start / kMib);
    }
    found.found_mib = bytes / kMib;
    found.saved_mib = saved / kMib;
    EXPECT_EQ(target.ranges.size(), target.names.size());
    return found;
}

using Regions = std::vector<std::pair<uint32_t, uint64_t>>;

TEST(SavedMappings, AreFoundAgainWhereTheyLieElsewhere) {
    const uint64_t program = name("/usr/bin/program"), heap = name("[heap]");
    const Found found = moved({at(10, 4, program), at(20, 8, heap), at(100, 64), at(200, 16)},
                              {at(1010, 4, program), at(1021, 8, heap), at(3100, 64), at(3300, 16)});
    EXPECT_EQ(found.regions, (Regions{{1, 1011}, {2, 1022}, {3, 3101}, {4, 3301}}));
    EXPECT_EQ(found.found_mib, 92u);
    EXPECT_EQ(found.saved_mib, 92u);
}

TEST(SavedMappings, OneThatIsNewOrGoneDoesNotShiftTheOthers) {
    const Found found = moved({at(100, 64), at(200, 3), at(300, 32)}, {at(1100, 64), at(1200, 700), at(1300, 32)});
    EXPECT_EQ(found.regions, (Regions{{1, 1101}, {3, 1301}}));
    EXPECT_EQ(found.found_mib, 96u);
    EXPECT_EQ(found.saved_mib, 99u);
}

TEST(SavedMappings, OfOtherNamesAreOthers) {
    EXPECT_TRUE(moved({at(10, 4, name("/a"))}, {at(10, 4, name("/b"))}).regions.empty());
    EXPECT_TRUE(moved({at(10, 4, name("/a", 0))}, {at(10, 4, name("/a", 4096))}).regions.empty());
    EXPECT_TRUE(moved({at(10, 4)}, {at(10, 4, name("[heap]"))}).regions.empty());
    EXPECT_EQ(name(""), 0u);
}

TEST(SavedMappings, AnonymousOnesMustBeOfSimilarSizes) {
    EXPECT_EQ(moved({at(10, 10)}, {at(50, 16)}).regions.size(), 1u);
    EXPECT_TRUE(moved({at(10, 10)}, {at(50, 20)}).regions.empty());
    EXPECT_EQ(moved({at(10, 10, name("[heap]"))}, {at(50, 200, name("[heap]"))}).regions.size(), 1u);
}

TEST(SavedMappings, TheHeapIsAlignedAtItsBeginningAndAnonymousMemoryAtItsEnd) {
    EXPECT_EQ(moved({at(10, 10, name("[heap]"))}, {at(50, 12, name("[heap]"))}).regions, (Regions{{1, 51}}));
    EXPECT_EQ(moved({at(10, 10)}, {at(50, 12)}).regions, (Regions{{1, 53}}));
    EXPECT_EQ(moved({at(10, 10, name("[stack]"))}, {at(50, 12, name("[stack]"))}).regions, (Regions{{1, 53}}));
}

TEST(SavedMappings, WhatAMappingLostIsDropped) {
    EXPECT_TRUE(moved({at(10, 10, name("[heap]"))}, {at(50, 1, name("[heap]"))}).regions.empty());
    EXPECT_TRUE(moved({at(10, 10)}, {at(50, 8)}).regions.empty());
}

TEST(SavedMappings, ARegionThatReachesIntoSeveralGoesWithEach) {
    SavedTarget target = target_of({at(10, 4), at(14, 8)});
    target.regions.truncate(1);
    target.regions[0].range = {12 * kMib, 16 * kMib};
    const std::vector<NamedRange> now = {at(110, 4), at(214, 8)};
    uint64_t found = 0, saved = 0;
    ASSERT_TRUE(move_to_mappings(target, now, found, saved));
    ASSERT_EQ(target.regions.size(), 2u);
    EXPECT_EQ(target.regions[0].range, (AddressRange{112 * kMib, 114 * kMib}));
    EXPECT_EQ(target.regions[1].range, (AddressRange{214 * kMib, 216 * kMib}));
}

TEST(SavedMappings, OfVeryManyTheLargestAreFound) {
    std::vector<NamedRange> then, now;
    for (uint64_t i = 0; i < 3 * kMaxMatchedMappings; ++i) {
        then.push_back(at(10 + 100 * i, i % 3 == 0 ? 8 : 2));
        now.push_back(at(1'000'000 + 100 * i, i % 3 == 0 ? 8 : 2));
    }
    const Found found = moved(then, now);
    EXPECT_EQ(found.regions.size(), kMaxMatchedMappings);
    EXPECT_EQ(found.regions.back().first, 3 * kMaxMatchedMappings - 2);
}

// As hostile bytes may say.
TEST(SavedMappings, RangesAtTheEdgesOfTheAddressSpaceDoNoHarm) {
    const NamedRange edges[] = {{{0, 2 * kMib}, 0}, {{UINT64_MAX - 4 * kMib, UINT64_MAX}, 0}, {{0, UINT64_MAX}, 7}};
    for (const NamedRange& then : edges) {
        for (const NamedRange& now : edges) {
            SavedTarget target = target_of({then});
            uint64_t found = 0, saved = 0;
            ASSERT_TRUE(move_to_mappings(target, {&now, 1}, found, saved));
            for (const SavedRegion& region : target.regions) EXPECT_TRUE(now.range.covers(region.range));
        }
    }
}

}  // namespace
}  // namespace damon
