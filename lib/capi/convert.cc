#include "capi/convert.h"

#include <cerrno>
#include <cstddef>

namespace damon {

static_assert(sizeof(damon_region_info) == sizeof(RegionInfo));
static_assert(offsetof(damon_region_info, nr_accesses) == offsetof(RegionInfo, nr_accesses));
static_assert(offsetof(damon_region_info, flags) == offsetof(RegionInfo, flags));
static_assert(offsetof(damon_region_info, age_us) == offsetof(RegionInfo, age_us));
static_assert(offsetof(damon_region_info, idle_us) == offsetof(RegionInfo, idle_us));
static_assert(offsetof(damon_region_info, unknown_reason) == offsetof(RegionInfo, unknown_reason));
static_assert(static_cast<int32_t>(DAMON_UNKNOWN_OTHER) == static_cast<int32_t>(Unknown::kOther));
static_assert(static_cast<uint32_t>(DAMON_REGION_UNKNOWN) == kRegionUnknown);
static_assert(static_cast<uint32_t>(DAMON_REGION_WRITES_ONLY) == kRegionWritesOnly);
static_assert(static_cast<uint32_t>(DAMON_REGION_REFERENCED) == kRegionReferenced);
static_assert(static_cast<uint32_t>(DAMON_REGION_PARTIAL) == kRegionPartial);
static_assert(static_cast<int32_t>(DAMOS_CALLBACK) == static_cast<int32_t>(DamosAction::kCallback));
static_assert(static_cast<int32_t>(DAMOS_FILTER_TARGET) == static_cast<int32_t>(FilterType::kTarget));
static_assert(static_cast<int32_t>(DAMON_OPS_KERNEL_VADDR) == static_cast<int32_t>(OpsId::kKernelVaddr));
static_assert(static_cast<int32_t>(DAMON_OPS_KERNEL_FVADDR) == static_cast<int32_t>(OpsId::kKernelFvaddr));
static_assert(static_cast<int32_t>(DAMON_OPS_KERNEL_PADDR) == static_cast<int32_t>(OpsId::kKernelPaddr));
static_assert(static_cast<int32_t>(DAMOS_QUOTA_OWN_MEMCG_FREE_BP) ==
              static_cast<int32_t>(QuotaMetric::kOwnMemcgFreeBp));

Attrs attrs_from_c(const damon_attrs& given) {
    Attrs attrs;
    attrs.sample_us = given.sample_us;
    attrs.aggr_us = given.aggr_us;
    attrs.ops_update_us = given.ops_update_us;
    attrs.min_nr_regions = given.min_nr_regions;
    attrs.max_nr_regions = given.max_nr_regions;
    attrs.intervals_goal = {given.intervals_goal.access_bp, given.intervals_goal.aggrs,
                            given.intervals_goal.min_sample_us, given.intervals_goal.max_sample_us};
    attrs.max_overhead_permil = given.max_overhead_permil;
    attrs.referenced_us = given.referenced_us;
    attrs.survey_bp = given.survey_bp;
    return attrs;
}

damon_attrs attrs_to_c(const Attrs& attrs) {
    damon_attrs given{};
    given.size = sizeof given;
    given.sample_us = attrs.sample_us;
    given.aggr_us = attrs.aggr_us;
    given.ops_update_us = attrs.ops_update_us;
    given.min_nr_regions = attrs.min_nr_regions;
    given.max_nr_regions = attrs.max_nr_regions;
    given.intervals_goal.access_bp = attrs.intervals_goal.access_bp;
    given.intervals_goal.aggrs = attrs.intervals_goal.aggrs;
    given.intervals_goal.min_sample_us = attrs.intervals_goal.min_sample_us;
    given.intervals_goal.max_sample_us = attrs.intervals_goal.max_sample_us;
    given.max_overhead_permil = attrs.max_overhead_permil;
    given.referenced_us = attrs.referenced_us;
    given.survey_bp = attrs.survey_bp;
    return given;
}

void scheme_from_c(const damos_params& given, SchemeParams& params) {
    params.action = static_cast<DamosAction>(given.action);
    params.pattern = {given.pattern.min_sz,          given.pattern.max_sz,  given.pattern.min_nr_accesses,
                      given.pattern.max_nr_accesses, given.pattern.min_age, given.pattern.max_age};
    params.apply_interval_us = given.apply_interval_us;
    params.quota.reset_interval_ms = given.quota.reset_interval_ms;
    params.quota.ms = given.quota.ms;
    params.quota.sz = given.quota.sz;
    params.quota.weight_sz = given.quota.weight_sz;
    params.quota.weight_nr_accesses = given.quota.weight_nr_accesses;
    params.quota.weight_age = given.quota.weight_age;
    params.quota.goal_tuner = static_cast<GoalTuner>(given.quota.goal_tuner);
    params.quota.fail_charge_num = given.quota.fail_charge_num;
    params.quota.fail_charge_denom = given.quota.fail_charge_denom;
    params.wmarks.metric = static_cast<WatermarkMetric>(given.wmarks.metric);
    params.wmarks.high = given.wmarks.high;
    params.wmarks.mid = given.wmarks.mid;
    params.wmarks.low = given.wmarks.low;
    params.wmarks.interval_us = given.wmarks.interval_us;
    params.target_nid = given.target_nid;
    params.max_nr_snapshots = given.max_nr_snapshots;
    params.min_age_us = given.min_age_us;
    params.flags = given.flags;
    params.callback_id = reinterpret_cast<void*>(given.action_fn);
    params.callback_data = given.action_data;
}

Status filter_from_c(const damos_filter& given, DamosFilter& filter) {
    if (given.type < 0 || given.type >= kNrFilterTypes) {
        return Status::fail(-EINVAL, "filter type is %d; it must be 0 (DAMOS_FILTER_ANON) to %d", given.type,
                            kNrFilterTypes - 1);
    }
    if (given.matching > 1 || given.allow > 1) {
        return Status::fail(-EINVAL, "filter matching is %u and allow is %u; each must be 0 or 1", given.matching,
                            given.allow);
    }
    filter = {};
    filter.type = static_cast<FilterType>(given.type);
    filter.matching = given.matching == 1;
    filter.allow = given.allow == 1;
    filter.memcg_id = given.memcg_id;
    filter.target_idx = given.target_idx;
    if (filter.type == FilterType::kAddr) {
        if (given.addr_start >= given.addr_end) {
            return Status::fail(-EINVAL, "filter addr_start 0x%llx is not below addr_end 0x%llx",
                                static_cast<unsigned long long>(given.addr_start),
                                static_cast<unsigned long long>(given.addr_end));
        }
        filter.range = {given.addr_start, given.addr_end};
    }
    if (filter.type == FilterType::kHugepageSize) {
        if (given.min_bytes > given.max_bytes) {
            return Status::fail(-EINVAL, "filter min_bytes %llu is above max_bytes %llu",
                                static_cast<unsigned long long>(given.min_bytes),
                                static_cast<unsigned long long>(given.max_bytes));
        }
        filter.range = {given.min_bytes, given.max_bytes};
    }
    return {};
}

Status goal_from_c(const damos_quota_goal& given, QuotaGoal& goal) {
    if (given.metric < 0 || given.metric >= kNrQuotaMetrics) {
        return Status::fail(-EINVAL, "quota goal metric is %d; it must be 0 (DAMOS_QUOTA_USER_INPUT) to %d",
                            given.metric, kNrQuotaMetrics - 1);
    }
    if (given.target_value == 0) {
        return Status::fail(-EINVAL, "quota goal target_value is 0; it must be above 0");
    }
    goal.metric = static_cast<QuotaMetric>(given.metric);
    goal.nid = given.nid;
    goal.target_value = given.target_value;
    goal.current_value = given.current_value;
    goal.memcg_id = given.memcg_id;
    return {};
}

damon_snapshot_info snapshot_info_to_c(const SnapshotInfo& info) {
    damon_snapshot_info out{};
    out.size = sizeof out;
    if ((info.region_flags & kRegionWritesOnly) != 0) out.flags |= DAMON_SNAPSHOT_WRITES_ONLY;
    if ((info.region_flags & kRegionUnknown) != 0) out.flags |= DAMON_SNAPSHOT_UNKNOWN;
    if ((info.region_flags & kRegionPartial) != 0) out.flags |= DAMON_SNAPSHOT_PARTIAL;
    out.seq = info.seq;
    out.time_ns = info.time_ns;
    out.sample_us = info.sample_us;
    out.aggr_us = info.aggr_us;
    out.nr_regions = info.nr_regions;
    out.passed_sample_intervals = info.passed_sample_intervals;
    out.max_nr_accesses = info.max_nr_accesses;
    out.nr_targets = info.nr_targets;
    out.window_us = info.window_us;
    return out;
}

damos_stat scheme_stat_to_c(const SchemeStatus& status) {
    damos_stat out{};
    out.size = sizeof out;
    out.active = status.active ? 1 : 0;
    out.nr_tried = status.stats.nr_tried;
    out.sz_tried = status.stats.sz_tried;
    out.nr_applied = status.stats.nr_applied;
    out.sz_applied = status.stats.sz_applied;
    out.sz_ops_filter_passed = status.stats.sz_ops_filter_passed;
    out.qt_exceeds = status.stats.qt_exceeds;
    out.nr_snapshots = status.stats.nr_snapshots;
    out.esz = status.esz;
    return out;
}

}  // namespace damon
