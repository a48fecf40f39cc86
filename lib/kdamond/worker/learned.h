// What a run has learned, kept at its end, and brought to the next one.
#pragma once

#include <cstddef>

#include "kdamond/worker/run.h"
#include "model/saved_context.h"

namespace damon {

class Learned {
public:
    explicit Learned(Run& run) : run_(run) {}

    // In a run, on its worker.
    Status save(SavedContext& out) const;
    // The engine goes on with it; the addresses are those of now. In a run, on its worker.
    Status restore(const SavedContext& saved);

    // Stopped, and the sync's mutex is held: what the last run knew at its end, or what was restored since; what the
    // next run begins with; scheme number `scheme_idx` goes, and those behind it move up.
    Status save_locked(SavedContext& out) const;
    void restore_locked(SavedContext&& saved);
    void forget_scheme_locked(size_t scheme_idx);

    // The worker, at a run's end: without memory for it nothing is kept, and a save says so.
    void keep();
    // The worker, at a run's start; `can_restore` false: what was restored is dropped.
    Status bring(bool can_restore);

private:
    Run& run_;
    SavedContext saved_;      // stopped only; the worker writes it at both ends of a run
    bool restoring_ = false;  // the next run begins with it
};

}  // namespace damon
