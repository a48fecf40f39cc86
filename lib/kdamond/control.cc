// What other threads, callbacks and manual drivers can do to a context at work.
#include <cerrno>

#include "base/check.h"
#include "kdamond/kdamond.h"

namespace damon {

int Kdamond::call(Call& call, uint64_t* id_out) {
    if (call.repeat) return mailbox_.add_repeat(call, id_out);
    if (on_worker()) return -EDEADLK;
    if (options_.manual) {
        if (!enter_manual()) return -ECANCELED;
        call.result = call.fn(call.data);
        leave_manual();
        return 0;
    }
    const int result = mailbox_.run_once(call, id_out);
    // an error that was not asked for means that the context has fully ended.
    const Lock lock(meeting_.mutex);
    while (result != 0 && !call.cancel_requested && phase_ == Phase::kRunning) meeting_.callers.wait(meeting_.mutex);
    return result;
}

int Kdamond::cancel_call(uint64_t id) { return mailbox_.cancel(id, on_worker()); }

Status Kdamond::commit(Commit& commit, bool* deferred) {
    DAMON_CHECK(on_worker());
    *deferred = false;
    if (!in_apply_pass_) return commit_now(commit);
    // A pass is walking over the regions and schemes that would change under it: check now, do it when it ends.
    Status status = ops_->validate(commit.params);
    if (status.ok()) status = Engine::validate(commit.params, traits_);
    if (!status.ok()) return status;
    Commit** last = &deferred_commits_;
    while (*last != nullptr) last = &(*last)->next;
    *last = &commit;
    *deferred = true;
    return status;
}

int Kdamond::set_pause(bool pause) {
    if (options_.manual && running()) return set_pause_manually(pause);
    const Lock lock(meeting_.mutex);
    pause_wanted_ = pause;
    if (phase_ != Phase::kRunning && phase_ != Phase::kStarting) return 0;
    meeting_.worker.notify_all();
    if (on_worker()) return 0;
    while (paused_ != pause && pause_wanted_ == pause) {
        if (phase_ != Phase::kRunning && phase_ != Phase::kStarting) return -ECANCELED;
        meeting_.callers.wait(meeting_.mutex);
    }
    return 0;
}

int Kdamond::set_pause_manually(bool pause) {
    if (on_worker()) {
        const Lock lock(meeting_.mutex);
        pause_wanted_ = pause;
        return 0;
    }
    if (!enter_manual()) return -ECANCELED;
    {
        const Lock lock(meeting_.mutex);
        pause_wanted_ = pause;
    }
    settle_manually();
    leave_manual();
    return 0;
}

bool Kdamond::paused() const {
    const Lock lock(meeting_.mutex);
    const bool at_work = phase_ == Phase::kRunning || phase_ == Phase::kStarting;
    return at_work && !on_worker() && !options_.manual ? paused_ : pause_wanted_;
}

int Kdamond::walk(Walk& walk) {
    if (on_worker()) return -EDEADLK;
    return walks_.run(walk);
}

int Kdamond::wait_for_snapshot(uint64_t after_seq, int64_t timeout_ms) {
    const uint64_t deadline_ns = clock_.now_ns() + static_cast<uint64_t>(timeout_ms < 0 ? 0 : timeout_ms) * 1'000'000;
    const Lock lock(meeting_.mutex);
    for (;;) {
        if (publisher_.seq_locked() > after_seq) return 0;
        if (phase_ != Phase::kRunning && phase_ != Phase::kStarting) return -ECANCELED;
        if (timeout_ms < 0) {
            meeting_.callers.wait(meeting_.mutex);
        } else if (!meeting_.callers.wait_until(meeting_.mutex, deadline_ns)) {
            return publisher_.seq_locked() > after_seq ? 0 : -ETIMEDOUT;
        }
    }
}

// --- manual drive -----------------------------------------------------------------------------------------------

bool Kdamond::enter_manual() {
    const Lock lock(meeting_.mutex);
    while (driver_busy_) meeting_.callers.wait(meeting_.mutex);
    if (!options_.manual || phase_ != Phase::kRunning) return false;
    driver_busy_ = true;
    set_runner();
    return true;
}

void Kdamond::leave_manual() {
    const Lock lock(meeting_.mutex);
    driver_busy_ = false;
    runner_.store(0, std::memory_order_relaxed);
    meeting_.callers.notify_all();
}

int Kdamond::step(uint64_t now_us) {
    if (on_worker()) return -EDEADLK;
    {
        const Lock lock(meeting_.mutex);
        if (phase_ == Phase::kEnded) return -ECANCELED;
        if (!options_.manual || phase_ != Phase::kRunning) return -EINVAL;
        if (driver_busy_) return -EBUSY;
        if (now_us < manual_now_us_) return -EINVAL;
        driver_busy_ = true;
        set_runner();
    }
    manual_now_us_ = now_us;
    ops_->set_now(now_us);
    if (paused_) {
        mailbox_.run(true);
    } else if (stage_ == Stage::kArmed) {
        count_interval();
    } else {
        mailbox_.run(true);  // waiting for watermarks
    }
    settle_manually();
    const bool ended = should_end();
    if (ended) finish_run();
    leave_manual();
    return ended ? -ECANCELED : 0;
}

// Brings a manually driven context to where it waits for the next step: paused and disarmed, or armed.
void Kdamond::settle_manually() {
    const bool pause = pause_wanted();
    if (pause && !paused_) {
        walks_.close();
        ops_->disarm();
        if (stage_ == Stage::kArmed) stage_ = Stage::kIdle;
    } else if (!pause && paused_) {
        walks_.open();
    }
    {
        const Lock lock(meeting_.mutex);
        paused_ = pause;
    }
    if (!pause) advance_manually();
}

void Kdamond::advance_manually() {
    if (stage_ == Stage::kCounted) finish_interval();
    if (pause_wanted()) {  // an action's callback asked for it
        settle_manually();
        return;
    }
    if (stage_ != Stage::kIdle || now_ns() / 1000 < gate_until_us_) return;
    const int32_t free_permil = engine_.needs_free_memory() ? ops_->free_memory_permil() : -1;
    const uint64_t wait_us = engine_.watermark_wait_us(free_permil);
    gate_until_us_ = wait_us == 0 ? 0 : now_ns() / 1000 + wait_us;
    if (wait_us == 0) {
        begin_interval();
    } else {
        walks_.cancel();
        publisher_.publish_schemes(engine_);
    }
}

}  // namespace damon
