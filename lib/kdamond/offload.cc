// The worker where somebody else monitors (OpsTraits::offloaded): it follows, window by window. Calls, commits, walks,
// pause, stop and snapshots are as everywhere.
#include <algorithm>
#include <cerrno>

#include "kdamond/kdamond.h"

namespace damon {
namespace {

// The worker asks a little before the window ends, and waits for the end inside of the question.
constexpr uint64_t kMostEarlyUs = 100'000;
// Reading a thousand regions takes long: the worker rests so many times as long as it worked, but not for ever.
constexpr uint64_t kRestPerWork = 20;
constexpr uint64_t kLongestRestNs = 5'000'000'000;

}  // namespace

Status Kdamond::freeze(bool pause) { return monitor_ == nullptr ? Status() : monitor_->pause(pause); }

void Kdamond::set_pause_of_next(bool pause) {
    if (monitor_ != nullptr) monitor_->set_pause_of_next(pause);
}

void Kdamond::follow() {
    if (!wait_for_window()) return;
    callbacks_.bring_goal_values(callbacks_.owner, engine_);
    if (engine_.nr_schemes() == 0) walks_.cancel();
    const bool walking = walks_.begin_pass();
    const uint64_t cpu_before_ns = meter_.spent_now(Consumer::kSampling);
    const Status status = monitor_->observe(engine_.params(), walking, observation_);
    const uint64_t work_ns = meter_.spent_now(Consumer::kSampling) - cpu_before_ns;
    cost_rate_.add(work_ns);
    show(status, walking);
    run_deferred_commits();
    const uint64_t aggr_us = engine_.params().attrs.aggr_us;
    const uint64_t window_ns = saturating_mul(aggr_us - std::min(aggr_us / 4, kMostEarlyUs), 1000);
    // One long look alone was somebody else's doing.
    const uint64_t typical_ns = std::min(work_ns, last_work_ns_);
    last_work_ns_ = work_ns;
    const uint64_t rest_ns = std::min(saturating_mul(typical_ns, kRestPerWork), kLongestRestNs);
    rest_until_ns_ = saturating_add(clock_.now_ns(), std::max(window_ns, rest_ns));
    run_mailbox(true);
}

// Until it is time to look. Calls run when they come. False: something else is to be done first.
bool Kdamond::wait_for_window() {
    Lock lock(sync_.mutex);
    for (;;) {
        if (stop_requested_ || pause_wanted_) return false;
        if (mailbox_.has_new_locked()) {
            lock.unlock();
            run_mailbox(false);
            lock.relock();
            continue;
        }
        if (clock_.now_ns() >= rest_until_ns_) return true;
        sync_.worker.wait_until(sync_.mutex, rest_until_ns_);
        Counters::add(counters_.nr_wakeups, 1);
    }
}

void Kdamond::show(const Status& status, bool walking) {
    if (!status.ok()) {
        // Nothing this time: all schemes wait for watermarks, or the end has come, which should_end sees.
        if (walking) walks_.cancel();
        if (status.error() != -EAGAIN) callbacks_.failed(callbacks_.owner, status);
        if (status.error() == -EAGAIN && !gated_) {
            become(State::kWatermarks, status.text());
            gated_ = true;
        }
        return;
    }
    leave_gate();
    const Attrs before = engine_.params().attrs;
    if (!engine_.mirror(observation_))
        callbacks_.failed(callbacks_.owner, Status::fail(-ENOMEM, "no memory for all regions"));
    reserve_published();
    publisher_.publish_schemes(engine_);
    end_window();
    show_tuned(before);
    if (walking) report_tried();
}

void Kdamond::report_tried() {
    const CpuScope scope(meter_, Consumer::kActions);
    in_step_ = true;
    for (const TriedRegion& tried : observation_.tried) {
        ActionRequest request;
        request.scheme_idx = tried.scheme_idx;
        request.scheme = &engine_.params().schemes[tried.scheme_idx];
        request.target_idx = tried.region.target_idx;
        request.range = {tried.region.start, tried.region.end};
        request.nr_accesses = tried.region.nr_accesses;
        request.age = tried.region.age;
        Outcome outcome;
        outcome.filter_passed = tried.filter_passed;
        walks_.report(request, outcome);
    }
    walks_.end_whole_pass();
    in_step_ = false;
}

// How often a paused worker looks after its targets and repeat calls.
uint64_t Kdamond::round_us() const {
    const Attrs& attrs = engine_.params().attrs;
    return monitor_ != nullptr ? attrs.aggr_us : attrs.sample_us;
}

}  // namespace damon
