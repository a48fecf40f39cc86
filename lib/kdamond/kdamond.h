// One context at work, as the callers see it: they begin and end runs, and ask things of the worker. What the worker
// does is in worker/, and who brings it forward in the drivers.
#pragma once

#include <cstdint>
#include <utility>

#include "base/status.h"
#include "kdamond/manual_driver.h"
#include "kdamond/offload_driver.h"
#include "kdamond/thread_driver.h"
#include "kdamond/worker/worker.h"
#include "os/lock.h"

namespace damon {

class Kdamond {
public:
    Kdamond(WorkerSync& sync, const WorkerCallbacks& callbacks);
    ~Kdamond() = default;
    Kdamond(const Kdamond&) = delete;
    Kdamond& operator=(const Kdamond&) = delete;

    // --- both ends of a run; any thread but the worker; the caller has a place in the registry ---

    // Checks and reserves everything that a run needs; no effect on failure. Stopped only. The ops must live until
    // stop.
    Status prepare(const Params& params, Ops& ops, const StartOptions& options);
    // Begins the prepared run; returns when calls are accepted, or with the reason why the run could not begin.
    Status launch();
    // Ends the run, if any: nothing is sampled and no callback runs any more. What the ops hold is released after that.
    void stop();
    // Waits until nothing is held and the worker is gone; a run that has ended only.
    void reap();

    bool running() const;  // begun and not ended
    bool running_locked() const { return worker_.run.state.running(); }
    int32_t tid() const { return worker_.run.tid.load(std::memory_order_relaxed); }
    // Whether the calling thread is inside a callback of this context (or is its worker).
    bool on_worker() const { return worker_.run.on_worker(); }
    uint64_t cpu_ns() const;

    // --- control.cc: what other threads and callbacks ask of a run ---

    int call(Call& call, uint64_t* id_out);
    int cancel_call(uint64_t id);
    // Returns commit.status, except where the commit had to be put off to the end of the step whose callback it is made
    // in: then 0, and `*deferred` is true: the commit belongs to the worker from then on, which disposes of it.
    Status commit(Commit& commit, bool* deferred);
    Status set_pause(bool pause) { return worker_.driver().set_pause(pause); }
    // Stopped: how the next run begins. The sync's mutex is held.
    void set_pause_locked(bool pause) { worker_.run.set_pause_locked(pause); }
    bool paused() const;
    // Reads the mappings now; in a callback of a step that uses the regions: when that step has ended.
    Status refresh();
    int walk(Walk& walk);
    // 0, -ETIMEDOUT or -ECANCELED.
    int wait_for_snapshot(uint64_t after_seq, int64_t timeout_ms);
    int step(uint64_t now_us);
    // Takes the place of the manual driver (true), so that state may be touched between two steps; false: not manual or
    // not running.
    bool enter_manual() { return worker_.driver().enter(); }
    void leave_manual() { worker_.driver().leave(); }
    // New ranges from the user for a target of a run, on its worker. -EBUSY: in a callback of a step that uses the
    // regions, or the run is ending.
    Status give_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges);

    // --- what it shows ---

    // What the context is doing; any thread.
    Activity activity() const { return worker_.progress.activity(); }
    const Publisher& publisher() const { return worker_.publisher; }
    const Counters& counters() const { return worker_.run.counters; }
    const CpuMeter& cpu_meter() const { return worker_.run.meter; }
    // The worker's own; touch it on the worker, between manual steps, or stopped.
    Engine& engine() { return worker_.run.engine; }
    const Engine& engine() const { return worker_.run.engine; }
    // The regions as they are now, and what they are; `out` has room for them.
    SnapshotInfo describe_now() const;
    void read_now(void* out) const { Publisher::copy_regions(engine(), out); }
    // The ranges that come and go; any thread.
    AddedRanges& added() { return worker_.added; }
    const AddedRanges& added() const { return worker_.added; }
    // `attrs` with the intervals that the run, or the last one, tuned since they were set. The sync's mutex is held.
    Attrs attrs_as_tuned_locked(const Attrs& attrs) const { return worker_.progress.attrs_as_tuned_locked(attrs); }
    // They were set anew. The sync's mutex is held.
    void forget_tuned_locked() { worker_.progress.forget_tuned_locked(); }
    // Stopped: scheme number `scheme_idx` goes with its statistics; those behind it move up. The sync's mutex is
    // held.
    void forget_scheme_locked(size_t scheme_idx);

    // --- what was learned ---

    // In a run: on its worker. Ranges are those of the engine.
    Status save(SavedContext& out) const { return worker_.learned.save(out); }
    // Stopped: what the last run knew at its end, or what was restored since. The sync's mutex is held.
    Status save_locked(SavedContext& out) const { return worker_.learned.save_locked(out); }
    // In a run: on its worker, -EBUSY where give_target_ranges is. The addresses are those of now.
    Status restore(const SavedContext& saved);
    // Stopped: the next run begins with it. The sync's mutex is held.
    void restore_locked(SavedContext&& saved) { worker_.learned.restore_locked(std::move(saved)); }

private:
    Driver& driver_for(const StartOptions& options);
    void wait_for_pause(bool pause) const;
    bool starting_locked() const { return worker_.run.state.phase == Phase::kStarting; }

    Worker worker_;
    ThreadDriver thread_{worker_};
    ManualDriver manual_{worker_};
    OffloadDriver offload_{worker_};
};

}  // namespace damon
