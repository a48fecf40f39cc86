// One context at work: what every driver does alike. It brings the engine that decides and the ops that act together,
// and makes no decision about memory of its own.
#pragma once

#include <atomic>
#include <cstdint>

#include "kdamond/exchange/added_ranges.h"
#include "kdamond/exchange/mailbox.h"
#include "kdamond/exchange/publisher.h"
#include "kdamond/exchange/walk.h"
#include "kdamond/worker/added_target.h"
#include "kdamond/worker/commits.h"
#include "kdamond/worker/costs.h"
#include "kdamond/worker/driver.h"
#include "kdamond/worker/interval.h"
#include "kdamond/worker/learned.h"
#include "kdamond/worker/mappings.h"
#include "kdamond/worker/passes.h"
#include "kdamond/worker/progress.h"
#include "kdamond/worker/run.h"
#include "kdamond/worker/surveys.h"

namespace damon {

struct Worker {
    Worker(WorkerSync& sync, const WorkerCallbacks& callbacks);

    // The driver of this run, or of the last one.
    Driver& driver() const { return *driver_in_use.load(std::memory_order_relaxed); }
    bool is_driven_by(const Driver& one) const { return &driver() == &one; }

    // --- on the worker, or on the thread that takes its place ---

    // Begins the prepared run. Failure: nothing is held.
    Status begin_run();
    // L-17. Schemes, attributes and statistics survive in the engine; regions go.
    void finish_run();
    // L-16. Also reports to the engine which targets are gone.
    bool should_end();
    // Commits and calls that wait.
    void run_calls();
    void run_mailbox(bool with_repeats);
    // What watermarks ask for.
    WatermarkValues watermark_values();
    // There is no look at what was armed.
    void disarm();
    // After the end: in pieces with rests, so that the program's other threads do not notice. Who frees or starts this
    // context again waits for it.
    void release_rest();

    Run run;
    Mailbox mailbox;
    WalkSlot walks;
    Publisher publisher;
    AddedRanges added;  // that come and go; any thread
    Progress progress;
    Costs costs;
    AddedTarget added_target;
    Surveys surveys;
    Passes passes;
    Mappings mappings;
    Learned learned;
    Commits commits;
    Interval interval;
    Status end_reason;  // why the run ends on its own
    std::atomic<Driver*> driver_in_use{nullptr};
};

}  // namespace damon
