// What state a stretch of simulated memory is in: how much of it is present, paged out, never touched, in use.
#pragma once

#include <cstdint>

#include "model/address_range.h"

namespace damon {

// All pages of an extent are accessed alike, so three amounts suffice, and all three shrink in the same way: each page
// leaves them at its next access. They are the values at `anchor_us`; at a later moment they are smaller by the factor
// exp(-expected accesses since then).
struct Extent {
    AddressRange range;
    uint64_t anchor_us = 0;
    uint64_t evicted = 0;    // paged out
    uint64_t untouched = 0;  // never touched
    uint64_t inactive = 0;   // present, not accessed since it was brought in, aged or deprioritised
    uint32_t target_idx = 0;
    uint32_t piece_idx = 0;
    uint16_t nid = 0;
    bool huge = false;

    uint64_t resident() const { return range.size() - evicted - untouched; }
    uint64_t active() const { return resident() - inactive; }
    bool is_valid() const {
        return !range.empty() && evicted + untouched + inactive <= range.size() && evicted <= range.size() &&
               untouched <= range.size() && inactive <= range.size();
    }
};

// Splits at `address`, inside the range: `extent` keeps the left part, the right part is returned. Amounts are shared
// out by size and their sums kept.
Extent split_extent(Extent& extent, uint64_t address);

// Whether two adjacent extents with the same anchor are indistinguishable: same place, same share of everything.
bool extents_alike(const Extent& left, const Extent& right);

// Joins `right` to `left`, adding the amounts.
void join_extents(Extent& left, const Extent& right);

}  // namespace damon
