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

// Whether an action is for memory that nobody could look at: small pages instead of a huge one can be looked at.
inline bool is_for_unknown(DamosAction action, Unknown reason) {
    return action == DamosAction::kStat || (action == DamosAction::kNohugepage && reason == Unknown::kHugePage);
}

// Pattern and S-38: "could not look" is not "not accessed", so a region without a single answer (kRegionUnknown) is out
// of reach of nearly every action. Its counters say 0 because nobody could look, and a pageout scheme would take it
// for cold.
inline bool scheme_matches(const SchemeParams& scheme, const RegionInfo& region) {
    if ((region.flags & kRegionUnknown) != 0 && !is_for_unknown(scheme.action, region.unknown_reason)) return false;
    if (scheme.min_age_us == 0) [[likely]]
        return pattern_matches(scheme.pattern, region);
    // An age that is given as time is kept by the clock, not by windows.
    AccessPattern pattern = scheme.pattern;
    pattern.min_age = 0;
    return scheme.min_age_us <= region.age_us && pattern_matches(pattern, region);
}

// S-38: whether (a part of) the region must be left alone because its reads cannot be seen, and "cold" may mean "only
// read". Passes see them (M-37).
inline bool unseen_reads_spare(const SchemeParams& scheme, const RegionInfo& region) {
    return (region.flags & (kRegionWritesOnly | kRegionReferenced)) == kRegionWritesOnly &&
           presumes_cold(scheme.action) && (scheme.flags & kAllowUnseenReads) == 0;
}

}  // namespace damon
