// Manual drive: any thread takes the worker's place for a moment, to step, to call or to change.
#include <cerrno>

#include "kdamond/kdamond.h"

namespace damon {

bool Kdamond::enter_manual() {
    const Lock lock(sync_.mutex);
    while (driver_busy_ || phase_ == Phase::kStarting) sync_.callers.wait(sync_.mutex);
    if (!manual_ || phase_ != Phase::kRunning) return false;
    driver_busy_ = true;
    set_runner();
    return true;
}

void Kdamond::leave_manual() {
    const Lock lock(sync_.mutex);
    driver_busy_ = stepping_ = false;
    runner_.store(0, std::memory_order_relaxed);
    sync_.callers.notify_all();
}

int Kdamond::call_manually(Call& call) {
    if (!enter_manual()) return -ECANCELED;
    call.result = call.fn(call.data);
    gate_until_us_ = 0;
    // The call may have paused, resumed, or dropped what was planned by changing what is monitored.
    settle_manually();
    leave_manual();
    return 0;
}

void Kdamond::set_pause_manually(bool pause) {
    {
        const Lock lock(sync_.mutex);
        set_pause_locked(pause);
    }
    settle_manually();
    leave_manual();
}

int Kdamond::begin_step(uint64_t now_us) {
    if (on_worker()) return -EDEADLK;
    const Lock lock(sync_.mutex);
    if (stepping_) return -EBUSY;
    while (driver_busy_) sync_.callers.wait(sync_.mutex);
    if (!manual_ || phase_ == Phase::kStopped || phase_ == Phase::kStarting) return -EINVAL;
    if (phase_ == Phase::kEnded) return -ECANCELED;
    if (stepping_) return -EBUSY;
    if (now_us < manual_now_us_) return -EINVAL;
    driver_busy_ = stepping_ = true;
    set_runner();
    return 0;
}

int Kdamond::step(uint64_t now_us) {
    const int error = begin_step(now_us);
    if (error != 0) return error;
    manual_now_us_ = now_us;
    ops_->set_now(now_us);
    if (!paused_ && stage_ == Stage::kArmed && !held_back()) {
        pass_manually();
        count_interval();
        charge_model();
        run_calls();
    } else {
        run_mailbox(true);  // paused, or waiting for watermarks
    }
    settle_manually();
    const bool ended = should_end();
    if (ended) {
        finish_run();
        release_rest();
    } else if (plan_lost()) {
        settle_manually();
    }
    leave_manual();
    return ended ? -ECANCELED : 0;
}

// The limit of what monitoring costs, by a simulator's prices: without any, none holds.
void Kdamond::charge_model() {
    const uint64_t sampling_ns = ops_->take_model_cost_ns();
    const uint64_t cost_ns = sampling_ns == 0 ? 0 : saturating_add(sampling_ns, survey_cost_ns_);
    survey_cost_ns_ = 0;
    cost_rate_.add(cost_ns);
    const uint64_t permil = sampling_ns == 0 ? 0 : engine_.params().attrs.max_overhead_permil;
    permitted_ns_ = saturating_add(now_ns(), overhead_.charge(cost_ns, permil, now_ns()));
}

// The interval goes on until what was spent is paid back.
bool Kdamond::held_back() {
    if (now_ns() >= permitted_ns_) return false;
    Counters::add(counters_.nr_skipped_intervals, 1);
    limited_ = true;
    become_limited();
    return true;
}

// Whether what was armed is no longer to be asked: parameters or coverage changed since.
bool Kdamond::plan_lost() { return stage_ == Stage::kArmed && engine_.samples().size() != engine_.nr_regions(); }

// Brings a manually driven context to where it waits for the next step: paused and disarmed, or armed.
void Kdamond::settle_manually() {
    if (pause_wanted() && !paused_) run_deferred_commits();  // which may take the pause back
    const bool pause = pause_wanted();
    if (pause && !paused_) {
        walks_.close();
        rest();
        become(State::kPaused, kPausedReason);
    } else if (!pause && paused_) {
        walks_.open();
        go_on();
        overhead_.skip_to(now_ns());
        gated_ = false;
        become(State::kSampling, kSamplingReason);
    }
    if ((pause && stage_ == Stage::kArmed) || plan_lost()) {
        disarm();
        if (pause) release_rest();
        stage_ = Stage::kIdle;
    }
    if (pause) resting_ = true;
    {
        const Lock lock(sync_.mutex);
        paused_ = pause;
    }
    if (engine_.nr_schemes() == 0) walks_.cancel();
    if (!pause) advance_manually();
}

void Kdamond::advance_manually() {
    if (stage_ == Stage::kCounted) finish_interval();
    if (pause_wanted()) {  // an action's callback asked for it
        settle_manually();
        return;
    }
    if (stage_ != Stage::kIdle) return;
    const bool waiting = now_us() < gate_until_us_;
    const WatermarkValues values = waiting ? WatermarkValues() : watermark_values();
    const uint64_t wait_us = waiting ? 0 : engine_.watermark_wait_us(values);
    if (!waiting) gate_until_us_ = wait_us == 0 ? 0 : saturating_add(now_us(), wait_us);
    if (!waiting && wait_us == 0) {
        leave_gate();
        go_on();
        begin_interval();
        return;
    }
    if (!waiting) show_gate(values);
    rest();
    resting_ = true;
    walks_.cancel();
    publisher_.publish_schemes(engine_);
}

}  // namespace damon
