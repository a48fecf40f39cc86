// The simulated world answers from its description alone, exactly.
#include "ops/sim/world.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "ops/sim/truth.h"
#include "support/heap_fault.h"

namespace damon {
namespace {

constexpr uint64_t kPage = 4;

SimRange mapped(uint64_t start, uint64_t end, uint32_t target_idx = 0) {
    SimRange range;
    range.range = {start, end};
    range.target_idx = target_idx;
    return range;
}

SimPattern constant(uint64_t start, uint64_t end, uint64_t rate, uint32_t target_idx = 0) {
    SimPattern pattern;
    pattern.range = {start, end};
    pattern.rate_millihz = rate;
    pattern.target_idx = target_idx;
    return pattern;
}

uint64_t rate_at(const SimWorld& world, uint32_t target_idx, uint64_t address, uint64_t at_us) {
    const size_t piece = world.find_piece(target_idx, address);
    return piece == SimWorld::kNoPiece ? 0 : world.rate_millihz(world.pieces()[piece], address, at_us);
}

TEST(World, OverlappingPatternsAddUp) {
    SimWorld world(kPage);
    ASSERT_TRUE(world.add_range(mapped(0, 100)).ok());
    ASSERT_TRUE(world.add_pattern(constant(0, 60, 10)).ok());
    ASSERT_TRUE(world.add_pattern(constant(40, 100, 1)).ok());
    EXPECT_EQ(rate_at(world, 0, 39, 5), 10u);
    EXPECT_EQ(rate_at(world, 0, 40, 5), 11u);
    EXPECT_EQ(rate_at(world, 0, 60, 5), 1u);
    EXPECT_EQ(rate_at(world, 0, 100, 5), 0u);
}

TEST(World, TargetsAreAddressSpacesOfTheirOwn) {
    SimWorld world(kPage);
    ASSERT_TRUE(world.add_range(mapped(0, 100, 1)).ok());
    ASSERT_TRUE(world.add_range(mapped(0, 100, 0)).ok());
    ASSERT_TRUE(world.add_pattern(constant(0, 100, 7, 1)).ok());
    EXPECT_EQ(rate_at(world, 0, 50, 0), 0u);
    EXPECT_EQ(rate_at(world, 1, 50, 0), 7u);
    EXPECT_EQ(world.nr_targets(), 2u);
    EXPECT_EQ(world.find_piece(2, 50), SimWorld::kNoPiece);
}

TEST(World, PatternsMustLieInMappedMemory) {
    SimWorld world(kPage);
    ASSERT_TRUE(world.add_range(mapped(0, 40)).ok());
    ASSERT_TRUE(world.add_range(mapped(40, 80)).ok());
    EXPECT_TRUE(world.add_pattern(constant(20, 60, 1)).ok());
    EXPECT_EQ(world.add_pattern(constant(60, 84, 1)).error(), -EINVAL);
    EXPECT_EQ(world.add_pattern(constant(0, 40, 1, 1)).error(), -EINVAL);
    EXPECT_EQ(world.add_range(mapped(76, 90)).error(), -EINVAL);
    EXPECT_EQ(world.add_range(mapped(76, 100)).error(), -EINVAL);
    EXPECT_EQ(rate_at(world, 0, 79, 0), 0u);
}

TEST(World, OutOfMemoryChangesNothing) {
    for (uint64_t fail_at = 0;; ++fail_at) {
        SimWorld world(kPage);
        ASSERT_TRUE(world.add_range(mapped(0, 4000)).ok());
        ASSERT_TRUE(world.add_pattern(constant(0, 400, 1)).ok());
        SimPattern stairs = constant(800, 4000, 3);
        stairs.kind = SimPatternKind::kStairs;
        stairs.nr_regions = 20;
        stairs.step_us = 1;
        bool hit = false;
        bool ok = false;
        {
            const test::HeapFault fault(fail_at);
            ok = world.add_pattern(stairs).ok();
            hit = fault.hit();
        }
        EXPECT_NE(ok, hit);
        EXPECT_EQ(rate_at(world, 0, 810, 0), ok ? 3u : 0u);
        EXPECT_EQ(rate_at(world, 0, 10, 0), 1u);
        if (!hit) break;
    }
}

SimWorld random_world(Random& random, uint64_t end) {
    SimWorld world(kPage);
    EXPECT_TRUE(world.add_range(mapped(0, end)).ok());
    for (int i = 0; i < 4; ++i) {
        SimPattern pattern;
        pattern.kind = static_cast<SimPatternKind>(random.between(0, kNrSimPatternKinds));
        pattern.range.start = kPage * random.between(0, end / kPage - 8);
        pattern.range.end = pattern.range.start + kPage * random.between(8, (end - pattern.range.start) / kPage + 1);
        pattern.rate_millihz = random.between(1, 4);
        pattern.begin_us = random.between(0, 50);
        pattern.nr_regions = static_cast<uint32_t>(random.between(2, 6));
        pattern.step_us = random.between(1, 30);
        pattern.period_us = random.between(20, 200);
        pattern.phase_us = random.between(0, 20);
        pattern.hot_us = random.between(1, 20);
        pattern.window_bytes = kPage * random.between(1, 8);
        EXPECT_TRUE(world.add_pattern(pattern).ok());
    }
    return world;
}

TEST(World, HotRangesAreExactlyTheHotPages) {
    for (uint64_t seed = 1; seed <= 300; ++seed) {
        Random random(seed);
        const SimWorld world = random_world(random, 400);
        Vector<AddressRange> hot;
        for (int moment = 0; moment < 20; ++moment) {
            const uint64_t at = random.between(0, 600);
            const uint64_t threshold = random.between(0, 5);
            ASSERT_TRUE(world.hot_ranges(0, at, threshold, hot).ok());
            for (size_t i = 0; i + 1 < hot.size(); ++i) ASSERT_LT(hot[i].end, hot[i + 1].start) << "seed " << seed;
            for (uint64_t address = 0; address < 400; address += kPage) {
                bool listed = false;
                for (const AddressRange& range : hot) listed |= range.contains(address);
                const bool is_hot = rate_at(world, 0, address, at) >= std::max<uint64_t>(threshold, 1);
                ASSERT_EQ(listed, is_hot) << "seed " << seed << ", address " << address << " at " << at;
            }
        }
    }
}

TEST(World, EveryAddressIsFoundWhateverTheHint) {
    Random random(3);
    const SimWorld world = random_world(random, 400);
    for (uint64_t address = 0; address < 400; ++address) {
        const size_t found = world.find_piece(0, address);
        ASSERT_NE(found, SimWorld::kNoPiece);
        ASSERT_TRUE(world.pieces()[found].range.contains(address));
        for (size_t hint = 0; hint < world.pieces().size() + 2; ++hint) {
            ASSERT_EQ(world.find_piece(0, address, hint), found);
        }
    }
}

TEST(World, TerabytesCostNoMoreThanMegabytes) {
    SimWorld world(4096);
    ASSERT_TRUE(world.add_range(mapped(0, uint64_t{1} << 40)).ok());
    ASSERT_TRUE(world.add_pattern(constant(uint64_t{1} << 39, (uint64_t{1} << 39) + 4096, 5)).ok());
    EXPECT_EQ(world.pieces().size(), 3u);
    EXPECT_EQ(rate_at(world, 0, uint64_t{1} << 39, 0), 5u);
}

RegionInfo region(uint64_t start, uint64_t end, uint32_t nr_accesses, uint32_t target_idx = 0) {
    return {.start = start, .end = end, .target_idx = target_idx, .nr_accesses = nr_accesses};
}

TEST(Truth, CountsBytesOfTheOverlap) {
    const AddressRange hot[] = {{10, 30}, {50, 60}};
    const RegionInfo regions[] = {region(0, 20, 5), region(20, 40, 1), region(40, 60, 5), region(0, 100, 9, 1)};
    const SimAccuracy accuracy = compare_with_truth(hot, regions, {0, 5});
    EXPECT_EQ(accuracy.hot_bytes, 30u);
    EXPECT_EQ(accuracy.found_bytes, 40u);
    EXPECT_EQ(accuracy.both_bytes, 20u);
    EXPECT_EQ(accuracy.precision_bp(), 5'000u);
    EXPECT_EQ(accuracy.recall_bp(), 6'666u);
    EXPECT_EQ(accuracy.f1_bp(), 5'714u);
}

TEST(Truth, OneRegionMayHoldManyHotRanges) {
    const AddressRange hot[] = {{10, 20}, {30, 40}, {50, 60}};
    const RegionInfo regions[] = {region(0, 35, 1), region(35, 100, 1)};
    EXPECT_EQ(compare_with_truth(hot, regions, {0, 1}).both_bytes, 30u);
}

TEST(Truth, NothingHotAndNothingFoundIsPerfect) {
    EXPECT_EQ(SimAccuracy{}.f1_bp(), kBp);
    EXPECT_EQ(SimAccuracy{}.precision_bp(), kBp);
    const SimAccuracy missed{.hot_bytes = 10};
    EXPECT_EQ(missed.f1_bp(), 0u);
    EXPECT_EQ(missed.precision_bp(), 0u);
}

}  // namespace
}  // namespace damon
