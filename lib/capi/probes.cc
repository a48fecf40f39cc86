#include <cerrno>
#include <cstddef>

#include "base/heap.h"
#include "capi/convert.h"
#include "capi/handles.h"
#include "capi/structs.h"

namespace {

using damon::Status;

static_assert(sizeof(damon_probe_hits) == sizeof(damon::ProbeHits));
static_assert(DAMON_MAX_PROBES == damon::kMaxProbes);
static_assert(static_cast<int32_t>(DAMON_PROBE_FILTER_HUGEPAGE_SIZE) ==
              static_cast<int32_t>(damon::ProbeFilterType::kHugepageSize));

Status check_probe_setter(const damon_probe* p) {
    if (p == nullptr) return Status::fail(-EINVAL, "the probe is NULL");
    return p->owner == nullptr ? Status() : damon::check_setter(p->owner, damon::OnWorker::kRefused);
}

Status probe_filter_from_c(const damon_probe_filter& given, damon::ProbeFilter& filter) {
    if (given.type < DAMON_PROBE_FILTER_ANON || given.type > DAMON_PROBE_FILTER_HUGEPAGE_SIZE) {
        return Status::fail(-EINVAL, "probe filter type is %d; it must be 0 (DAMON_PROBE_FILTER_ANON) to %d",
                            given.type, DAMON_PROBE_FILTER_HUGEPAGE_SIZE);
    }
    if (given.matching > 1 || given.allow > 1) {
        return Status::fail(-EINVAL, "probe filter matching is %u and allow is %u; each must be 0 or 1", given.matching,
                            given.allow);
    }
    filter.type = static_cast<damon::ProbeFilterType>(given.type);
    if (filter.type == damon::ProbeFilterType::kHugepageSize && given.min_bytes > given.max_bytes) {
        return Status::fail(-EINVAL, "probe filter min_bytes %llu is above max_bytes %llu",
                            static_cast<unsigned long long>(given.min_bytes),
                            static_cast<unsigned long long>(given.max_bytes));
    }
    filter.matching = given.matching == 1;
    filter.allow = given.allow == 1;
    filter.memcg_id = given.memcg_id;
    filter.min_bytes = given.min_bytes;
    filter.max_bytes = given.max_bytes;
    return {};
}

}  // namespace

void damon_probe_filter_init(struct damon_probe_filter* f) {
    if (f == nullptr) return;
    *f = {};
    f->size = sizeof *f;
}

damon_probe* damon_probe_new(void) {
    const damon::NoCancel no_cancel;
    return damon::heap_new<damon_probe>();
}

void damon_probe_free(damon_probe* p) {
    const damon::NoCancel no_cancel;
    if (p != nullptr && p->owner == nullptr) damon::heap_delete(p);
}

int damon_probe_set_weight(damon_probe* p, uint32_t weight) {
    const damon::NoCancel no_cancel;
    Status status = check_probe_setter(p);
    if (p == nullptr) return status.error();
    if (status.ok()) {
        status = damon::change_while_stopped(p->owner, [&]() -> Status {
            p->params().weight = weight;
            return {};
        });
    }
    return damon::report(p->owner, status);
}

int damon_probe_add_filter(damon_probe* p, const struct damon_probe_filter* f) {
    const damon::NoCancel no_cancel;
    damon_probe_filter known{};
    damon::ProbeFilter filter;
    Status status = check_probe_setter(p);
    if (p == nullptr) return status.error();
    if (status.ok()) status = damon::read_struct("damon_probe_filter", f, known);
    if (status.ok()) status = probe_filter_from_c(known, filter);
    if (status.ok()) {
        status = damon::change_while_stopped(p->owner, [&]() -> Status {
            if (p->params().filters.push_back(filter)) return {};
            return Status::fail(-ENOMEM, "no memory for another filter");
        });
    }
    return damon::report(p->owner, status);
}

int damon_ctx_add_probe(damon_ctx* ctx, damon_probe* p) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && p == nullptr) status = Status::fail(-EINVAL, "the probe is NULL");
    if (status.ok() && p->owner != nullptr) {
        status = Status::fail(-EINVAL, "the probe belongs to %s already",
                              p->owner == ctx ? "this context" : "another context");
    }
    if (status.ok()) {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok() && ctx->probes.size() >= damon::kMaxProbes) {
            status = Status::fail(-EINVAL, "the context has %u probes already, and takes no more", damon::kMaxProbes);
        } else if (status.ok() && !damon::append_part(*ctx, ctx->probes, ctx->params.probes, p)) {
            status = Status::fail(-ENOMEM, "no memory for another probe");
        }
    }
    return damon::report(ctx, status);
}

int damon_ctx_remove_probe(damon_ctx* ctx, size_t idx) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (!status.ok()) return damon::report(ctx, status);
    {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok() && idx >= ctx->probes.size()) {
            status =
                Status::fail(-EINVAL, "there is no probe %llu; the context has %llu",
                             static_cast<unsigned long long>(idx), static_cast<unsigned long long>(ctx->probes.size()));
        }
        if (status.ok()) {
            damon::remove_part(ctx->probes, ctx->params.probes, idx);
        }
    }
    return damon::report(ctx, status);
}

size_t damon_ctx_nr_probes(const damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    if (!damon::check_handle(ctx).ok()) return 0;
    const damon::Lock lock(ctx->sync.mutex);
    return ctx->probes.size();
}

damon_probe* damon_ctx_probe(const damon_ctx* ctx, size_t idx) {
    const damon::NoCancel no_cancel;
    if (!damon::check_handle(ctx).ok()) return nullptr;
    const damon::Lock lock(ctx->sync.mutex);
    return idx < ctx->probes.size() ? ctx->probes[idx] : nullptr;
}

int damon_snapshot_read_probes(const damon_ctx* ctx, struct damon_region_info* regions, struct damon_probe_hits* hits,
                               size_t cap, struct damon_snapshot_info* info) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (status.ok() && (regions == nullptr || hits == nullptr) && cap > 0) {
        status = Status::fail(-EINVAL, "%s is NULL and cap is %llu", regions == nullptr ? "regions" : "hits",
                              static_cast<unsigned long long>(cap));
    }
    if (status.ok() && info != nullptr) status = damon::check_struct("damon_snapshot_info", info);
    if (!status.ok()) return damon::report(ctx, status);
    damon::SnapshotInfo found;
    const bool fits = ctx->kdamond.publisher().read(regions, hits, cap, found);
    if (info != nullptr) damon::write_struct(damon::snapshot_info_to_c(found), info);
    if (fits) return static_cast<int>(found.nr_regions);
    if (cap == 0) return -ENOSPC;  // a question for the size is no failure
    return damon::report(
        ctx, Status::fail(-ENOSPC, "%llu regions do not fit into cap %llu",
                          static_cast<unsigned long long>(found.nr_regions), static_cast<unsigned long long>(cap)));
}
