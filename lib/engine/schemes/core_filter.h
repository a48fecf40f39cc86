// The filters that the engine itself applies, to whole regions: address ranges and targets (rules 5.7).
#pragma once

#include <cstdint>
#include <span>

#include "model/address_range.h"
#include "model/scheme.h"

namespace damon {

// What a layer says of memory that none of its filters matches (S-33).
struct FilterDefaults {
    bool core_reject = false;
    bool ops_reject = false;
    bool operator==(const FilterDefaults&) const = default;
};
FilterDefaults filter_defaults(const SchemeParams& scheme);

struct CoreFilterSubject {
    AddressRange range;
    uint32_t target_idx = 0;
    uint64_t min_region_sz = 1;  // power of two; address filters are aligned down to it
};

struct CoreFilterDecision {
    // Not 0: an address filter ends inside the region. Cut the region after so many units and decide again for the
    // left part; where it cannot be cut, it is rejected (S-34).
    uint64_t split_size = 0;
    bool accepted = false;
    bool by_filter = false;  // a filter accepted it, not the default: ops filters will not look (S-31, S-32)
    bool operator==(const CoreFilterDecision&) const = default;
};

// S-30, S-31: the first filter that matches decides. Deciding again for a left part meets the same answers up to the
// filter that asked for the cut, because a part of an inside (outside) range is inside (outside).
CoreFilterDecision decide_core_filters(std::span<const DamosFilter> filters, bool default_reject,
                                       const CoreFilterSubject& subject);

}  // namespace damon
