// What a scheme remembers between passes. Its parameters are kept apart, in Params, so that they exist once.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "engine/monitor/cadence.h"
#include "engine/schemes/core_filter.h"
#include "engine/schemes/goal.h"
#include "engine/schemes/quota.h"
#include "model/attrs.h"
#include "model/scheme.h"

namespace damon {

struct SchemeState {
    SchemeStats stats;
    QuotaState quota;
    Vector<GoalState> goals;  // parallel to SchemeParams::goals
    FilterDefaults filter_defaults;
    // Within a pass: how far the scheme has acted in target `acted_target`. A region that another scheme cuts
    // afterwards is met twice, and acted on once (I-9).
    uint64_t acted_until = 0;
    uint32_t acted_target = 0;
    uint64_t next_apply_sis = 0;  // when the scheme is due (C-4), in T or by the clock
    bool by_clock = false;        // which of the two
    bool activated = true;        // by its watermarks (S-29)
    bool due = false;             // its deadline had passed in the latest pass: for walk marks
    bool esz_due = false;         // a charge window has opened, its effective size is to be computed
    bool in_pass = false;         // due and active: takes part in the latest pass

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const SchemeState& other);
    bool operator==(const SchemeState&) const = default;
};

// What the scheme's deadline counts in, as it is now: the clock for an interval of its own, which is given as time; T
// for one that follows the aggregation.
uint64_t ticks_for(const SchemeParams& scheme, const Cadence& cadence);

// New parameters may count the deadline in the other of the two: it is as far away as before.
void keep_deadline(const SchemeParams& scheme, const Cadence& now, SchemeState& state);

// Ticks between two applications (L-2).
uint64_t apply_interval_ticks(const SchemeParams& scheme, const Attrs& attrs);

// Start of a run, at `tick` of ticks_for: the first deadline, the filter defaults. Statistics and quota state stay
//
void start_scheme(const SchemeParams& scheme, const Attrs& attrs, uint64_t tick, SchemeState& state);

// The deadline after the attributes changed from `before` to `after` at `tick`. A scheme with an interval of its own
// keeps the time that has elapsed and is due within one interval; one that follows the aggregation starts again
// with the window, where the window does (M-29, Q-5).
void reschedule_scheme(const SchemeParams& scheme, const Attrs& before, const Attrs& after, uint64_t tick,
                       SchemeState& state);

// A target went, by commit: the resume point goes with it, and those behind it move up.
void forget_target(uint32_t target_idx, SchemeState& state);

}  // namespace damon
