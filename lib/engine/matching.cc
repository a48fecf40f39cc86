#include "engine/matching.h"

namespace damon {

bool pattern_matches(const AccessPattern& pattern, const RegionInfo& region) {
    const uint64_t size = region.end - region.start;
    return pattern.min_sz <= size && size <= pattern.max_sz && pattern.min_nr_accesses <= region.nr_accesses &&
           region.nr_accesses <= pattern.max_nr_accesses && pattern.min_age <= region.age &&
           region.age <= pattern.max_age;
}

bool scheme_matches(const SchemeParams& scheme, const RegionInfo& region) {
    if (scheme.action != DamosAction::kStat && (region.flags & kRegionUnknown) != 0) return false;
    return pattern_matches(scheme.pattern, region);
}

}  // namespace damon
