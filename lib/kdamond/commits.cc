// Changes of a context at work, on its worker: at once between two steps, else when the step's callbacks are done.
#include <cerrno>

#include "engine/capacity.h"
#include "kdamond/kdamond.h"

namespace damon {
namespace {

bool gives_ranges(const Params& params) {
    for (const TargetParams& target : params.targets) {
        if (!target.ranges.empty()) return true;
    }
    return false;
}

}  // namespace

Status Kdamond::commit(Commit& commit, bool* deferred) {
    *deferred = false;
    if (on_worker()) {
        if (ending_) return Status::fail(-ECANCELED, "the context is ending");
        if (!in_step_) return commit_in_order(commit);
        // The step works on the samples, regions and schemes that would change under it: check now, do it when it ends.
        const Status status = check_commit(commit);
        *deferred = status.ok();
        if (status.ok()) defer(commit);
        return status;
    }
    struct Job {
        Kdamond* self;
        Commit* commit;
    } job = {this, &commit};
    Call request;
    request.data = &job;
    request.fn = [](void* data) {
        const Job& given = *static_cast<Job*>(data);
        given.commit->status = given.self->commit_in_order(*given.commit);
        return 0;
    };
    const int error = call(request, nullptr);
    if (error != 0) return Status::fail(error, "the context stopped before the commit was done");
    if (commit.status.ok() && commit.carries_pause) wait_for_pause(commit.pause);
    return commit.status;
}

// What set_pause promises holds for a commit too: the worker is silent, or has resumed. A run that ended meanwhile is
// silent, and the next one begins as the commit says.
void Kdamond::wait_for_pause(bool pause) {
    const Lock lock(sync_.mutex);
    while (running_locked() && paused_ != pause && pause_wanted_ == pause) sync_.callers.wait(sync_.mutex);
}

Status Kdamond::check_commit(Commit& commit) const {
    Status status;
    if (commit.complete != nullptr) status = commit.complete(commit);
    if (status.ok()) status = ops_->validate(commit.params);
    if (status.ok()) status = Engine::validate(commit.params, traits_);
    if (status.ok() && pause_after(commit) && !can_pause()) {
        status = Status::fail(-EOPNOTSUPP,
                              "pause: the source of the commit is paused, and these operations cannot be paused: the "
                              "kernel's DAMON has no file pause");
    }
    return status;
}

// Whether the context is to be paused once the commit is done. A set_pause that came after a commit that had to wait
// for the end of its step wins over it. The sync's mutex is held.
bool Kdamond::pause_after_locked(const Commit& commit) const {
    const bool superseded = commit.deferred && commit.pause_order != pause_order_;
    return commit.carries_pause && !superseded ? commit.pause : pause_wanted_;
}

bool Kdamond::pause_after(const Commit& commit) const {
    const Lock lock(sync_.mutex);
    return pause_after_locked(commit);
}

void Kdamond::take_pause(const Commit& commit) {
    const Lock lock(sync_.mutex);
    const bool pause = pause_after_locked(commit);
    if (pause_wanted_ == pause) return;
    pause_wanted_ = pause;
    pause_status_ = {};
    sync_.callers.notify_all();  // who waits for the opposite
}

// Those that wait were made before.
Status Kdamond::commit_in_order(Commit& commit) {
    run_deferred_commits();
    return commit_now(commit);
}

Status Kdamond::commit_now(Commit& commit) {
    Vector<uint8_t> new_targets;
    Status status = check_commit(commit);
    if (!status.ok()) return status;
    const size_t nr_schemes = commit.params.schemes.size();
    if (!publisher_.reserve(region_capacity_for(commit.params), nr_schemes) || !walks_.reserve(nr_schemes)) {
        return Status::fail(-ENOMEM, "no memory for %llu regions and %llu schemes",
                            static_cast<unsigned long long>(commit.params.attrs.max_nr_regions),
                            static_cast<unsigned long long>(nr_schemes));
    }
    set_pause_of_next(pause_after(commit));
    status = ops_->change(commit.params);
    if (!status.ok()) return status;
    const bool other_coverage = engine_.params().coverage != commit.params.coverage;
    status = engine_.commit(commit.params, traits_, &new_targets);
    if (!status.ok()) {
        // Out of memory: whoever monitors elsewhere goes back to what the engine says.
        set_pause_of_next(paused_);
        if (monitor_ != nullptr) (void)ops_->change(engine_.params());
        return status;
    }
    ops_->commit(engine_.params());
    for (uint8_t& mark : new_targets) mark |= static_cast<uint8_t>(other_coverage);
    refresh_coverage(RefreshReason::kInit, &new_targets);
    if (gives_ranges(commit.params)) refresh_coverage(RefreshReason::kGiven, nullptr);
    publisher_.publish_schemes(engine_);
    take_pause(commit);
    if (commit.on_committed != nullptr) commit.on_committed(commit);
    return status;
}

void Kdamond::defer(Commit& commit) {
    Commit** last = &deferred_commits_;
    while (*last != nullptr) last = &(*last)->next;
    *last = &commit;
    commit.deferred = true;
    const Lock lock(sync_.mutex);
    commit.pause_order = pause_order_;
}

void Kdamond::run_deferred_commits() {
    while (deferred_commits_ != nullptr) {
        Commit* commit = deferred_commits_;
        deferred_commits_ = commit->next;
        const Status status = commit_now(*commit);
        if (!status.ok()) callbacks_.failed(callbacks_.owner, status);
        commit->dispose(*commit);
    }
    if (!refresh_deferred_) return;
    refresh_deferred_ = false;
    read_mappings();
}

void Kdamond::drop_deferred_commits() {
    refresh_deferred_ = false;
    while (deferred_commits_ != nullptr) {
        Commit* commit = deferred_commits_;
        deferred_commits_ = commit->next;
        callbacks_.failed(callbacks_.owner,
                          Status::fail(-ECANCELED, "the context ended before a callback's commit was done"));
        commit->dispose(*commit);
    }
}

Status Kdamond::refresh() {
    if (on_worker()) {
        if (ending_) return Status::fail(-ECANCELED, "the context is ending");
        if (monitor_ != nullptr) {
            return Status::fail(-EOPNOTSUPP, "the kernel's DAMON reads the mappings by itself, every ops_update_us");
        }
        if (in_step_) {
            refresh_deferred_ = true;
        } else if (!reading_) {
            read_mappings();
        }
        return {};
    }
    struct Job {
        Kdamond* self;
        Status status;
    } job = {this, {}};
    Call request;
    request.data = &job;
    request.fn = [](void* data) {
        Job& given = *static_cast<Job*>(data);
        given.status = given.self->refresh();
        return 0;
    };
    if (call(request, nullptr) != 0)
        return Status::fail(-ECANCELED, "the mappings are not read: the context does not run");
    return job.status;
}

Status Kdamond::give_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges) {
    if (in_step_ || ending_) {
        return Status::fail(-EBUSY, "regions cannot be set in %s",
                            ending_
                                ? "the callbacks at a run's end"
                                : "the callbacks of access checks, target_valid and schemes: they are in use there");
    }
    if (monitor_ != nullptr) {
        return Status::fail(-EOPNOTSUPP, "regions cannot be set by themselves where the kernel monitors: commit them");
    }
    const Status status = engine_.give_target_ranges(target_idx, ranges);
    if (!status.ok()) return status;
    refresh_target(target_idx, ranges.empty() ? RefreshReason::kInit : RefreshReason::kGiven);
    reserve_published();
    return status;
}

void Kdamond::forget_scheme_locked(size_t scheme_idx) {
    engine_.forget_scheme(scheme_idx);
    publisher_.forget_scheme_locked(scheme_idx);
    if (scheme_idx < learned_.schemes.size()) learned_.schemes.erase(scheme_idx, scheme_idx + 1);
}

}  // namespace damon
