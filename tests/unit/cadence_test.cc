// Deadlines in ticks (3.2, Q-4, Q-5) and moving sums (M-14, M-15).
#include "engine/monitor/cadence.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

Attrs attrs_of(uint64_t sample_us, uint64_t aggr_us, uint64_t ops_update_us) {
    return {.sample_us = sample_us, .aggr_us = aggr_us, .ops_update_us = ops_update_us};
}

TEST(Cadence, FirstDeadlinesAreOnePeriodAfterTheStart) {
    Attrs attrs = attrs_of(10, 100, 250);
    attrs.intervals_goal.aggrs = 3;
    Cadence cadence;
    cadence.start(attrs);
    EXPECT_EQ(cadence.passed_sample_intervals, 0u);
    EXPECT_EQ(cadence.next_aggregation, 10u);
    EXPECT_EQ(cadence.next_ops_update, 25u);
    EXPECT_EQ(cadence.next_intervals_tune, 30u);
}

TEST(Cadence, DeadlinesAdvanceFromTheLatchedOnesWithoutDrift_L2) {
    const Attrs attrs = attrs_of(10, 100, 250);
    Cadence cadence;
    cadence.start(attrs);
    cadence.passed_sample_intervals = 13;
    EXPECT_TRUE(cadence.aggregation_due());
    cadence.advance_aggregation(attrs);
    EXPECT_EQ(cadence.next_aggregation, 20u);
}

TEST(Cadence, ZeroUpdateIntervalIsDueEveryTick) {
    Cadence cadence;
    cadence.start(attrs_of(10, 100, 0));
    EXPECT_TRUE(cadence.ops_update_due());
}

TEST(Cadence, ThePeriodForEverNeverBecomesDue) {
    Cadence cadence;
    cadence.start(attrs_of(1, 100, kU64Max));
    EXPECT_FALSE(cadence.ops_update_due());
}

TEST(Cadence, AggregatingIsSafeWhereTheTickCounterWraps_Q59) {
    Cadence cadence;
    cadence.passed_sample_intervals = kU64Max - 2;
    cadence.next_aggregation = 5;
    EXPECT_TRUE(cadence.aggregating());
    cadence.passed_sample_intervals = 5;
    EXPECT_FALSE(cadence.aggregating());
}

TEST(Cadence, NewSamplingIntervalKeepsTheElapsedTimeOfTheUpdateTimer_Q4) {
    const Attrs before = attrs_of(10, 100, 1000);
    const Attrs after = attrs_of(20, 200, 1000);
    Cadence cadence;
    cadence.start(before);
    cadence.passed_sample_intervals = 40;  // 400 of 1000 have passed
    cadence.change_attrs(before, after);
    EXPECT_EQ(cadence.next_ops_update, 40u + 600 / 20);
    EXPECT_EQ(cadence.next_aggregation, 40u + 10);
}

TEST(Cadence, ChangedLimitsRestartNothing_Q5) {
    const Attrs before = attrs_of(10, 100, 1000);
    Attrs after = before;
    after.max_nr_regions = 77;
    after.intervals_goal.access_bp = 5;
    Cadence cadence;
    cadence.start(before);
    cadence.passed_sample_intervals = 7;
    const Cadence untouched = cadence;
    cadence.change_attrs(before, after);
    EXPECT_EQ(cadence, untouched);
}

TEST(Cadence, AShorterPeriodCountsWhatHasElapsed_Q4) {
    const Attrs attrs = attrs_of(10, 100, 0);
    EXPECT_EQ(retimed_deadline(40, 100, {1000, 600}, attrs, attrs), 60u);
    EXPECT_EQ(retimed_deadline(40, 100, {1000, 300}, attrs, attrs), 40u);
    EXPECT_EQ(retimed_deadline(40, 100, {1000, 1500}, attrs, attrs), 150u);
}

TEST(Cadence, ADeadlineThatWasReachedStaysReached_Q4) {
    const Attrs attrs = attrs_of(10, 100, 0);
    EXPECT_EQ(retimed_deadline(40, 40, {1000, 5000}, attrs, attrs), 40u);
    EXPECT_EQ(retimed_deadline(40, 20, {1000, 5000}, attrs, attrs), 20u);
}

// --- the clock (Q-75) ---

TEST(Cadence, IntervalsThatAreNotLateKeepClockAndWindowsTogether_Q75) {
    Cadence cadence;
    cadence.start(attrs_of(10, 100, 250));
    for (uint64_t i = 1; i <= 10; ++i) {
        cadence.pass(i % 2 == 0 ? 8 : 12);  // a worker's jitter
        EXPECT_EQ(cadence.clock(), i);
    }
    EXPECT_EQ(cadence.window_us, 100u);
    EXPECT_EQ(cadence.carry_us, 0);
}

TEST(Cadence, LateIntervalsPassTheirTimeOnTheClockOnly_Q75) {
    const Attrs attrs = attrs_of(10, 100, 250);
    Cadence cadence;
    cadence.start(attrs);
    for (int i = 0; i < 4; ++i) cadence.pass(62);
    EXPECT_EQ(cadence.passed_sample_intervals, 4u);
    EXPECT_EQ(cadence.clock(), 25u) << "248 us are nearer to 25 intervals than to 24";
    EXPECT_TRUE(cadence.ops_update_due());
    EXPECT_FALSE(cadence.aggregation_due()) << "a window counts samples";
}

TEST(Cadence, StepsWithoutTimePassWindowsOnly_Q75) {
    Cadence cadence;
    cadence.start(attrs_of(10, 100, 20));
    for (int i = 0; i < 10; ++i) cadence.pass(0);
    EXPECT_TRUE(cadence.aggregation_due());
    EXPECT_FALSE(cadence.ops_update_due());
    EXPECT_EQ(cadence.clock(), 0u);
}

TEST(Cadence, TimeThatIsWaitedOutMovesTheClockAndIsOfTheIntervalThatItEnds_Q75) {
    const Attrs attrs = attrs_of(10, 100, 1000);
    Cadence waited;
    Cadence whole;
    waited.start(attrs);
    whole.start(attrs);
    waited.wait(44);
    EXPECT_EQ(waited.clock(), 4u);
    EXPECT_EQ(waited.passed_sample_intervals, 0u);
    EXPECT_EQ(waited.us_until(7), 26u);
    EXPECT_EQ(waited.us_until(4), 0u);
    waited.wait(26);
    EXPECT_EQ(waited.us_until(7), 0u);
    waited.pass(27);
    whole.pass(97);
    EXPECT_TRUE(waited == whole);
    EXPECT_EQ(waited.clock(), 10u);
    EXPECT_EQ(waited.us_until(12), 23u) << "three are owed";
    waited.wait(23);
    EXPECT_EQ(waited.clock(), 12u);
}

TEST(Cadence, UpdatesThatWereMissedAreNotMadeUpFor_Q75) {
    const Attrs attrs = attrs_of(10, 100, 250);
    Cadence cadence;
    cadence.start(attrs);
    cadence.pass(1'010);
    cadence.advance_ops_update(attrs);
    EXPECT_EQ(cadence.next_ops_update, 125u) << "25 + n * 25, behind 101";
    cadence.latch(attrs, false);
    EXPECT_FALSE(cadence.ops_update_due());
}

TEST(Cadence, TuningsThatWereMissedAreNotMadeUpFor_Q75) {
    Attrs attrs = attrs_of(10, 100, 250);
    attrs.intervals_goal.aggrs = 3;
    Cadence cadence;
    cadence.start(attrs);
    cadence.pass(1'000);
    EXPECT_TRUE(cadence.intervals_tune_due());
    cadence.advance_intervals_tune(attrs, 10);
    EXPECT_EQ(cadence.next_intervals_tune, 120u);
}

TEST(Cadence, AWindowAddsItsRealLengthToAgesWhereItsSamplesWereSpreadOverIt_Q75) {
    const Attrs attrs = attrs_of(10, 100, 250);
    Cadence stretched;
    stretched.start(attrs);
    for (int i = 0; i < 10; ++i) stretched.pass(290);
    EXPECT_EQ(stretched.ageing_us(attrs), 2'900u);
    Cadence stopped;
    stopped.start(attrs);
    for (int i = 0; i < 10; ++i) stopped.pass(i == 4 ? 5'000'000 : 10);
    EXPECT_EQ(stopped.ageing_us(attrs), 200u) << "nobody looked while the process was stopped";
    EXPECT_EQ(stopped.window_us, 5'000'090u);
}

}  // namespace
}  // namespace damon
