#include "engine/schemes/scheme_validation.h"

#include <cerrno>
#include <cinttypes>
#include <iterator>
#include <span>

#include "base/arithmetic.h"

namespace damon {
namespace {

// Whether an enum of the C ABI has one of the first `count` values.
template <typename Enum>
bool known(Enum value, int32_t count) {
    return 0 <= static_cast<int32_t>(value) && static_cast<int32_t>(value) < count;
}

// By FilterType.
constexpr const char* kFilterNames[] = {"DAMOS_FILTER_ANON",  "DAMOS_FILTER_ACTIVE",        "DAMOS_FILTER_MEMCG",
                                        "DAMOS_FILTER_YOUNG", "DAMOS_FILTER_HUGEPAGE_SIZE", "DAMOS_FILTER_UNMAPPED",
                                        "DAMOS_FILTER_ADDR",  "DAMOS_FILTER_TARGET"};
static_assert(std::size(kFilterNames) == kNrFilterTypes);

Status validate_action(const SchemeParams& scheme, uint32_t scheme_idx) {
    if (!known(scheme.action, kNrDamosActions)) {
        return Status::fail(-EINVAL, "schemes[%u].action is %d, must be 0 to %d", scheme_idx,
                            static_cast<int>(scheme.action), kNrDamosActions - 1);
    }
    if (scheme.action == DamosAction::kCallback && scheme.callback_id == nullptr) {
        return Status::fail(-EINVAL, "schemes[%u].action_fn is NULL, DAMOS_CALLBACK needs a function", scheme_idx);
    }
    if ((scheme.flags & ~kSchemeFlags) != 0) {
        return Status::fail(-EINVAL, "schemes[%u].flags is 0x%x, only DAMOS_ALLOW_UNSEEN_READS (0x1) is known",
                            scheme_idx, scheme.flags);
    }
    return {};
}

Status validate_goals(const SchemeParams& scheme, uint32_t scheme_idx, const OpsTraits& traits) {
    if (!known(scheme.quota.goal_tuner, kNrGoalTuners)) {
        return Status::fail(-EINVAL, "schemes[%u].quota.goal_tuner is %d, must be 0 (consist) or 1 (temporal)",
                            scheme_idx, static_cast<int>(scheme.quota.goal_tuner));
    }
    for (size_t i = 0; i < scheme.goals.size(); ++i) {
        const QuotaGoal& goal = scheme.goals[i];
        const auto goal_idx = static_cast<unsigned>(i);
        if (!known(goal.metric, kNrQuotaMetrics)) {
            return Status::fail(-EINVAL, "schemes[%u].goals[%u].metric is %d, must be 0 to %d", scheme_idx, goal_idx,
                                static_cast<int>(goal.metric), kNrQuotaMetrics - 1);
        }
        if (goal.target_value == 0) {
            return Status::fail(-EINVAL, "schemes[%u].goals[%u].target_value is 0, must be at least 1", scheme_idx,
                                goal_idx);
        }
        const bool in_bp = goal.metric != QuotaMetric::kUserInput && goal.metric != QuotaMetric::kSomeMemPsiUs;
        if (in_bp && goal.target_value > kBp) {
            return Status::fail(-EINVAL,
                                "schemes[%u].goals[%u].target_value is %" PRIu64 ", must be at most %" PRIu64 " (bp)",
                                scheme_idx, goal_idx, goal.target_value, kBp);
        }
        if (goal.metric == QuotaMetric::kNodeEligibleMemBp && traits.has_subject) {
            return Status::fail(
                -EINVAL,
                "schemes[%u].goals[%u].metric is DAMOS_QUOTA_NODE_ELIGIBLE_MEM_BP, which needs physical "
                "memory as target",
                scheme_idx, goal_idx);
        }
    }
    return {};
}

struct FilterPlace {
    uint32_t scheme_idx;
    const char* layer;
    unsigned filter_idx;
};

Status validate_filter(const DamosFilter& filter, const FilterPlace& place, bool core) {
    if (!known(filter.type, kNrFilterTypes)) {
        return Status::fail(-EINVAL, "schemes[%u].%s[%u].type is %d, must be 0 to %d", place.scheme_idx, place.layer,
                            place.filter_idx, static_cast<int>(filter.type), kNrFilterTypes - 1);
    }
    if (filter.core() != core) {
        return Status::fail(-EINVAL, "schemes[%u].%s[%u].type is %s, which belongs to the %s layer", place.scheme_idx,
                            place.layer, place.filter_idx, kFilterNames[static_cast<int32_t>(filter.type)],
                            core ? "ops" : "core");
    }
    const bool has_bounds = filter.type == FilterType::kAddr || filter.type == FilterType::kHugepageSize;
    if (has_bounds && filter.range.start > filter.range.end) {
        return Status::fail(-EINVAL,
                            "schemes[%u].%s[%u]: the lower bound %" PRIu64 " is above the upper bound %" PRIu64,
                            place.scheme_idx, place.layer, place.filter_idx, filter.range.start, filter.range.end);
    }
    return {};
}

Status validate_layer(std::span<const DamosFilter> filters, uint32_t scheme_idx, bool core) {
    for (size_t i = 0; i < filters.size(); ++i) {
        const FilterPlace place{scheme_idx, core ? "core_filters" : "ops_filters", static_cast<unsigned>(i)};
        if (const Status status = validate_filter(filters[i], place, core); !status.ok()) return status;
    }
    return {};
}

// marks out of order, or above the whole, would hold the scheme back for ever.
Status validate_watermarks(const Watermarks& wmarks, uint32_t scheme_idx) {
    if (!known(wmarks.metric, kNrWatermarkMetrics)) {
        return Status::fail(-EINVAL,
                            "schemes[%u].wmarks.metric is %d, must be 0 (none), 1 (free_mem_rate) or 2 "
                            "(own_memcg_free_rate)",
                            scheme_idx, static_cast<int>(wmarks.metric));
    }
    if (wmarks.metric == WatermarkMetric::kNone) return {};
    if (wmarks.high > 1'000) {
        return Status::fail(-EINVAL, "schemes[%u].wmarks.high is %u, must be at most 1000 (permil)", scheme_idx,
                            wmarks.high);
    }
    if (wmarks.mid > wmarks.high) {
        return Status::fail(-EINVAL, "schemes[%u].wmarks.mid is %u, must be at most high (%u)", scheme_idx, wmarks.mid,
                            wmarks.high);
    }
    if (wmarks.low > wmarks.mid) {
        return Status::fail(-EINVAL, "schemes[%u].wmarks.low is %u, must be at most mid (%u)", scheme_idx, wmarks.low,
                            wmarks.mid);
    }
    return {};
}

// bounds that no region can lie in.
Status validate_bounds(const AccessPattern& pattern, uint32_t scheme_idx) {
    const struct {
        const char* name;
        uint64_t min, max;
    } bounds[] = {{"sz", pattern.min_sz, pattern.max_sz},
                  {"nr_accesses", pattern.min_nr_accesses, pattern.max_nr_accesses},
                  {"age", pattern.min_age, pattern.max_age}};
    for (const auto& [name, min, max] : bounds) {
        if (min <= max) continue;
        return Status::fail(-EINVAL, "schemes[%u].pattern.min_%s is %" PRIu64 ", must be at most max_%s (%" PRIu64 ")",
                            scheme_idx, name, min, name, max);
    }
    return {};
}

Status validate_destinations(std::span<const MigrateDest> dests, uint32_t scheme_idx) {
    for (const MigrateDest& dest : dests) {
        if (dest.weight != 0) return {};
    }
    if (dests.empty()) return {};
    return Status::fail(-EINVAL, "schemes[%u].migrate_dests: all %u weights are 0, one must be at least 1", scheme_idx,
                        static_cast<unsigned>(dests.size()));
}

}  // namespace

Status validate_scheme(const SchemeParams& scheme, uint32_t scheme_idx, const OpsTraits& traits) {
    Status status = validate_action(scheme, scheme_idx);
    // What min_age_us makes of min_age is not the caller's word.
    AccessPattern pattern = scheme.pattern;
    if (scheme.min_age_us != 0) pattern.min_age = 0;
    if (status.ok()) status = validate_bounds(pattern, scheme_idx);
    if (status.ok()) status = validate_goals(scheme, scheme_idx, traits);
    if (status.ok()) status = validate_layer(scheme.core_filters.span(), scheme_idx, true);
    if (status.ok()) status = validate_layer(scheme.ops_filters.span(), scheme_idx, false);
    if (status.ok()) status = validate_watermarks(scheme.wmarks, scheme_idx);
    if (status.ok()) status = validate_destinations(scheme.migrate_dests.span(), scheme_idx);
    return status;
}

Status validate_reach(const SchemeParams& scheme, uint32_t scheme_idx, const Attrs& attrs) {
    const uint64_t samples = attrs.max_nr_accesses();
    if (scheme.pattern.min_nr_accesses <= samples) return {};
    return Status::fail(-EINVAL,
                        "schemes[%u].pattern.min_nr_accesses is %u, must be at most %" PRIu64
                        ", the samples of a window (aggr_us / sample_us)",
                        scheme_idx, scheme.pattern.min_nr_accesses, samples);
}

}  // namespace damon
