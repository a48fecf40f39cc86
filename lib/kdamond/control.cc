// What other threads and callbacks can do to a context at work.
#include <cerrno>

#include "kdamond/kdamond.h"

namespace damon {

int Kdamond::call(Call& call, uint64_t* id_out) {
    if (call.repeat) return mailbox_.add_repeat(call, id_out);
    if (on_worker()) return -EDEADLK;
    uint64_t run_number = 0;
    {
        const Lock lock(sync_.mutex);
        while (phase_ == Phase::kStarting) sync_.callers.wait(sync_.mutex);
        run_number = run_number_;
    }
    if (manual_) return call_manually(call);
    const int result = mailbox_.run_once(call, id_out);
    // an error that was not asked for means that the run has fully ended.
    const Lock lock(sync_.mutex);
    const auto still_runs = [&] { return phase_ == Phase::kRunning && run_number_ == run_number; };
    while (result != 0 && !call.cancel_requested && still_runs()) sync_.callers.wait(sync_.mutex);
    return result;
}

int Kdamond::cancel_call(uint64_t id) { return mailbox_.cancel(id, on_worker()); }

Status Kdamond::set_pause(bool pause) {
    if (manual_ && !on_worker() && enter_manual()) {
        set_pause_manually(pause);
        return {};
    }
    const Lock lock(sync_.mutex);
    if (pause && phase_ == Phase::kRunning && !can_pause()) {
        return Status::fail(-EOPNOTSUPP, "these operations cannot be paused: the kernel's DAMON has no file pause");
    }
    set_pause_locked(pause);
    if (!running_locked() || manual_) return {};
    sync_.worker.notify_all();
    if (on_worker()) return {};
    while (paused_ != pause && pause_wanted_ == pause) {
        if (!running_locked()) {
            return Status::fail(-ECANCELED, "the context ended before it was %s", pause ? "paused" : "resumed");
        }
        sync_.callers.wait(sync_.mutex);
    }
    return paused_ == pause ? Status() : pause_status_;
}

void Kdamond::set_pause_locked(bool pause) {
    ++pause_order_;
    pause_status_ = {};
    if (pause_wanted_ == pause) return;
    pause_wanted_ = pause;
    sync_.callers.notify_all();  // who waits for the opposite waits no more
}

bool Kdamond::paused() const {
    const Lock lock(sync_.mutex);
    return running_locked() && !on_worker() && !manual_ ? paused_ : pause_wanted_;
}

int Kdamond::walk(Walk& walk) {
    if (on_worker()) return -EDEADLK;
    int error = 0;
    if (manual_ && enter_manual()) {
        // Whether a step can serve it shows now; a worker would find out by itself.
        error = engine_.nr_schemes() == 0 || gate_until_us_ != 0 ? -ECANCELED : walks_.install(walk);
        leave_manual();
    } else {
        error = walks_.install(walk);
    }
    return error != 0 ? error : walks_.wait(walk);
}

int Kdamond::wait_for_snapshot(uint64_t after_seq, int64_t timeout_ms) {
    const uint64_t deadline_ns = clock_.now_ns() + static_cast<uint64_t>(timeout_ms < 0 ? 0 : timeout_ms) * 1'000'000;
    const Lock lock(sync_.mutex);
    for (;;) {
        if (publisher_.seq_locked() > after_seq) return 0;
        if (!running_locked()) return -ECANCELED;
        if (timeout_ms < 0) {
            sync_.callers.wait(sync_.mutex);
        } else if (!sync_.callers.wait_until(sync_.mutex, deadline_ns)) {
            return publisher_.seq_locked() > after_seq ? 0 : -ETIMEDOUT;
        }
    }
}

}  // namespace damon
