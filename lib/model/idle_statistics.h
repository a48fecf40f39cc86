// What a snapshot says of memory as a whole: the bandwidth that it was used with, and for how long its parts have been
// idle.
#pragma once

#include <cstdint>
#include <span>

#include "model/snapshot.h"

namespace damon {

inline constexpr size_t kNrIdlePercentiles = 101;

// bytes a second, from the accesses counted in one window that was `window_us` long.
uint64_t estimated_bandwidth(std::span<const RegionInfo> regions, uint64_t window_us);

// percentiles[p] is the idle time, in ms, of which p percent of the memory has at most as much; negative: in use
// for that long, the last window of `window_us` included. Sorts the regions. Regions that could not be looked at take
// no part. Returns the bytes that do; 0: all percentiles are 0.
uint64_t idle_percentiles(std::span<RegionInfo> regions, uint64_t window_us,
                          std::span<int64_t, kNrIdlePercentiles> percentiles);

}  // namespace damon
