#include "kdamond/worker_thread.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "kdamond/exchange/registry.h"
#include "kdamond/worker/worker.h"

namespace damon {
namespace {

// A paused worker with something to look after takes rounds of a sampling interval, but not shorter ones than this.
constexpr uint64_t kRoundNs = 1'000'000;

}  // namespace

void WorkerThread::prepare(const StartOptions& options) { options_ = options.thread; }

Status WorkerThread::launch() {
    const int error = thread_.start(options_.stack_bytes, main, this);
    Run& run = worker_.run;
    Lock lock(run.sync.mutex);
    if (error != 0) {
        run.state.phase = Phase::kStopped;
        run.sync.callers.notify_all();
        return Status::fail(error == -ENOMEM ? error : -EAGAIN, "no worker thread could be made (errno %d)", -error);
    }
    while (run.state.phase == Phase::kStarting) run.sync.callers.wait(run.sync.mutex);
    const Status status = start_status_;
    if (!status.ok()) join(lock);
    return status;
}

// The worker has ended; several may come here at once. Does nothing where somebody else has joined it, and perhaps
// started the next run already.
void WorkerThread::join(Lock& lock) {
    Run& run = worker_.run;
    while (joining_) run.sync.callers.wait(run.sync.mutex);
    if (run.state.phase != Phase::kEnded) return;
    joining_ = true;
    lock.unlock();
    thread_.join();
    lock.relock();
    joining_ = false;
    run.tid.store(0, std::memory_order_relaxed);
    run.clear_runner();
    run.state.phase = Phase::kStopped;
    worker_.progress.show_stopped_locked();
    run.sync.callers.notify_all();
}

void WorkerThread::stop(Lock& /*lock*/) {
    Run& run = worker_.run;
    run.state.stop_requested = true;
    run.sync.worker.notify_all();
    // Another thread may start the next run before this thread wakes up: a stop does not wait for that run.
    const uint64_t run_number = run.state.run_number;
    while (run.state.phase == Phase::kRunning && run.state.run_number == run_number) {
        run.sync.callers.wait(run.sync.mutex);
    }
    if (run.state.run_number == run_number) worker_.progress.show_stopped_locked();
}

void WorkerThread::reap(Lock& lock) {
    if (worker_.run.state.phase == Phase::kEnded || joining_) join(lock);
}

int WorkerThread::call(Call& call, uint64_t run_number, uint64_t* id_out) {
    Run& run = worker_.run;
    const int result = worker_.mailbox.run_once(call, id_out);
    // an error that was not asked for means that the run has fully ended.
    const Lock lock(run.sync.mutex);
    const auto still_runs = [&] { return run.state.phase == Phase::kRunning && run.state.run_number == run_number; };
    while (result != 0 && !call.cancel_requested && still_runs()) run.sync.callers.wait(run.sync.mutex);
    return result;
}

Status WorkerThread::set_pause(bool pause) {
    Run& run = worker_.run;
    RunState& state = run.state;
    const Lock lock(run.sync.mutex);
    if (pause && state.phase == Phase::kRunning) {
        if (const Status able = check(Ability::kPause); !able.ok()) return able;
    }
    run.set_pause_locked(pause);
    if (!state.running()) return {};
    run.sync.worker.notify_all();
    if (run.on_worker()) return {};
    while (state.paused != pause && state.pause_wanted == pause) {
        if (!state.running()) {
            return Status::fail(-ECANCELED, "the context ended before it was %s", pause ? "paused" : "resumed");
        }
        run.sync.callers.wait(run.sync.mutex);
    }
    return state.paused == pause ? Status() : state.pause_status;
}

// A run is paused when its worker has come to it.
bool WorkerThread::paused_locked() const {
    const RunState& state = worker_.run.state;
    return state.running() && !worker_.run.on_worker() ? state.paused : state.pause_wanted;
}

void* WorkerThread::main(void* self) {
    static_cast<WorkerThread*>(self)->run();
    return nullptr;
}

void WorkerThread::run() {
    const NoCancel no_cancel;  // a callback could ask for it, and would leave the context without an end
    Run& run = worker_.run;
    run.set_runner();
    run.tid.store(thread_id(), std::memory_order_relaxed);
    run.meter.start();
    Status status = adopt_thread_options();
    if (status.ok()) status = worker_.begin_run();
    {
        const Lock lock(run.sync.mutex);
        start_status_ = status;
        run.state.paused = status.ok() && run.state.pause_wanted;
        run.state.phase = status.ok() ? Phase::kRunning : Phase::kEnded;
        if (status.ok()) worker_.progress.show_begin_locked();
        run.sync.callers.notify_all();
    }
    if (!status.ok()) return;
    if (run.state.paused && !worker_.should_end()) pause_here();  // also where it is to go on: who asked for that waits
    while (!worker_.should_end()) {
        if (run.pause_wanted()) {
            pause_here();
        } else {
            advance();
        }
    }
    worker_.finish_run();
    worker_.release_rest();
}

Status WorkerThread::adopt_thread_options() {
    ThreadOptions options = options_;
    if (options.name[0] == '\0')
        snprintf(options.name, sizeof options.name, "kdamond.%u", registry_next_worker_number());
    const char* refused = nullptr;
    const int error = adopt_options(options, refused);
    if (error == 0) return {};
    if (error == -EINVAL) {
        return Status::fail(error, "damon_worker_attr.%s: this process may use none of these CPUs", refused);
    }
    return Status::fail(error, "damon_worker_attr.%s: the system refuses it (errno %d)", refused, -error);
}

bool WorkerThread::wait_until(uint64_t deadline_ns) {
    const bool in_time = worker_.run.sync.worker.wait_until(worker_.run.sync.mutex, deadline_ns);
    Counters::add(worker_.run.counters.nr_wakeups, 1);
    return in_time;
}

// While nothing is sampled: some of what was armed. False: nothing is left. The sync's mutex is held, and let go
// meanwhile.
bool WorkerThread::release_piece(Lock& lock) {
    Run& run = worker_.run;
    lock.unlock();
    const uint64_t rest_ns = run.ops->release_some();
    lock.relock();
    if (rest_ns == 0) return false;
    run.sync.worker.wait_until(run.sync.mutex, saturating_add(run.clock.system_ns(), rest_ns));
    return true;
}

// L-18, L-19: nothing is sampled, merged, split, tuned, updated or applied, and T does not advance.
void WorkerThread::pause_here() {
    worker_.commits.run_deferred();
    if (!worker_.run.pause_wanted() && !worker_.run.state.paused) return;  // one of them took the pause back
    worker_.progress.rest();
    worker_.walks.close();
    worker_.disarm();
    const Status frozen = freeze(true);
    if (frozen.ok()) {
        worker_.run.ops->set_paused(true);
        wait_while_paused();
        resume();
    } else {
        refuse_pause(frozen);
    }
    worker_.walks.open();
    restart_schedule();
}

void WorkerThread::resume() {
    Run& run = worker_.run;
    // Stopped, or without targets: it ends as it is.
    if (!run.pause_wanted()) run.report(freeze(false));
    run.ops->set_paused(false);
    const Lock lock(run.sync.mutex);
    worker_.walks.open_locked();  // who resumed it may walk at once
    run.state.paused = false;
    worker_.progress.resume_locked();
    run.sync.callers.notify_all();
}

void WorkerThread::refuse_pause(const Status& status) {
    Run& run = worker_.run;
    const Lock lock(run.sync.mutex);
    run.state.pause_wanted = false;
    run.state.pause_status = status;
    run.sync.callers.notify_all();
}

void WorkerThread::wait_while_paused() {
    Run& run = worker_.run;
    Lock lock(run.sync.mutex);
    run.state.paused = true;
    worker_.progress.pause_locked();
    run.sync.callers.notify_all();
    uint64_t round_ns = run.clock.system_ns();
    bool releasing = true;
    bool ended = false;
    while (run.state.pause_wanted && !run.state.stop_requested && !ended) {
        if (worker_.mailbox.has_new_locked()) {
            lock.unlock();
            worker_.run_mailbox(false);
            lock.relock();
        } else if (releasing) {
            releasing = release_piece(lock);
        } else {
            wait_round(lock, round_ns, ended);
        }
    }
}

// Waits for the end of the round that began at `round_ns`, and then looks after repeat calls and targets. Only what can
// change without anybody telling needs that: without it, not one wake-up.
void WorkerThread::wait_round(Lock& lock, uint64_t& round_ns, bool& ended) {
    Run& run = worker_.run;
    if (!worker_.mailbox.has_repeat_locked() && !run.ops->targets_can_die()) {
        wait_until(kNoDeadline);
        round_ns = run.clock.system_ns();
        return;
    }
    const uint64_t interval_ns = std::max<uint64_t>(saturating_mul(round_us(), 1000), kRoundNs);
    if (wait_until(saturating_add(round_ns, interval_ns))) return;
    round_ns = run.clock.system_ns();
    lock.unlock();
    worker_.run_mailbox(true);
    ended = worker_.should_end();
    lock.relock();
}

void WorkerThread::advance() {}

uint64_t WorkerThread::round_us() const { return worker_.run.engine.params().attrs.sample_us; }

Status WorkerThread::freeze(bool /*pause*/) { return {}; }

// After a wait that was not an interval: the next one begins when it begins.
void WorkerThread::restart_schedule() {
    worker_.progress.go_on();
    worker_.interval.rest();
    worker_.costs.skip_rest();
}

}  // namespace damon
