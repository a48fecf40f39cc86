// The policies of section 7 of the rules; what they consist of is decided in engine/schemes/policies.h.
#include <cerrno>

#include "capi/convert.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "engine/schemes/policies.h"

namespace {

using damon::Status;

template <typename Given>
void bounds_from_c(const Given& given, damon::PolicyBounds& bounds) {
    bounds.quota_ms = given.quota_ms;
    bounds.quota_reset_interval_ms = given.quota_reset_interval_ms;
    bounds.wmarks = {
        given.own_memcg != 0 ? damon::WatermarkMetric::kOwnMemcgFreeRate : damon::WatermarkMetric::kFreeMemRate,
        given.wmarks_high, given.wmarks_mid, given.wmarks_low, given.wmarks_interval_us};
    bounds.allow_unseen_reads = given.allow_unseen_reads != 0;
    bounds.tunes_intervals = given.autotune_monitoring_intervals != 0;
    bounds.sample_us = given.sample_us;
    bounds.aggr_us = given.aggr_us;
    bounds.min_nr_regions = given.min_nr_regions;
    bounds.max_nr_regions = given.max_nr_regions;
}

template <typename Given>
void bounds_to_c(const damon::PolicyBounds& bounds, Given& given) {
    given.quota_ms = bounds.quota_ms;
    given.quota_reset_interval_ms = bounds.quota_reset_interval_ms;
    given.own_memcg = bounds.wmarks.metric == damon::WatermarkMetric::kOwnMemcgFreeRate ? 1 : 0;
    given.wmarks_high = bounds.wmarks.high;
    given.wmarks_mid = bounds.wmarks.mid;
    given.wmarks_low = bounds.wmarks.low;
    given.wmarks_interval_us = bounds.wmarks.interval_us;
    given.allow_unseen_reads = bounds.allow_unseen_reads ? 1 : 0;
    given.autotune_monitoring_intervals = bounds.tunes_intervals ? 1 : 0;
    given.sample_us = bounds.sample_us;
    given.aggr_us = bounds.aggr_us;
    given.min_nr_regions = bounds.min_nr_regions;
    given.max_nr_regions = bounds.max_nr_regions;
}

damon_reclaim_params reclaim_to_c(const damon::ReclaimChoice& choice) {
    damon_reclaim_params given{};
    given.size = sizeof given;
    bounds_to_c(choice.bounds, given);
    given.min_age_us = choice.min_age_us;
    given.quota_sz = choice.quota_sz;
    given.quota_mem_pressure_us = choice.mem_pressure_us;
    given.quota_autotune_feedback = choice.feedback;
    given.skip_anon = choice.skips_anon ? 1 : 0;
    return given;
}

damon::ReclaimChoice reclaim_from_c(const damon_reclaim_params& given) {
    damon::ReclaimChoice choice;
    bounds_from_c(given, choice.bounds);
    choice.min_age_us = given.min_age_us;
    choice.quota_sz = given.quota_sz;
    choice.mem_pressure_us = given.quota_mem_pressure_us;
    choice.feedback = given.quota_autotune_feedback;
    choice.skips_anon = given.skip_anon != 0;
    return choice;
}

damon_lru_sort_params lru_sort_to_c(const damon::LruSortChoice& choice) {
    damon_lru_sort_params given{};
    given.size = sizeof given;
    bounds_to_c(choice.bounds, given);
    given.hot_thres_access_freq = choice.hot_permil;
    given.cold_min_age_us = choice.cold_min_age_us;
    given.active_mem_bp = choice.active_mem_bp;
    given.filter_young_pages = choice.filters_young ? 1 : 0;
    return given;
}

damon::LruSortChoice lru_sort_from_c(const damon_lru_sort_params& given) {
    damon::LruSortChoice choice;
    bounds_from_c(given, choice.bounds);
    choice.hot_permil = given.hot_thres_access_freq;
    choice.cold_min_age_us = given.cold_min_age_us;
    choice.active_mem_bp = given.active_mem_bp;
    choice.filters_young = given.filter_young_pages != 0;
    return choice;
}

// 0 or a negative errno, which the context can explain.
int add_scheme(damon_ctx* ctx, damon::SchemeParams&& params) {
    damos* scheme = damon::heap_new<damos>();
    if (scheme == nullptr) return damon::report(ctx, Status::fail(-ENOMEM, "no memory for the preset's scheme"));
    scheme->own = std::move(params);
    const int error = damon_ctx_add_scheme(ctx, scheme);
    if (error != 0) damos_free(scheme);
    return error;
}

// Position of the first scheme, or an error with nothing changed.
int install(damon_ctx* ctx, damon::Policy&& policy) {
    damon_attrs before;
    damon_attrs_init(&before);
    const damon_attrs attrs = damon::attrs_to_c(policy.attrs);
    int error = damon_ctx_get_attrs(ctx, &before);
    if (error == 0) error = damon_ctx_set_attrs(ctx, &attrs);
    if (error != 0) return error;
    const size_t position = damon_ctx_nr_schemes(ctx);
    for (damon::SchemeParams& scheme : policy.schemes) {
        error = add_scheme(ctx, std::move(scheme));
        if (error == 0) continue;
        while (damon_ctx_nr_schemes(ctx) > position) damon_ctx_remove_scheme(ctx, position);
        damon_ctx_set_attrs(ctx, &before);
        return error;
    }
    return static_cast<int>(position);
}

}  // namespace

void damon_reclaim_params_init(struct damon_reclaim_params* p) {
    if (p != nullptr) *p = reclaim_to_c({});
}

void damon_lru_sort_params_init(struct damon_lru_sort_params* p) {
    if (p != nullptr) *p = lru_sort_to_c({});
}

int damon_preset_reclaim(damon_ctx* ctx, const struct damon_reclaim_params* p) {
    const damon::NoCancel no_cancel;
    damon_reclaim_params given = reclaim_to_c({});
    damon::Policy policy;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && p != nullptr) status = damon::read_struct("damon_reclaim_params", p, given);
    if (status.ok()) status = damon::reclaim_policy(reclaim_from_c(given), ctx->params.min_region_sz, policy);
    return status.ok() ? install(ctx, std::move(policy)) : damon::report(ctx, status);
}

int damon_preset_lru_sort(damon_ctx* ctx, const struct damon_lru_sort_params* p) {
    const damon::NoCancel no_cancel;
    damon_lru_sort_params given = lru_sort_to_c({});
    damon::Policy policy;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && p != nullptr) status = damon::read_struct("damon_lru_sort_params", p, given);
    if (status.ok()) status = damon::lru_sort_policy(lru_sort_from_c(given), ctx->params.ops_id, policy);
    return status.ok() ? install(ctx, std::move(policy)) : damon::report(ctx, status);
}

int damon_preset_stat(damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    const Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (!status.ok()) return damon::report(ctx, status);
    const damon_attrs attrs = damon::attrs_to_c(damon::stat_attrs());
    return damon_ctx_set_attrs(ctx, &attrs);
}
