// When things are due, counted in sampling intervals (rules 3.2). Windows count the intervals that were sampled: slow
// ones stretch a window and take no sample away from it (L-2). What is given in microseconds counts the intervals that
// the clock has passed; where nothing is late, both counts are one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/arithmetic.h"
#include "model/attrs.h"

namespace damon {

// No deadline lies further ahead than this, so that the wrap-safe comparison of ticks (C-4) holds for "never".
inline constexpr uint64_t kMaxPeriodTicks = uint64_t{1} << 62;

// Sampling intervals in `period_us`, rounded down; 0: due every tick.
constexpr uint64_t period_ticks(uint64_t period_us, const Attrs& attrs) {
    return std::min(period_us / attrs.divisor_us(), kMaxPeriodTicks);
}

// A period before and after a change of attributes, in microseconds.
struct PeriodChange {
    uint64_t old_us;
    uint64_t new_us;
};

// The deadline of a timer that keeps its elapsed time when the sampling interval changes from `before` to `after`
// with an unchanged period that is `now` + remaining time div new S. A deadline that was reached stays reached.
uint64_t retimed_deadline(uint64_t now, uint64_t deadline, PeriodChange period, const Attrs& before,
                          const Attrs& after);

// All members are absolute tick numbers unless they say otherwise. The deadlines of schemes are kept by the schemes.
struct Cadence {
    uint64_t passed_sample_intervals = 0;  // T
    uint64_t next_aggregation = 0;         // in T
    uint64_t next_ops_update = 0;          // by the clock
    uint64_t next_intervals_tune = 0;      // by the clock

    uint64_t nr_late = 0;     // by how many intervals the clock is ahead of T; modulo 2^64, as both are
    int64_t carry_us = 0;     // time that has passed beyond whole intervals; at most half an interval, either way
    uint64_t window_us = 0;   // how long this window has been so far
    uint64_t longest_us = 0;  // the longest of its sampling intervals
    uint64_t waited_us = 0;   // of the present one, by wait()

    // What one iteration goes by, whatever is committed in its course (L-3).
    uint64_t latched_aggregation = 0;
    uint64_t latched_ops_update = 0;
    uint64_t latched_sample_us = 0;
    bool latched_attributes_only = false;

    // T = 0 and first deadlines (3.2).
    void start(const Attrs& attrs);
    void latch(const Attrs& attrs, bool attributes_only);

    // One sampling interval is over. It took `elapsed_us`.
    void pass(uint64_t elapsed_us);
    // Time that passes in its course: the clock goes on, T does not.
    void wait(uint64_t elapsed_us);
    // Until the clock stands at `deadline`.
    uint64_t us_until(uint64_t deadline) const;
    uint64_t clock() const { return passed_sample_intervals + nr_late; }
    // What this window adds to ages: its length, but no more than twice the wanted one where one of its intervals took
    // most of the time (the process was stopped, the worker came late), since nobody looked meanwhile.
    uint64_t ageing_us(const Attrs& attrs) const;
    void restart_window() { window_us = longest_us = waited_us = 0; }
    // The length of an interval that is not late.
    uint64_t nominal_us() const { return std::max<uint64_t>(latched_sample_us, 1); }

    bool aggregation_due() const { return tick_reached(passed_sample_intervals, latched_aggregation); }
    bool ops_update_due() const { return tick_reached(clock(), latched_ops_update); }
    bool intervals_tune_due() const { return tick_reached(clock(), next_intervals_tune); }
    // T lies inside a window that the live deadline ends (M-29); safe across the wrap.
    bool aggregating() const { return !tick_reached(passed_sample_intervals, next_aggregation); }

    // The next deadline counts from the latched one, so that periods do not drift (L-2). Periods that the clock has
    // passed meanwhile are left out.
    void advance_aggregation(const Attrs& attrs);
    void advance_ops_update(const Attrs& attrs);
    // The next tuning, `aggr_samples` times the goal's aggrs further on (M-32).
    void advance_intervals_tune(const Attrs& attrs, uint64_t aggr_samples);
    // A goal that was switched on in mid-run waits its full period from now.
    void begin_intervals_tune(const Attrs& attrs, uint64_t aggr_samples);

    // New attributes: the window restarts if its length or its samples change, the update timer goes on.
    void change_attrs(const Attrs& before, const Attrs& after);

    bool operator==(const Cadence&) const = default;
};

}  // namespace damon
