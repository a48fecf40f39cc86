#include "engine/monitor/cadence.h"

namespace damon {
namespace {

uint64_t intervals_tune_ticks(const Attrs& attrs, uint64_t aggr_samples) {
    return std::min(saturating_mul(aggr_samples, attrs.intervals_goal.aggrs), kMaxPeriodTicks);
}

// The first deadline of this period behind `clock`; `reached` was one.
uint64_t next_of(uint64_t reached, uint64_t period, uint64_t clock) {
    if (period == 0) return reached;
    const uint64_t next = reached + period;
    if (!tick_reached(clock, next)) return next;
    return next + (clock - next) / period * period + period;
}

}  // namespace

uint64_t retimed_deadline(uint64_t now, uint64_t deadline, PeriodChange period, const Attrs& before,
                          const Attrs& after) {
    if (tick_reached(now, deadline)) return deadline;
    const uint64_t remaining_us = saturating_mul(deadline - now, before.divisor_us());
    const uint64_t elapsed_us = period.old_us - std::min(period.old_us, remaining_us);
    const uint64_t new_remaining_us = period.new_us - std::min(period.new_us, elapsed_us);
    return now + period_ticks(new_remaining_us, after);
}

void Cadence::start(const Attrs& attrs) {
    *this = {};
    next_aggregation = period_ticks(attrs.aggr_us, attrs);
    next_ops_update = period_ticks(attrs.ops_update_us, attrs);
    begin_intervals_tune(attrs, attrs.aggr_samples());
    latch(attrs, false);
}

void Cadence::latch(const Attrs& attrs, bool attributes_only) {
    latched_aggregation = next_aggregation;
    latched_ops_update = next_ops_update;
    latched_sample_us = attrs.sample_us;
    latched_attributes_only = attributes_only;
}

void Cadence::advance_aggregation(const Attrs& attrs) {
    next_aggregation = latched_aggregation + period_ticks(attrs.aggr_us, attrs);
}

void Cadence::advance_ops_update(const Attrs& attrs) {
    next_ops_update = next_of(latched_ops_update, period_ticks(attrs.ops_update_us, attrs), clock());
}

void Cadence::pass(uint64_t elapsed_us) {
    ++passed_sample_intervals;
    const auto elapsed = static_cast<int64_t>(std::min(elapsed_us, kMaxPeriodTicks));
    const auto interval = static_cast<int64_t>(std::min(nominal_us(), kMaxPeriodTicks));
    const int64_t total = carry_us + elapsed;
    const int64_t nr_passed = (total + interval / 2) / interval;  // the nearest; `total` is at least -interval / 2
    carry_us = total - nr_passed * interval;
    nr_late += static_cast<uint64_t>(nr_passed) - 1;
    window_us = saturating_add(window_us, elapsed_us);
    longest_us = std::max(longest_us, saturating_add(waited_us, elapsed_us));
    waited_us = 0;
}

void Cadence::wait(uint64_t elapsed_us) {
    const auto elapsed = static_cast<int64_t>(std::min(elapsed_us, kMaxPeriodTicks));
    const auto interval = static_cast<int64_t>(std::min(nominal_us(), kMaxPeriodTicks));
    const int64_t nr_passed = std::max<int64_t>(0, carry_us + elapsed) / interval;
    carry_us += elapsed - nr_passed * interval;
    nr_late += static_cast<uint64_t>(nr_passed);
    window_us = saturating_add(window_us, elapsed_us);
    waited_us = saturating_add(waited_us, elapsed_us);
}

uint64_t Cadence::us_until(uint64_t deadline) const {
    if (tick_reached(clock(), deadline)) return 0;
    const auto carried = static_cast<uint64_t>(std::max<int64_t>(0, carry_us));
    const auto owed = static_cast<uint64_t>(std::max<int64_t>(0, -carry_us));
    const uint64_t left_us = saturating_add(saturating_mul(deadline - clock(), nominal_us()), owed);
    return left_us - std::min(left_us, carried);
}

uint64_t Cadence::ageing_us(const Attrs& attrs) const {
    const uint64_t trusted = std::max(attrs.aggr_us, window_us - longest_us);
    return std::min(window_us, saturating_mul(2, trusted));
}

void Cadence::advance_intervals_tune(const Attrs& attrs, uint64_t aggr_samples) {
    next_intervals_tune = next_of(next_intervals_tune, intervals_tune_ticks(attrs, aggr_samples), clock());
}

void Cadence::begin_intervals_tune(const Attrs& attrs, uint64_t aggr_samples) {
    next_intervals_tune = clock() + intervals_tune_ticks(attrs, aggr_samples);
}

void Cadence::change_attrs(const Attrs& before, const Attrs& after) {
    if (before.sample_us != after.sample_us || before.aggr_us != after.aggr_us) {
        if (aggregating()) restart_window();
        next_aggregation = passed_sample_intervals + period_ticks(after.aggr_us, after);
        carry_us = 0;
    }
    if (before.sample_us != after.sample_us || before.ops_update_us != after.ops_update_us) {
        next_ops_update =
            retimed_deadline(clock(), next_ops_update, {before.ops_update_us, after.ops_update_us}, before, after);
    }
}

}  // namespace damon
