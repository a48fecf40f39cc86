// The worker thread: begins a run, drives interval after interval, waits (asleep, paused, at the watermarks), ends.
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

#include "kdamond/deadline.h"
#include "kdamond/kdamond.h"
#include "kdamond/registry.h"

namespace damon {
namespace {

// A paused worker with something to look after takes rounds of a sampling interval, but not shorter ones than this.
constexpr uint64_t kRoundNs = 1'000'000;

}  // namespace

void* Kdamond::thread_main(void* self) {
    static_cast<Kdamond*>(self)->run();
    return nullptr;
}

void Kdamond::run() {
    const NoCancel no_cancel;  // a callback could ask for it, and would leave the context without an end
    set_runner();
    tid_.store(thread_id(), std::memory_order_relaxed);
    meter_.start();
    Status status = begin_thread();
    if (status.ok()) status = begin_run();
    {
        const Lock lock(sync_.mutex);
        start_status_ = status;
        paused_ = status.ok() && pause_wanted_;
        phase_ = status.ok() ? Phase::kRunning : Phase::kEnded;
        if (status.ok()) show_begin_locked();
        sync_.callers.notify_all();
    }
    if (!status.ok()) return;
    if (paused_ && !should_end()) pause_here();  // also where it is to go on by now: who asked for that waits
    while (!should_end()) {
        if (pause_wanted()) {
            pause_here();
        } else if (monitor_ != nullptr) {
            follow();
        } else if (stage_ == Stage::kCounted) {
            finish_interval();
        } else if (pass_gate()) {
            begin_interval();
            if (sleep_interval() == Sleep::kElapsed) {
                count_interval();
                charge_interval();
                run_calls();
            } else {
                // Stopped or paused in mid-sleep: the samples in flight are given up, nothing was counted.
                disarm();
                stage_ = Stage::kIdle;
            }
        }
    }
    finish_run();
    release_rest();
}

// After the end: in pieces with rests, so that the program's other threads do not notice. Who frees or starts this
// context again waits for it.
void Kdamond::release_rest() {
    while (const uint64_t rest_ns = ops_->release_some()) {
        const timespec rest = {static_cast<time_t>(rest_ns / 1'000'000'000),
                               static_cast<long>(rest_ns % 1'000'000'000)};
        nanosleep(&rest, nullptr);
    }
}

// While nothing is sampled: the same, a piece. False: nothing is left. The sync's mutex is held, and let go meanwhile.
bool Kdamond::release_piece(Lock& lock) {
    lock.unlock();
    const uint64_t rest_ns = ops_->release_some();
    lock.relock();
    if (rest_ns == 0) return false;
    sync_.worker.wait_until(sync_.mutex, saturating_add(clock_.now_ns(), rest_ns));
    return true;
}

Status Kdamond::begin_thread() {
    ThreadOptions options = thread_options_;
    if (options.name[0] == '\0')
        snprintf(options.name, sizeof options.name, "kdamond.%u", registry_next_worker_number());
    const char* refused = nullptr;
    const int error = adopt_options(options, refused);
    if (error == 0) return {};
    return Status::fail(error, "damon_worker_attr.%s: the system refuses it (errno %d)", refused, -error);
}

Status Kdamond::begin_run() {
    ending_ = refresh_deferred_ = limited_ = update_held_back_ = told_limited_ = gated_ = told_out_of_reach_ = false;
    end_reason_ = {};
    updates_.start(now_ns());
    rest_until_ns_ = last_work_ns_ = 0;
    set_pause_of_next(pause_wanted());
    Status status = ops_->start(engine_.params());
    if (!status.ok()) return status;
    refresh_coverage(RefreshReason::kInit, nullptr);
    engine_.start(seed_);
    refresh_coverage(RefreshReason::kGiven, nullptr);
    bring_learned();
    publisher_.publish_schemes(engine_);
    stage_ = Stage::kIdle;
    deadline_ns_ = permitted_ns_ = 0;
    resting_ = true;
    overhead_.start(manual_ ? now_ns() : clock_.now_ns());
    // What a start costs, once, is not what the limit is on: it would delay the first window.
    charged_sampling_ns_ = meter_.spent_now(Consumer::kSampling);
    charged_update_ns_ = meter_.spent(Consumer::kUpdate);
    charged_survey_ns_ = meter_.spent(Consumer::kSurvey);
    survey_cost_ns_ = 0;
    charged_passes_ns_ = meter_.spent(Consumer::kReferenced);
    passes_.start();
    passing_ = false;
    passes_taken_ = 0;
    window_.start(now_ns());
    cost_rate_.start(now_ns());
    mailbox_.open();
    walks_.open();
    return {};
}

// L-17. Schemes, attributes and statistics survive in the engine; regions go.
void Kdamond::finish_run() {
    ending_ = true;
    drop_deferred_commits();
    disarm();
    ops_->stop();
    keep_learned();
    engine_.stop();
    mailbox_.close();
    walks_.close();
    meter_.stop();
    const Lock lock(sync_.mutex);
    if (!manual_) past_cpu_ns_ += thread_cpu_ns();
    phase_ = Phase::kEnded;
    show_end_locked();
    paused_ = false;
    tid_.store(0, std::memory_order_relaxed);
    runner_.store(0, std::memory_order_relaxed);
    registry_leave();
    sync_.callers.notify_all();
}

// L-16. Also tells the engine which targets are gone.
bool Kdamond::should_end() {
    {
        const Lock lock(sync_.mutex);
        if (stop_requested_) return true;
    }
    if (!traits_.has_target_valid) return false;
    bool any = false;
    in_step_ = true;
    for (uint32_t target_idx = 0; target_idx < engine_.nr_targets(); ++target_idx) {
        const bool valid = ops_->target_valid(target_idx);
        engine_.set_target_valid(target_idx, valid);
        any = any || valid;
    }
    in_step_ = false;
    if (any) run_deferred_commits();
    if (!any) {
        end_reason_ = Status::fail(-ESRCH, "the monitor ended: none of its %llu targets is valid (any more)%s",
                                   static_cast<unsigned long long>(engine_.nr_targets()),
                                   monitor_ != nullptr ? ", or the kernel's DAMON was turned off" : "");
        callbacks_.failed(callbacks_.owner, end_reason_);
    }
    return !any;
}

bool Kdamond::pause_wanted() const {
    const Lock lock(sync_.mutex);
    return pause_wanted_;
}

Kdamond::Sleep Kdamond::sleep_interval() {
    const uint64_t sleep_ns = saturating_mul(engine_.sleep_us(), 1000);
    const Deadline nominal = next_deadline(deadline_ns_, sleep_ns, clock_.now_ns());
    const Deadline permitted = put_off(nominal, sleep_ns, permitted_ns_);
    deadline_ns_ = permitted.at_ns;
    if (permitted.at_ns > nominal.at_ns) {
        limited_ = true;
        become_limited();
    }
    if (sleep_ns == 0) sched_yield();
    const Sleep sleep = wait_for(nominal.at_ns, permitted.at_ns);
    Counters::add(counters_.nr_skipped_intervals,
                  deadline_ns_ == nominal.at_ns ? nominal.nr_skipped : permitted.nr_skipped);
    return sleep;
}

// A call that somebody waits for ends an interval that was put off (L-9 runs calls between intervals only).
Kdamond::Sleep Kdamond::wait_for(uint64_t nominal_ns, uint64_t permitted_ns) {
    Lock lock(sync_.mutex);
    for (;;) {
        if (stop_requested_ || pause_wanted_) return Sleep::kInterrupted;
        const bool called = mailbox_.has_new_locked();
        const uint64_t end_ns = called ? nominal_ns : permitted_ns;
        const uint64_t step_ns = passes_.under_way() ? passes_.step_at(end_ns, clock_.now_ns()) : kNoDeadline;
        if (step_ns != kNoDeadline) {
            wait_and_step(lock, step_ns);
            continue;
        }
        const bool elapsed = !sync_.worker.wait_until(sync_.mutex, end_ns);
        Counters::add(counters_.nr_wakeups, 1);
        if (!elapsed) continue;
        if (called) deadline_ns_ = nominal_ns;
        return Sleep::kElapsed;
    }
}

// A step of a pass at `step_ns`, unless something comes before it.
void Kdamond::wait_and_step(Lock& lock, uint64_t step_ns) {
    const CpuScope scope(meter_, Consumer::kReferenced);
    const bool elapsed = !sync_.worker.wait_until(sync_.mutex, step_ns);
    Counters::add(counters_.nr_wakeups, 1);
    if (!elapsed || stop_requested_ || pause_wanted_) return;
    lock.unlock();
    step_pass();
    lock.relock();
}

// The limit is on all of the monitor's own work: sampling with everything that belongs to it, what the program pays for
// accesses that are seen, surveys, and reading the mappings.
void Kdamond::charge_interval() {
    const uint64_t now = clock_.now_ns();
    const uint64_t sampling_ns = meter_.spent_now(Consumer::kSampling);
    const uint64_t update_ns = meter_.spent(Consumer::kUpdate);
    const uint64_t cost_ns = saturating_add(saturating_add(sampling_ns - charged_sampling_ns_, survey_cost_ns_),
                                            saturating_mul(nr_seen_, traits_.access_cost_ns));
    survey_cost_ns_ = 0;
    overhead_.add_debt(update_ns - charged_update_ns_);
    cost_rate_.add(saturating_add(cost_ns, update_ns - charged_update_ns_));
    charge_passes();
    charged_sampling_ns_ = sampling_ns;
    charged_update_ns_ = update_ns;
    const uint64_t permil = traits_.simulated ? 0 : engine_.params().attrs.max_overhead_permil;
    permitted_ns_ = saturating_add(now, overhead_.charge(cost_ns, permil, now));
}

// After a wait that was not an interval: the next one begins when it begins.
void Kdamond::restart_schedule() {
    deadline_ns_ = 0;
    go_on();
    resting_ = true;
    overhead_.skip_to(clock_.now_ns());
}

WatermarkValues Kdamond::watermark_values() {
    WatermarkValues values;
    if (engine_.needs_watermark(WatermarkMetric::kFreeMemRate)) values.free_mem = ops_->free_memory_permil();
    if (engine_.needs_watermark(WatermarkMetric::kOwnMemcgFreeRate)) values.own_memcg = ops_->own_memcg_permil();
    return values;
}

// L-22: true where sampling may go on; else one round of waiting was done.
bool Kdamond::pass_gate() {
    const WatermarkValues values = watermark_values();
    const uint64_t wait_us = engine_.watermark_wait_us(values);
    if (wait_us == 0) {
        leave_gate();
        return true;
    }
    rest();
    show_gate(values);
    walks_.close();
    disarm();
    publisher_.publish_schemes(engine_);
    const uint64_t deadline_ns = saturating_add(clock_.now_ns(), saturating_mul(wait_us, 1000));
    Lock lock(sync_.mutex);
    // A call may change what is waited for: it ends the round.
    bool releasing = true;
    while (!stop_requested_ && !pause_wanted_ && !mailbox_.has_new_locked()) {
        if (releasing) {
            releasing = release_piece(lock);
            continue;
        }
        const bool elapsed = !sync_.worker.wait_until(sync_.mutex, deadline_ns);
        Counters::add(counters_.nr_wakeups, 1);
        if (elapsed) break;
    }
    lock.unlock();
    run_mailbox(true);
    walks_.open();
    restart_schedule();
    return false;
}

// L-18, L-19: nothing is sampled, merged, split, tuned, updated or applied, and T does not advance.
void Kdamond::pause_here() {
    run_deferred_commits();
    if (!pause_wanted() && !paused_) return;  // one of them took the pause back
    rest();
    walks_.close();
    disarm();
    const Status frozen = freeze(true);
    if (frozen.ok()) {
        wait_while_paused();
        resume();
    } else {
        refuse_pause(frozen);
    }
    walks_.open();
    restart_schedule();
}

void Kdamond::resume() {
    // Stopped, or without targets: it ends as it is.
    if (!pause_wanted()) {
        if (const Status status = freeze(false); !status.ok()) callbacks_.failed(callbacks_.owner, status);
    }
    const Lock lock(sync_.mutex);
    walks_.open_locked();  // who resumed it may walk at once
    paused_ = false;
    gated_ = told_limited_ = false;
    activity_.become(State::kSampling, now_ns(), kSamplingReason);
    sync_.callers.notify_all();
}

void Kdamond::refuse_pause(const Status& status) {
    const Lock lock(sync_.mutex);
    pause_wanted_ = false;
    pause_status_ = status;
    sync_.callers.notify_all();
}

void Kdamond::wait_while_paused() {
    Lock lock(sync_.mutex);
    paused_ = true;
    activity_.become(State::kPaused, now_ns(), kPausedReason);
    sync_.callers.notify_all();
    uint64_t round_ns = clock_.now_ns();
    bool releasing = true;
    while (pause_wanted_ && !stop_requested_) {
        if (mailbox_.has_new_locked()) {
            lock.unlock();
            run_mailbox(false);
            lock.relock();
            continue;
        }
        if (releasing) {
            releasing = release_piece(lock);
            continue;
        }
        // Only what can change without anybody telling needs a look now and then: without it, not one wake-up.
        if (!mailbox_.has_repeat_locked() && !ops_->targets_can_die()) {
            sync_.worker.wait(sync_.mutex);
            Counters::add(counters_.nr_wakeups, 1);
            round_ns = clock_.now_ns();
            continue;
        }
        const uint64_t interval_ns = std::max<uint64_t>(saturating_mul(round_us(), 1000), kRoundNs);
        const bool elapsed = !sync_.worker.wait_until(sync_.mutex, saturating_add(round_ns, interval_ns));
        Counters::add(counters_.nr_wakeups, 1);
        if (!elapsed) continue;
        round_ns = clock_.now_ns();
        lock.unlock();
        run_mailbox(true);
        const bool end = should_end();
        lock.relock();
        if (end) break;
    }
}

void Kdamond::disarm() {
    ops_->disarm();
    passes_.give_up();
}

void Kdamond::set_runner() { runner_.store(thread_token(), std::memory_order_relaxed); }

}  // namespace damon
