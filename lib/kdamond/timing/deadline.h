// When the next sampling interval ends: points on one grid, whatever the worker's delays.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

struct Deadline {
    uint64_t at_ns = 0;
    uint64_t nr_skipped = 0;  // grid points that a late worker leaves out
};

// The end of the interval that begins at `now_ns` and follows the one that was to end at `previous_ns` (0: the first,
// or the grid was left). A worker that is late skips points instead of catching up in a burst, and never leaves the
// program less than half an interval to show its accesses. An interval that was tuned down, or a clock that was set
// back, does not leave a deadline more than two intervals ahead.
inline Deadline next_deadline(uint64_t previous_ns, uint64_t interval_ns, uint64_t now_ns) {
    const uint64_t latest = saturating_add(now_ns, saturating_mul(2, interval_ns));
    if (previous_ns == 0 || interval_ns == 0) return {saturating_add(now_ns, interval_ns), 0};
    Deadline next{saturating_add(previous_ns, interval_ns), 0};
    const uint64_t earliest = saturating_add(now_ns, interval_ns / 2);
    if (next.at_ns < earliest) {
        next.nr_skipped = (earliest - next.at_ns - 1) / interval_ns + 1;
        next.at_ns = saturating_add(next.at_ns, saturating_mul(next.nr_skipped, interval_ns));
    }
    next.at_ns = std::min(next.at_ns, latest);
    return next;
}

// The same deadline, put off to a point of its grid at or behind `earliest_ns`.
inline Deadline put_off(Deadline deadline, uint64_t interval_ns, uint64_t earliest_ns) {
    if (deadline.at_ns >= earliest_ns) return deadline;
    if (interval_ns == 0) return {earliest_ns, deadline.nr_skipped};
    const uint64_t nr_more = (earliest_ns - deadline.at_ns - 1) / interval_ns + 1;
    return {saturating_add(deadline.at_ns, saturating_mul(nr_more, interval_ns)), deadline.nr_skipped + nr_more};
}

}  // namespace damon
