#include "kdamond/kdamond.h"

#include <cerrno>

#include "engine/capacity.h"
#include "engine/schemes/effect_validation.h"

namespace damon {

Kdamond::Kdamond(WorkerSync& sync, const WorkerCallbacks& callbacks) : worker_(sync, callbacks) {
    worker_.driver_in_use = &thread_;
}

Driver& Kdamond::driver_for(const StartOptions& options) {
    if (options.manual) return manual_;
    if (options.monitor != nullptr) return offload_;
    return thread_;
}

Status Kdamond::prepare(const Params& params, Ops& ops, const StartOptions& options) {
    OpsTraits traits = ops.traits();
    if (!ops.can_survey(params)) traits.span_page_bytes = 0;
    if (traits.offloaded && options.manual) {
        return Status::fail(-EINVAL, "drive is manual: the kernel's DAMON keeps its own time, use a worker thread");
    }
    Status status = ops.validate(params);
    if (status.ok()) status = Engine::validate(params, traits);
    if (status.ok()) status = validate_effect(params);
    if (!status.ok()) return status;
    const size_t nr_regions = region_capacity_for(params);
    const size_t nr_schemes = params.schemes.size();
    if (!worker_.publisher.reserve(nr_regions, nr_schemes) || !worker_.walks.reserve(nr_schemes)) {
        return Status::fail(-ENOMEM, "no memory for the snapshots of %llu regions",
                            static_cast<unsigned long long>(nr_regions));
    }
    Run& run = worker_.run;
    status = run.engine.prepare(params, traits);
    if (!status.ok()) return status;
    run.ops = &ops;
    run.traits = traits;
    run.seed = options.seed;
    run.clock.set_virtual(options.manual);
    Driver& driver = driver_for(options);
    driver.prepare(options);
    worker_.driver_in_use = &driver;
    return status;
}

Status Kdamond::launch() {
    RunState& state = worker_.run.state;
    {
        const Lock lock(worker_.run.sync.mutex);
        state.phase = Phase::kStarting;
        ++state.run_number;
        state.stop_requested = false;
    }
    return worker_.driver().launch();
}

void Kdamond::stop() {
    WorkerSync& sync = worker_.run.sync;
    Lock lock(sync.mutex);
    while (starting_locked() || worker_.driver().busy_locked()) sync.callers.wait(sync.mutex);
    if (worker_.run.state.phase != Phase::kStopped) worker_.driver().stop(lock);
}

void Kdamond::reap() {
    Lock lock(worker_.run.sync.mutex);
    worker_.driver().reap(lock);
}

bool Kdamond::running() const {
    const Lock lock(worker_.run.sync.mutex);
    return running_locked();
}

uint64_t Kdamond::cpu_ns() const {
    const Lock lock(worker_.run.sync.mutex);
    const RunState& state = worker_.run.state;
    return state.past_cpu_ns + (state.phase == Phase::kRunning ? worker_.driver().cpu_ns_locked() : 0);
}

SnapshotInfo Kdamond::describe_now() const {
    const uint64_t now_ns = worker_.run.clock.now_ns();
    SnapshotInfo info = worker_.publisher.describe(engine(), now_ns);
    info.window_us = worker_.progress.window_so_far_us(now_ns);
    return info;
}

void Kdamond::forget_scheme_locked(size_t scheme_idx) {
    worker_.run.engine.forget_scheme(scheme_idx);
    worker_.publisher.forget_scheme_locked(scheme_idx);
    worker_.learned.forget_scheme_locked(scheme_idx);
}

}  // namespace damon
