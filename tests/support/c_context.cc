#include "support/c_context.h"

namespace damon::test {
namespace {

uint64_t nothing_done(void*, damon_ctx*, const damon_region_info*, size_t) { return 0; }

damon_attrs c_attrs(const Attrs& attrs) {
    damon_attrs out;
    damon_attrs_init(&out);
    out.sample_us = attrs.sample_us;
    out.aggr_us = attrs.aggr_us;
    out.ops_update_us = attrs.ops_update_us;
    out.min_nr_regions = attrs.min_nr_regions;
    out.max_nr_regions = attrs.max_nr_regions;
    out.intervals_goal.access_bp = attrs.intervals_goal.access_bp;
    out.intervals_goal.aggrs = attrs.intervals_goal.aggrs;
    out.intervals_goal.min_sample_us = attrs.intervals_goal.min_sample_us;
    out.intervals_goal.max_sample_us = attrs.intervals_goal.max_sample_us;
    out.max_overhead_permil = attrs.max_overhead_permil;
    out.referenced_us = attrs.referenced_us;
    out.survey_bp = attrs.survey_bp;
    return out;
}

damos_params c_scheme(const SchemeParams& scheme) {
    damos_params out;
    damos_params_init(&out);
    out.action = static_cast<int32_t>(scheme.action);
    out.pattern.min_sz = scheme.pattern.min_sz;
    out.pattern.max_sz = scheme.pattern.max_sz;
    out.pattern.min_nr_accesses = scheme.pattern.min_nr_accesses;
    out.pattern.max_nr_accesses = scheme.pattern.max_nr_accesses;
    out.pattern.min_age = scheme.pattern.min_age;
    out.pattern.max_age = scheme.pattern.max_age;
    out.apply_interval_us = scheme.apply_interval_us;
    out.quota.reset_interval_ms = scheme.quota.reset_interval_ms;
    out.quota.ms = scheme.quota.ms;
    out.quota.sz = scheme.quota.sz;
    out.quota.weight_nr_accesses = scheme.quota.weight_nr_accesses;
    out.quota.weight_age = scheme.quota.weight_age;
    out.quota.goal_tuner = static_cast<int32_t>(scheme.quota.goal_tuner);
    out.quota.fail_charge_num = scheme.quota.fail_charge_num;
    out.quota.fail_charge_denom = scheme.quota.fail_charge_denom;
    out.max_nr_snapshots = scheme.max_nr_snapshots;
    out.action_fn = nothing_done;
    return out;
}

bool add_parts(damos* scheme, const SchemeParams& params) {
    for (const DamosFilter& filter : params.core_filters) {
        damos_filter out;
        damos_filter_init(&out);
        out.type = static_cast<int32_t>(filter.type);
        out.matching = filter.matching;
        out.allow = filter.allow;
        out.addr_start = filter.range.start;
        out.addr_end = filter.range.end;
        out.target_idx = filter.target_idx;
        if (damos_add_filter(scheme, &out) != 0) return false;
    }
    for (const QuotaGoal& goal : params.goals) {
        damos_quota_goal out;
        damos_quota_goal_init(&out);
        out.metric = static_cast<int32_t>(goal.metric);
        out.nid = goal.nid;
        out.target_value = goal.target_value;
        out.current_value = goal.current_value;
        if (damos_add_quota_goal(scheme, &out) != 0) return false;
    }
    return true;
}

bool add_target(damon_ctx* ctx, const TargetParams& params) {
    damon_target* target = damon_target_new();
    const auto* ranges = reinterpret_cast<const damon_addr_range*>(params.ranges.data());
    if (damon_target_set_regions(target, ranges, params.ranges.size()) == 0 &&
        damon_target_set_obsolete(target, params.obsolete) == 0 && damon_ctx_add_target(ctx, target) == 0) {
        return true;
    }
    damon_target_free(target);
    return false;
}

bool add_scheme(damon_ctx* ctx, const SchemeParams& params) {
    const damos_params scheme_params = c_scheme(params);
    damos* scheme = damos_new(&scheme_params);
    if (scheme != nullptr && add_parts(scheme, params) && damon_ctx_add_scheme(ctx, scheme) == 0) return true;
    damos_free(scheme);
    return false;
}

bool fill(damon_ctx* ctx, const Params& params) {
    const damon_attrs attrs = c_attrs(params.attrs);
    if (damon_ctx_set_attrs(ctx, &attrs) != 0) return false;
    if (damon_ctx_set_min_region_sz(ctx, params.min_region_sz) != 0) return false;
    for (const TargetParams& target : params.targets) {
        if (!add_target(ctx, target)) return false;
    }
    for (const SchemeParams& scheme : params.schemes) {
        if (!add_scheme(ctx, scheme)) return false;
    }
    return true;
}

}  // namespace

static_assert(sizeof(damon_addr_range) == sizeof(AddressRange));

damon_ctx* make_c_context(const Params& params) {
    damon_ctx* ctx = damon_ctx_new();
    if (ctx != nullptr && fill(ctx, params)) return ctx;
    damon_ctx_free(ctx);
    return nullptr;
}

}  // namespace damon::test
