#include "engine/schemes/scheme_commit.h"

namespace damon {
namespace {

// `state` is the copy of an older scheme's state, or new.
[[nodiscard]] bool adopt(const SchemeParams& scheme, SchemeState& state) {
    if (!state.goals.resize(scheme.goals.size())) return false;
    for (GoalState& goal : state.goals) goal.last_pressure_total_us = kU64Max;
    state.filter_defaults = filter_defaults(scheme);
    if (!quota_is_set(scheme)) state.quota.esz = 0;  // nothing limits any more
    // Only an evaluation of watermarks can wake a scheme, and there will be none: do not sleep for ever.
    if (scheme.wmarks.metric == WatermarkMetric::kNone) state.activated = true;
    return true;
}

}  // namespace

bool carry_over_schemes(std::span<const SchemeState> before, std::span<const SchemeParams> next, const Attrs& attrs,
                        const Cadence& now, Vector<SchemeState>& after) {
    Vector<SchemeState> states;
    if (!states.resize(next.size())) return false;
    for (size_t i = 0; i < next.size(); ++i) {
        if (i < before.size()) {
            if (!states[i].copy_from(before[i])) return false;
            keep_deadline(next[i], now, states[i]);
        } else {
            start_scheme(next[i], attrs, ticks_for(next[i], now), states[i]);
        }
        if (!adopt(next[i], states[i])) return false;
    }
    after.swap(states);
    return true;
}

}  // namespace damon
