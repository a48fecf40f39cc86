// What a run reports of itself: its state and why, how long windows really are, what it costs, its intervals as tuned.
#pragma once

#include <cstdint>

#include "kdamond/exchange/activity.h"
#include "kdamond/timing/window_clock.h"
#include "kdamond/worker/run.h"

namespace damon {

class Progress {
public:
    explicit Progress(Run& run) : run_(run) {}

    // --- any thread ---

    Activity activity() const;
    // `attrs` with the intervals that the run, or the last one, tuned since they were set. The sync's mutex is held.
    Attrs attrs_as_tuned_locked(const Attrs& attrs) const;
    // They were set anew. The sync's mutex is held.
    void forget_tuned_locked() { tuned_ = false; }

    // --- both ends of a run; the sync's mutex is held where the name says so ---

    void start();
    void show_begin_locked();
    void show_end_locked(const Status& why);
    void show_stopped_locked();

    // --- the worker ---

    // Paused, and sampling again. `_locked`: the sync's mutex is held.
    void pause_locked();
    void resume_locked();
    void pause();
    void resume();
    // All schemes wait for their watermarks; and no longer.
    void show_gate(const WatermarkValues& values);
    void show_gate(const char* reason);
    void leave_gate();
    // The limit on the cost made an interval longer, or puts a reading of the mappings off.
    void lengthen_interval();
    // It has nobody look in this one.
    void pass_interval_over();
    void hold_update_back(bool held_back);

    // Time in which nothing is monitored is no part of a window, nor of what monitoring costs over time.
    void rest() { window_.rest(run_.clock.now_ns()); }
    void go_on() { cost_rate_.skip(window_.go_on(run_.clock.now_ns())); }
    // The run begins now.
    void move_begin();
    void add_cost(uint64_t cost_ns) { cost_rate_.add(cost_ns); }
    // Ends the window and returns how long it was.
    uint64_t end_window_us(uint64_t now_ns) { return window_.end_window(now_ns) / 1000; }
    uint64_t window_so_far_us(uint64_t now_ns) const { return window_.so_far_ns(now_ns) / 1000; }
    void show_window(uint64_t window_us);
    // The intervals may have been tuned since `before`.
    void show_tuned(const Attrs& before);

private:
    void become(State state, const char* reason);
    void become_limited();
    void describe_limit(char (&reason)[Activity::kReasonBytes], uint64_t window_us) const;
    bool add_reserve(char (&reason)[Activity::kReasonBytes]) const;
    bool add_out_of_reach(char (&reason)[Activity::kReasonBytes]) const;

    Run& run_;
    WindowClock window_;
    CostRate cost_rate_;
    uint64_t nr_passed_over_ = 0;    // intervals of this window in which nobody looked, for the limit
    bool lengthened_ = false;        // the limit made an interval of this window longer
    bool update_held_back_ = false;  // the limit put a reading of the mappings off
    bool told_limited_ = false;      // the state says so
    bool told_added_ = false;        // it says more than how sampling goes
    bool gated_ = false;             // the state says that all schemes wait for their watermarks

    // Under the sync's mutex:
    Activity activity_;
    bool tuned_ = false;
    uint64_t tuned_sample_us_ = 0;
    uint64_t tuned_aggr_us_ = 0;
};

}  // namespace damon
