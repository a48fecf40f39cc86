#include "kdamond/worker/worker.h"

#include <time.h>

#include <cerrno>

#include "kdamond/exchange/registry.h"

namespace damon {

Worker::Worker(WorkerSync& sync, const WorkerCallbacks& callbacks)
    : run(sync, callbacks),
      mailbox(sync),
      walks(sync),
      publisher(sync),
      progress(run),
      costs(run, progress),
      added_target(run, added),
      surveys(run, added_target, costs),
      passes(run, costs),
      mappings(run, added_target, costs, progress, publisher),
      learned(run),
      commits(*this),
      interval(*this) {}

Status Worker::begin_run() {
    run.ending = false;
    end_reason = {};
    commits.start();
    mappings.start();
    driver().announce_pause(run.pause_wanted());
    Status status = run.ops->start(run.engine.params());
    if (!status.ok()) return status;
    mappings.refresh(RefreshReason::kInit, nullptr);
    run.engine.start(run.seed);
    mappings.refresh(RefreshReason::kGiven, nullptr);
    run.report(learned.bring(driver().check(Ability::kRestore).ok()));
    mappings.reserve_published();
    publisher.publish_schemes(run.engine);
    interval.start();
    costs.start();
    passes.start();
    progress.start();
    mailbox.open();
    walks.open();
    return {};
}

void Worker::finish_run() {
    run.ending = true;
    commits.drop_deferred();
    disarm();
    run.ops->set_paused(false);
    run.ops->stop();
    learned.keep();
    run.engine.stop();
    mailbox.close();
    walks.close();
    run.meter.stop();
    registry_leave();  // before anybody learns of the end, and may start exclusively
    const Lock lock(run.sync.mutex);
    run.state.past_cpu_ns += driver().own_cpu_ns();  // no less than the meter has given to consumers
    run.state.phase = Phase::kEnded;
    progress.show_end_locked(end_reason);
    run.state.paused = false;
    run.tid.store(0, std::memory_order_relaxed);
    run.clear_runner();
    run.sync.callers.notify_all();
}

bool Worker::should_end() {
    {
        const Lock lock(run.sync.mutex);
        if (run.state.stop_requested) return true;
    }
    if (!run.traits.has_target_valid) return false;
    bool any = false;
    run.in_step = true;
    for (uint32_t target_idx = 0; target_idx < run.engine.nr_targets(); ++target_idx) {
        const bool valid = run.ops->target_valid(target_idx);
        run.engine.set_target_valid(target_idx, valid);
        any = any || valid;
    }
    run.in_step = false;
    if (any) commits.run_deferred();
    if (!any) {
        end_reason = Status::fail(-ESRCH, "the monitor ended: none of its %llu targets is valid (any more)%s",
                                  static_cast<unsigned long long>(run.engine.nr_targets()), driver().other_end());
        run.report(end_reason);
    }
    return !any;
}

void Worker::run_calls() {
    commits.run_deferred();
    run_mailbox(true);
}

// What the program's functions take is not the monitor's own cost.
void Worker::run_mailbox(bool with_repeats) {
    {
        const Lock lock(run.sync.mutex);
        if (mailbox.is_empty_locked()) return;
    }
    const CpuScope scope(run.meter, Consumer::kActions);
    mailbox.run(with_repeats);
}

WatermarkValues Worker::watermark_values() {
    WatermarkValues values;
    if (run.engine.needs_watermark(WatermarkMetric::kFreeMemRate)) values.free_mem = run.ops->free_memory_permil();
    if (run.engine.needs_watermark(WatermarkMetric::kOwnMemcgFreeRate)) values.own_memcg = run.ops->own_memcg_permil();
    return values;
}

void Worker::disarm() {
    run.ops->disarm();
    passes.give_up();
}

void Worker::release_rest() {
    while (const uint64_t rest_ns = run.ops->release_some()) {
        const timespec rest = {static_cast<time_t>(rest_ns / 1'000'000'000),
                               static_cast<long>(rest_ns % 1'000'000'000)};
        nanosleep(&rest, nullptr);
    }
}

}  // namespace damon
