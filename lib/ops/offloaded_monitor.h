// Ops whose monitoring is offloaded (OpsTraits::offloaded): they have no arm, look and apply. The worker follows them.
// Members have defaults, as those of Ops: a pure one may need the C++ runtime, which is not linked.
#pragma once

#include <cerrno>

#include "model/observation.h"
#include "ops/ops.h"

namespace damon {

class OffloadedMonitor : public Ops {
public:
    // Whether the monitor can be frozen; does not change during a run, any thread.
    virtual bool can_pause() const { return false; }
    // Freezes the monitor, or lets it go on where it stood. Nothing happens where it is so already.
    virtual Status pause(bool /*pause*/) { return unserved(); }
    // Whether the next start() or change() leaves the monitor frozen.
    virtual void set_pause_of_next(bool /*pause*/) {}
    // Waits for the end of a window and reports what there is then; at most one pass of the slowest scheme long.
    // `params`: with the goal values of now. `tried`: also the regions that schemes acted on. -EAGAIN: nothing this
    // time.
    virtual Status observe(const Params& /*params*/, bool /*tried*/, Observation& /*seen*/) { return unserved(); }

protected:
    ~OffloadedMonitor() = default;

private:
    static Status unserved() { return Status::fail(-EOPNOTSUPP, "no monitor is there"); }
};

}  // namespace damon
