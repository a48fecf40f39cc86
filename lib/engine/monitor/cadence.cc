#include "engine/monitor/cadence.h"

namespace damon {
namespace {

uint64_t intervals_tune_ticks(const Attrs& attrs, uint64_t aggr_samples) {
    return std::min(saturating_mul(aggr_samples, attrs.intervals_goal.aggrs), kMaxPeriodTicks);
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
    next_ops_update = latched_ops_update + period_ticks(attrs.ops_update_us, attrs);
}

void Cadence::advance_intervals_tune(const Attrs& attrs, uint64_t aggr_samples) {
    next_intervals_tune += intervals_tune_ticks(attrs, aggr_samples);
}

void Cadence::begin_intervals_tune(const Attrs& attrs, uint64_t aggr_samples) {
    next_intervals_tune = passed_sample_intervals + intervals_tune_ticks(attrs, aggr_samples);
}

void Cadence::change_attrs(const Attrs& before, const Attrs& after) {
    const uint64_t now = passed_sample_intervals;
    if (before.sample_us != after.sample_us || before.aggr_us != after.aggr_us) {
        next_aggregation = now + period_ticks(after.aggr_us, after);
    }
    if (before.sample_us != after.sample_us || before.ops_update_us != after.ops_update_us) {
        next_ops_update =
            retimed_deadline(now, next_ops_update, {before.ops_update_us, after.ops_update_us}, before, after);
    }
}

}  // namespace damon
