#include "kdamond/worker/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace damon {
namespace {

constexpr const char* kSamplingReason = "at the wanted intervals";
constexpr const char* kPausedReason = "by damon_set_pause() or a commit";

}  // namespace

Activity Progress::activity() const {
    const Lock lock(run_.sync.mutex);
    Activity activity = activity_;
    const bool samples = activity.state == State::kSampling || activity.state == State::kLimited;
    if (!samples) activity.cost_permil = 0;
    return activity;
}

void Progress::start() {
    lengthened_ = update_held_back_ = told_limited_ = told_added_ = gated_ = false;
    nr_passed_over_ = 0;
    window_.start(run_.clock.now_ns());
    cost_rate_.start(run_.clock.now_ns());
}

void Progress::move_begin() {
    const uint64_t now_ns = run_.clock.now_ns();
    window_.move(now_ns);
    cost_rate_.start(now_ns);
    const Lock lock(run_.sync.mutex);
    activity_.since_ns = now_ns;
}

void Progress::show_begin_locked() {
    activity_.window_us = activity_.cost_permil = 0;
    if (run_.state.paused) {
        activity_.become(State::kPaused, run_.clock.now_ns(), kPausedReason);
    } else {
        activity_.become(State::kSampling, run_.clock.now_ns(), kSamplingReason);
    }
}

void Progress::show_end_locked(const Status& why) {
    const bool on_its_own = !why.ok();
    activity_.become(on_its_own ? State::kEnded : State::kStopped, run_.clock.now_ns(),
                     on_its_own ? why.text() : "stopped");
}

void Progress::show_stopped_locked() {
    if (activity_.state != State::kStopped) activity_.become(State::kStopped, run_.clock.now_ns(), "stopped");
}

void Progress::become(State state, const char* reason) {
    const Lock lock(run_.sync.mutex);
    activity_.become(state, run_.clock.now_ns(), reason);
}

void Progress::pause_locked() { activity_.become(State::kPaused, run_.clock.now_ns(), kPausedReason); }

void Progress::resume_locked() {
    gated_ = told_limited_ = false;
    activity_.become(State::kSampling, run_.clock.now_ns(), kSamplingReason);
}

void Progress::pause() { become(State::kPaused, kPausedReason); }

void Progress::resume() {
    gated_ = false;
    become(State::kSampling, kSamplingReason);
}

void Progress::lengthen_interval() {
    lengthened_ = true;
    become_limited();
}

void Progress::pass_interval_over() {
    ++nr_passed_over_;
    become_limited();
}

void Progress::hold_update_back(bool held_back) {
    update_held_back_ = held_back;
    if (held_back) become_limited();
}

// At once: the first window that the limit makes longer may take long.
void Progress::become_limited() {
    if (told_limited_) return;
    told_limited_ = true;
    char reason[Activity::kReasonBytes];
    snprintf(reason, sizeof reason, "max_overhead_permil is %llu: %s",
             static_cast<unsigned long long>(run_.engine.params().attrs.max_overhead_permil),
             update_held_back_      ? "the mappings are read less often"
             : nr_passed_over_ != 0 ? "not every sampling interval is looked in"
                                    : "sampling intervals are made longer");
    become(State::kLimited, reason);
}

void Progress::show_tuned(const Attrs& before) {
    const Attrs& now = run_.engine.params().attrs;
    if (now.sample_us == before.sample_us && now.aggr_us == before.aggr_us) return;
    const Lock lock(run_.sync.mutex);
    tuned_ = true;
    tuned_sample_us_ = now.sample_us;
    tuned_aggr_us_ = now.aggr_us;
}

Attrs Progress::attrs_as_tuned_locked(const Attrs& attrs) const {
    Attrs tuned = attrs;
    if (tuned_) {
        tuned.sample_us = tuned_sample_us_;
        tuned.aggr_us = tuned_aggr_us_;
    }
    return tuned;
}

void Progress::describe_limit(char (&reason)[Activity::kReasonBytes], uint64_t window_us) const {
    const Attrs& attrs = run_.engine.params().attrs;
    const auto permil = static_cast<unsigned long long>(attrs.max_overhead_permil);
    if (!lengthened_ && nr_passed_over_ == 0) {
        snprintf(reason, sizeof reason,
                 "max_overhead_permil is %llu: the mappings are read less often than ops_update_us %llu", permil,
                 static_cast<unsigned long long>(attrs.ops_update_us));
        return;
    }
    snprintf(reason, sizeof reason, "max_overhead_permil is %llu: the last window took %llu us instead of %llu", permil,
             static_cast<unsigned long long>(window_us), static_cast<unsigned long long>(attrs.aggr_us));
    if (nr_passed_over_ != 0) {
        const uint64_t intervals = attrs.aggr_samples();
        const size_t length = strnlen(reason, sizeof reason);
        snprintf(reason + length, sizeof reason - length, " and looked in %llu of its %llu intervals",
                 static_cast<unsigned long long>(intervals - std::min(intervals, nr_passed_over_)),
                 static_cast<unsigned long long>(intervals));
    }
    if (update_held_back_) {
        const size_t length = strnlen(reason, sizeof reason);
        snprintf(reason + length, sizeof reason - length, ", and the mappings are read less often");
    }
}

// Of a minimum next to the maximum only a part is kept.
bool Progress::add_reserve(char (&reason)[Activity::kReasonBytes]) const {
    const Attrs& attrs = run_.engine.params().attrs;
    if (attrs.least_nr_regions() >= attrs.min_nr_regions) return false;
    const size_t length = strnlen(reason, sizeof reason);
    snprintf(reason + length, sizeof reason - length, "; min_nr_regions counts as %llu: splits need the rest",
             static_cast<unsigned long long>(attrs.least_nr_regions()));
    return true;
}

// What no tuning will reach, if anything (M-39, S-41): the first that there is is added to what the state says anyway.
bool Progress::add_out_of_reach(char (&reason)[Activity::kReasonBytes]) const {
    const Engine& engine = run_.engine;
    const size_t length = strnlen(reason, sizeof reason);
    if (engine.params().attrs.intervals_goal.aggrs != 0 && engine.intervals_tuner().out_of_reach()) {
        snprintf(reason + length, sizeof reason - length, "; intervals_goal.access_bp is out of reach: %llu bp of it",
                 static_cast<unsigned long long>(engine.intervals_tuner().score()));
        return true;
    }
    for (size_t i = 0; i < engine.nr_schemes(); ++i) {
        const TunerMemory& tuner = engine.scheme(i).quota.tuner;
        if (engine.params().schemes[i].goals.empty() || !tuner.out_of_reach()) continue;
        snprintf(reason + length, sizeof reason - length,
                 "; the goals of schemes[%zu] are out of reach: %llu bp of them", i,
                 static_cast<unsigned long long>(tuner.score));
        return true;
    }
    return false;
}

// At the end of a window.
void Progress::show_window(uint64_t window_us) {
    const bool limited = lengthened_ || update_held_back_ || nr_passed_over_ != 0;
    char reason[Activity::kReasonBytes];
    snprintf(reason, sizeof reason, "%s", kSamplingReason);
    if (limited) describe_limit(reason, window_us);
    const bool reserved = add_reserve(reason);
    const bool added = add_out_of_reach(reason) || reserved;
    lengthened_ = false;
    nr_passed_over_ = 0;
    const uint64_t now_ns = run_.clock.now_ns();
    uint64_t cost_permil = 0;
    const bool measured = cost_rate_.measure(now_ns, cost_permil);
    const Lock lock(run_.sync.mutex);
    activity_.window_us = window_us;
    if (measured) activity_.cost_permil = cost_permil;
    if (limited) {
        activity_.become(State::kLimited, now_ns, reason);
    } else if (told_limited_ || added || told_added_) {
        activity_.become(State::kSampling, now_ns, reason);
    }
    told_limited_ = limited;
    told_added_ = added;
}

// Which scheme waits, and for what: the first of them stands for all.
void Progress::show_gate(const WatermarkValues& values) {
    const Engine& engine = run_.engine;
    size_t scheme_idx = 0;
    while (scheme_idx + 1 < engine.nr_schemes() && engine.scheme(scheme_idx).activated) ++scheme_idx;
    if (scheme_idx >= engine.nr_schemes()) return;
    const Watermarks& wmarks = engine.params().schemes[scheme_idx].wmarks;
    const bool own_memcg = wmarks.metric == WatermarkMetric::kOwnMemcgFreeRate;
    const int32_t permil = own_memcg ? values.own_memcg : values.free_mem;
    char value[32] = "cannot be read";
    if (permil >= 0) snprintf(value, sizeof value, "is %d permil", permil);
    char reason[Activity::kReasonBytes];
    snprintf(reason, sizeof reason, "schemes[%zu].wmarks: %s %s; high %u, mid %u, low %u; all %zu schemes wait",
             scheme_idx, own_memcg ? "what the memory group has free" : "free memory", value, wmarks.high, wmarks.mid,
             wmarks.low, engine.nr_schemes());
    become(State::kWatermarks, reason);
    gated_ = true;
    told_limited_ = lengthened_ = false;
    nr_passed_over_ = 0;
}

void Progress::show_gate(const char* reason) {
    if (gated_) return;
    become(State::kWatermarks, reason);
    gated_ = true;
}

void Progress::leave_gate() {
    if (!gated_) return;
    gated_ = false;
    become(State::kSampling, kSamplingReason);
}

}  // namespace damon
