#include "kdamond/manual_driver.h"

#include <algorithm>
#include <cerrno>

#include "kdamond/worker/worker.h"

namespace damon {

Status ManualDriver::launch() {
    Run& run = worker_.run;
    now_us_ = 0;
    stepped_ = false;
    run.clock.set_us(0);
    gate_until_us_ = 0;
    run.set_runner();
    const Status status = worker_.begin_run();
    {
        const Lock lock(run.sync.mutex);
        run.state.phase = status.ok() ? Phase::kRunning : Phase::kStopped;
        busy_ = status.ok();
        run.state.paused = run.state.pause_wanted;
        if (status.ok()) worker_.progress.show_begin_locked();
        if (!status.ok()) run.clear_runner();
        run.sync.callers.notify_all();
    }
    if (!status.ok()) return status;
    if (run.state.paused) {
        worker_.walks.close();
        run.ops->set_paused(true);
        worker_.release_rest();
    } else {
        advance();
    }
    leave();
    return status;
}

void ManualDriver::stop(Lock& lock) {
    Run& run = worker_.run;
    if (run.state.phase == Phase::kRunning) {
        busy_ = true;
        run.set_runner();
        lock.unlock();
        worker_.finish_run();
        worker_.release_rest();
        lock.relock();
        busy_ = false;
    }
    run.state.phase = Phase::kStopped;
    worker_.progress.show_stopped_locked();
    run.sync.callers.notify_all();
}

// The context may have been started otherwise since.
bool ManualDriver::runs_locked() const {
    return worker_.is_driven_by(*this) && worker_.run.state.phase == Phase::kRunning;
}

bool ManualDriver::enter() {
    Run& run = worker_.run;
    const Lock lock(run.sync.mutex);
    while (busy_ || run.state.phase == Phase::kStarting) run.sync.callers.wait(run.sync.mutex);
    if (!runs_locked()) return false;
    busy_ = true;
    run.set_runner();
    return true;
}

void ManualDriver::leave() {
    Run& run = worker_.run;
    const Lock lock(run.sync.mutex);
    busy_ = stepping_ = false;
    run.clear_runner();
    run.sync.callers.notify_all();
}

int ManualDriver::call(Call& call, uint64_t /*run_number*/, uint64_t* /*id_out*/) {
    if (!enter()) return -ECANCELED;
    call.result = call.fn(call.data);
    gate_until_us_ = 0;  // the call may have changed the schemes: their watermarks decide anew
    // The call may have paused, resumed, or dropped what was planned by changing what is monitored.
    settle();
    leave();
    return 0;
}

Status ManualDriver::set_pause(bool pause) {
    Run& run = worker_.run;
    const bool entered = !run.on_worker() && enter();
    {
        const Lock lock(run.sync.mutex);
        run.set_pause_locked(pause);
    }
    if (!entered) return {};
    settle();
    leave();
    return {};
}

// Whether a step can serve the walk shows now; a worker would find out by itself.
int ManualDriver::install(Walk& walk) {
    if (!enter()) return worker_.walks.install(walk);
    const bool served = worker_.run.engine.nr_schemes() > 0 && gate_until_us_ == 0;
    const int error = served ? worker_.walks.install(walk) : -ECANCELED;
    leave();
    return error;
}

int ManualDriver::begin_step(uint64_t now_us) {
    Run& run = worker_.run;
    const Lock lock(run.sync.mutex);
    if (stepping_) return -EBUSY;
    while (busy_) run.sync.callers.wait(run.sync.mutex);
    if (run.state.phase == Phase::kEnded && worker_.is_driven_by(*this)) return -ECANCELED;
    if (!runs_locked()) return -EINVAL;
    if (stepping_) return -EBUSY;
    if (now_us < now_us_) return -EINVAL;
    busy_ = stepping_ = true;
    run.set_runner();
    return 0;
}

int ManualDriver::step(uint64_t now_us) {
    const int error = begin_step(now_us);
    if (error != 0) return error;
    Run& run = worker_.run;
    Interval& interval = worker_.interval;
    if (!stepped_) begin_before(now_us);
    stepped_ = true;
    now_us_ = now_us;
    run.clock.set_us(now_us);
    run.ops->set_now(now_us);
    if (!run.state.paused && interval.stage() == Interval::Stage::kArmed && !held_back()) {
        worker_.passes.make_whole();
        interval.count();
        worker_.costs.charge_model();
        worker_.run_calls();
    } else {
        worker_.run_mailbox(true);  // paused, or waiting for watermarks
    }
    settle();
    const bool ended = worker_.should_end();
    if (ended) {
        worker_.finish_run();
        worker_.release_rest();
    } else if (interval.plan_lost()) {
        settle();
    }
    leave();
    return ended ? -ECANCELED : 0;
}

// The origin of time is the caller's choice: what the first step is told says when the run began, an interval before.
void ManualDriver::begin_before(uint64_t now_us) {
    Run& run = worker_.run;
    const uint64_t begin_us = now_us - std::min(now_us, run.engine.params().attrs.divisor_us());
    if (begin_us == 0) return;
    run.clock.set_us(begin_us);
    if (gate_until_us_ != 0) gate_until_us_ = saturating_add(gate_until_us_, begin_us);
    worker_.interval.move_begin();
    worker_.progress.move_begin();
    worker_.costs.skip_rest();
    worker_.mappings.start();
}

// By a simulator's prices: the interval goes on until what was spent is paid back.
bool ManualDriver::held_back() {
    Run& run = worker_.run;
    if (run.clock.now_us() >= run.engine.may_end_at(worker_.costs.permitted_us())) return false;
    Counters::add(run.counters.nr_skipped_intervals, 1);
    worker_.progress.lengthen_interval();
    return true;
}

// Brings the context to where it waits for the next step: paused and disarmed, or armed.
void ManualDriver::settle() {
    Run& run = worker_.run;
    Interval& interval = worker_.interval;
    if (run.pause_wanted() && !run.state.paused) worker_.commits.run_deferred();  // which may take the pause back
    const bool pause = run.pause_wanted();
    if (pause && !run.state.paused) {
        worker_.walks.close();
        worker_.progress.rest();
        worker_.progress.pause();
        run.ops->set_paused(true);
    } else if (!pause && run.state.paused) {
        worker_.walks.open();
        worker_.progress.go_on();
        worker_.costs.skip_rest();
        worker_.progress.resume();
        run.ops->set_paused(false);
    }
    if ((pause && interval.stage() == Interval::Stage::kArmed) || interval.plan_lost()) {
        worker_.disarm();
        interval.give_up();
    }
    if (pause) {
        worker_.release_rest();
        interval.rest();
    }
    {
        const Lock lock(run.sync.mutex);
        run.state.paused = pause;
    }
    if (run.engine.nr_schemes() == 0) worker_.walks.cancel();
    if (!pause) advance();
}

void ManualDriver::advance() {
    Run& run = worker_.run;
    Interval& interval = worker_.interval;
    if (interval.stage() == Interval::Stage::kCounted) interval.finish();
    if (run.pause_wanted()) {  // an action's callback asked for it
        settle();
        return;
    }
    if (interval.stage() != Interval::Stage::kIdle) return;
    const bool waiting = now_us_ < gate_until_us_;
    const WatermarkValues values = waiting ? WatermarkValues() : worker_.watermark_values();
    const uint64_t wait_us = waiting ? 0 : run.engine.watermark_wait_us(values);
    if (!waiting) gate_until_us_ = wait_us == 0 ? 0 : saturating_add(now_us_, wait_us);
    if (!waiting && wait_us == 0) {
        worker_.progress.leave_gate();
        worker_.progress.go_on();
        interval.begin();
        return;
    }
    if (!waiting) worker_.progress.show_gate(values);
    worker_.progress.rest();
    interval.rest();
    worker_.walks.cancel();
    worker_.publisher.publish_schemes(run.engine);
}

}  // namespace damon
