// What the parts of a worker share: the engine that decides, the ops that act, the time, and where the run stands.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/status.h"
#include "engine/engine.h"
#include "kdamond/exchange/publisher.h"
#include "kdamond/timing/cpu_meter.h"
#include "kdamond/timing/run_clock.h"
#include "ops/ops.h"
#include "os/lock.h"
#include "os/thread.h"

namespace damon {

// What the layer above does for the worker. All are called on the worker with no lock held.
struct WorkerCallbacks {
    void* owner = nullptr;
    // DAMOS_CALLBACK: the program's own action.
    uint64_t (*action)(void* owner, const ActionRequest& request) = nullptr;
    // Before schemes are applied: user_input goals that were set meanwhile go to the engine.
    void (*bring_goal_values)(void* owner, Engine& engine) = nullptr;
    // Something went wrong that no caller is told of: a worker that ended on its own.
    void (*failed)(void* owner, const Status& status) = nullptr;
};

enum class Phase : uint8_t { kStopped, kStarting, kRunning, kEnded };

// Where the run stands for other threads. Under the sync's mutex.
struct RunState {
    Phase phase = Phase::kStopped;
    bool stop_requested = false;
    bool pause_wanted = false;
    bool paused = false;
    uint64_t pause_order = 0;  // counts what set_pause was asked for
    Status pause_status;       // why the worker could not pause when it was last asked to
    uint64_t run_number = 0;
    uint64_t past_cpu_ns = 0;  // of the workers before this one

    bool running() const { return phase == Phase::kStarting || phase == Phase::kRunning; }
};

struct Run {
    Run(WorkerSync& shared, const WorkerCallbacks& given) : sync(shared), callbacks(given) {}

    WorkerSync& sync;
    const WorkerCallbacks callbacks;
    RunState state;
    std::atomic<int32_t> tid{0};
    std::atomic<uintptr_t> runner{0};  // token of the thread that runs the worker's code now

    // The worker's own:
    Engine engine;
    Ops* ops = nullptr;
    OpsTraits traits;
    RunClock clock;
    CpuMeter meter;
    Counters counters;
    uint64_t seed = 0;
    bool in_step = false;  // callbacks of a step run now: its samples, regions and schemes must stay
    bool ending = false;

    // Whether the calling thread is inside a callback of this context (or is its worker).
    bool on_worker() const { return runner.load(std::memory_order_relaxed) == thread_token(); }
    void set_runner() { runner.store(thread_token(), std::memory_order_relaxed); }
    void clear_runner() { runner.store(0, std::memory_order_relaxed); }

    // False: custom operations touch memory, and nobody waits for the program's own code (AddedRanges::Touch).
    bool touches_memory() const { return engine.params().ops_id != OpsId::kCustom; }

    // Reports a failure that no caller hears of.
    void report(const Status& status) const {
        if (!status.ok()) callbacks.failed(callbacks.owner, status);
    }
    bool pause_wanted() const {
        const Lock lock(sync.mutex);
        return state.pause_wanted;
    }
    // The sync's mutex is held.
    void set_pause_locked(bool pause) {
        ++state.pause_order;
        state.pause_status = {};
        if (state.pause_wanted == pause) return;
        state.pause_wanted = pause;
        sync.callers.notify_all();  // who waits for the opposite waits no more
    }
};

}  // namespace damon
