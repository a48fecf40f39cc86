// Tuning of intervals (M-32 to M-34, Q-4, Q-14, Q-28, Q-50).
#include "engine/monitor/tuning.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::list_of;
using test::region_at;
using test::started_engine;
using test::toy_params;
using test::toy_traits;

Attrs tuned_attrs(uint64_t sample_us, uint64_t aggr_us, IntervalsGoal goal) {
    Attrs attrs;
    attrs.sample_us = sample_us;
    attrs.aggr_us = aggr_us;
    attrs.intervals_goal = goal;
    return attrs;
}

constexpr IntervalsGoal kGoal{.access_bp = 400, .aggrs = 3, .min_sample_us = 5'000, .max_sample_us = 10'000'000};

// M-33: a tenth of the bytes is seen `nr_accesses` times in a window of 20.
uint64_t next_sample_us(uint32_t nr_accesses) {
    const Attrs attrs = tuned_attrs(40'000, 800'000, kGoal);
    const RegionList list = list_of({{region_at({0, 100}, nr_accesses), region_at({100, 1'000}, 0)}});
    const uint64_t score = intervals_score(list, ProbeWeights(), attrs, 20);
    const TunedIntervals tuned = next_intervals(score, attrs, 20);
    EXPECT_EQ(tuned.aggr_us, tuned.sample_us * 20) << "I-12";
    return tuned.sample_us;
}

TEST(Tuning, VectorsOfM33) {
    EXPECT_EQ(next_sample_us(0), 80'000u);
    EXPECT_EQ(next_sample_us(1), 75'000u);
    EXPECT_EQ(next_sample_us(2), 70'000u);
    EXPECT_EQ(next_sample_us(4), 60'000u);
    EXPECT_EQ(next_sample_us(20), 20'000u);
}

TEST(Tuning, AGoalThatIsMetChangesNothing_M32) { EXPECT_EQ(next_sample_us(8), 40'000u); }

TEST(Tuning, TheRemainderOfTheWindowIsLostInTheFirstStep_M33_Q14) {
    const Attrs attrs = tuned_attrs(10, 109, {.access_bp = 1, .aggrs = 1, .min_sample_us = 1, .max_sample_us = 100});
    EXPECT_EQ(next_intervals(20'000, attrs, 10), (TunedIntervals{5, 50}));
    EXPECT_EQ(next_intervals(10'000, attrs, 10), (TunedIntervals{10, 109}));
}

TEST(Tuning, StaysInTheWantedRange_M32) {
    const Attrs attrs = tuned_attrs(6'000, 120'000, kGoal);
    EXPECT_EQ(next_intervals(20'000, attrs, 20).sample_us, 5'000u);
    const Attrs slow = tuned_attrs(9'000'000, 180'000'000, kGoal);
    EXPECT_EQ(next_intervals(0, slow, 20).sample_us, 10'000'000u);
}

TEST(Tuning, NeverEndsAtAnIntervalThatNoFactorLeadsBackFrom) {
    const IntervalsGoal goal{.access_bp = 1, .aggrs = 1, .min_sample_us = 0, .max_sample_us = 100};
    EXPECT_EQ(next_intervals(20'000, tuned_attrs(1, 20, goal), 20), (TunedIntervals{1, 20}));
    EXPECT_EQ(next_intervals(0, tuned_attrs(0, 20, goal), 20), (TunedIntervals{0, 20}));
}

TEST(Tuning, HugeRegionsDoNotWrap_Q9) {
    const Attrs attrs = tuned_attrs(40'000, 800'000, kGoal);
    const uint64_t tenth = kU64Max / 10;
    const RegionList list = list_of({{region_at({0, tenth}, 8), region_at({tenth, kU64Max}, 0)}});
    const uint64_t score = intervals_score(list, ProbeWeights(), attrs, 20);
    EXPECT_NEAR(static_cast<double>(score), 10'000.0, 1.0);
}

TEST(Tuning, WeightedProbesStandForAccesses_Q28) {
    ProbeParams probes[2];
    probes[0].weight = 3;
    probes[1].weight = 1;
    const ProbeWeights weights(probes);
    RegionList list = list_of({{region_at({0, 100}), region_at({100, 1'000})}});
    list.at(0, 0).probe_hits[0] = list.at(0, 0).probe_hits[1] = 8;
    EXPECT_EQ(intervals_score(list, weights, tuned_attrs(40'000, 800'000, kGoal), 20), 10'000u);
}

TEST(Tuning, MemoryThatWasLookedAtInVainTakesNoPart_M36) {
    const Attrs attrs = tuned_attrs(40'000, 800'000, kGoal);
    RegionList list = list_of({{region_at({0, 100}, 8), region_at({100, 1'000}), region_at({1'000, 50'000})}});
    list.at(0, 2).evidence = kEvidenceUnknown;
    EXPECT_EQ(intervals_score(list, ProbeWeights(), attrs, 20), 10'000u);
    for (Region& region : list.all()) region.evidence = kEvidenceUnknown;
    EXPECT_EQ(intervals_score(list, ProbeWeights(), attrs, 20), 10'000u) << "nothing to go by: stay";
}

// Memory of which `hot_bp` are always accessed, and as much again once in `seldom_us`.
struct Program {
    uint64_t hot_bp = 0;
    uint64_t seldom_us = 0;
    uint64_t seen_bp(uint64_t sample_us) const {
        return hot_bp + (seldom_us == 0 ? 0 : hot_bp * std::min(sample_us, seldom_us) / seldom_us);
    }
};

struct Reached {
    uint64_t sample_us = 5'000;
    bool out_of_reach = false;
};

Reached after_tunings(const Program& program, IntervalsTuner& tuner, Reached at = {}) {
    for (int i = 0; i < 40; ++i) {
        const Attrs attrs = tuned_attrs(at.sample_us, at.sample_us * 20, kGoal);
        const uint64_t noise = i % 3 * 20;  // of 1,000
        const uint64_t seen_bp = program.seen_bp(at.sample_us);
        at.sample_us =
            tuner.next(seen_bp * 10 * (1'000 - noise) / 1'000 * 1'000 / kGoal.access_bp, attrs, 20).sample_us;
    }
    at.out_of_reach = tuner.out_of_reach();
    return at;
}

// 1 % is hot and 4 % is the goal: the baseline's rule ends at 10 s a sample, 200 s a window.
TEST(Tuning, IntervalsThatShowNoMoreAreTakenBack_M39_Q82) {
    IntervalsTuner tuner;
    const Reached reached = after_tunings({.hot_bp = 100}, tuner);
    EXPECT_EQ(reached.sample_us, 5'000u);
    EXPECT_TRUE(reached.out_of_reach);
    // More becomes hot: the goal is met at the intervals that it needs.
    const Reached met = after_tunings({.hot_bp = 250, .seldom_us = 30'000}, tuner, reached);
    EXPECT_GE(met.sample_us, 15'000u);
    EXPECT_LE(met.sample_us, 22'000u);
    EXPECT_FALSE(met.out_of_reach);
}

TEST(Tuning, AnIdleProgramIsLookedAtSeldom_M39) {
    IntervalsTuner tuner;
    const Reached reached = after_tunings({}, tuner);
    EXPECT_EQ(reached.sample_us, kGoal.max_sample_us);
    EXPECT_TRUE(reached.out_of_reach) << "and that nothing is seen is told";
}

TEST(Tuning, MoreAccessesThanAskedForAtTheShortestIntervalAreTold_M39) {
    IntervalsTuner tuner;
    const Reached reached = after_tunings({.hot_bp = 5'000}, tuner);
    EXPECT_EQ(reached.sample_us, kGoal.min_sample_us);
    EXPECT_TRUE(reached.out_of_reach);
}

TEST(Tuning, AnotherGoalIsTriedAnew_M39) {
    IntervalsTuner tuner;
    ASSERT_TRUE(after_tunings({.hot_bp = 100}, tuner).out_of_reach);
    Attrs attrs = tuned_attrs(5'000, 100'000, kGoal);
    attrs.intervals_goal.access_bp = 200;
    EXPECT_GT(tuner.next(5'000, attrs, 20).sample_us, 5'000u);
    EXPECT_FALSE(tuner.out_of_reach());
}

Params tuning_params() {
    Params params = toy_params({{{0, 1'000}}});
    params.attrs.sample_us = 100;
    params.attrs.aggr_us = 1'000;
    params.attrs.intervals_goal = {.access_bp = 400, .aggrs = 2, .min_sample_us = 50, .max_sample_us = 400};
    return params;
}

TEST(Tuning, RunsEveryAggrsWindowsAndKeepsTheirSampleCount_M32_I12) {
    Engine engine = started_engine(tuning_params());
    std::vector<uint64_t> changes;
    uint64_t sample_us = 100;
    for (uint64_t tick = 1; tick <= 100; ++tick) {
        test::run_interval(engine, accesses_in({}));
        const Attrs& attrs = engine.params().attrs;
        ASSERT_EQ(attrs.aggr_us, attrs.sample_us * 10);
        if (attrs.sample_us != sample_us) changes.push_back(tick);
        sample_us = attrs.sample_us;
    }
    EXPECT_EQ(changes, (std::vector<uint64_t>{20, 40})) << "100, 200, 400 and there it stays";
    EXPECT_EQ(sample_us, 400u);
    EXPECT_EQ(engine.cadence().next_aggregation, 110u);
}

TEST(Tuning, ConvertsAgesToTheNewWindows_M30) {
    Engine engine = started_engine(tuning_params());
    test::run_intervals(engine, 19, accesses_in({}));
    test::sample_once(engine, accesses_in({}));
    ASSERT_EQ(engine.regions().at(0, 0).age, 2u);
    engine.finish();
    ASSERT_EQ(engine.params().attrs.sample_us, 200u);
    EXPECT_EQ(engine.regions().at(0, 0).age, 1u);
}

TEST(Tuning, DoesNotKeepTheUpdateTimerFromFiring_Q4) {
    Params params = tuning_params();
    params.attrs.intervals_goal.aggrs = 1;  // tunes in every window of 10 ticks
    params.attrs.ops_update_us = 20'000;
    Engine engine = started_engine(params);
    uint64_t updates = 0;
    uint64_t elapsed_us = 0;
    for (uint64_t tick = 1; tick <= 2'000; ++tick) {
        elapsed_us += engine.params().attrs.sample_us;
        // Every other window all is accessed: the interval swings.
        const bool busy = tick / 10 % 2 == 0;
        updates += test::run_interval(engine, accesses_in({{0, busy ? 1'000u : 0u}}));
    }
    EXPECT_GE(updates, elapsed_us / 20'000 * 9 / 10);
    EXPECT_LE(updates, elapsed_us / 20'000 * 11 / 10);
}

TEST(Tuning, AGoalSwitchedOnInMidRunWaitsItsFullPeriod_Q50) {
    Params params = tuning_params();
    const IntervalsGoal goal = params.attrs.intervals_goal;
    params.attrs.intervals_goal.aggrs = 0;
    Engine engine = started_engine(params);
    test::run_intervals(engine, 95, accesses_in({}));
    EXPECT_EQ(engine.params().attrs.sample_us, 100u);
    params.attrs.intervals_goal = goal;
    ASSERT_TRUE(engine.commit(params, toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.cadence().next_intervals_tune, 95u + 20);
    test::run_intervals(engine, 24, accesses_in({}));
    EXPECT_EQ(engine.params().attrs.sample_us, 100u);
    test::run_intervals(engine, 1, accesses_in({}));
    EXPECT_EQ(engine.params().attrs.sample_us, 200u);
}

}  // namespace
}  // namespace damon
