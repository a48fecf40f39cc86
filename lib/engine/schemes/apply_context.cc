#include "engine/schemes/apply_context.h"

namespace damon {

FilterVerdict run_core_filters(const ApplyContext& context, const ApplyCursor& cursor, AddressRange range) {
    const std::span<const DamosFilter> filters = context.schemes[cursor.scheme].core_filters.span();
    const bool default_reject = context.states[cursor.scheme].filter_defaults.core_reject;
    bool cut = false;
    while (true) {
        const CoreFilterSubject subject{
            .range = range, .target_idx = cursor.target, .min_region_sz = context.min_region_sz};
        const CoreFilterDecision decision = decide_core_filters(filters, default_reject, subject);
        if (decision.split_size == 0) return {decision.accepted, decision.by_filter, cut};
        if (!context.regions.split_at(cursor.target, cursor.region, decision.split_size)) return {.cut = cut};
        range.end = range.start + decision.split_size;
        cut = true;
    }
}

bool is_ranked(const ApplyContext& context, uint32_t scheme_idx) {
    return context.traits.score != ScoreSource::kNone && quota_is_set(context.schemes[scheme_idx]);
}

uint32_t builtin_score(const ApplyContext& context, uint32_t scheme_idx, const RegionInfo& region) {
    const SchemeParams& scheme = context.schemes[scheme_idx];
    const ScoreInput input{
        .nr_accesses = region.nr_accesses, .max_nr_accesses = context.attrs.max_nr_accesses(), .age_us = region.age_us};
    return action_score(context.traits.score, scheme.action, input, scheme.quota);
}

namespace {

// Where only attributes are monitored nobody takes the region for cold (P-5).
UnseenRule unseen_rule(const ApplyContext& context, const SchemeParams& scheme, uint32_t region_flags) {
    if (!presumes_cold(scheme.action) || context.cadence.latched_attributes_only) return UnseenRule::kAct;
    if ((region_flags & kRegionReferenced) != 0) return UnseenRule::kAct;  // all of it was seen by passes
    return (scheme.flags & kAllowUnseenReads) != 0 ? UnseenRule::kSpareUnknown : UnseenRule::kSpareUnseenReads;
}

}  // namespace

ActionRequest make_request(const ApplyContext& context, const ApplyCursor& cursor, const RegionInfo& region,
                           bool by_filter) {
    return {.kind = RequestKind::kApply,
            .core_filters_allowed = by_filter,
            .target_idx = cursor.target,
            .scheme_idx = cursor.scheme,
            .scheme = &context.schemes[cursor.scheme],
            .ops_filters_default_reject = context.states[cursor.scheme].filter_defaults.ops_reject,
            .range = {region.start, region.end},
            .nr_accesses = region.nr_accesses,
            .age = region.age,
            .age_us = region.age_us,
            .idle_us = region.idle_us,
            .region_flags = region.flags,
            .unknown_reason = region.unknown_reason,
            .unseen = unseen_rule(context, context.schemes[cursor.scheme], region.flags)};
}

}  // namespace damon
