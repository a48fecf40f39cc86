#include "kdamond/thread_driver.h"

#include <sched.h>

#include <algorithm>

#include "kdamond/timing/deadline.h"
#include "kdamond/worker/worker.h"

namespace damon {

void ThreadDriver::prepare(const StartOptions& options) {
    WorkerThread::prepare(options);
    deadline_ns_ = 0;
}

void ThreadDriver::restart_schedule() {
    deadline_ns_ = 0;
    WorkerThread::restart_schedule();
}

void ThreadDriver::advance() {
    Interval& interval = worker_.interval;
    if (interval.stage() == Interval::Stage::kCounted) return interval.finish();
    if (!pass_gate()) return;
    interval.begin();
    if (sleep_interval() == Sleep::kElapsed) {
        interval.count();
        worker_.costs.charge_interval(interval.nr_seen());
        worker_.run_calls();
    } else {
        // Stopped or paused in mid-sleep.
        worker_.disarm();
        interval.give_up();
    }
}

ThreadDriver::Sleep ThreadDriver::sleep_interval() {
    Run& run = worker_.run;
    const uint64_t sleep_ns = saturating_mul(run.engine.sleep_us(), 1000);
    const Deadline nominal = next_deadline(deadline_ns_, sleep_ns, run.clock.system_ns());
    const uint64_t earliest_ns = saturating_mul(run.engine.may_end_at(worker_.costs.permitted_us()), 1000);
    const Deadline permitted = put_off(nominal, sleep_ns, earliest_ns);
    deadline_ns_ = permitted.at_ns;
    if (permitted.at_ns > nominal.at_ns) worker_.progress.lengthen_interval();
    if (sleep_ns == 0) sched_yield();
    const Sleep sleep = wait_for(nominal.at_ns, permitted.at_ns);
    Counters::add(run.counters.nr_skipped_intervals,
                  deadline_ns_ == nominal.at_ns ? nominal.nr_skipped : permitted.nr_skipped);
    return sleep;
}

// A call that somebody waits for ends an interval that was put off (L-9 runs calls between intervals only).
ThreadDriver::Sleep ThreadDriver::wait_for(uint64_t nominal_ns, uint64_t permitted_ns) {
    Run& run = worker_.run;
    Passes& passes = worker_.passes;
    uint64_t due_ns = permitted_ns > nominal_ns ? next_due_ns(permitted_ns) : kNoDeadline;
    Lock lock(run.sync.mutex);
    for (;;) {
        if (run.state.stop_requested || run.state.pause_wanted) return Sleep::kInterrupted;
        const bool called = worker_.mailbox.has_new_locked();
        const uint64_t end_ns = called ? nominal_ns : permitted_ns;
        const uint64_t step_ns = passes.under_way() ? passes.step_at(end_ns, run.clock.system_ns()) : kNoDeadline;
        if (due_ns < end_ns && due_ns < step_ns) {
            if (wait_and_act(lock, due_ns)) due_ns = next_due_ns(permitted_ns);
            continue;
        }
        if (step_ns != kNoDeadline) {
            wait_and_step(lock, step_ns);
            continue;
        }
        if (wait_until(end_ns)) continue;
        if (called) deadline_ns_ = nominal_ns;
        return Sleep::kElapsed;
    }
}

// When the clock makes schemes or an update due while the interval is put off; only where nothing is armed, so that
// regions may change.
uint64_t ThreadDriver::next_due_ns(uint64_t permitted_ns) const {
    const Run& run = worker_.run;
    if (!run.engine.passes_over()) return kNoDeadline;
    const uint64_t earliest_us = std::max<uint64_t>(run.engine.due_within_us(), run.engine.sleep_us());
    const uint64_t due_ns = saturating_add(run.clock.system_ns(), saturating_mul(earliest_us, 1000));
    return due_ns < permitted_ns ? due_ns : kNoDeadline;
}

// True: what is due was done.
bool ThreadDriver::wait_and_act(Lock& lock, uint64_t due_ns) {
    if (wait_until(due_ns)) return false;
    lock.unlock();
    worker_.interval.do_what_is_due();
    lock.relock();
    return true;
}

// A step of a pass at `step_ns`, unless something comes before it.
void ThreadDriver::wait_and_step(Lock& lock, uint64_t step_ns) {
    const Run& run = worker_.run;
    const CpuScope scope(worker_.run.meter, Consumer::kReferenced);
    if (wait_until(step_ns) || run.state.stop_requested || run.state.pause_wanted) return;
    lock.unlock();
    worker_.passes.step();
    lock.relock();
}

// L-22: true where sampling may go on; else one round of waiting was done.
bool ThreadDriver::pass_gate() {
    Run& run = worker_.run;
    const WatermarkValues values = worker_.watermark_values();
    const uint64_t wait_us = run.engine.watermark_wait_us(values);
    if (wait_us == 0) {
        worker_.progress.leave_gate();
        return true;
    }
    worker_.progress.rest();
    worker_.progress.show_gate(values);
    worker_.walks.close();
    worker_.disarm();
    worker_.publisher.publish_schemes(run.engine);
    const uint64_t deadline_ns = saturating_add(run.clock.system_ns(), saturating_mul(wait_us, 1000));
    Lock lock(run.sync.mutex);
    // A call may change what is waited for: it ends the round.
    bool releasing = true;
    while (!run.state.stop_requested && !run.state.pause_wanted && !worker_.mailbox.has_new_locked()) {
        if (releasing) {
            releasing = release_piece(lock);
        } else if (!wait_until(deadline_ns)) {
            break;
        }
    }
    lock.unlock();
    worker_.run_mailbox(true);
    worker_.walks.open();
    restart_schedule();
    return false;
}

}  // namespace damon
