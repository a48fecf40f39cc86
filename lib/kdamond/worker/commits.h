// Changes of a context at work, on its worker: at once between two steps, else when the step's callbacks are done.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/params.h"

namespace damon {

struct Worker;

// New parameters on their way to the worker.
struct Commit {
    Params params;
    // On the worker, before anything is checked: completes the parameters from what the destination is by then. A
    // failure refuses the commit. May be null.
    Status (*complete)(Commit& commit) = nullptr;
    // After the engine and the ops took the parameters over; on the worker, no lock held; may be null.
    void (*on_committed)(Commit& commit) = nullptr;
    // Ends a commit that was put off, done or not.
    void (*dispose)(Commit& commit) = nullptr;
    bool carries_pause = false;  // false: the context stays paused or not, as it is
    bool pause = false;          // what it is afterwards
    Status status;
    // Commits that wait for the end of a step:
    Commit* next = nullptr;
    bool deferred = false;
    uint64_t pause_order = 0;  // a set_pause that came later wins
};

class Commits {
public:
    explicit Commits(Worker& worker) : worker_(worker) {}

    void start() { refresh_deferred_ = false; }

    // Behind those that wait, which were made before.
    Status commit_in_order(Commit& commit);
    // In a callback: now, or (`*deferred`) at the end of the step whose callback it is, where it is checked now.
    Status commit_in_callback(Commit& commit, bool* deferred);
    // In a callback of a step: the mappings are read when it has ended.
    void defer_refresh() { refresh_deferred_ = true; }
    // Between two steps: does what was put off.
    void run_deferred();
    // The run ends: reports that it will not be done.
    void drop_deferred();

private:
    Status check(Commit& commit) const;
    Status commit_now(Commit& commit);
    Status reserve(const Params& params);
    Status hand_over(Commit& commit);
    bool pause_after_locked(const Commit& commit) const;
    bool pause_after(const Commit& commit) const;
    void take_pause(const Commit& commit);
    void defer(Commit& commit);

    Worker& worker_;
    Commit* deferred_ = nullptr;
    bool refresh_deferred_ = false;
};

}  // namespace damon
