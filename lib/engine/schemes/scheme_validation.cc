#include "engine/schemes/scheme_validation.h"

#include <cerrno>
#include <cinttypes>
#include <span>

namespace damon {
namespace {

// Whether an enum of the C ABI has one of the first `count` values.
template <typename Enum>
bool known(Enum value, int32_t count) {
    return 0 <= static_cast<int32_t>(value) && static_cast<int32_t>(value) < count;
}

Status validate_action(const SchemeParams& scheme, uint32_t scheme_idx) {
    if (!known(scheme.action, kNrDamosActions)) {
        return Status::fail(-EINVAL, "schemes[%u].action is %d, must be 0 to %d", scheme_idx,
                            static_cast<int>(scheme.action), kNrDamosActions - 1);
    }
    if (scheme.action == DamosAction::kCallback && scheme.callback_id == nullptr) {
        return Status::fail(-EINVAL, "schemes[%u].action_fn is NULL, the action callback needs a function", scheme_idx);
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
        if (goal.metric == QuotaMetric::kNodeEligibleMemBp && traits.has_subject) {
            return Status::fail(-EINVAL,
                                "schemes[%u].goals[%u].metric is node_eligible_mem_bp, which needs physical memory "
                                "as target",
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
        return Status::fail(-EINVAL, "schemes[%u].%s[%u].type is %d, which belongs to the %s layer", place.scheme_idx,
                            place.layer, place.filter_idx, static_cast<int>(filter.type), core ? "ops" : "core");
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

Status validate_watermarks(const Watermarks& wmarks, uint32_t scheme_idx) {
    if (known(wmarks.metric, kNrWatermarkMetrics)) return {};
    return Status::fail(-EINVAL, "schemes[%u].wmarks.metric is %d, must be 0 (none) or 1 (free_mem_rate)", scheme_idx,
                        static_cast<int>(wmarks.metric));
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
    if (status.ok()) status = validate_goals(scheme, scheme_idx, traits);
    if (status.ok()) status = validate_layer(scheme.core_filters.span(), scheme_idx, true);
    if (status.ok()) status = validate_layer(scheme.ops_filters.span(), scheme_idx, false);
    if (status.ok()) status = validate_watermarks(scheme.wmarks, scheme_idx);
    if (status.ok()) status = validate_destinations(scheme.migrate_dests.span(), scheme_idx);
    return status;
}

}  // namespace damon
