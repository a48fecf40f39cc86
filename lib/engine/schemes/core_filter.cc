#include "engine/schemes/core_filter.h"

#include "base/arithmetic.h"

namespace damon {
namespace {

struct Property {
    bool holds = false;
    uint64_t split_size = 0;
};

// Bounds are rounded down to whole units; a region that an edge lies in is split there (S-34).
Property address_property(const DamosFilter& filter, const CoreFilterSubject& subject) {
    const AddressRange range = subject.range;
    // Most filters lie elsewhere.
    if (filter.range.end <= range.start) return {false, 0};
    const AddressRange wanted = {align_down(filter.range.start, subject.min_region_sz),
                                 align_down(filter.range.end, subject.min_region_sz)};
    if (wanted.covers(range)) return {true, 0};
    if (range.end <= wanted.start || wanted.end <= range.start) return {false, 0};
    if (range.start < wanted.start) return {false, wanted.start - range.start};
    return {true, wanted.end - range.start};
}

Property property_of(const DamosFilter& filter, const CoreFilterSubject& subject) {
    switch (filter.type) {
        case FilterType::kAddr:
            return address_property(filter, subject);
        case FilterType::kTarget:
            return {filter.target_idx == subject.target_idx, 0};
        default:
            DAMON_CHECK(!"an ops filter in the core layer");
            return {};
    }
}

bool last_allows(std::span<const DamosFilter> filters) { return !filters.empty() && filters.back().allow; }

}  // namespace

FilterDefaults filter_defaults(const SchemeParams& scheme) {
    FilterDefaults defaults;
    defaults.ops_reject = last_allows(scheme.ops_filters.span());
    // The ops filters must see what no core filter matched, whatever the last core filter says (S-33).
    defaults.core_reject = scheme.ops_filters.empty() && last_allows(scheme.core_filters.span());
    return defaults;
}

CoreFilterDecision decide_core_filters(std::span<const DamosFilter> filters, bool default_reject,
                                       const CoreFilterSubject& subject) {
    CoreFilterDecision decision;
    for (const DamosFilter& filter : filters) {
        const Property property = property_of(filter, subject);
        if (property.split_size != 0) {
            decision.split_size = property.split_size;
            return decision;
        }
        if (property.holds != filter.matching) continue;
        decision.accepted = filter.allow;
        decision.by_filter = filter.allow;
        return decision;
    }
    decision.accepted = !default_reject;
    return decision;
}

}  // namespace damon
