// The one walk that may be pending: a function to be told of every region that schemes act on.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "engine/engine.h"
#include "model/action.h"
#include "os/lock.h"

namespace damon {

// Lives on the stack of the thread that waits for it.
struct Walk {
    // Called on the worker with no lock held.
    void (*fn)(void* data, const ActionRequest& request, const Outcome& outcome) = nullptr;
    void* data = nullptr;
    bool finished = false;
    bool canceled = false;
};

class WalkSlot {
public:
    explicit WalkSlot(WorkerSync& sync) : sync_(sync) {}

    // Accepts walks from here on; until then they are refused.
    void open();
    void open_locked();  // the sync's mutex is held
    // Refuses new walks and cancels the pending one.
    void close();

    // Makes room for the marks. False: out of memory.
    [[nodiscard]] bool reserve(size_t nr_schemes);

    // Makes `walk` the pending one: it is served from the next pass on. 0; -EBUSY: another one is pending; -ECANCELED.
    int install(Walk& walk);
    // Waits until every scheme has had one due pass since. 0; -ECANCELED. Not on the worker.
    int wait(Walk& walk);

    // --- for the worker ---
    // A pass begins: it reports to the walk that is pending now, if any (true); a later one waits for the next pass.
    bool begin_pass();
    void report(const ActionRequest& request, const Outcome& outcome);
    // The pass has ended: schemes that were due are marked and report no more; all marked, the walk is complete.
    void end_pass(const Engine& engine);
    // The pass was one in which every scheme was due.
    void end_whole_pass();
    void cancel();

private:
    void finish_locked(bool canceled);

    WorkerSync& sync_;
    Walk* pending_ = nullptr;
    Walk* reporting_ = nullptr;  // worker only
    bool open_ = false;
    Vector<bool> marks_;  // worker only, one a scheme: had its due pass
};

}  // namespace damon
