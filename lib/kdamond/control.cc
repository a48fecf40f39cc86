// What other threads and callbacks can do to a context at work.
#include <algorithm>
#include <cerrno>

#include "kdamond/kdamond.h"

namespace damon {

int Kdamond::call(Call& call, uint64_t* id_out) {
    if (call.repeat) return worker_.mailbox.add_repeat(call, id_out);
    if (on_worker()) return -EDEADLK;
    uint64_t run_number = 0;
    {
        WorkerSync& sync = worker_.run.sync;
        const Lock lock(sync.mutex);
        while (starting_locked()) sync.callers.wait(sync.mutex);
        run_number = worker_.run.state.run_number;
    }
    return worker_.driver().call(call, run_number, id_out);
}

int Kdamond::cancel_call(uint64_t id) { return worker_.mailbox.cancel(id, on_worker()); }

bool Kdamond::paused() const {
    const Lock lock(worker_.run.sync.mutex);
    return worker_.driver().paused_locked();
}

int Kdamond::walk(Walk& walk) {
    if (on_worker()) return -EDEADLK;
    const int error = worker_.driver().install(walk);
    return error != 0 ? error : worker_.walks.wait(walk);
}

int Kdamond::step(uint64_t now_us) { return on_worker() ? -EDEADLK : worker_.driver().step(now_us); }

int Kdamond::wait_for_snapshot(uint64_t after_seq, int64_t timeout_ms) {
    WorkerSync& sync = worker_.run.sync;
    const uint64_t wait_ns = static_cast<uint64_t>(timeout_ms < 0 ? 0 : timeout_ms) * 1'000'000;
    const uint64_t deadline_ns = worker_.run.clock.system_ns() + wait_ns;
    const Lock lock(sync.mutex);
    for (;;) {
        if (publisher().seq_locked() > after_seq) return 0;
        if (!running_locked()) return -ECANCELED;
        if (timeout_ms < 0) {
            sync.callers.wait(sync.mutex);
        } else if (!sync.callers.wait_until(sync.mutex, deadline_ns)) {
            return publisher().seq_locked() > after_seq ? 0 : -ETIMEDOUT;
        }
    }
}

Status Kdamond::commit(Commit& commit, bool* deferred) {
    *deferred = false;
    if (on_worker()) return worker_.commits.commit_in_callback(commit, deferred);
    struct Job {
        Worker* worker;
        Commit* commit;
    } job = {&worker_, &commit};
    Call request;
    request.data = &job;
    request.fn = [](void* data) {
        const Job& given = *static_cast<Job*>(data);
        given.commit->status = given.worker->commits.commit_in_order(*given.commit);
        return 0;
    };
    const int error = call(request, nullptr);
    if (error != 0) return Status::fail(error, "the context stopped before the commit was done");
    if (commit.status.ok() && commit.carries_pause) wait_for_pause(commit.pause);
    return commit.status;
}

// What set_pause promises holds for a commit too: the worker is silent, or has resumed. A run that ended meanwhile is
// silent, and the next one begins as the commit says.
void Kdamond::wait_for_pause(bool pause) const {
    const Run& run = worker_.run;
    const Lock lock(run.sync.mutex);
    while (running_locked() && run.state.paused != pause && run.state.pause_wanted == pause) {
        run.sync.callers.wait(run.sync.mutex);
    }
}

Status Kdamond::refresh() {
    if (on_worker()) {
        if (worker_.run.ending) return Status::fail(-ECANCELED, "the context is ending");
        const Status able = worker_.driver().check(Ability::kReadMappings);
        if (!able.ok()) return able;
        if (worker_.run.in_step) {
            worker_.commits.defer_refresh();
        } else if (!worker_.mappings.being_read()) {
            worker_.mappings.read();
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
    if (worker_.run.in_step || worker_.run.ending) {
        return Status::fail(-EBUSY, "regions cannot be set in %s",
                            worker_.run.ending
                                ? "the callbacks at a run's end"
                                : "the callbacks of access checks, target_valid and schemes: they are in use there");
    }
    const Status able = worker_.driver().check(Ability::kSetRegions);
    return able.ok() ? worker_.mappings.give_ranges(target_idx, ranges) : able;
}

Status Kdamond::restore(const SavedContext& saved) {
    const Run& run = worker_.run;
    bool starting = false;
    {
        const Lock lock(run.sync.mutex);
        starting = run.state.phase != Phase::kRunning;
    }
    if (run.in_step || run.ending || starting) {
        return Status::fail(-EBUSY, "nothing is restored in %s",
                            run.ending ? "the callbacks at a run's end"
                            : starting ? "the callbacks at a run's start"
                                       : "the callbacks of access checks, target_valid and schemes: they use the "
                                         "regions");
    }
    Status status = worker_.driver().check(Ability::kRestore);
    // What was known of mappings that came since the last update would find no regions to go to.
    const auto by_mapping = [](const SavedTarget& target) { return target.place == SavedPlace::kByMapping; };
    if (status.ok() && std::ranges::any_of(saved.targets, by_mapping) && !worker_.mappings.being_read()) {
        worker_.mappings.read();
    }
    if (status.ok()) status = worker_.learned.restore(saved);
    if (!status.ok()) return status;
    worker_.mappings.reserve_published();
    worker_.publisher.publish_schemes(engine());
    return status;
}

}  // namespace damon
