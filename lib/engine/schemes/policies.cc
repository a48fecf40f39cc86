#include "engine/schemes/policies.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/arithmetic.h"

namespace damon {
namespace {

// As the kernel's modules have them.
constexpr uint64_t kAutotuneAccessBp = 40;
constexpr uint64_t kStatAccessBp = 400;
constexpr uint64_t kGoalAggrs = 3;
constexpr uint64_t kMinSampleUs = 5'000;
constexpr uint64_t kMaxSampleUs = 10'000'000;

void tune_intervals(Attrs& attrs, uint64_t access_bp) {
    attrs.sample_us = kMinSampleUs;
    attrs.aggr_us = 100'000;
    attrs.intervals_goal = {access_bp, kGoalAggrs, kMinSampleUs, kMaxSampleUs};
}

Attrs attrs_within(const PolicyBounds& bounds) {
    Attrs attrs;
    attrs.sample_us = bounds.sample_us;
    attrs.aggr_us = bounds.aggr_us;
    attrs.min_nr_regions = bounds.min_nr_regions;
    attrs.max_nr_regions = bounds.max_nr_regions;
    if (bounds.tunes_intervals) tune_intervals(attrs, kAutotuneAccessBp);
    return attrs;
}

Status check(const PolicyBounds& bounds) {
    if (bounds.aggr_us != 0 && bounds.sample_us != 0) return {};
    return Status::fail(-EINVAL, "sample_us is %llu and aggr_us %llu; a preset needs both above 0",
                        static_cast<unsigned long long>(bounds.sample_us),
                        static_cast<unsigned long long>(bounds.aggr_us));
}

SchemeParams scheme_within(const PolicyBounds& bounds, DamosAction action) {
    SchemeParams scheme;
    scheme.action = action;
    scheme.quota.reset_interval_ms = bounds.quota_reset_interval_ms;
    scheme.wmarks = bounds.wmarks;
    if (bounds.allow_unseen_reads) scheme.flags |= kAllowUnseenReads;
    return scheme;
}

bool add_goal(SchemeParams& scheme, QuotaMetric metric, uint64_t target_value, uint64_t current_value = 0) {
    QuotaGoal goal;
    goal.metric = metric;
    goal.target_value = target_value;
    goal.current_value = current_value;
    return scheme.goals.push_back(goal);
}

bool add_filter(SchemeParams& scheme, FilterType type, bool matching) {
    DamosFilter filter;
    filter.type = type;
    filter.matching = matching;
    return scheme.ops_filters.push_back(filter);
}

bool acts_on_virtual_addresses(OpsId ops_id) {
    return ops_id == OpsId::kVaddr || ops_id == OpsId::kFvaddr || ops_id == OpsId::kKernelVaddr ||
           ops_id == OpsId::kKernelFvaddr;
}

Status no_memory() { return Status::fail(-ENOMEM, "no memory for the preset's scheme"); }

}  // namespace

Status reclaim_policy(const ReclaimChoice& choice, uint64_t min_region_sz, Policy& policy) {
    const Status status = check(choice.bounds);
    if (!status.ok()) return status;
    SchemeParams scheme = scheme_within(choice.bounds, DamosAction::kPageout);
    scheme.pattern.min_sz = min_region_sz;
    scheme.pattern.max_nr_accesses = 0;
    scheme.min_age_us = choice.min_age_us;
    scheme.quota.ms = choice.bounds.quota_ms;
    scheme.quota.sz = choice.quota_sz;
    scheme.quota.weight_age = 1;
    bool fits = true;
    if (choice.mem_pressure_us != 0) fits = add_goal(scheme, QuotaMetric::kSomeMemPsiUs, choice.mem_pressure_us);
    if (choice.feedback != 0) fits = fits && add_goal(scheme, QuotaMetric::kUserInput, kBp, choice.feedback);
    if (choice.skips_anon) fits = fits && add_filter(scheme, FilterType::kAnon, true);
    if (!fits || !policy.schemes.push_back(std::move(scheme))) return no_memory();
    policy.attrs = attrs_within(choice.bounds);
    return status;
}

Status lru_sort_policy(const LruSortChoice& choice, OpsId ops_id, Policy& policy) {
    Status status = check(choice.bounds);
    if (status.ok() && choice.active_mem_bp > kBp) {
        status = Status::fail(-EINVAL, "active_mem_bp is %llu; it must be at most 10000",
                              static_cast<unsigned long long>(choice.active_mem_bp));
    }
    if (!status.ok()) return status;
    policy.attrs = attrs_within(choice.bounds);
    SchemeParams hot =
        scheme_within(choice.bounds, acts_on_virtual_addresses(ops_id) ? DamosAction::kStat : DamosAction::kLruPrio);
    SchemeParams cold = scheme_within(choice.bounds, DamosAction::kLruDeprio);
    for (SchemeParams* scheme : {&hot, &cold}) {
        scheme->quota.ms = choice.bounds.quota_ms / 2;
        scheme->quota.weight_nr_accesses = 1;
        scheme->quota.weight_age = 1;
    }
    hot.pattern.min_nr_accesses = saturate_u32(mul_div(policy.attrs.max_nr_accesses(), choice.hot_permil, 1'000));
    cold.pattern.max_nr_accesses = 0;
    cold.min_age_us = choice.cold_min_age_us;
    bool fits = true;
    if (choice.active_mem_bp != 0) {
        fits = add_goal(hot, QuotaMetric::kActiveMemBp, choice.active_mem_bp) &&
               add_goal(cold, QuotaMetric::kInactiveMemBp, std::min(kBp, kBp - choice.active_mem_bp + 2));
    }
    if (choice.filters_young) {
        fits = fits && add_filter(hot, FilterType::kYoung, false) && add_filter(cold, FilterType::kYoung, true);
    }
    fits = fits && policy.schemes.push_back(std::move(hot)) && policy.schemes.push_back(std::move(cold));
    return fits ? status : no_memory();
}

Attrs stat_attrs() {
    Attrs attrs;
    tune_intervals(attrs, kStatAccessBp);
    return attrs;
}

}  // namespace damon
