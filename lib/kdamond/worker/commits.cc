#include "kdamond/worker/commits.h"

#include <cerrno>

#include "engine/capacity.h"
#include "engine/schemes/effect_validation.h"
#include "kdamond/worker/worker.h"

namespace damon {
namespace {

bool gives_ranges(const Params& params) {
    for (const TargetParams& target : params.targets) {
        if (!target.ranges.empty()) return true;
    }
    return false;
}

}  // namespace

Status Commits::commit_in_order(Commit& commit) {
    run_deferred();
    return commit_now(commit);
}

// The step works on the samples, regions and schemes that would change under it.
Status Commits::commit_in_callback(Commit& commit, bool* deferred) {
    if (worker_.run.ending) return Status::fail(-ECANCELED, "the context is ending");
    if (!worker_.run.in_step) return commit_in_order(commit);
    const Status status = check(commit);
    *deferred = status.ok();
    if (status.ok()) defer(commit);
    return status;
}

Status Commits::check(Commit& commit) const {
    const Run& run = worker_.run;
    Status status;
    if (commit.complete != nullptr) status = commit.complete(commit);
    if (status.ok()) status = run.ops->validate(commit.params);
    if (status.ok()) status = Engine::validate(commit.params, run.traits);
    if (status.ok()) status = validate_effect(commit.params);
    if (!status.ok() || !pause_after(commit)) return status;
    const Status able = worker_.driver().check(Ability::kPause);
    if (able.ok()) return able;
    return Status::fail(able.error(), "pause: the source of the commit is paused, and %s", able.text());
}

// Whether the context is to be paused once the commit is done. A set_pause that came after a commit that had to wait
// for the end of its step wins over it. The sync's mutex is held.
bool Commits::pause_after_locked(const Commit& commit) const {
    const RunState& state = worker_.run.state;
    const bool superseded = commit.deferred && commit.pause_order != state.pause_order;
    return commit.carries_pause && !superseded ? commit.pause : state.pause_wanted;
}

bool Commits::pause_after(const Commit& commit) const {
    const Lock lock(worker_.run.sync.mutex);
    return pause_after_locked(commit);
}

void Commits::take_pause(const Commit& commit) {
    RunState& state = worker_.run.state;
    const Lock lock(worker_.run.sync.mutex);
    const bool pause = pause_after_locked(commit);
    if (state.pause_wanted == pause) return;
    state.pause_wanted = pause;
    state.pause_status = {};
    worker_.run.sync.callers.notify_all();  // who waits for the opposite
}

Status Commits::reserve(const Params& params) {
    const size_t nr_schemes = params.schemes.size();
    if (worker_.publisher.reserve(region_capacity_for(params), nr_schemes) && worker_.walks.reserve(nr_schemes))
        return {};
    return Status::fail(-ENOMEM, "no memory for %llu regions and %llu schemes",
                        static_cast<unsigned long long>(params.attrs.max_nr_regions),
                        static_cast<unsigned long long>(nr_schemes));
}

Status Commits::commit_now(Commit& commit) {
    Status status = check(commit);
    if (status.ok()) status = reserve(commit.params);
    if (status.ok()) status = hand_over(commit);
    if (!status.ok()) return status;
    worker_.publisher.publish_schemes(worker_.run.engine);
    take_pause(commit);
    if (commit.on_committed != nullptr) commit.on_committed(commit);
    return status;
}

// To the ops, the engine and the ops again, which then cannot fail; and covers what is new.
Status Commits::hand_over(Commit& commit) {
    Run& run = worker_.run;
    worker_.driver().announce_pause(pause_after(commit));
    Status status = run.ops->change(commit.params);
    if (!status.ok()) return status;
    Vector<uint8_t> new_targets;
    const bool other_coverage = run.engine.params().coverage != commit.params.coverage;
    status = run.engine.commit(commit.params, run.traits, &new_targets);
    if (!status.ok()) {
        worker_.driver().take_back_change();
        return status;
    }
    run.ops->commit(run.engine.params());
    for (uint8_t& mark : new_targets) mark |= static_cast<uint8_t>(other_coverage);
    worker_.mappings.refresh(RefreshReason::kInit, &new_targets);
    if (gives_ranges(commit.params)) worker_.mappings.refresh(RefreshReason::kGiven, nullptr);
    return status;
}

void Commits::defer(Commit& commit) {
    Commit** last = &deferred_;
    while (*last != nullptr) last = &(*last)->next;
    *last = &commit;
    commit.deferred = true;
    const Lock lock(worker_.run.sync.mutex);
    commit.pause_order = worker_.run.state.pause_order;
}

void Commits::run_deferred() {
    while (deferred_ != nullptr) {
        Commit* commit = deferred_;
        deferred_ = commit->next;
        worker_.run.report(commit_now(*commit));
        commit->dispose(*commit);
    }
    if (!refresh_deferred_) return;
    refresh_deferred_ = false;
    worker_.mappings.read();
}

void Commits::drop_deferred() {
    refresh_deferred_ = false;
    while (deferred_ != nullptr) {
        Commit* commit = deferred_;
        deferred_ = commit->next;
        worker_.run.report(Status::fail(-ECANCELED, "the context ended before a callback's commit was done"));
        commit->dispose(*commit);
    }
}

}  // namespace damon
