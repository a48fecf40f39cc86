// The policies of section 7 of the rules, put together from the calls that anybody could make.
#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "capi/convert.h"
#include "capi/handles.h"
#include "capi/structs.h"

namespace {

using damon::Status;

constexpr uint64_t kAutotuneAccessBp = 40;
constexpr uint64_t kStatAccessBp = 400;
constexpr uint64_t kGoalAggrs = 3;
constexpr uint64_t kMinSampleUs = 5'000;
constexpr uint64_t kMaxSampleUs = 10'000'000;

damon_reclaim_params default_reclaim() {
    damon_reclaim_params params{};
    params.size = sizeof params;
    params.min_age_us = 120'000'000;
    params.quota_ms = 10;
    params.quota_sz = 128u << 20;
    params.quota_reset_interval_ms = 1'000;
    params.wmarks_interval_us = 5'000'000;
    params.wmarks_high = 500;
    params.wmarks_mid = 400;
    params.wmarks_low = 200;
    params.sample_us = 5'000;
    params.aggr_us = 100'000;
    params.min_nr_regions = 10;
    params.max_nr_regions = 1'000;
    return params;
}

damon_lru_sort_params default_lru_sort() {
    damon_lru_sort_params params{};
    params.size = sizeof params;
    params.hot_thres_access_freq = 500;
    params.cold_min_age_us = 120'000'000;
    params.quota_ms = 10;
    params.quota_reset_interval_ms = 1'000;
    params.wmarks_interval_us = 5'000'000;
    params.wmarks_high = 200;
    params.wmarks_mid = 150;
    params.wmarks_low = 50;
    params.sample_us = 5'000;
    params.aggr_us = 100'000;
    params.min_nr_regions = 10;
    params.max_nr_regions = 1'000;
    return params;
}

void tune_intervals(damon_attrs& attrs, uint64_t access_bp) {
    attrs.sample_us = kMinSampleUs;
    attrs.aggr_us = 100'000;
    attrs.intervals_goal.access_bp = access_bp;
    attrs.intervals_goal.aggrs = kGoalAggrs;
    attrs.intervals_goal.min_sample_us = kMinSampleUs;
    attrs.intervals_goal.max_sample_us = kMaxSampleUs;
}

template <typename Params>
damon_attrs attrs_of(const Params& params) {
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = params.sample_us;
    attrs.aggr_us = params.aggr_us;
    attrs.min_nr_regions = params.min_nr_regions;
    attrs.max_nr_regions = params.max_nr_regions;
    if (params.autotune_monitoring_intervals != 0) tune_intervals(attrs, kAutotuneAccessBp);
    return attrs;
}

template <typename Params>
void limit(damos_params& scheme, const Params& params) {
    scheme.quota.reset_interval_ms = params.quota_reset_interval_ms;
    scheme.wmarks.metric = params.own_memcg != 0 ? DAMOS_WMARK_OWN_MEMCG_FREE_RATE : DAMOS_WMARK_FREE_MEM_RATE;
    scheme.wmarks.interval_us = params.wmarks_interval_us;
    scheme.wmarks.high = params.wmarks_high;
    scheme.wmarks.mid = params.wmarks_mid;
    scheme.wmarks.low = params.wmarks_low;
    if (params.allow_unseen_reads != 0) scheme.flags |= DAMOS_ALLOW_UNSEEN_READS;
}

// A scheme that is put together; freed where the context does not take it.
class SchemeDraft {
public:
    explicit SchemeDraft(const damos_params& params) : scheme_(damos_new(&params)), error_(scheme_ ? 0 : -ENOMEM) {}
    ~SchemeDraft() { damos_free(scheme_); }
    SchemeDraft(const SchemeDraft&) = delete;
    SchemeDraft& operator=(const SchemeDraft&) = delete;

    void filter(damos_filter_type type, bool matching) {
        damos_filter filter;
        damos_filter_init(&filter);
        filter.type = type;
        filter.matching = matching ? 1 : 0;
        if (error_ == 0) error_ = damos_add_filter(scheme_, &filter);
    }
    void goal(damos_quota_goal_metric metric, uint64_t target, uint64_t current = 0) {
        damos_quota_goal goal;
        damos_quota_goal_init(&goal);
        goal.metric = metric;
        goal.target_value = target;
        goal.current_value = current;
        if (error_ == 0) error_ = damos_add_quota_goal(scheme_, &goal);
    }
    // 0 or a negative errno, which the context can explain.
    int give_to(damon_ctx* ctx) {
        if (error_ != 0) return damon::report(ctx, Status::fail(error_, "no memory for the preset's scheme"));
        error_ = damon_ctx_add_scheme(ctx, scheme_);
        if (error_ == 0) scheme_ = nullptr;
        return error_;
    }

private:
    damos* scheme_;
    int error_;
};

// Position of the first scheme, or an error with nothing changed.
int install(damon_ctx* ctx, const damon_attrs& attrs, SchemeDraft& first, SchemeDraft* second) {
    damon_attrs before;
    damon_attrs_init(&before);
    int error = damon_ctx_get_attrs(ctx, &before);
    if (error == 0) error = damon_ctx_set_attrs(ctx, &attrs);
    if (error != 0) return error;
    const size_t position = damon_ctx_nr_schemes(ctx);
    error = first.give_to(ctx);
    if (error == 0 && second != nullptr) {
        error = second->give_to(ctx);
        if (error != 0) damon_ctx_remove_scheme(ctx, position);
    }
    if (error == 0) return static_cast<int>(position);
    damon_ctx_set_attrs(ctx, &before);
    return error;
}

bool acts_on_virtual_addresses(const damon_ctx& ctx) {
    return ctx.params.ops_id == damon::OpsId::kVaddr || ctx.params.ops_id == damon::OpsId::kFvaddr ||
           ctx.params.ops_id == damon::OpsId::kKernelVaddr || ctx.params.ops_id == damon::OpsId::kKernelFvaddr;
}

Status check_aggr(uint64_t aggr_us, uint64_t sample_us) {
    if (aggr_us != 0 && sample_us != 0) return {};
    return Status::fail(-EINVAL, "sample_us is %llu and aggr_us %llu; a preset needs both above 0",
                        static_cast<unsigned long long>(sample_us), static_cast<unsigned long long>(aggr_us));
}

}  // namespace

void damon_reclaim_params_init(struct damon_reclaim_params* p) {
    if (p != nullptr) *p = default_reclaim();
}

void damon_lru_sort_params_init(struct damon_lru_sort_params* p) {
    if (p != nullptr) *p = default_lru_sort();
}

//
int damon_preset_reclaim(damon_ctx* ctx, const struct damon_reclaim_params* p) {
    damon_reclaim_params params = default_reclaim();
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && p != nullptr) status = damon::read_struct("damon_reclaim_params", p, params);
    if (status.ok()) status = check_aggr(params.aggr_us, params.sample_us);
    if (!status.ok()) return damon::report(ctx, status);
    damos_params scheme;
    damos_params_init(&scheme);
    scheme.action = DAMOS_PAGEOUT;
    scheme.pattern.min_sz = ctx->params.min_region_sz;
    scheme.pattern.max_nr_accesses = 0;
    scheme.min_age_us = params.min_age_us;
    scheme.quota.ms = params.quota_ms;
    scheme.quota.sz = params.quota_sz;
    scheme.quota.weight_age = 1;
    limit(scheme, params);
    SchemeDraft draft(scheme);
    if (params.quota_mem_pressure_us != 0) draft.goal(DAMOS_QUOTA_SOME_MEM_PSI_US, params.quota_mem_pressure_us);
    if (params.quota_autotune_feedback != 0) {
        draft.goal(DAMOS_QUOTA_USER_INPUT, damon::kBp, params.quota_autotune_feedback);
    }
    if (params.skip_anon != 0) draft.filter(DAMOS_FILTER_ANON, true);
    return install(ctx, attrs_of(params), draft, nullptr);
}

//
int damon_preset_lru_sort(damon_ctx* ctx, const struct damon_lru_sort_params* p) {
    damon_lru_sort_params params = default_lru_sort();
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok() && p != nullptr) status = damon::read_struct("damon_lru_sort_params", p, params);
    if (status.ok()) status = check_aggr(params.aggr_us, params.sample_us);
    if (status.ok() && params.active_mem_bp > damon::kBp) {
        status = Status::fail(-EINVAL, "active_mem_bp is %llu; it must be at most 10000",
                              static_cast<unsigned long long>(params.active_mem_bp));
    }
    if (!status.ok()) return damon::report(ctx, status);
    const damon_attrs attrs = attrs_of(params);
    damos_params hot;
    damos_params_init(&hot);
    hot.quota.ms = params.quota_ms / 2;
    hot.quota.weight_nr_accesses = 1;
    hot.quota.weight_age = 1;
    limit(hot, params);
    damos_params cold = hot;
    hot.action = acts_on_virtual_addresses(*ctx) ? DAMOS_STAT : DAMOS_LRU_PRIO;
    const uint64_t samples = damon::attrs_from_c(attrs).max_nr_accesses();
    hot.pattern.min_nr_accesses = damon::saturate_u32(damon::mul_div(samples, params.hot_thres_access_freq, 1'000));
    cold.action = DAMOS_LRU_DEPRIO;
    cold.pattern.max_nr_accesses = 0;
    cold.min_age_us = params.cold_min_age_us;
    SchemeDraft hot_draft(hot);
    SchemeDraft cold_draft(cold);
    if (params.active_mem_bp != 0) {
        hot_draft.goal(DAMOS_QUOTA_ACTIVE_MEM_BP, params.active_mem_bp);
        cold_draft.goal(DAMOS_QUOTA_INACTIVE_MEM_BP, std::min(damon::kBp, damon::kBp - params.active_mem_bp + 2));
    }
    if (params.filter_young_pages != 0) {
        hot_draft.filter(DAMOS_FILTER_YOUNG, false);
        cold_draft.filter(DAMOS_FILTER_YOUNG, true);
    }
    return install(ctx, attrs, hot_draft, &cold_draft);
}

//
int damon_preset_stat(damon_ctx* ctx) {
    const Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (!status.ok()) return damon::report(ctx, status);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    tune_intervals(attrs, kStatAccessBp);
    return damon_ctx_set_attrs(ctx, &attrs);
}
