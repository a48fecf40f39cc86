// Whether a scheme is meant for a region at all: its access pattern, and whether enough is known of the region.
#pragma once

#include "model/scheme.h"
#include "model/snapshot.h"

namespace damon {

// S-1. `region.nr_accesses` is the moving sum (M-16). Inverted bounds match nothing.
inline bool pattern_matches(const AccessPattern& pattern, const RegionInfo& region) {
    const uint64_t size = region.end - region.start;
    return pattern.min_age <= region.age && region.age <= pattern.max_age &&
           pattern.min_nr_accesses <= region.nr_accesses && region.nr_accesses <= pattern.max_nr_accesses &&
           pattern.min_sz <= size && size <= pattern.max_sz;
}

// Pattern and S-38: "could not look" is not "not accessed", so a region without a single answer (kRegionUnknown) is out
// of reach of every action but kStat. Its counters say 0 because nobody could look, and a pageout scheme would take it
// for cold. Regions where only writes are seen are not held back: the flag travels with the request, and ops and users
// decide.
inline bool scheme_matches(const SchemeParams& scheme, const RegionInfo& region) {
    if (scheme.action != DamosAction::kStat && (region.flags & kRegionUnknown) != 0) return false;
    return pattern_matches(scheme.pattern, region);
}

}  // namespace damon
