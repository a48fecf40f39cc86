#include "kdamond/exchange/walk.h"

#include <cerrno>

namespace damon {

void WalkSlot::open() {
    const Lock lock(sync_.mutex);
    open_locked();
}

void WalkSlot::open_locked() { open_ = true; }

void WalkSlot::close() {
    const Lock lock(sync_.mutex);
    open_ = false;
    finish_locked(true);
}

bool WalkSlot::reserve(size_t nr_schemes) { return nr_schemes <= marks_.size() || marks_.resize(nr_schemes); }

int WalkSlot::install(Walk& walk) {
    const Lock lock(sync_.mutex);
    if (!open_) return -ECANCELED;
    if (pending_ != nullptr) return -EBUSY;
    pending_ = &walk;
    return 0;
}

int WalkSlot::wait(Walk& walk) {
    const Lock lock(sync_.mutex);
    while (!walk.finished) sync_.callers.wait(sync_.mutex);
    return walk.canceled ? -ECANCELED : 0;
}

bool WalkSlot::begin_pass() {
    const Lock lock(sync_.mutex);
    reporting_ = pending_;
    return reporting_ != nullptr;
}

void WalkSlot::report(const ActionRequest& request, const Outcome& outcome) {
    if (reporting_ != nullptr && !marks_[request.scheme_idx]) reporting_->fn(reporting_->data, request, outcome);
}

void WalkSlot::end_pass(const Engine& engine) {
    if (reporting_ == nullptr) return;
    bool all = true;
    for (size_t i = 0; i < engine.nr_schemes(); ++i) {
        marks_[i] = marks_[i] || engine.scheme(i).due;
        all = all && marks_[i];
    }
    if (!all) return;
    const Lock lock(sync_.mutex);
    finish_locked(false);
}

void WalkSlot::end_whole_pass() {
    if (reporting_ == nullptr) return;
    const Lock lock(sync_.mutex);
    finish_locked(false);
}

void WalkSlot::cancel() {
    const Lock lock(sync_.mutex);
    finish_locked(true);
}

// Empties the slot first and wakes then; marks never outlive their walk.
void WalkSlot::finish_locked(bool canceled) {
    reporting_ = nullptr;
    for (bool& mark : marks_) mark = false;
    if (pending_ == nullptr) return;
    pending_->canceled = canceled;
    pending_->finished = true;
    pending_ = nullptr;
    sync_.callers.notify_all();
}

}  // namespace damon
