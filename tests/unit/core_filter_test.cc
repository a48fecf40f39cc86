// Filters of whole regions (S-30, S-31, S-33 to S-35).
#include "engine/schemes/core_filter.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

struct Sense {
    bool matching;
    bool allow;
};

DamosFilter address(AddressRange range, Sense sense) {
    DamosFilter filter;
    filter.type = FilterType::kAddr;
    filter.range = range;
    filter.matching = sense.matching;
    filter.allow = sense.allow;
    return filter;
}

DamosFilter target(uint32_t target_idx, Sense sense) {
    DamosFilter filter;
    filter.type = FilterType::kTarget;
    filter.target_idx = target_idx;
    filter.matching = sense.matching;
    filter.allow = sense.allow;
    return filter;
}

constexpr Sense kRejectMatching{true, false};
constexpr Sense kAllowMatching{true, true};

CoreFilterDecision decide(std::span<const DamosFilter> filters, AddressRange range, bool default_reject = false) {
    return decide_core_filters(filters, default_reject, {.range = range, .target_idx = 1, .min_region_sz = 1});
}

TEST(CoreFilter, AddressVectorsOfS34) {
    const DamosFilter filters[] = {address({2, 6}, kRejectMatching)};
    EXPECT_FALSE(decide(filters, {3, 5}).accepted);
    EXPECT_TRUE(decide(filters, {1, 2}).accepted);
    EXPECT_TRUE(decide(filters, {6, 8}).accepted);

    EXPECT_EQ(decide(filters, {1, 4}).split_size, 1u);
    EXPECT_TRUE(decide(filters, {1, 2}).accepted) << "the left part does not hold";

    EXPECT_EQ(decide(filters, {2, 8}).split_size, 4u);
    EXPECT_FALSE(decide(filters, {2, 6}).accepted) << "the left part holds";
}

TEST(CoreFilter, ARegionAroundTheRangeIsCutInFrontFirst) {
    const DamosFilter filters[] = {address({2, 6}, kRejectMatching)};
    EXPECT_EQ(decide(filters, {0, 10}).split_size, 2u);
}

TEST(CoreFilter, AddressBoundsAreAlignedDown) {
    const DamosFilter filters[] = {address({13, 29}, kAllowMatching)};
    const auto decision = [&](AddressRange range) {
        return decide_core_filters(filters, true, {.range = range, .target_idx = 0, .min_region_sz = 8});
    };
    EXPECT_TRUE(decision({8, 24}).accepted);
    EXPECT_FALSE(decision({24, 32}).accepted);
    EXPECT_EQ(decision({8, 32}).split_size, 16u);
}

TEST(CoreFilter, AnEmptyRangeMatchesNothing) {
    const DamosFilter filters[] = {address({4, 4}, kRejectMatching)};
    EXPECT_TRUE(decide(filters, {4, 8}).accepted);
    EXPECT_TRUE(decide(filters, {0, 4}).accepted);
}

TEST(CoreFilter, TargetFiltersGoByPosition) {  // S-35, Q-61
    const DamosFilter mine[] = {target(1, kRejectMatching)};
    const DamosFilter other[] = {target(2, kRejectMatching)};
    EXPECT_FALSE(decide(mine, {0, 8}).accepted);
    EXPECT_TRUE(decide(other, {0, 8}).accepted);
}

TEST(CoreFilter, MatchingFalseTurnsTheProperty) {  // S-30
    const DamosFilter not_mine[] = {target(2, {.matching = false, .allow = false})};
    EXPECT_FALSE(decide(not_mine, {0, 8}).accepted);
    const DamosFilter outside[] = {address({2, 6}, {.matching = false, .allow = false})};
    EXPECT_FALSE(decide(outside, {6, 8}).accepted);
    EXPECT_TRUE(decide(outside, {2, 6}).accepted);
}

TEST(CoreFilter, TheFirstMatchingFilterDecides) {  // S-30
    const DamosFilter filters[] = {address({0, 8}, kAllowMatching), target(1, kRejectMatching)};
    EXPECT_TRUE(decide(filters, {0, 8}).accepted);
    EXPECT_FALSE(decide(filters, {8, 16}).accepted);
}

TEST(CoreFilter, AcceptingByFilterIsToldFromAcceptingByDefault) {  // S-31
    const DamosFilter allow[] = {target(1, kAllowMatching)};
    EXPECT_EQ(decide(allow, {0, 8}), (CoreFilterDecision{.split_size = 0, .accepted = true, .by_filter = true}));
    EXPECT_EQ(decide({}, {0, 8}), (CoreFilterDecision{.split_size = 0, .accepted = true, .by_filter = false}));
    EXPECT_FALSE(decide({}, {0, 8}, true).accepted);
}

struct Lists {
    std::initializer_list<DamosFilter> core;
    std::initializer_list<DamosFilter> ops;
};

FilterDefaults defaults_of(const Lists& lists) {
    SchemeParams scheme;
    for (const DamosFilter& filter : lists.core) EXPECT_TRUE(scheme.core_filters.push_back(filter));
    for (const DamosFilter& filter : lists.ops) EXPECT_TRUE(scheme.ops_filters.push_back(filter));
    return filter_defaults(scheme);
}

TEST(CoreFilter, DefaultsFollowTheVectorsOfS33) {
    DamosFilter anon_allow;
    anon_allow.matching = true;
    anon_allow.allow = true;
    const DamosFilter allow = target(0, kAllowMatching);
    const DamosFilter reject = target(0, kRejectMatching);
    const auto expect = [](bool core, bool ops) { return FilterDefaults{core, ops}; };
    EXPECT_EQ(defaults_of({{}, {}}), expect(false, false));
    EXPECT_EQ(defaults_of({{allow}, {}}), expect(true, false));
    EXPECT_EQ(defaults_of({{reject}, {}}), expect(false, false));
    EXPECT_EQ(defaults_of({{reject}, {anon_allow}}), expect(false, true));
    EXPECT_EQ(defaults_of({{allow}, {anon_allow}}), expect(false, true));
}

TEST(CoreFilter, TheLastFilterGivesTheDefault) {  // S-33
    EXPECT_EQ(defaults_of({{target(0, kAllowMatching), target(0, kRejectMatching)}, {}}), FilterDefaults{});
    EXPECT_TRUE(defaults_of({{target(0, kRejectMatching), target(0, kAllowMatching)}, {}}).core_reject);
}

}  // namespace
}  // namespace damon
