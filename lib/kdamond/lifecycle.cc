// Beginning and ending runs, from the callers' side.

#include <cerrno>

#include "engine/capacity.h"
#include "kdamond/kdamond.h"
#include "kdamond/registry.h"

namespace damon {

Kdamond::Kdamond(WorkerSync& sync, const WorkerCallbacks& callbacks)
    : sync_(sync), callbacks_(callbacks), mailbox_(sync), walks_(sync), publisher_(sync) {}

Kdamond::~Kdamond() = default;

Status Kdamond::prepare(const Params& params, Ops& ops, const StartOptions& options) {
    OpsTraits traits = ops.traits();
    if (!ops.can_survey(params)) traits.span_page_bytes = 0;
    if (traits.offloaded && options.manual) {
        return Status::fail(-EINVAL, "drive is manual: the kernel's DAMON keeps its own time, use a worker thread");
    }
    Status status = ops.validate(params);
    if (status.ok()) status = Engine::validate(params, traits);
    if (!status.ok()) return status;
    const size_t nr_regions = region_capacity_for(params);
    const size_t nr_schemes = params.schemes.size();
    if (!publisher_.reserve(nr_regions, nr_schemes) || !walks_.reserve(nr_schemes)) {
        return Status::fail(-ENOMEM, "no memory for the snapshots of %llu regions",
                            static_cast<unsigned long long>(nr_regions));
    }
    status = engine_.prepare(params, traits);
    if (!status.ok()) return status;
    ops_ = &ops;
    monitor_ = options.monitor;
    traits_ = traits;
    seed_ = options.seed;
    manual_ = options.manual;
    thread_options_ = options.thread;
    return status;
}

Status Kdamond::launch() {
    {
        const Lock lock(sync_.mutex);
        phase_ = Phase::kStarting;
        ++run_number_;
        stop_requested_ = false;
    }
    return manual_ ? launch_manually() : launch_thread();
}

Status Kdamond::launch_thread() {
    const int error = thread_.start(thread_options_.stack_bytes, thread_main, this);
    Lock lock(sync_.mutex);
    if (error != 0) {
        phase_ = Phase::kStopped;
        sync_.callers.notify_all();
        return Status::fail(error == -ENOMEM ? error : -EAGAIN, "no worker thread could be made (errno %d)", -error);
    }
    while (phase_ == Phase::kStarting) sync_.callers.wait(sync_.mutex);
    const Status status = start_status_;
    if (!status.ok()) join_worker(lock);
    return status;
}

// The worker has ended; several may come here at once. Does nothing where somebody else has joined it, and perhaps
// started the next run already.
void Kdamond::join_worker(Lock& lock) {
    while (joining_) sync_.callers.wait(sync_.mutex);
    if (phase_ != Phase::kEnded) return;
    joining_ = true;
    lock.unlock();
    thread_.join();
    lock.relock();
    joining_ = false;
    tid_.store(0, std::memory_order_relaxed);
    runner_.store(0, std::memory_order_relaxed);
    phase_ = Phase::kStopped;
    show_stopped_locked();
    sync_.callers.notify_all();
}

Status Kdamond::launch_manually() {
    manual_now_us_ = 0;
    gate_until_us_ = 0;
    set_runner();
    const Status status = begin_run();
    {
        const Lock lock(sync_.mutex);
        phase_ = status.ok() ? Phase::kRunning : Phase::kStopped;
        driver_busy_ = status.ok();
        paused_ = pause_wanted_;
        if (status.ok()) show_begin_locked();
        if (!status.ok()) runner_.store(0, std::memory_order_relaxed);
        sync_.callers.notify_all();
    }
    if (status.ok()) {
        if (paused_) {
            walks_.close();
        } else {
            advance_manually();
        }
        leave_manual();
    }
    return status;
}

void Kdamond::stop() {
    Lock lock(sync_.mutex);
    while (phase_ == Phase::kStarting || joining_ || driver_busy_) sync_.callers.wait(sync_.mutex);
    if (phase_ == Phase::kStopped) return;
    if (manual_) {
        end_manually(lock);
        return;
    }
    stop_requested_ = true;
    sync_.worker.notify_all();
    // Another thread may start the next run before this thread wakes up: a stop does not wait for that run.
    const uint64_t run_number = run_number_;
    while (phase_ == Phase::kRunning && run_number_ == run_number) sync_.callers.wait(sync_.mutex);
    if (run_number_ == run_number) show_stopped_locked();
}

void Kdamond::reap() {
    Lock lock(sync_.mutex);
    if (!manual_ && (phase_ == Phase::kEnded || joining_)) join_worker(lock);
}

void Kdamond::end_manually(Lock& lock) {
    if (phase_ == Phase::kRunning) {
        driver_busy_ = true;
        set_runner();
        lock.unlock();
        finish_run();
        release_rest();
        lock.relock();
        driver_busy_ = false;
    }
    phase_ = Phase::kStopped;
    show_stopped_locked();
    sync_.callers.notify_all();
}

bool Kdamond::running() const {
    const Lock lock(sync_.mutex);
    return running_locked();
}

bool Kdamond::on_worker() const { return runner_.load(std::memory_order_relaxed) == thread_token(); }

uint64_t Kdamond::cpu_ns() const {
    const Lock lock(sync_.mutex);
    const bool alive = !manual_ && phase_ == Phase::kRunning;
    return past_cpu_ns_ + (alive ? thread_.cpu_ns() : 0);
}

uint64_t Kdamond::now_ns() const { return manual_ ? saturating_mul(manual_now_us_, 1000) : clock_.now_ns(); }

uint64_t Kdamond::now_us() const { return manual_ ? manual_now_us_ : clock_.now_ns() / 1000; }

}  // namespace damon
