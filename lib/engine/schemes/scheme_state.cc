#include "engine/schemes/scheme_state.h"

namespace damon {

bool SchemeState::copy_from(const SchemeState& other) {
    if (!goals.copy_from(other.goals)) return false;
    stats = other.stats;
    quota = other.quota;
    filter_defaults = other.filter_defaults;
    acted_until = other.acted_until;
    acted_target = other.acted_target;
    next_apply_sis = other.next_apply_sis;
    by_clock = other.by_clock;
    activated = other.activated;
    due = other.due;
    esz_due = other.esz_due;
    in_pass = other.in_pass;
    return true;
}

uint64_t ticks_for(const SchemeParams& scheme, const Cadence& cadence) {
    return scheme.apply_interval_us != 0 ? cadence.clock() : cadence.passed_sample_intervals;
}

void keep_deadline(const SchemeParams& scheme, const Cadence& now, SchemeState& state) {
    const bool by_clock = scheme.apply_interval_us != 0;
    if (by_clock && !state.by_clock) state.next_apply_sis += now.nr_late;
    if (!by_clock && state.by_clock) state.next_apply_sis -= now.nr_late;
    state.by_clock = by_clock;
}

uint64_t apply_interval_ticks(const SchemeParams& scheme, const Attrs& attrs) {
    return period_ticks(scheme.apply_interval_us != 0 ? scheme.apply_interval_us : attrs.aggr_us, attrs);
}

void start_scheme(const SchemeParams& scheme, const Attrs& attrs, uint64_t tick, SchemeState& state) {
    state.next_apply_sis = tick + apply_interval_ticks(scheme, attrs);
    state.by_clock = scheme.apply_interval_us != 0;
    state.filter_defaults = filter_defaults(scheme);
    state.due = false;
    state.in_pass = false;
}

void reschedule_scheme(const SchemeParams& scheme, const Attrs& before, const Attrs& after, uint64_t tick,
                       SchemeState& state) {
    if (before.sample_us == after.sample_us && before.aggr_us == after.aggr_us) return;
    if (scheme.apply_interval_us == 0) {
        state.next_apply_sis = tick + apply_interval_ticks(scheme, after);
        return;
    }
    const PeriodChange unchanged{scheme.apply_interval_us, scheme.apply_interval_us};
    state.next_apply_sis = retimed_deadline(tick, state.next_apply_sis, unchanged, before, after);
}

void forget_target(uint32_t target_idx, SchemeState& state) {
    ResumePoint& resume = state.quota.resume;
    if (!resume.set || resume.target_idx < target_idx) return;
    if (resume.target_idx == target_idx) {
        resume = {};
    } else {
        --resume.target_idx;
    }
}

}  // namespace damon
