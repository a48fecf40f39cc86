#include "engine/schemes/effect_validation.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kSmallestPage = 4096;  // of any architecture

Status validate_sizes(const SchemeParams& scheme, unsigned idx, uint64_t min_region_sz) {
    if (scheme.quota.sz != 0 && scheme.quota.sz < min_region_sz) {
        return Status::fail(-EINVAL,
                            "schemes[%u].quota.sz is %" PRIu64 ", less than any region: must be at least %" PRIu64
                            " (min_region_sz); 0 is no limit",
                            idx, scheme.quota.sz, min_region_sz);
    }
    if (scheme.pattern.max_sz < min_region_sz) {
        return Status::fail(-EINVAL,
                            "schemes[%u].pattern.max_sz is %" PRIu64 ", less than any region: must be at least %" PRIu64
                            " (min_region_sz)",
                            idx, scheme.pattern.max_sz, min_region_sz);
    }
    return {};
}

// Tuning changes what a window is; without it an age in windows is a time.
Status validate_age(const SchemeParams& scheme, unsigned idx, const Attrs& attrs) {
    if (scheme.min_age_us == 0 || attrs.intervals_goal.aggrs != 0) return {};
    const uint64_t windows = scheme.min_age_us / std::max<uint64_t>(attrs.aggr_us, 1);
    if (windows <= scheme.pattern.max_age) return {};
    return Status::fail(-EINVAL,
                        "schemes[%u].min_age_us is %" PRIu64 ", %" PRIu64
                        " windows of aggr_us: must be at most pattern.max_age (%u)",
                        idx, scheme.min_age_us, windows, scheme.pattern.max_age);
}

// Whether what a filter looks for can be there at all. What cannot be known before the run can.
class Reach {
public:
    explicit Reach(const Params& params) : params_(params) {
        // Custom operations give their targets other ranges while they run.
        ranges_are_known_ = params.ops_id != OpsId::kCustom && !params.targets.empty();
        for (const TargetParams& target : params.targets) ranges_are_known_ &= !target.ranges.empty();
    }

    bool can_match(const DamosFilter& filter) const {
        switch (filter.type) {
            case FilterType::kTarget: {
                const size_t nr_targets = params_.targets.size();
                const bool is_there = filter.target_idx < nr_targets;
                if (nr_targets == 0) return true;
                return filter.matching ? is_there : nr_targets > 1 || !is_there;
            }
            case FilterType::kAddr:
                return !filter.matching || !ranges_are_known_ || touches_a_target(filter.range);
            case FilterType::kHugepageSize:
                return !filter.matching || filter.range.end >= kSmallestPage;
            default:
                return true;
        }
    }

private:
    bool touches_a_target(AddressRange range) const {
        range.start = align_down(range.start, params_.min_region_sz);
        range.end = align_down(range.end, params_.min_region_sz);
        for (const TargetParams& target : params_.targets) {
            for (const AddressRange& given : target.ranges) {
                if (range.start < align_up(given.end, params_.min_region_sz) && given.start < range.end) return true;
            }
        }
        return false;
    }

    const Params& params_;
    bool ranges_are_known_ = true;
};

bool allows_any(const Vector<DamosFilter>& filters, const Reach& reach) {
    return std::any_of(filters.begin(), filters.end(),
                       [&](const DamosFilter& filter) { return filter.allow && reach.can_match(filter); });
}

Status nothing_passes(const DamosFilter& filter, unsigned idx, size_t filter_idx, const Params& params) {
    const auto at = static_cast<unsigned>(filter_idx);
    const char* const layer = filter.core() ? "core_filters" : "ops_filters";
    const char* const why = "and the scheme's filters let nothing else pass";
    switch (filter.type) {
        case FilterType::kTarget:
            return Status::fail(-EINVAL, "schemes[%u].%s[%u].target_idx is %u: there are %zu targets, %s", idx, layer,
                                at, filter.target_idx, params.targets.size(), why);
        case FilterType::kAddr:
            return Status::fail(-EINVAL,
                                "schemes[%u].%s[%u].addr_start and addr_end are 0x%" PRIx64 " and 0x%" PRIx64
                                ": no target has a region there, %s",
                                idx, layer, at, filter.range.start, filter.range.end, why);
        default:
            return Status::fail(-EINVAL, "schemes[%u].%s[%u].max_bytes is %" PRIu64 ": no page is as small, %s", idx,
                                layer, at, filter.range.end, why);
    }
}

// By the defaults of S-33: what no filter matches is rejected where the last one of the layer allows.
Status validate_filters(const SchemeParams& scheme, unsigned idx, const Params& params) {
    const Reach reach(params);
    const auto& core = scheme.core_filters;
    const auto& ops = scheme.ops_filters;
    if (allows_any(core, reach)) return {};
    const auto& deciding = ops.empty() ? core : ops;
    if (deciding.empty() || !deciding[deciding.size() - 1].allow || allows_any(ops, reach)) return {};
    return nothing_passes(deciding[deciding.size() - 1], idx, deciding.size() - 1, params);
}

}  // namespace

Status validate_effect(const Params& params) {
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const SchemeParams& scheme = params.schemes[i];
        const auto idx = static_cast<unsigned>(i);
        Status status = validate_sizes(scheme, idx, params.min_region_sz);
        if (status.ok()) status = validate_age(scheme, idx, params.attrs);
        if (status.ok()) status = validate_filters(scheme, idx, params);
        if (!status.ok()) return status;
    }
    return {};
}

}  // namespace damon
