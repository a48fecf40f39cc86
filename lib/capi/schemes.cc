#include <cerrno>

#include "base/heap.h"
#include "capi/convert.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "engine/schemes/scheme_validation.h"

namespace {

using damon::Status;

Status check_scheme_setter(const damos* s) {
    if (s == nullptr) return Status::fail(-EINVAL, "the scheme is NULL");
    return s->owner == nullptr ? Status() : damon::check_setter(s->owner, damon::OnWorker::kRefused);
}

damos_params default_params() {
    damos_params params{};
    params.size = sizeof params;
    params.action = DAMOS_STAT;
    params.pattern.max_sz = UINT64_MAX;
    params.pattern.max_nr_accesses = UINT32_MAX;
    params.pattern.max_age = UINT32_MAX;
    params.target_nid = -1;
    return params;
}

}  // namespace

void damos_params_init(struct damos_params* p) {
    if (p != nullptr) *p = default_params();
}

void damos_filter_init(struct damos_filter* f) {
    if (f == nullptr) return;
    *f = {};
    f->size = sizeof *f;
}

void damos_quota_goal_init(struct damos_quota_goal* g) {
    if (g == nullptr) return;
    *g = {};
    g->size = sizeof *g;
    g->nid = -1;
}

void damos_stat_init(struct damos_stat* s) {
    if (s == nullptr) return;
    *s = {};
    s->size = sizeof *s;
}

damos* damos_new(const struct damos_params* p) {
    const damon::NoCancel no_cancel;
    damos_params known = default_params();
    if (!damon::copy_struct("damos_params", p, known).ok()) return nullptr;
    damos* scheme = damon::heap_new<damos>();
    if (scheme == nullptr) return nullptr;
    damon::scheme_from_c(known, scheme->own);
    return scheme;
}

void damos_free(damos* s) {
    const damon::NoCancel no_cancel;
    if (s != nullptr && s->owner == nullptr) damon::heap_delete(s);
}

int damos_set_params(damos* s, const struct damos_params* p) {
    const damon::NoCancel no_cancel;
    damos_params known = default_params();
    Status status = check_scheme_setter(s);
    if (s == nullptr) return status.error();
    if (status.ok()) status = damon::read_struct("damos_params", p, known);
    if (status.ok()) {
        status = damon::change_while_stopped(s->owner, [&]() -> Status {
            damon::scheme_from_c(known, s->params());
            return {};
        });
    }
    return damon::report(s->owner, status);
}

int damos_add_filter(damos* s, const struct damos_filter* f) {
    const damon::NoCancel no_cancel;
    damos_filter known{};
    damon::DamosFilter filter;
    Status status = check_scheme_setter(s);
    if (s == nullptr) return status.error();
    if (status.ok()) status = damon::read_struct("damos_filter", f, known);
    if (status.ok()) status = damon::filter_from_c(known, filter);
    if (status.ok()) {
        status = damon::change_while_stopped(s->owner, [&]() -> Status {
            if ((filter.core() ? s->params().core_filters : s->params().ops_filters).push_back(filter)) return {};
            return Status::fail(-ENOMEM, "no memory for another filter");
        });
    }
    return damon::report(s->owner, status);
}

int damos_add_quota_goal(damos* s, const struct damos_quota_goal* g) {
    const damon::NoCancel no_cancel;
    damos_quota_goal known{};
    damon::QuotaGoal goal;
    known.nid = -1;
    Status status = check_scheme_setter(s);
    if (s == nullptr) return status.error();
    if (status.ok()) status = damon::read_struct("damos_quota_goal", g, known);
    if (status.ok()) status = damon::goal_from_c(known, goal);
    if (status.ok()) {
        status = damon::change_while_stopped(s->owner, [&]() -> Status {
            if (s->params().goals.push_back(goal)) return {};
            return Status::fail(-ENOMEM, "no memory for another goal");
        });
    }
    return damon::report(s->owner, status);
}

int damos_set_migrate_dests(damos* s, const struct damos_migrate_dest* d, size_t nr) {
    const damon::NoCancel no_cancel;
    Status status = check_scheme_setter(s);
    if (s == nullptr) return status.error();
    if (status.ok() && d == nullptr && nr > 0) status = Status::fail(-EINVAL, "dests is NULL and nr is not 0");
    damon::Vector<damon::MigrateDest> dests;
    uint64_t sum_weights = 0;
    for (size_t i = 0; status.ok() && i < nr; ++i) {
        sum_weights += d[i].weight;
        if (!dests.push_back(damon::MigrateDest{d[i].nid, d[i].weight})) {
            status = Status::fail(-ENOMEM, "no memory for %llu destinations", static_cast<unsigned long long>(nr));
        }
    }
    if (status.ok() && nr > 0 && sum_weights == 0) {
        status = Status::fail(-EINVAL, "the weights of all %llu destinations are 0; one must be above 0",
                              static_cast<unsigned long long>(nr));
    }
    if (status.ok()) {
        status = damon::change_while_stopped(s->owner, [&]() -> Status {
            s->params().migrate_dests.swap(dests);
            return {};
        });
    }
    return damon::report(s->owner, status);
}

int damon_ctx_add_scheme(damon_ctx* ctx, damos* s) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && s == nullptr) status = Status::fail(-EINVAL, "the scheme is NULL");
    if (status.ok() && s->owner != nullptr) {
        status = Status::fail(-EINVAL, "the scheme belongs to %s already",
                              s->owner == ctx ? "this context" : "another context");
    }
    if (status.ok())
        status =
            damon::validate_scheme(s->own, static_cast<uint32_t>(ctx->schemes.size()), damon::ops_of(*ctx).traits());
    if (!status.ok()) return damon::report(ctx, status);
    {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok() && !damon::append_part(*ctx, ctx->schemes, ctx->params.schemes, s)) {
            status = Status::fail(-ENOMEM, "no memory for another scheme");
        }
    }
    return damon::report(ctx, status);
}

int damon_ctx_remove_scheme(damon_ctx* ctx, size_t idx) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (!status.ok()) return damon::report(ctx, status);
    {
        const damon::Lock lock(ctx->sync.mutex);
        status = damon::check_stopped_locked(*ctx);
        if (status.ok() && idx >= ctx->schemes.size()) {
            status = Status::fail(-EINVAL, "there is no scheme %llu; the context has %llu",
                                  static_cast<unsigned long long>(idx),
                                  static_cast<unsigned long long>(ctx->schemes.size()));
        }
        if (status.ok()) {
            damon::remove_part(ctx->schemes, ctx->params.schemes, idx);
            ctx->kdamond.forget_scheme_locked(idx);
        }
    }
    return damon::report(ctx, status);
}

size_t damon_ctx_nr_schemes(const damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    if (!damon::check_handle(ctx).ok()) return 0;
    const damon::Lock lock(ctx->sync.mutex);
    return ctx->schemes.size();
}

damos* damon_ctx_scheme(const damon_ctx* ctx, size_t idx) {
    const damon::NoCancel no_cancel;
    if (!damon::check_handle(ctx).ok()) return nullptr;
    const damon::Lock lock(ctx->sync.mutex);
    return idx < ctx->schemes.size() ? ctx->schemes[idx] : nullptr;
}

int damon_ctx_get_scheme_stat(const damon_ctx* ctx, size_t idx, struct damos_stat* out) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_struct("damos_stat", out);
    if (status.ok() && idx >= damon_ctx_nr_schemes(ctx)) {
        status = Status::fail(-EINVAL, "there is no scheme %llu", static_cast<unsigned long long>(idx));
    }
    if (!status.ok()) return damon::report(ctx, status);
    damon::SchemeStatus scheme;
    ctx->kdamond.publisher().read_scheme(idx, scheme);  // all zero for one that never ran
    damon::write_struct(damon::scheme_stat_to_c(scheme), out);
    return 0;
}

int damon_ctx_set_quota_goal_value(damon_ctx* ctx, size_t scheme, size_t goal, uint64_t current_value) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    {
        const damon::Lock lock(ctx->sync.mutex);
        auto& schemes = ctx->params.schemes;
        const bool exists = scheme < schemes.size() && goal < schemes[scheme].goals.size();
        damon::QuotaGoal* found = exists ? &schemes[scheme].goals[goal] : nullptr;
        if (found != nullptr && found->metric == damon::QuotaMetric::kUserInput) {
            found->current_value = current_value;
            ctx->goal_values_changed = 1;
            return 0;
        }
        status = found == nullptr
                     ? Status::fail(-EINVAL, "scheme %llu has no goal %llu", static_cast<unsigned long long>(scheme),
                                    static_cast<unsigned long long>(goal))
                     : Status::fail(-EINVAL,
                                    "goal %llu of scheme %llu has metric %d; only "
                                    "DAMOS_QUOTA_USER_INPUT (0) can be set",
                                    static_cast<unsigned long long>(goal), static_cast<unsigned long long>(scheme),
                                    static_cast<int>(found->metric));
    }
    return damon::report(ctx, status);
}

namespace damon {

damon_region_info region_info_of(const ActionRequest& request) {
    return {.start = request.range.start,
            .end = request.range.end,
            .age_us = request.age_us,
            .idle_us = request.idle_us,
            .target_idx = request.target_idx,
            .nr_accesses = request.nr_accesses,
            .age = request.age,
            .flags = request.region_flags,
            .unknown_reason = static_cast<int32_t>(request.unknown_reason),
            .reserved = 0};
}

uint64_t run_action_callback(void* owner, const ActionRequest& request) {
    const auto action = reinterpret_cast<damos_action_fn>(request.scheme->callback_id);
    const damon_region_info region = region_info_of(request);
    return action(request.scheme->callback_data, static_cast<damon_ctx*>(owner), &region, request.scheme_idx);
}

}  // namespace damon
