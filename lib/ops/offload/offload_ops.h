// The running kernel's DAMON as operations: it monitors, the library sets it up, follows it and turns it off.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "ops/offload/offload_plan.h"
#include "ops/offload/offload_reading.h"
#include "ops/offload/sysfs_tree.h"
#include "ops/offload/write_plan.h"
#include "ops/offloaded_monitor.h"

namespace damon {

class OffloadOps final : public OffloadedMonitor {
public:
    OpsTraits traits() const override;
    Status validate(const Params& params) const override;
    // Claims the kernel's DAMON, sets it up and turns it on.
    Status start(const Params& params) override;
    // Turns it off; the kernel's DAMON is as it was before the start.
    void stop() override;
    // Whether the kernel's worker is alive: it ends when no target is left, or somebody turns it off.
    bool target_valid(uint32_t target_idx) override;
    bool targets_can_die() const override { return true; }
    Status change(const Params& params) override;
    bool can_pause() const override { return can_pause_; }
    Status pause(bool pause) override;
    void set_pause_of_next(bool pause) override { pause_next_ = pause; }
    Status observe(const Params& params, bool tried, Observation& seen) override;

private:
    Status set_up(const Params& params);
    Status turn_on();
    PlanFacts facts(bool running, bool paused) const;
    Status write_all();
    void settle();
    Status check_settled();
    Status make_room(const Params& params, Params& next);
    void keep(Params& next);
    Status ended() const;
    Status commit_tree();
    Status bring_goal_values(const Params& params);
    Status read_regions(Observation& seen);
    Status read_tried(Observation& seen);
    Status read_progress(Observation& seen);
    void read_intervals(Observation& seen);
    Status adapt_ages(uint64_t aggr_us);
    bool book_progress();

    SysfsTree tree_;
    WritePlan plan_;
    Params params_;  // as they were last written
    bool can_pause_ = false;
    bool layered_filters_ = false;
    bool frozen_ = false;
    bool pause_next_ = false;   // whether the next start or change freezes it
    bool given_ = false;        // targets were given ranges in this run
    bool unsettled_ = false;    // the files do not say what runs
    uint64_t ages_for_us_ = 0;  // the windows that the files' ages count
    StatBook book_;
    Vector<SchemeStats> booked_;  // by scheme of the context: grown, and not handed out yet
    Vector<TriedRegion> scratch_;
};

}  // namespace damon
