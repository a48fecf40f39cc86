// The actions of the operations on virtual address spaces: applies one scheme's action to one region of a process, and
// reports what was really done. The advices that exist for a reason of their own are in advise.h, huge_advice.h and
// migrate.h. Used by the worker alone, but for validate and statistics.
//
//   action        this process                another process (Linux lets privileged ones)
//   willneed      madvise                     process_madvise
//   cold          madvise                     process_madvise
//   pageout       madvise                     process_madvise
//   hugepage      madvise                     0 applied, counted as forbidden
//   nohugepage    madvise                     0 applied, counted as forbidden
//   collapse      madvise                     process_madvise
//   lru_deprio    as cold                     as cold
//   lru_prio      refused: user space cannot move memory to the active list
//   migrate_*     move_pages                  move_pages
//   stat          counts what page-level filters let pass; nothing without such filters (S-5)
#pragma once

#include <cstdint>

#include "base/status.h"
#include "base/vector.h"
#include "model/action.h"
#include "model/params.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/actions/action_statistics.h"
#include "ops/linux/actions/action_subject.h"
#include "ops/linux/actions/advised_ranges.h"
#include "ops/linux/actions/backoff.h"
#include "os/page_sizes.h"

namespace damon {

class ActionExecutor {
public:
    // Refuses actions, filters and probes that cannot be served, naming them. Any thread.
    static Status validate(const Params& params);

    // Begins a run.
    void start();
    // Ends it, and forgets the processes. Also where targets changed.
    void stop();
    // The mappings may have changed since the last action. What time it is: the same for all actions of one pass.
    void new_interval(uint64_t now_us = 0);

    // `pid` 0: this process. `checker`: how its accesses are seen; null: all that matter are reported.
    Outcome apply(const ActionRequest& request, int32_t pid, AccessChecker* checker = nullptr);

    const ActionStatistics& statistics() const { return statistics_; }

private:
    bool reach(int32_t pid);

    PageSizes sizes_;
    ActionSubject subject_;  // the process acted on last: regions come target by target
    uint64_t memcg_id_ = 0;
    Backoff backoff_;
    AdvisedRanges advised_;
    ActionStatistics statistics_;
};

}  // namespace damon
