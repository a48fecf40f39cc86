#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/heap.h"
#include "capi/convert.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "ops/linux/access/access_check_table.h"
#include "ops/offload/offload_text.h"
#include "os/library_copies.h"
#include "os/process.h"

namespace {

void bring_goal_values(void* owner, damon::Engine& engine) {
    auto* ctx = static_cast<damon_ctx*>(owner);
    if (ctx->goal_values_changed.exchange(0) == 0) return;
    const damon::Lock lock(ctx->sync.mutex);
    for (size_t i = 0; i < ctx->params.schemes.size(); ++i) {
        const auto& goals = ctx->params.schemes[i].goals;
        for (size_t j = 0; j < goals.size(); ++j) engine.set_goal_value(i, j, goals[j].current_value);
    }
}

void keep_failure(void* owner, const damon::Status& status) { damon::report(static_cast<damon_ctx*>(owner), status); }

uint64_t page_bytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

template <typename Change>
int change_stopped(damon_ctx* ctx, Change change) {
    damon::Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok()) change();
    }
    return damon::report(ctx, status);
}

}  // namespace

damon_ctx::damon_ctx()
    : pid(damon::process_id()), kdamond(sync, {this, damon::run_action_callback, bring_goal_values, keep_failure}) {
    params.min_region_sz = page_bytes();
    vaddr_ops.set_tracked(tracked);
}

damon_ctx::~damon_ctx() {
    for (damon_target* target : targets) damon::heap_delete(target);
    for (damos* scheme : schemes) damon::heap_delete(scheme);
    for (damon_probe* probe : probes) damon::heap_delete(probe);
}

namespace damon {

int report(const damon_ctx* ctx, const Status& status) {
    if (ctx != nullptr && !status.ok() && ctx->pid == process_id()) {
        const Lock lock(ctx->sync.mutex);
        memcpy(ctx->errmsg, status.text(), sizeof ctx->errmsg);
    }
    return status.error();
}

Status check_handle(const damon_ctx* ctx) {
    if (ctx == nullptr) return Status::fail(-EINVAL, "the context is NULL");
    if (ctx->pid != process_id()) return Status::fail(-ECHILD, "the context belongs to process %d", pid_of(ctx->pid));
    return {};
}

Status check_setter(const damon_ctx* ctx, OnWorker on_worker) {
    const Status status = check_handle(ctx);
    if (!status.ok()) return status;
    if (on_worker == OnWorker::kAllowed && ctx->kdamond.on_worker()) return status;
    const Lock lock(ctx->sync.mutex);
    return check_stopped_locked(*ctx);
}

Status check_stopped_locked(const damon_ctx& ctx) {
    if (!ctx.starting && !ctx.kdamond.running_locked()) return {};
    return Status::fail(-EBUSY, "the context runs: use damon_commit_ctx(), or damon_stop() it first");
}

Ops& ops_of(damon_ctx& ctx, OpsId id) {
    if (id == OpsId::kCustom) return ctx.custom_ops;
    if (id == OpsId::kSim && ctx.external_ops != nullptr) return *ctx.external_ops;
    if (is_kernel_ops(id)) return ctx.kernel_ops;
    return ctx.vaddr_ops;
}

Status collect_params(const damon_ctx& ctx, Params& params) {
    const Lock lock(ctx.sync.mutex);
    if (!params.copy_from(ctx.params)) return Status::fail(-ENOMEM, "no memory for a copy of the parameters");
    params.attrs = ctx.kdamond.attrs_as_tuned_locked(ctx.params.attrs);
    return {};
}

}  // namespace damon

damon_ctx* damon_ctx_new(void) {
    const damon::NoCancel no_cancel;
    return damon::heap_new<damon_ctx>();
}

void damon_ctx_free(damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    if (ctx == nullptr) return;
    if (ctx->pid != damon::process_id()) {
        // In a child the worker's memory may have been copied half-way through a change, and its locks held: nothing
        // of a context that ran can be walked safely. It stays where it is, shared with the parent until written to.
        damon::close_inherited_files(ctx->pid);
        return;
    }
    if (ctx->kdamond.on_worker()) return;
    ctx->kdamond.stop();
    ctx->kdamond.reap();
    damon::heap_delete(ctx);
}

int damon_ctx_errmsg(const damon_ctx* ctx, char* buf, size_t len) {
    const damon::NoCancel no_cancel;
    if (ctx == nullptr || (buf == nullptr && len > 0)) return -EINVAL;
    const damon::Status owned = damon::check_handle(ctx);
    if (!owned.ok()) return owned.error();
    const damon::Lock lock(ctx->sync.mutex);
    const size_t length = strlen(ctx->errmsg);
    if (len > 0) {
        const size_t copied = std::min(length, len - 1);
        memcpy(buf, ctx->errmsg, copied);
        buf[copied] = '\0';
    }
    return static_cast<int>(length);
}

void damon_attrs_init(struct damon_attrs* attrs) {
    if (attrs != nullptr) *attrs = damon::attrs_to_c(damon::Attrs());
}

int damon_ctx_set_attrs(damon_ctx* ctx, const struct damon_attrs* attrs) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_setter(ctx, damon::OnWorker::kAllowed);
    damon_attrs known = damon::attrs_to_c(damon::Attrs());
    if (status.ok()) status = damon::read_struct("damon_attrs", attrs, known);
    if (!status.ok()) return damon::report(ctx, status);
    const damon::Attrs wanted = damon::attrs_from_c(known);
    if (ctx->kdamond.on_worker()) return damon::commit_attrs_on_worker(*ctx, wanted);
    damon::Params probe;
    probe.attrs = wanted;
    damon::OpsTraits any;  // which operations there will be is not known yet: what they serve is for the start
    any.has_passes = true;
    any.span_page_bytes = 4096;
    status = damon::Engine::validate(probe, any);
    if (!status.ok()) return damon::report(ctx, status);
    return change_stopped(ctx, [&] {
        ctx->params.attrs = wanted;
        ctx->kdamond.forget_tuned_locked();
    });
}

int damon_ctx_get_attrs(const damon_ctx* ctx, struct damon_attrs* attrs_out) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_struct("damon_attrs", attrs_out);
    if (!status.ok()) return damon::report(ctx, status);
    const damon::Lock lock(ctx->sync.mutex);
    damon::write_struct(damon::attrs_to_c(ctx->kdamond.attrs_as_tuned_locked(ctx->params.attrs)), attrs_out);
    return 0;
}

int damon_ctx_set_ops(damon_ctx* ctx, int32_t ops_id) {
    const damon::NoCancel no_cancel;
    const bool own = DAMON_OPS_VADDR <= ops_id && ops_id <= DAMON_OPS_PADDR;
    if (!own && !damon::is_kernel_ops(static_cast<damon::OpsId>(ops_id))) {
        return damon::report(ctx,
                             damon::Status::fail(-EINVAL,
                                                 "ops_id is %d; it must be DAMON_OPS_VADDR (0), _FVADDR (1), _PADDR "
                                                 "(2), or DAMON_OPS_KERNEL_VADDR (18), _FVADDR (19) or _PADDR (20); "
                                                 "others have functions of their own",
                                                 ops_id));
    }
    return change_stopped(ctx, [&] {
        ctx->params.ops_id = static_cast<damon::OpsId>(ops_id);
        ctx->ops_chosen = true;
    });
}

int damon_ctx_set_min_region_sz(damon_ctx* ctx, uint64_t min_region_sz) {
    const damon::NoCancel no_cancel;
    if (!std::has_single_bit(min_region_sz)) {
        return damon::report(ctx, damon::Status::fail(-EINVAL, "min_region_sz is %llu; it must be a power of two",
                                                      static_cast<unsigned long long>(min_region_sz)));
    }
    return change_stopped(ctx, [&] { ctx->params.min_region_sz = min_region_sz; });
}

int damon_ctx_set_addr_unit(damon_ctx* ctx, uint64_t addr_unit) {
    const damon::NoCancel no_cancel;
    if (addr_unit == 0) {
        return damon::report(ctx, damon::Status::fail(-EINVAL, "addr_unit is 0; it must be at least 1"));
    }
    return change_stopped(ctx, [&] { ctx->params.addr_unit = addr_unit; });
}

int damon_ctx_set_seed(damon_ctx* ctx, uint64_t seed) {
    const damon::NoCancel no_cancel;
    return change_stopped(ctx, [&] { ctx->seed = seed; });
}

int damon_ctx_set_drive(damon_ctx* ctx, int32_t drive) {
    const damon::NoCancel no_cancel;
    if (drive != DAMON_DRIVE_THREAD && drive != DAMON_DRIVE_MANUAL) {
        return damon::report(
            ctx, damon::Status::fail(-EINVAL, "drive is %d; it must be DAMON_DRIVE_THREAD (0) or _MANUAL (1)", drive));
    }
    return change_stopped(ctx, [&] { ctx->manual = drive == DAMON_DRIVE_MANUAL; });
}

int damon_ctx_set_access_check(damon_ctx* ctx, int32_t id) {
    const damon::NoCancel no_cancel;
    if (damon::access_check_row(id) == nullptr) {
        return damon::report(ctx,
                             damon::Status::fail(-EINVAL, "access_check is %d; there is no such access check", id));
    }
    return change_stopped(ctx, [&] {
        ctx->params.access_check = id;
        ctx->publish_access_check();
        ctx->access_check_chosen = true;
    });
}

void damon_operations_init(struct damon_operations* ops) {
    if (ops == nullptr) return;
    *ops = {};
    ops->size = sizeof *ops;
}

int damon_ctx_set_custom_ops(damon_ctx* ctx, const struct damon_operations* ops, void* priv) {
    const damon::NoCancel no_cancel;
    damon_operations known{};
    damon::Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok()) status = damon::read_struct("damon_operations", ops, known);
    if (status.ok() && (known.flags & ~static_cast<uint32_t>(DAMON_OPERATIONS_WRITES_ONLY)) != 0) {
        status = damon::Status::fail(
            -EINVAL, "damon_operations.flags is 0x%x; only DAMON_OPERATIONS_WRITES_ONLY (1) is known", known.flags);
    }
    if (!status.ok()) return damon::report(ctx, status);
    return change_stopped(ctx, [&] {
        ctx->custom_ops.set(known, priv, ctx);
        ctx->params.ops_id = damon::OpsId::kCustom;
        ctx->ops_chosen = true;
    });
}

void damon_ctx_stats_init(struct damon_ctx_stats* stats) {
    if (stats == nullptr) return;
    *stats = {};
    stats->size = sizeof *stats;
}

int damon_ctx_get_stats(const damon_ctx* ctx, struct damon_ctx_stats* stats_out) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_struct("damon_ctx_stats", stats_out);
    if (!status.ok()) return damon::report(ctx, status);
    const damon::Counters& counters = ctx->kdamond.counters();
    damon_ctx_stats stats{};
    stats.size = sizeof stats;
    stats.nr_intervals = counters.nr_intervals;
    stats.nr_skipped_intervals = counters.nr_skipped_intervals;
    stats.nr_wakeups = counters.nr_wakeups;
    stats.nr_samples = counters.nr_samples;
    stats.nr_unknown_samples = counters.nr_unknown_samples;
    stats.nr_writes_only_samples = counters.nr_writes_only_samples;
    for (size_t i = 0; i < damon::kNrUnknowns; ++i) stats.nr_unknown_by_reason[i] = counters.nr_unknown_by_reason[i];
    const damon::CpuMeter& meter = ctx->kdamond.cpu_meter();
    stats.sampling_cpu_ns = meter.spent(damon::Consumer::kSampling);
    stats.update_cpu_ns = meter.spent(damon::Consumer::kUpdate);
    stats.action_cpu_ns = meter.spent(damon::Consumer::kActions);
    stats.survey_cpu_ns = meter.spent(damon::Consumer::kSurvey);
    stats.referenced_cpu_ns = meter.spent(damon::Consumer::kReferenced);
    stats.cpu_ns = ctx->kdamond.cpu_ns();
    stats.nr_lost_reports = ctx->vaddr_ops.nr_lost_reports();
    damon::write_struct(stats, stats_out);
    return 0;
}
