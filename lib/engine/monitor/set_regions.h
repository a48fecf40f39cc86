// New coverage for a target, keeping what was learnt of the memory that stays (rules 2.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/vector.h"
#include "engine/monitor/region_list.h"
#include "model/address_range.h"

namespace damon {

// M-8: -EINVAL with the first range that is empty, or out of order once bounds are aligned to `granularity`, a power
// of two. No ranges at all are fine.
Status check_ranges(std::span<const AddressRange> ranges, uint64_t granularity);

// The same for ranges that a user gave, where those that touch count as one.
Status check_given_ranges(std::span<const AddressRange> ranges, uint64_t granularity);

// Makes ranges that touch into one, so that they are maximal.
// Aligned outwards, and joined where they then touch or overlap.
void align_ranges(Vector<AddressRange>& ranges, uint64_t granularity);
void coalesce_ranges(Vector<AddressRange>& ranges);

// An upper bound of the free slots that set_regions needs.
size_t slots_for_ranges(const RegionList& regions, size_t target, size_t nr_ranges);

// M-9 to M-11. The ranges passed check_ranges, and slots_for_ranges slots are free. Cannot fail.
void set_regions(RegionList& regions, size_t target, std::span<const AddressRange> ranges, uint64_t granularity);

// Moves every boundary of the target to a multiple of `granularity`: outer bounds outwards, bounds between
// neighbours down. Regions that vanish leave their memory to a neighbour. Coverage never shrinks.
void refit_regions(RegionList& regions, size_t target, uint64_t granularity);

}  // namespace damon
