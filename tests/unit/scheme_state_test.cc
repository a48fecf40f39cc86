// Deadlines and resume points of schemes (3.2, L-2, Q-4, A-20).
#include "engine/schemes/scheme_state.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

Attrs attrs_of(uint64_t sample_us, uint64_t aggr_us) {
    Attrs attrs;
    attrs.sample_us = sample_us;
    attrs.aggr_us = aggr_us;
    return attrs;
}

TEST(SchemeState, IntervalZeroFollowsTheAggregation) {
    SchemeParams scheme;
    EXPECT_EQ(apply_interval_ticks(scheme, attrs_of(10, 109)), 10u);
    scheme.apply_interval_us = 39;
    EXPECT_EQ(apply_interval_ticks(scheme, attrs_of(10, 109)), 3u);
    EXPECT_EQ(apply_interval_ticks(scheme, attrs_of(100, 109)), 0u) << "below the sampling interval: every tick (L-14)";
}

TEST(SchemeState, AStartSetsDeadlineAndDefaultsAndKeepsTheRest) {
    SchemeParams scheme;
    scheme.apply_interval_us = 50;
    DamosFilter filter;
    filter.type = FilterType::kTarget;
    filter.allow = true;
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    SchemeState state;
    state.stats.nr_tried = 7;
    state.quota.total_charged_sz = 9;
    start_scheme(scheme, attrs_of(10, 100), 3, state);
    EXPECT_EQ(state.next_apply_sis, 8u);
    EXPECT_TRUE(state.filter_defaults.core_reject);
    EXPECT_EQ(state.stats.nr_tried, 7u);
    EXPECT_EQ(state.quota.total_charged_sz, 9u);
}

TEST(SchemeState, ElapsedTimeSurvivesNewIntervals) {
    SchemeParams scheme;
    scheme.apply_interval_us = 1'000;
    SchemeState state;
    state.next_apply_sis = 100;
    reschedule_scheme(scheme, attrs_of(10, 100), attrs_of(20, 200), 60, state);
    EXPECT_EQ(state.next_apply_sis, 80u) << "400 us remain";
    reschedule_scheme(scheme, attrs_of(20, 200), attrs_of(20, 200), 60, state);
    EXPECT_EQ(state.next_apply_sis, 80u);
}

TEST(SchemeState, NoDeadlineLiesFurtherAheadThanOneInterval) {
    SchemeParams scheme;
    scheme.apply_interval_us = 200;
    SchemeState state;
    state.next_apply_sis = 100;  // of a longer interval, before a commit
    reschedule_scheme(scheme, attrs_of(10, 100), attrs_of(20, 200), 60, state);
    EXPECT_EQ(state.next_apply_sis, 70u);
}

TEST(SchemeState, ManyTuningsDoNotPostponeALongInterval) {  // 0 applications in the baseline
    SchemeParams scheme;
    scheme.apply_interval_us = 100'000;
    SchemeState state;
    start_scheme(scheme, attrs_of(10, 100), 0, state);
    uint64_t tick = 0;
    uint64_t elapsed_us = 0;
    for (bool coarse = false; state.next_apply_sis > tick; coarse = !coarse) {
        const uint64_t sample_us = coarse ? 20 : 10;
        tick += 10;
        elapsed_us += 10 * sample_us;
        reschedule_scheme(scheme, attrs_of(sample_us, 10 * sample_us), attrs_of(30 - sample_us, 10 * (30 - sample_us)),
                          tick, state);
        ASSERT_LE(elapsed_us, 110'000u);
    }
    EXPECT_GE(elapsed_us, 99'000u);
}

TEST(SchemeState, ASchemeThatFollowsTheAggregationRestartsWithIt) {  // M-29, Q-70
    SchemeState state;
    state.next_apply_sis = 100;
    reschedule_scheme(SchemeParams{}, attrs_of(10, 100), attrs_of(10, 300), 95, state);
    EXPECT_EQ(state.next_apply_sis, 125u);
    Attrs more_regions = attrs_of(10, 300);
    more_regions.max_nr_regions = 5'000;
    reschedule_scheme(SchemeParams{}, attrs_of(10, 300), more_regions, 100, state);
    EXPECT_EQ(state.next_apply_sis, 125u) << "region limits do not restart the window (Q-5)";
}

TEST(SchemeState, AnIntervalOfItsOwnGoesByTheClockAndTheWindowsBySamples_Q75) {
    Cadence late;
    late.passed_sample_intervals = 5;
    late.nr_late = 100;
    SchemeParams scheme;
    EXPECT_EQ(ticks_for(scheme, late), 5u);
    scheme.apply_interval_us = 1'000;
    EXPECT_EQ(ticks_for(scheme, late), 105u);
}

TEST(SchemeState, ADeadlineStaysAsFarAheadWhenItGoesByTheOtherCount_Q75) {
    Cadence late;
    late.passed_sample_intervals = 5;
    late.nr_late = 100;
    SchemeParams windows;
    SchemeParams timed;
    timed.apply_interval_us = 1'000;
    SchemeState state;
    state.next_apply_sis = 9;
    keep_deadline(timed, late, state);
    EXPECT_EQ(state.next_apply_sis, 109u);
    keep_deadline(timed, late, state);
    EXPECT_EQ(state.next_apply_sis, 109u);
    keep_deadline(windows, late, state);
    EXPECT_EQ(state.next_apply_sis, 9u);
}

TEST(SchemeState, AnOverdueDeadlineStaysOverdue) {
    SchemeParams scheme;
    scheme.apply_interval_us = 50;
    SchemeState state;
    state.next_apply_sis = 40;
    reschedule_scheme(scheme, attrs_of(10, 100), attrs_of(20, 100), 45, state);
    EXPECT_EQ(state.next_apply_sis, 40u);
}

TEST(SchemeState, ResumePointsMoveWithTheirTarget) {
    SchemeState state;
    state.quota.resume = {.addr = 64, .target_idx = 2, .set = true};
    forget_target(3, state);
    EXPECT_EQ(state.quota.resume.target_idx, 2u);
    forget_target(0, state);
    EXPECT_EQ(state.quota.resume.target_idx, 1u);
    EXPECT_EQ(state.quota.resume.addr, 64u);
    forget_target(1, state);
    EXPECT_EQ(state.quota.resume, ResumePoint{});
}

TEST(SchemeState, CopiesAreDeepAndComplete) {
    SchemeState state;
    state.stats.nr_snapshots = 1;
    state.quota.esz = 2;
    ASSERT_TRUE(state.goals.push_back(GoalState{.current_value = 3}));
    state.filter_defaults.ops_reject = true;
    state.next_apply_sis = 4;
    state.by_clock = true;
    state.acted_until = 5;
    state.acted_target = 6;
    state.activated = false;
    state.due = true;
    state.esz_due = true;
    state.in_pass = true;
    SchemeState copy;
    ASSERT_TRUE(copy.copy_from(state));
    EXPECT_TRUE(copy == state);
    copy.goals[0].current_value = 9;
    EXPECT_EQ(state.goals[0].current_value, 3u);
}

}  // namespace
}  // namespace damon
