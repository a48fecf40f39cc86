// What a run tells of itself: its state and why, how long windows really are, what it costs.
#include <cstdio>

#include "kdamond/kdamond.h"

namespace damon {

Activity Kdamond::activity() const {
    const Lock lock(sync_.mutex);
    Activity activity = activity_;
    const bool samples = activity.state == State::kSampling || activity.state == State::kLimited;
    if (!samples) activity.cost_permil = 0;
    return activity;
}

SnapshotInfo Kdamond::describe_now() const {
    const uint64_t now = now_ns();
    SnapshotInfo info = publisher_.describe(engine_, now);
    info.window_us = window_.so_far_ns(now) / 1000;
    return info;
}

void Kdamond::show_begin_locked() {
    activity_.window_us = activity_.cost_permil = 0;
    if (paused_) {
        activity_.become(State::kPaused, now_ns(), kPausedReason);
    } else {
        activity_.become(State::kSampling, now_ns(), kSamplingReason);
    }
}

void Kdamond::show_end_locked() {
    const bool on_its_own = !end_reason_.ok();
    activity_.become(on_its_own ? State::kEnded : State::kStopped, now_ns(),
                     on_its_own ? end_reason_.text() : "stopped");
}

void Kdamond::show_stopped_locked() {
    if (activity_.state != State::kStopped) activity_.become(State::kStopped, now_ns(), "stopped");
}

void Kdamond::become(State state, const char* reason) {
    const Lock lock(sync_.mutex);
    activity_.become(state, now_ns(), reason);
}

// At once: the first window that the limit makes longer may take long.
void Kdamond::become_limited() {
    if (told_limited_) return;
    told_limited_ = true;
    char reason[Activity::kReasonBytes];
    snprintf(reason, sizeof reason, "max_overhead_permil is %llu: %s",
             static_cast<unsigned long long>(engine_.params().attrs.max_overhead_permil),
             update_held_back_ ? "the mappings are read less often" : "sampling intervals are made longer");
    become(State::kLimited, reason);
}

// The intervals may have been tuned since `before`.
void Kdamond::show_tuned(const Attrs& before) {
    const Attrs& now = engine_.params().attrs;
    if (now.sample_us == before.sample_us && now.aggr_us == before.aggr_us) return;
    const Lock lock(sync_.mutex);
    tuned_ = true;
    tuned_sample_us_ = now.sample_us;
    tuned_aggr_us_ = now.aggr_us;
}

Attrs Kdamond::attrs_as_tuned_locked(const Attrs& attrs) const {
    Attrs tuned = attrs;
    if (tuned_) {
        tuned.sample_us = tuned_sample_us_;
        tuned.aggr_us = tuned_aggr_us_;
    }
    return tuned;
}

// What no tuning will reach, if anything: the first that there is (M-39, S-41). Ends with what the state says anyway.
bool Kdamond::tell_out_of_reach(char* text, size_t size, const char* reason) const {
    if (engine_.params().attrs.intervals_goal.aggrs != 0 && engine_.intervals_tuner().out_of_reach()) {
        const uint64_t reached_bp = engine_.intervals_tuner().score();
        snprintf(text, size, "%s; intervals_goal.access_bp is out of reach: %llu bp of it", reason,
                 static_cast<unsigned long long>(reached_bp));
        return true;
    }
    for (size_t i = 0; i < engine_.nr_schemes(); ++i) {
        const TunerMemory& tuner = engine_.scheme(i).quota.tuner;
        if (engine_.params().schemes[i].goals.empty() || !tuner.out_of_reach()) continue;
        snprintf(text, size, "%s; the goals of schemes[%zu] are out of reach: %llu bp of them", reason, i,
                 static_cast<unsigned long long>(tuner.score));
        return true;
    }
    snprintf(text, size, "%s", reason);
    return false;
}

// At the end of a window.
void Kdamond::show_window(uint64_t window_us) {
    const Attrs& attrs = engine_.params().attrs;
    char reason[Activity::kReasonBytes];
    const bool limited = limited_ || update_held_back_;
    if (limited_) {
        snprintf(reason, sizeof reason, "max_overhead_permil is %llu: the last window took %llu us instead of %llu%s",
                 static_cast<unsigned long long>(attrs.max_overhead_permil), static_cast<unsigned long long>(window_us),
                 static_cast<unsigned long long>(attrs.aggr_us),
                 update_held_back_ ? ", and the mappings are read less often" : "");
    } else {
        snprintf(reason, sizeof reason,
                 "max_overhead_permil is %llu: the mappings are read less often than ops_update_us %llu",
                 static_cast<unsigned long long>(attrs.max_overhead_permil),
                 static_cast<unsigned long long>(attrs.ops_update_us));
    }
    limited_ = false;
    char text[Activity::kReasonBytes];
    const bool out_of_reach = tell_out_of_reach(text, sizeof text, limited ? reason : kSamplingReason);
    const uint64_t now = now_ns();
    uint64_t cost_permil = 0;
    const bool measured = cost_rate_.measure(now, cost_permil);
    const Lock lock(sync_.mutex);
    activity_.window_us = window_us;
    if (measured) activity_.cost_permil = cost_permil;
    if (limited) {
        activity_.become(State::kLimited, now, text);
    } else if (told_limited_ || out_of_reach || told_out_of_reach_) {
        activity_.become(State::kSampling, now, text);
    }
    told_limited_ = limited;
    told_out_of_reach_ = out_of_reach;
}

// Which scheme waits, and for what: the first of them stands for all.
void Kdamond::show_gate(const WatermarkValues& values) {
    size_t scheme_idx = 0;
    while (scheme_idx + 1 < engine_.nr_schemes() && engine_.scheme(scheme_idx).activated) ++scheme_idx;
    if (scheme_idx >= engine_.nr_schemes()) return;
    const Watermarks& wmarks = engine_.params().schemes[scheme_idx].wmarks;
    const bool own_memcg = wmarks.metric == WatermarkMetric::kOwnMemcgFreeRate;
    char reason[Activity::kReasonBytes];
    snprintf(reason, sizeof reason,
             "schemes[%zu].wmarks: %s is %d permil; high %u, mid %u, low %u; all %zu schemes wait", scheme_idx,
             own_memcg ? "what the memory group has free" : "free memory",
             own_memcg ? values.own_memcg : values.free_mem, wmarks.high, wmarks.mid, wmarks.low, engine_.nr_schemes());
    become(State::kWatermarks, reason);
    gated_ = true;
    told_limited_ = limited_ = false;
}

void Kdamond::leave_gate() {
    if (!gated_) return;
    gated_ = false;
    become(State::kSampling, kSamplingReason);
}

// Time in which nothing is monitored is no part of a window, nor of what monitoring costs over time.
void Kdamond::rest() { window_.rest(now_ns()); }

void Kdamond::go_on() { cost_rate_.skip(window_.go_on(now_ns())); }

}  // namespace damon
