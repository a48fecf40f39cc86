#include "engine/region_info.h"

namespace damon {

uint32_t region_flags(const Region& region, const MovingWindow& window) {
    const uint8_t evidence = window.evidence(region);
    uint32_t flags = 0;
    if ((evidence & kEvidenceAnswered) == 0 || looked_at_in_vain(region)) flags |= kRegionUnknown;
    if ((evidence & kEvidenceWritesOnly) != 0) flags |= kRegionWritesOnly;
    return flags;
}

RegionInfo describe_region(const Region& region, uint32_t target_idx, const MovingWindow& window) {
    return {.start = region.range.start,
            .end = region.range.end,
            .target_idx = target_idx,
            .nr_accesses = window.sum(region.nr_accesses, region.last_nr_accesses),
            .age = region.age,
            .flags = region_flags(region, window)};
}

}  // namespace damon
