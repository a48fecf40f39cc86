// A region as schemes and readers see it: moving sum, and how far its counters can be trusted.
#pragma once

#include <cstdint>

#include "engine/monitor/moving_sum.h"
#include "engine/monitor/region.h"
#include "model/snapshot.h"

namespace damon {

// RegionFlags. kRegionUnknown: none of the samples that the moving sum stands for was answered, or less than a quarter
// of those of the present window, so that a falling sum would only say that nobody could look. A region that was never
// sampled is unknown. kRegionPartial: some were not answered. kRegionWritesOnly: an answer could not see reads.
inline uint32_t region_flags(const Region& region, const MovingWindow& window) {
    const uint8_t evidence = window.evidence(region);
    uint32_t flags = 0;
    if ((evidence & kEvidenceAnswered) == 0 || looked_at_in_vain(region)) {
        flags |= kRegionUnknown;
    } else if ((evidence & kEvidenceUnknown) != 0) {
        flags |= kRegionPartial;
    }
    if ((evidence & kEvidenceWritesOnly) != 0) flags |= kRegionWritesOnly;
    return flags;
}

// Why (some of) the samples that the moving sum stands for had no answer. A region that was never sampled was not
// examined.
inline Unknown unknown_reason(const Region& region, const MovingWindow& window) {
    const uint8_t evidence = window.evidence(region);
    if ((evidence & (kEvidenceAnswered | kEvidenceUnknown)) == 0) return Unknown::kNotExamined;
    return static_cast<Unknown>(window.unknown_reason(region));
}

inline RegionInfo describe_region(const Region& region, uint32_t target_idx, const MovingWindow& window) {
    RegionInfo info{.start = region.range.start,
                    .end = region.range.end,
                    .age_us = region.age_us,
                    .idle_us = region.nr_accesses != 0 ? 0 : region.idle_us,
                    .target_idx = target_idx,
                    .nr_accesses = window.sum(region.nr_accesses, region.last_nr_accesses),
                    .age = region.age,
                    .flags = 0,
                    .unknown_reason = Unknown::kNone,
                    .reserved = 0};
    const uint8_t evidence = window.evidence(region);
    const unsigned counts = evidence & (kEvidenceAnswered | kEvidenceUnknown);
    const bool in_full = (counts | (region.evidence & kEvidenceUnknown)) == kEvidenceAnswered;
    if (in_full && region.nr_unknown == 0) [[likely]] {
        if ((evidence & kEvidenceWritesOnly) != 0) info.flags = kRegionWritesOnly;
        return info;
    }
    info.nr_accesses = window.sum(scaled_accesses(region), region.last_nr_accesses);
    info.flags = region_flags(region, window);
    info.unknown_reason = unknown_reason(region, window);
    if ((info.flags & kRegionUnknown) != 0) info.idle_us = kU64Max;
    return info;
}

}  // namespace damon
