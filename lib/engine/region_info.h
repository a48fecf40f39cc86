// A region as schemes and readers see it: moving sum, and how far its counters can be trusted.
#pragma once

#include <cstdint>

#include "engine/moving_sum.h"
#include "engine/region.h"
#include "model/snapshot.h"

namespace damon {

// RegionFlags. kRegionUnknown: none of the samples that the moving sum stands for was answered, or none so far in the
// present window, so that a falling sum would only say that nobody could look. A region that was never sampled is
// unknown. kRegionWritesOnly: an answer could not see reads.
uint32_t region_flags(const Region& region, const MovingWindow& window);

RegionInfo describe_region(const Region& region, uint32_t target_idx, const MovingWindow& window);

}  // namespace damon
