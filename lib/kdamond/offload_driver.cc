#include "kdamond/offload_driver.h"

#include <algorithm>
#include <cerrno>

#include "kdamond/worker/worker.h"

namespace damon {
namespace {

// The worker asks a little before the window ends, and waits for the end inside of the question.
constexpr uint64_t kMostEarlyUs = 100'000;
// Reading a thousand regions takes long: the worker rests so many times as long as it worked, but not for ever.
constexpr uint64_t kRestPerWork = 20;
constexpr uint64_t kLongestRestNs = 5'000'000'000;

}  // namespace

void OffloadDriver::prepare(const StartOptions& options) {
    WorkerThread::prepare(options);
    monitor_ = options.monitor;
    rest_until_ns_ = last_work_ns_ = 0;
}

Status OffloadDriver::check(Ability ability) const {
    switch (ability) {
        case Ability::kPause:
            if (monitor_->can_pause()) return {};
            return Status::fail(-EOPNOTSUPP, "these operations cannot be paused: the kernel's DAMON has no file pause");
        case Ability::kReadMappings:
            return Status::fail(-EOPNOTSUPP, "the kernel's DAMON reads the mappings by itself, every ops_update_us");
        case Ability::kSetRegions:
            return Status::fail(-EOPNOTSUPP,
                                "regions cannot be set by themselves where the kernel monitors: commit them");
        case Ability::kRestore:
            return Status::fail(-EOPNOTSUPP, "ops_id is of the kernel's DAMON: it keeps its own regions");
    }
    return {};
}

Status OffloadDriver::freeze(bool pause) { return monitor_->pause(pause); }

void OffloadDriver::announce_pause(bool pause) { monitor_->set_pause_of_next(pause); }

// Out of memory: the monitor goes back to what the engine says.
void OffloadDriver::take_back_change() {
    monitor_->set_pause_of_next(worker_.run.state.paused);
    (void)monitor_->change(worker_.run.engine.params());
}

const char* OffloadDriver::other_end() const { return ", or the kernel's DAMON was turned off"; }

uint64_t OffloadDriver::round_us() const { return worker_.run.engine.params().attrs.aggr_us; }

void OffloadDriver::advance() {
    if (!wait_for_window()) return;
    Run& run = worker_.run;
    run.callbacks.bring_goal_values(run.callbacks.owner, run.engine);
    // A walk that comes after this is cancelled in the next window.
    const bool has_schemes = run.engine.nr_schemes() != 0;
    if (!has_schemes) worker_.walks.cancel();
    const bool walking = has_schemes && worker_.walks.begin_pass();
    const uint64_t cpu_before_ns = run.meter.spent_now(Consumer::kSampling);
    const Status status = monitor_->observe(run.engine.params(), walking, observation_);
    const uint64_t work_ns = run.meter.spent_now(Consumer::kSampling) - cpu_before_ns;
    worker_.progress.add_cost(work_ns);
    show(status, walking);
    worker_.commits.run_deferred();
    const uint64_t aggr_us = run.engine.params().attrs.aggr_us;
    const uint64_t window_ns = saturating_mul(aggr_us - std::min(aggr_us / 4, kMostEarlyUs), 1000);
    // One long look alone was somebody else's doing.
    const uint64_t typical_ns = std::min(work_ns, last_work_ns_);
    last_work_ns_ = work_ns;
    const uint64_t rest_ns = std::min(saturating_mul(typical_ns, kRestPerWork), kLongestRestNs);
    rest_until_ns_ = saturating_add(run.clock.system_ns(), std::max(window_ns, rest_ns));
    worker_.run_mailbox(true);
}

// Until it is time to look. Calls run when they come. False: something else is to be done first.
bool OffloadDriver::wait_for_window() {
    Run& run = worker_.run;
    Lock lock(run.sync.mutex);
    for (;;) {
        if (run.state.stop_requested || run.state.pause_wanted) return false;
        if (worker_.mailbox.has_new_locked()) {
            lock.unlock();
            worker_.run_mailbox(false);
            lock.relock();
            continue;
        }
        if (run.clock.system_ns() >= rest_until_ns_) return true;
        wait_until(rest_until_ns_);
    }
}

void OffloadDriver::show(const Status& status, bool walking) {
    Run& run = worker_.run;
    if (!status.ok()) {
        // Nothing this time: all schemes wait for watermarks, or the end has come, which should_end sees.
        if (walking) worker_.walks.cancel();
        if (status.error() == -EAGAIN) {
            worker_.progress.show_gate(status.text());
        } else {
            run.report(status);
        }
        return;
    }
    worker_.progress.leave_gate();
    const Attrs before = run.engine.params().attrs;
    if (!run.engine.mirror(observation_)) run.report(Status::fail(-ENOMEM, "no memory for all regions"));
    worker_.mappings.reserve_published();
    worker_.publisher.publish_schemes(run.engine);
    worker_.interval.end_window();
    worker_.progress.show_tuned(before);
    if (walking) report_tried();
}

void OffloadDriver::report_tried() {
    Run& run = worker_.run;
    const CpuScope scope(run.meter, Consumer::kActions);
    run.in_step = true;
    for (const TriedRegion& tried : observation_.tried) {
        ActionRequest request;
        request.scheme_idx = tried.scheme_idx;
        request.scheme = &run.engine.params().schemes[tried.scheme_idx];
        request.target_idx = tried.region.target_idx;
        request.range = {tried.region.start, tried.region.end};
        request.nr_accesses = tried.region.nr_accesses;
        request.age = tried.region.age;
        Outcome outcome;
        outcome.filter_passed = tried.filter_passed;
        worker_.walks.report(request, outcome);
    }
    worker_.walks.end_whole_pass();
    run.in_step = false;
}

}  // namespace damon
