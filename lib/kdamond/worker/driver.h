// Who brings a run forward: a thread of its own, its callers step by step, or a thread that follows an offloaded
// monitor. The worker (worker.h) does what is common to all of them. Every member has a default, that of a context
// which does not run.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "kdamond/exchange/mailbox.h"
#include "kdamond/exchange/walk.h"
#include "ops/offloaded_monitor.h"
#include "os/lock.h"
#include "os/thread.h"

namespace damon {

struct Worker;

struct StartOptions {
    uint64_t seed = 0;
    bool manual = false;
    OffloadedMonitor* monitor = nullptr;  // the ops, where monitoring is offloaded
    ThreadOptions thread;                 // its cpu_mask lives until launch returns
};

// What not every driver can do in a run.
enum class Ability : uint8_t { kPause, kReadMappings, kSetRegions, kRestore };

class Driver {
public:
    explicit Driver(Worker& worker) : worker_(worker) {}
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // --- both ends of a run; any thread but the worker ---

    // Takes what the next run needs. Stopped.
    virtual void prepare(const StartOptions& options);
    // Begins the run, whose phase is kStarting; returns when calls are accepted, or why it could not begin.
    virtual Status launch();
    // Whether a thread is at work on it that must end before a stop. The sync's mutex is held.
    virtual bool busy_locked() const;
    // Ends the run, which has begun and is not busy. `lock` holds the sync's mutex.
    virtual void stop(Lock& lock);
    // Waits until nothing is held and the worker is gone; a run that has ended only. `lock` as above.
    virtual void reap(Lock& lock);
    // Processor time of this run's worker, which runs. The sync's mutex is held.
    virtual uint64_t cpu_ns_locked() const;
    // On the worker, at its end: what it has spent.
    virtual uint64_t own_cpu_ns() const;

    // --- what other threads ask of a run ---

    // Runs a call that is no repeat call: 0, or -ECANCELED. `run_number`: the run that is meant.
    virtual int call(Call& call, uint64_t run_number, uint64_t* id_out);
    virtual Status set_pause(bool pause);
    // The sync's mutex is held.
    virtual bool paused_locked() const;
    virtual int install(Walk& walk);
    // Manual drive alone: a step; taking the worker's place between two of them, which fails (false) elsewhere.
    virtual int step(uint64_t now_us);
    virtual bool enter();
    virtual void leave();

    // --- what an offloaded monitor differs in; the worker calls ---

    // -EOPNOTSUPP with the reason: it cannot.
    virtual Status check(Ability ability) const;
    // The next start or change of the ops leaves the run paused, or not.
    virtual void announce_pause(bool pause);
    // A change of the ops was announced and made, but the engine could not follow.
    virtual void take_back_change();
    // What else may have ended the run, when no target is valid: a clause, or nothing.
    virtual const char* other_end() const;

protected:
    ~Driver() = default;

    Worker& worker_;
};

}  // namespace damon
