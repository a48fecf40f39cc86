// Ops that monitor elsewhere (OpsTraits::offloaded): they have no arm, look and apply. The worker follows them.
#pragma once

#include "model/observation.h"
#include "ops/ops.h"

namespace damon {

class OffloadedMonitor : public Ops {
public:
    // Whether the monitor can be frozen; does not change during a run, any thread.
    virtual bool can_pause() const = 0;
    // Freezes the monitor, or lets it go on where it stood. Nothing happens where it is so already.
    virtual Status pause(bool pause) = 0;
    // Whether the next start() or change() leaves the monitor frozen.
    virtual void set_pause_of_next(bool pause) = 0;
    // Waits for the end of a window and reports what there is then; at most one pass of the slowest scheme long.
    // `params`: with the goal values of now. `tried`: also the regions that schemes acted on. -EAGAIN: nothing this
    // time.
    virtual Status observe(const Params& params, bool tried, Observation& seen) = 0;

protected:
    ~OffloadedMonitor() = default;
};

}  // namespace damon
