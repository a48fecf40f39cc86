// Rule M-40: where looking must wait, a window keeps its length and has fewer samples, which stand for all of it.
#include <gtest/gtest.h>

#include "support/toy_engine.h"

namespace damon::test {
namespace {

constexpr uint64_t kWindow = 20;  // sampling intervals
constexpr uint64_t kAlways = 1'000'000;

Params thin_params() {
    Params params = toy_params({{{0, 10'000}}});
    params.attrs.sample_us = 5;
    params.attrs.aggr_us = 5 * kWindow;
    return params;
}

// One window in which looking always has to wait `wait_us`; returns in how many intervals somebody looked.
uint64_t take_window(Engine& engine, uint64_t wait_us, const World& world) {
    uint64_t nr_looks = 0;
    for (uint64_t i = 0; i < kWindow; ++i) {
        const std::span<Sample> asked = engine.plan(wait_us);
        EXPECT_EQ(asked.empty(), engine.passes_over());
        nr_looks += !asked.empty();
        for (Sample& sample : asked) sample.seen = world(sample);
        const Due due = engine.record_samples();
        EXPECT_EQ(due.aggregation, i == kWindow - 1);
        if (i != kWindow - 1) engine.finish();
    }
    return nr_looks;
}

TEST(Thinning, NobodyHasToWaitAndEveryIntervalIsLookedIn) {
    Engine engine = started_engine(thin_params());
    EXPECT_EQ(take_window(engine, 0, accesses_in({})), kWindow);
    engine.finish();
    EXPECT_EQ(take_window(engine, 5, accesses_in({})), kWindow) << "no longer than the interval takes anyway";
}

TEST(Thinning, FiveSamplesStandForAWindowOfTwenty) {
    Engine engine = started_engine(thin_params());
    EXPECT_EQ(take_window(engine, kAlways, accesses_in({{0, 10'000}})), 5u);
    for (const Region& region : regions_of(engine, 0)) {
        EXPECT_EQ(region.nr_accesses, kWindow);
        EXPECT_EQ(region.evidence, kEvidenceAnswered);
    }
    engine.finish();
    EXPECT_EQ(take_window(engine, kAlways, accesses_in({})), 5u);
    for (const Region& region : regions_of(engine, 0)) {
        EXPECT_EQ(region.nr_accesses, 0u);
        EXPECT_EQ(region.last_nr_accesses, kWindow);
        EXPECT_EQ(region.age, 0u);
    }
}

TEST(Thinning, ASampleStandsForTheIntervalsSinceTheOneBefore) {
    Engine engine = started_engine(thin_params());
    const auto interval = [&](uint64_t wait_us, Seen seen) {
        for (Sample& sample : engine.plan(wait_us)) sample.seen = seen;
        engine.record_samples();
        engine.finish();
        return engine.regions().at(0, 0);
    };
    EXPECT_EQ(interval(0, Seen::kYes).nr_accesses, 1u);
    EXPECT_EQ(interval(100, Seen::kYes).nr_accesses, 1u) << "passed over";
    EXPECT_EQ(interval(100, Seen::kYes).nr_accesses, 1u);
    EXPECT_EQ(interval(0, Seen::kYes).nr_accesses, 4u);
    EXPECT_EQ(interval(0, Seen::kNo).nr_accesses, 4u);
    EXPECT_EQ(interval(100, Seen::kNo).nr_answered, 5u);
    EXPECT_EQ(interval(0, Seen::kUnknown).nr_unknown, 2u);
    EXPECT_EQ(engine.regions().at(0, 0).nr_answered, 5u);
}

TEST(Thinning, AMovingSumIsNeverMoreThanAWindow) {
    Engine engine = started_engine(thin_params());
    const World always = accesses_in({{0, 10'000}});
    take_window(engine, kAlways, always);
    engine.finish();
    for (uint64_t i = 0; i < kWindow; ++i) {
        for (Sample& sample : engine.plan(i % 7 * 3)) sample.seen = always(sample);
        engine.record_samples();
        EXPECT_LE(engine.moving_sum(engine.regions().at(0, 0)), kWindow) << i;
        engine.finish();
    }
}

// What always was accessed is told as that at every moment, and so is what never was: schemes with an interval of their
// own act in any interval of a window.
TEST(Thinning, AMovingSumIsNotLowerForTheIntervalsThatWerePassedOver) {
    for (const bool hot : {true, false}) {
        Engine engine = started_engine(thin_params());
        const World world = hot ? accesses_in({{0, 10'000}}) : accesses_in({});
        const uint32_t expected = hot ? kWindow : 0;
        take_window(engine, kAlways, world);
        engine.finish();
        uint64_t nr_looks = 0;
        for (uint64_t i = 0; i < kWindow; ++i) {
            for (Sample& sample : engine.plan(kAlways)) sample.seen = world(sample);
            nr_looks += !engine.passes_over();
            engine.record_samples();
            const Region& region = engine.regions().at(0, 0);
            EXPECT_EQ(engine.moving_sum(region), expected) << i;
            RegionInfo info;
            engine.read_regions({&info, 1}, true);
            EXPECT_EQ(info.nr_accesses, expected) << i;
            engine.finish();
        }
        EXPECT_EQ(nr_looks, kWindow / 4);
    }
}

TEST(Thinning, WhatIsLeftToWaitIsWaitedForInFrontOfALook) {
    Engine engine = started_engine(thin_params());
    constexpr uint64_t kPermitted = 1'000;
    for (uint64_t i = 1; i <= kWindow; ++i) {
        engine.plan(kAlways);
        const uint64_t expected = i % 4 == 0 ? kPermitted : i % 4 == 3 ? kPermitted - 5 : 0;
        EXPECT_EQ(engine.may_end_at(kPermitted), expected) << i;
        engine.record_samples();
        engine.finish();
    }
}

TEST(Thinning, AWindowOfFewSamplesKeepsThem) {
    Params params = thin_params();
    params.attrs.aggr_us = 5 * 9;
    Engine engine = started_engine(params);
    for (int i = 0; i < 9; ++i) {
        EXPECT_FALSE(engine.plan(kAlways).empty());
        engine.record_samples();
    }
}

TEST(Thinning, ProbesLookInEveryInterval) {
    Params params = thin_params();
    ProbeParams probe;
    ASSERT_TRUE(params.probes.push_back(std::move(probe)));
    Engine engine = started_engine(params);
    EXPECT_EQ(take_window(engine, kAlways, accesses_in({})), kWindow);
}

TEST(Thinning, AWindowThatBeginsAnewHasPassedNothingOver) {
    Params params = thin_params();
    Engine engine = started_engine(params);
    for (int i = 0; i < 3; ++i) {
        engine.plan(kAlways);
        engine.record_samples();
        engine.finish();
    }
    params.attrs.aggr_us *= 2;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    for (Sample& sample : engine.plan(0)) sample.seen = Seen::kYes;
    engine.record_samples();
    for (const Region& region : regions_of(engine, 0)) EXPECT_EQ(region.nr_answered, 1u);
}

}  // namespace
}  // namespace damon::test
