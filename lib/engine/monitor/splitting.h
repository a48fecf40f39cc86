// Cutting regions: down to a largest size, so that there are enough of them (rules 2.6), and at random places, so that
// the next window can tell their parts apart (rules 2.7).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "engine/monitor/region_list.h"

namespace damon {

struct SizeBounds {
    uint64_t min_nr_regions;  // not 0
    uint64_t min_region_sz;   // power of two
};

// The size that no region may exceed for min_nr_regions to be reached, before it is rounded up to whole smallest
// regions (M-22, S-11).
uint64_t unaligned_size_limit(const RegionList& regions, SizeBounds bounds);

// M-22: cuts regions that are larger than L; stops where the capacity is exhausted. Returns L.
uint64_t cut_to_size_limit(RegionList& regions, SizeBounds bounds);

// What one context's splitting remembers between windows (M-28, Q-1).
struct SplitMemory {
    size_t nr_regions = 0;  // before the previous split
    uint64_t rotation = 0;  // partial splits so far
    bool operator==(const SplitMemory&) const = default;
};

// Regions that random splits leave whole.
struct Spared {
    const void* owner = nullptr;
    bool (*spares)(const void* owner, uint32_t target_idx, const Region& region) = nullptr;
    bool operator()(size_t target, const Region& region) const {
        return spares != nullptr && spares(owner, static_cast<uint32_t>(target), region);
    }
};

struct SplitBounds {
    uint64_t max_nr_regions;
    uint64_t min_region_sz;  // power of two
};

// M-24 to M-26: splits all regions, or where that would be too many a rotating share of them, at random places.
void split_regions(RegionList& regions, SplitBounds bounds, SplitMemory& memory, Random& random, Spared spared = {});

}  // namespace damon
