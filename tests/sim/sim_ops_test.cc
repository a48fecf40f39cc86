// The simulator as the worker sees it: looking, in virtual time, at memory whose truth is known.
#include "ops/sim/sim_ops.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/heap_fault.h"

namespace damon {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

SimRange mapped(uint64_t start, uint64_t end, uint32_t flags = 0, uint32_t target_idx = 0) {
    SimRange range;
    range.range = {start, end};
    range.flags = flags;
    range.target_idx = target_idx;
    return range;
}

SimPattern constant(uint64_t start, uint64_t end, uint64_t rate_millihz) {
    SimPattern pattern;
    pattern.range = {start, end};
    pattern.rate_millihz = rate_millihz;
    return pattern;
}

Seen look_at(SimOps& sim, uint64_t address, uint64_t armed_us, uint64_t looked_us, uint32_t target_idx = 0) {
    Sample sample;
    sample.addr = address;
    sample.target_idx = target_idx;
    sim.set_now(armed_us);
    sim.arm({&sample, 1});
    sim.set_now(looked_us);
    sim.look({&sample, 1});
    return sample.seen;
}

TEST(SimOps, ShareOfAccessedPagesIsThatOfTheRate) {
    SimOps sim(1);
    ASSERT_TRUE(sim.add_range(mapped(0, 400 * kMiB)).ok());
    ASSERT_TRUE(sim.add_pattern(constant(0, 400 * kMiB, 100'000)).ok());  // 100 accesses a second
    Vector<Sample> samples;
    ASSERT_TRUE(samples.resize(100'000));
    for (size_t i = 0; i < samples.size(); ++i) samples[i].addr = i * 4096 + 17;
    sim.arm(samples.span());
    sim.set_now(5'000);
    sim.look(samples.span());
    double accessed = 0;
    for (const Sample& sample : samples) accessed += sample.seen == Seen::kYes ? 1 : 0;
    EXPECT_NEAR(accessed / 100'000, 1 - std::exp(-0.5), 0.006);  // four standard deviations
}

TEST(SimOps, OneQuestionHasOneAnswer) {
    SimOps first(9);
    SimOps second(9);
    SimOps other(10);
    unsigned differences = 0;
    for (SimOps* sim : {&first, &second, &other}) {
        ASSERT_TRUE(sim->add_range(mapped(0, kMiB)).ok());
        ASSERT_TRUE(sim->add_pattern(constant(0, kMiB, 140'000)).ok());
    }
    for (uint64_t tick = 0; tick < 1'000; ++tick) {
        const Seen seen = look_at(first, 4096 * (tick % 256), tick * 5'000, tick * 5'000 + 5'000);
        // Order and number of questions do not matter, and neither does where in the page one looks.
        ASSERT_EQ(look_at(second, 4096 * (tick % 256) + 99, tick * 5'000, tick * 5'000 + 5'000), seen);
        differences += look_at(other, 4096 * (tick % 256), tick * 5'000, tick * 5'000 + 5'000) != seen ? 1 : 0;
    }
    EXPECT_GT(differences, 300u);
}

TEST(SimOps, SurelyHotAndSurelyColdAreCertain) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 2 * kMiB)).ok());
    ASSERT_TRUE(sim.add_pattern(constant(0, kMiB, 100'000'000'000)).ok());
    for (uint64_t tick = 0; tick < 500; ++tick) {
        ASSERT_EQ(look_at(sim, 4096 * (tick % 256), tick * 5'000, tick * 5'000 + 5'000), Seen::kYes);
    }
    for (uint64_t tick = 500; tick < 1'000; ++tick) {
        ASSERT_EQ(look_at(sim, kMiB + 4096 * (tick % 256), tick * 5'000, tick * 5'000 + 5'000), Seen::kNo);
    }
}

TEST(SimOps, AccessesBeforeArmingDoNotCount) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, kMiB)).ok());
    SimPattern early = constant(0, kMiB, 100'000'000'000);
    early.end_us = 10'000;
    ASSERT_TRUE(sim.add_pattern(early).ok());
    EXPECT_EQ(look_at(sim, 0, 9'000, 11'000), Seen::kYes);
    EXPECT_EQ(look_at(sim, 0, 11'000, 20'000), Seen::kNo);
}

TEST(SimOps, WhatCannotBeLookedAtIsUnknown) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4096)).ok());
    ASSERT_TRUE(sim.add_range(mapped(8192, 12288, kSimRangeOpaque)).ok());
    ASSERT_TRUE(sim.set_target_end(0, 50).ok());
    EXPECT_EQ(look_at(sim, 0, 0, 10), Seen::kNo);
    EXPECT_EQ(look_at(sim, 4096, 10, 20), Seen::kUnknown);
    EXPECT_EQ(look_at(sim, 8192, 20, 30), Seen::kUnknown);
    EXPECT_EQ(look_at(sim, 0, 30, 40, 1), Seen::kUnknown);
    EXPECT_EQ(look_at(sim, 0, 40, 50), Seen::kUnknown);
    EXPECT_FALSE(sim.target_valid(0));
    EXPECT_TRUE(sim.targets_can_die());
}

TEST(SimOps, WritesOnlyRangesHideReads) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4096, kSimRangeWritesOnly)).ok());
    SimPattern reads = constant(0, 4096, 100'000'000'000);
    reads.writes_bp = 0;
    ASSERT_TRUE(sim.add_pattern(reads).ok());
    Sample sample;
    sim.arm({&sample, 1});
    sim.set_now(5'000);
    sim.look({&sample, 1});
    EXPECT_EQ(sample.seen, Seen::kNo);
    EXPECT_TRUE(sample.writes_only);
}

TEST(SimOps, TimeDoesNotGoBack) {
    SimOps sim;
    sim.set_now(100);
    sim.set_now(50);
    EXPECT_EQ(sim.now_us(), 100u);
}

TEST(SimOps, CoverageIsTheMappedMemoryJoined) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(8192, 12288, kSimRangeFile)).ok());
    ASSERT_TRUE(sim.add_range(mapped(0, 4096)).ok());
    ASSERT_TRUE(sim.add_range(mapped(4096, 8192)).ok());
    ASSERT_TRUE(sim.add_range(mapped(20480, 24576)).ok());
    Params params;
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    ASSERT_TRUE(sim.start(params).ok());
    TargetCoverage coverage;
    sim.refresh(0, RefreshReason::kInit, coverage);
    ASSERT_TRUE(coverage.changed);
    ASSERT_EQ(coverage.ranges.size(), 2u);
    EXPECT_EQ(coverage.ranges[0], (AddressRange{0, 12288}));
    EXPECT_EQ(coverage.ranges[1], (AddressRange{20480, 24576}));
}

TEST(SimOps, GivenRangesAreFinal) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 8192)).ok());
    Params params;
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    ASSERT_TRUE(params.targets[0].ranges.push_back({0, 4096}));
    ASSERT_TRUE(sim.start(params).ok());
    TargetCoverage coverage;
    sim.refresh(0, RefreshReason::kUpdate, coverage);
    EXPECT_FALSE(coverage.changed);
}

TEST(SimOps, EveryTargetMustBeInTheWorld) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 8192)).ok());
    Params params;
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    EXPECT_TRUE(sim.validate(params).ok());
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    EXPECT_EQ(sim.validate(params).error(), -EINVAL);
}

TEST(SimOps, ServesOneRunAtATime) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 8192)).ok());
    Params params;
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    ASSERT_TRUE(sim.start(params).ok());
    EXPECT_EQ(sim.start(params).error(), -EBUSY);
    sim.stop();
    EXPECT_TRUE(sim.start(params).ok());
}

TEST(SimOps, ProbesTellTheKindOfMemory) {
    SimOps sim;
    SimRange file = mapped(4096, 8192, kSimRangeFile);
    file.memcg_id = 7;
    ASSERT_TRUE(sim.add_range(mapped(0, 4096)).ok());
    ASSERT_TRUE(sim.add_range(file).ok());
    Params params;
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    for (const ProbeFilterType type : {ProbeFilterType::kAnon, ProbeFilterType::kMemcg}) {
        ProbeParams probe;
        ProbeFilter filter;
        filter.type = type;
        filter.matching = true;
        filter.allow = true;
        filter.memcg_id = 7;
        ASSERT_TRUE(probe.filters.push_back(filter));
        ASSERT_TRUE(params.probes.push_back(std::move(probe)));
    }
    ASSERT_TRUE(sim.start(params).ok());
    Sample samples[3];
    samples[1].addr = 4096;
    samples[2].addr = 8192;  // nothing is mapped there: no property holds (P-2)
    uint8_t hits[3] = {9, 9, 9};
    sim.probe(samples, hits);
    EXPECT_EQ(hits[0], 1u);
    EXPECT_EQ(hits[1], 2u);
    EXPECT_EQ(hits[2], 0u);
}

TEST(SimOps, OutOfMemoryWhileBuildingChangesNothing) {
    for (uint64_t fail_at = 0;; ++fail_at) {
        SimOps sim;
        ASSERT_TRUE(sim.add_range(mapped(0, kMiB)).ok());
        SimPattern stairs = constant(0, kMiB, 1'000);
        stairs.kind = SimPatternKind::kStairs;
        stairs.nr_regions = 10;
        stairs.step_us = 1'000;
        bool hit = false;
        Status status;
        {
            const test::HeapFault fault(fail_at);
            status = sim.add_pattern(stairs);
            hit = fault.hit();
        }
        EXPECT_EQ(status.error(), hit ? -ENOMEM : 0);
        EXPECT_EQ(sim.world().pieces().size(), hit ? 1u : 10u);
        EXPECT_EQ(sim.memory().nr_extents(), hit ? 1u : 10u);
        EXPECT_TRUE(sim.memory().is_valid());
        if (!hit) break;
    }
}

}  // namespace
}  // namespace damon
