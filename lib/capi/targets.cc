#include <cerrno>

#include "base/heap.h"
#include "capi/handles.h"

namespace {

damon::Status check_ranges(const struct damon_addr_range* ranges, size_t nr_ranges) {
    using damon::Status;
    if (ranges == nullptr && nr_ranges > 0) return Status::fail(-EINVAL, "ranges is NULL and nr_ranges is not 0");
    for (size_t i = 0; i < nr_ranges; ++i) {
        const auto index = static_cast<unsigned long long>(i);
        const auto start = static_cast<unsigned long long>(ranges[i].start);
        const auto end = static_cast<unsigned long long>(ranges[i].end);
        if (start >= end) {
            return Status::fail(-EINVAL, "range %llu is [0x%llx, 0x%llx); its start must be below its end", index,
                                start, end);
        }
        if (i > 0 && start < ranges[i - 1].end) {
            return Status::fail(-EINVAL,
                                "range %llu starts at 0x%llx, inside or before the one before it, which ends at 0x%llx",
                                index, start, static_cast<unsigned long long>(ranges[i - 1].end));
        }
    }
    return {};
}

damon::Status check_target_setter(const damon_target* t, damon::OnWorker on_worker) {
    if (t == nullptr) return damon::Status::fail(-EINVAL, "the target is NULL");
    return t->owner == nullptr ? damon::Status() : damon::check_setter(t->owner, on_worker);
}

// On the worker: the regions are fitted now.
damon::Status fit_regions(const damon_target& t, std::span<const damon::AddressRange> ranges) {
    return t.owner->kdamond.give_target_ranges(static_cast<uint32_t>(t.idx), ranges);
}

}  // namespace

damon_target* damon_target_new(void) {
    const damon::NoCancel no_cancel;
    return damon::heap_new<damon_target>();
}

void damon_target_free(damon_target* t) {
    const damon::NoCancel no_cancel;
    if (t != nullptr && t->owner == nullptr) damon::heap_delete(t);
}

int damon_target_set_pid(damon_target* t, int32_t pid) {
    const damon::NoCancel no_cancel;
    damon::Status status = check_target_setter(t, damon::OnWorker::kRefused);
    if (t == nullptr) return status.error();
    if (status.ok() && pid < 0) status = damon::Status::fail(-EINVAL, "pid is %d; it must be 0 or above", pid);
    if (status.ok()) {
        status = damon::change_while_stopped(t->owner, [&]() -> damon::Status {
            t->params().pid = pid;
            return {};
        });
    }
    return damon::report(t->owner, status);
}

int damon_target_set_regions(damon_target* t, const struct damon_addr_range* ranges, size_t nr_ranges) {
    const damon::NoCancel no_cancel;
    damon::Status status = check_target_setter(t, damon::OnWorker::kAllowed);
    if (t == nullptr) return status.error();
    if (status.ok()) status = check_ranges(ranges, nr_ranges);
    damon::Vector<damon::AddressRange> copy;
    if (status.ok() && !copy.reserve(nr_ranges)) {
        status = damon::Status::fail(-ENOMEM, "no memory for %llu ranges", static_cast<unsigned long long>(nr_ranges));
    }
    if (!status.ok()) return damon::report(t->owner, status);
    for (size_t i = 0; i < nr_ranges; ++i) {
        const bool pushed = copy.push_back(damon::AddressRange{ranges[i].start, ranges[i].end});
        static_cast<void>(pushed);  // room was made above
    }
    if (t->owner == nullptr) {
        t->params().ranges.swap(copy);
        return 0;
    }
    if (t->owner->kdamond.running()) status = fit_regions(*t, copy.span());
    if (!status.ok()) return damon::report(t->owner, status);
    const damon::Lock lock(t->owner->sync.mutex);
    t->params().ranges.swap(copy);
    return 0;
}

int damon_target_set_obsolete(damon_target* t, int obsolete) {
    const damon::NoCancel no_cancel;
    damon::Status status = check_target_setter(t, damon::OnWorker::kRefused);
    if (t == nullptr) return status.error();
    if (status.ok() && obsolete != 0 && obsolete != 1) {
        status = damon::Status::fail(-EINVAL, "obsolete is %d; it must be 0 or 1", obsolete);
    }
    if (status.ok()) {
        status = damon::change_while_stopped(t->owner, [&]() -> damon::Status {
            t->params().obsolete = obsolete == 1;
            return {};
        });
    }
    return damon::report(t->owner, status);
}

int damon_ctx_add_target(damon_ctx* ctx, damon_target* t) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && t == nullptr) status = damon::Status::fail(-EINVAL, "the target is NULL");
    if (status.ok() && t->owner != nullptr) {
        status = damon::Status::fail(-EINVAL, "the target belongs to %s already",
                                     t->owner == ctx ? "this context" : "another context");
    }
    if (!status.ok()) return damon::report(ctx, status);
    {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok() && !damon::append_part(*ctx, ctx->targets, ctx->params.targets, t)) {
            status = damon::Status::fail(-ENOMEM, "no memory for another target");
        }
    }
    return damon::report(ctx, status);
}

int damon_ctx_remove_target(damon_ctx* ctx, size_t idx) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (!status.ok()) return damon::report(ctx, status);
    {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok() && idx >= ctx->targets.size()) {
            status = damon::Status::fail(-EINVAL, "there is no target %llu; the context has %llu",
                                         static_cast<unsigned long long>(idx),
                                         static_cast<unsigned long long>(ctx->targets.size()));
        }
        if (status.ok()) damon::remove_part(ctx->targets, ctx->params.targets, idx);
    }
    return damon::report(ctx, status);
}

size_t damon_ctx_nr_targets(const damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    if (!damon::check_handle(ctx).ok()) return 0;
    const damon::Lock lock(ctx->sync.mutex);
    return ctx->targets.size();
}

damon_target* damon_ctx_target(const damon_ctx* ctx, size_t idx) {
    const damon::NoCancel no_cancel;
    if (!damon::check_handle(ctx).ok()) return nullptr;
    const damon::Lock lock(ctx->sync.mutex);
    return idx < ctx->targets.size() ? ctx->targets[idx] : nullptr;
}
