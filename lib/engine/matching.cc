#include "engine/matching.h"

namespace damon {

uint32_t region_flags(const Region& region) {
    // The window is the present one as soon as it has taken a sample; a region right after the reset falls back on
    // the previous window, and a fresh region is unknown.
    const uint8_t evidence = region.evidence != 0 ? region.evidence : region.last_evidence;
    uint32_t flags = 0;
    if ((evidence & kEvidenceAnswered) == 0) flags |= kRegionUnknown;
    if ((evidence & kEvidenceWritesOnly) != 0) flags |= kRegionWritesOnly;
    return flags;
}

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
