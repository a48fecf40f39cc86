// Taking over what another run has learned: its regions, moved to where their memory lies now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "engine/monitor/region_list.h"
#include "model/address_range.h"
#include "model/saved_context.h"

namespace damon {

// Moves the regions of a target that is saved by position: range number n was target.ranges[n] and is now[n], as many.
// What a range lost at its end is dropped, what it gained is not known. A region that spans several ranges goes with
// them. False: out of memory, nothing changed.
[[nodiscard]] bool move_to(SavedTarget& target, std::span<const AddressRange> now);

// Where `address` of such a target lies now; false: in no range, or in a part that the range lost.
[[nodiscard]] bool moved_address(const SavedTarget& target, std::span<const AddressRange> now, uint64_t& address);

// Appends to `regions` what is known of the memory that `target` of `list` covers, cut at multiples of `granularity`
// and complete: what is not known is fresh. Counters are those of the present window. False: out of memory.
[[nodiscard]] bool fit_saved(const RegionList& list, size_t target, std::span<const SavedRegion> saved,
                             uint64_t granularity, Vector<Region>& regions);

// Joins neighbours that are alike, and then those that are less so, until at most `max_nr_regions` are left or no two
// touch.
void join_down_to(RegionList& list, uint64_t max_nr_regions);

}  // namespace damon
