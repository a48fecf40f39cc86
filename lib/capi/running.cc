#include <sys/random.h>

#include <cerrno>
#include <span>

#include "base/random.h"
#include "capi/handles.h"
#include "kdamond/exchange/registry.h"
#include "ops/offload/offload_text.h"

namespace {

using damon::Status;
using Contexts = std::span<damon_ctx* const>;

uint64_t seed_from_system() {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
        // Too early after boot for the system's entropy: the clock and the address space layout must do.
        seed = damon::Random(damon::Clock().now_ns() ^ reinterpret_cast<uintptr_t>(&seed)).next();
    }
    return seed;
}

Status check_group(damon_ctx* const* ctxs, int nr_ctxs) {
    if (nr_ctxs < 0) return Status::fail(-EINVAL, "nr_ctxs is %d; it must be 0 or above", nr_ctxs);
    if (ctxs == nullptr && nr_ctxs > 0) return Status::fail(-EINVAL, "ctxs is NULL and nr_ctxs is %d", nr_ctxs);
    for (int i = 0; i < nr_ctxs; ++i) {
        const Status status = damon::check_handle(ctxs[i]);
        if (!status.ok()) return Status::fail(status.error(), "context number %d of the call: %s", i, status.text());
        if (ctxs[i]->kdamond.on_worker()) {
            return Status::fail(-EDEADLK, "called from a callback of the context itself, which would wait for its end");
        }
    }
    return {};
}

void report_to_all(Contexts ctxs, const Status& status) {
    for (const damon_ctx* ctx : ctxs) damon::report(ctx, status);
}

void unclaim(Contexts ctxs) {
    for (damon_ctx* ctx : ctxs) {
        const damon::Lock lock(ctx->sync.mutex);
        ctx->starting = false;
        ctx->sync.callers.notify_all();  // a commit may wait for what becomes of it
    }
}

// One start at a time for each context; a worker that ended on its own is reaped.
Status claim(Contexts ctxs) {
    for (size_t i = 0; i < ctxs.size(); ++i) {
        damon_ctx* ctx = ctxs[i];
        bool claimed = false;
        {
            const damon::Lock lock(ctx->sync.mutex);
            claimed = !ctx->starting && !ctx->kdamond.running_locked();
            if (claimed) ctx->starting = true;
        }
        if (claimed) {
            ctx->kdamond.stop();
            ctx->kdamond.reap();
            continue;
        }
        bool twice = false;
        for (size_t j = 0; j < i; ++j) twice = twice || ctxs[j] == ctx;
        unclaim(ctxs.first(i));
        return twice ? Status::fail(-EINVAL, "context number %llu of the call is named twice",
                                    static_cast<unsigned long long>(i))
                     : Status::fail(-EBUSY, "context number %llu of the call runs already",
                                    static_cast<unsigned long long>(i));
    }
    return {};
}

Status prepare(damon_ctx& ctx) {
    damon::Params params;
    const Status status = damon::collect_params(ctx, params);
    if (!status.ok()) return status;
    const uint64_t seed = ctx.seed != 0 ? ctx.seed : seed_from_system();
    damon::ThreadOptions thread = ctx.worker;  // no setter changes it while a start is under way
    if (!ctx.worker_cpus.empty()) {
        thread.cpu_mask = ctx.worker_cpus.data();
        thread.nr_cpu_words = ctx.worker_cpus.size();
    }
    damon::OffloadedMonitor* monitor = damon::is_kernel_ops(ctx.params.ops_id) ? &ctx.kernel_ops : nullptr;
    return ctx.kdamond.prepare(params, damon::ops_of(ctx), {seed, ctx.manual, monitor, thread});
}

// Launches all or, where one fails, none; gives back the places in the registry of those that did not come to run.
Status launch(Contexts ctxs) {
    for (size_t i = 0; i < ctxs.size(); ++i) {
        const Status status = ctxs[i]->kdamond.launch();
        if (status.ok()) continue;
        damon::report(ctxs[i], status);
        for (size_t j = i; j < ctxs.size(); ++j) damon::registry_leave();
        for (size_t j = 0; j < i; ++j) ctxs[j]->kdamond.stop();
        return status;
    }
    return {};
}

Status start(Contexts ctxs, bool exclusive) {
    Status status;
    for (damon_ctx* ctx : ctxs) {
        status = prepare(*ctx);
        if (!status.ok()) {
            damon::report(ctx, status);
            return status;
        }
    }
    status = damon::registry_enter(static_cast<uint32_t>(ctxs.size()), exclusive);
    if (!status.ok()) {
        report_to_all(ctxs, status);
        return status;
    }
    return launch(ctxs);
}

}  // namespace

int damon_start(damon_ctx** ctxs, int nr_ctxs, int exclusive) {
    const damon::NoCancel no_cancel;
    Status status = check_group(ctxs, nr_ctxs);
    if (!status.ok()) {
        if (ctxs != nullptr && nr_ctxs > 0) damon::report(ctxs[0], status);
        return status.error();
    }
    if (nr_ctxs == 0) return 0;
    const Contexts group(ctxs, static_cast<size_t>(nr_ctxs));
    status = claim(group);
    if (!status.ok()) {
        report_to_all(group, status);
        return status.error();
    }
    status = start(group, exclusive != 0);
    unclaim(group);
    return status.error();
}

int damon_stop(damon_ctx** ctxs, int nr_ctxs) {
    const damon::NoCancel no_cancel;
    const Status status = check_group(ctxs, nr_ctxs);
    if (!status.ok()) {
        if (ctxs != nullptr && nr_ctxs > 0) damon::report(ctxs[0], status);
        return status.error();
    }
    for (int i = 0; i < nr_ctxs; ++i) ctxs[i]->kdamond.stop();
    return 0;
}

int damon_is_running(const damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    const Status status = damon::check_handle(ctx);
    if (status.error() == -ECHILD) return 0;
    return status.ok() ? ctx->kdamond.running() : status.error();
}

int damon_nr_running_ctxs(void) {
    const damon::NoCancel no_cancel;
    return static_cast<int>(damon::registry_nr_running());
}

int32_t damon_kdamond_tid(const damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    return damon::check_handle(ctx).ok() ? ctx->kdamond.tid() : 0;
}

int damon_step(damon_ctx* ctx, uint64_t now_us) {
    const damon::NoCancel no_cancel;
    const Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    const int error = ctx->kdamond.step(now_us);
    if (error == -EINVAL) {
        return damon::report(ctx, Status::fail(error,
                                               "damon_step() needs a started context with DAMON_DRIVE_MANUAL and a "
                                               "time that does not go back; now_us is %llu",
                                               static_cast<unsigned long long>(now_us)));
    }
    if (error == -EBUSY) return damon::report(ctx, Status::fail(error, "another thread is in damon_step()"));
    return error;
}
