// Where the targets lie: read from the ops at a run's start, every ops_update_us, and where samples find it changed.
#pragma once

#include "base/vector.h"
#include "kdamond/exchange/publisher.h"
#include "kdamond/timing/update_schedule.h"
#include "kdamond/worker/added_target.h"
#include "kdamond/worker/costs.h"
#include "kdamond/worker/progress.h"
#include "kdamond/worker/run.h"

namespace damon {

class Mappings {
public:
    Mappings(Run& run, AddedTarget& added, Costs& costs, Progress& progress, Publisher& publisher)
        : run_(run), added_(added), costs_(costs), progress_(progress), publisher_(publisher) {}

    void start() { updates_.start(run_.clock.now_ns()); }

    // Asks the ops where the targets lie now; `only`: one mark a target, those to be asked for.
    void refresh(RefreshReason reason, const Vector<uint8_t>* only);
    void refresh_target(uint32_t target_idx, RefreshReason reason);
    // Reads them now.
    void read();
    bool being_read() const { return reading_; }
    // New ranges of a target, from the user.
    Status give_ranges(uint32_t target_idx, std::span<const AddressRange> ranges);

    // A reading is due; a sample found a mapping gone or changed.
    void want_update() { updates_.want(); }
    void ask_for_update();
    void update_if_due();

    // Coverage of many ranges may have made the engine grow. Without memory for all, snapshots are cut short.
    void reserve_published();

private:
    Run& run_;
    AddedTarget& added_;
    Costs& costs_;
    Progress& progress_;
    Publisher& publisher_;
    UpdateSchedule updates_;
    TargetCoverage coverage_;
    bool reading_ = false;
};

}  // namespace damon
