// Changes of a context at work, on its worker: at once between two steps, else when the step's callbacks are done.
#include <cerrno>

#include "engine/capacity.h"
#include "kdamond/kdamond.h"

namespace damon {

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
    return commit.status;
}

Status Kdamond::check_commit(Commit& commit) const {
    Status status;
    if (commit.complete != nullptr) status = commit.complete(commit);
    if (status.ok()) status = ops_->validate(commit.params);
    if (status.ok()) status = Engine::validate(commit.params, traits_);
    return status;
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
    status = ops_->change(commit.params);
    if (!status.ok()) return status;
    status = engine_.commit(commit.params, traits_, &new_targets);
    if (!status.ok()) {
        // Out of memory: whoever monitors elsewhere goes back to what the engine says.
        if (traits_.offloaded) (void)ops_->change(engine_.params());
        return status;
    }
    ops_->commit(engine_.params());
    refresh_coverage(RefreshReason::kInit, &new_targets);
    publisher_.publish_schemes(engine_);
    if (commit.on_committed != nullptr) commit.on_committed(commit);
    return status;
}

void Kdamond::defer(Commit& commit) {
    Commit** last = &deferred_commits_;
    while (*last != nullptr) last = &(*last)->next;
    *last = &commit;
}

void Kdamond::run_deferred_commits() {
    while (deferred_commits_ != nullptr) {
        Commit* commit = deferred_commits_;
        deferred_commits_ = commit->next;
        const Status status = commit_now(*commit);
        if (!status.ok()) callbacks_.failed(callbacks_.owner, status);
        commit->dispose(*commit);
    }
}

void Kdamond::drop_deferred_commits() {
    while (deferred_commits_ != nullptr) {
        Commit* commit = deferred_commits_;
        deferred_commits_ = commit->next;
        callbacks_.failed(callbacks_.owner,
                          Status::fail(-ECANCELED, "the context ended before a callback's commit was done"));
        commit->dispose(*commit);
    }
}

Status Kdamond::give_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges) {
    if (in_step_ || ending_) {
        return Status::fail(-EBUSY, "regions cannot be set in %s",
                            ending_
                                ? "the callbacks at a run's end"
                                : "the callbacks of access checks, target_valid and schemes: they are in use there");
    }
    if (traits_.offloaded) {
        return Status::fail(-EOPNOTSUPP, "regions cannot be set by themselves where the kernel monitors: commit them");
    }
    const Status status = engine_.give_target_ranges(target_idx, ranges);
    if (!status.ok()) return status;
    if (ranges.empty()) refresh_target(target_idx, RefreshReason::kInit);
    reserve_published();
    return status;
}

void Kdamond::forget_scheme_locked(size_t scheme_idx) {
    engine_.forget_scheme(scheme_idx);
    publisher_.forget_scheme_locked(scheme_idx);
}

}  // namespace damon
