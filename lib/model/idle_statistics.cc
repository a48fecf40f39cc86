#include "model/idle_statistics.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

bool is_known(const RegionInfo& region) { return (region.flags & kRegionUnknown) == 0; }

// Negative: in use.
int64_t idle_time_us(const RegionInfo& region, uint64_t window_us) {
    const uint64_t unchanged_us = saturating_add(region.age_us, window_us);
    if (region.nr_accesses != 0) return -static_cast<int64_t>(std::min<uint64_t>(unchanged_us, INT64_MAX));
    const uint64_t idle_us = region.idle_us != kU64Max ? region.idle_us : unchanged_us;
    return static_cast<int64_t>(std::min<uint64_t>(idle_us, INT64_MAX));
}

}  // namespace

uint64_t estimated_bandwidth(std::span<const RegionInfo> regions, uint64_t window_us) {
    unsigned __int128 accesses = 0;
    for (const RegionInfo& region : regions) {
        accesses += static_cast<unsigned __int128>(region.end - region.start) * region.nr_accesses;
    }
    const unsigned __int128 bandwidth = accesses * 1'000'000 / (window_us == 0 ? 1 : window_us);
    return bandwidth > kU64Max ? kU64Max : static_cast<uint64_t>(bandwidth);
}

uint64_t idle_percentiles(std::span<RegionInfo> regions, uint64_t window_us,
                          std::span<int64_t, kNrIdlePercentiles> percentiles) {
    uint64_t total = 0;
    for (const RegionInfo& region : regions) total += is_known(region) ? region.end - region.start : 0;
    std::ranges::fill(percentiles, 0);
    if (total == 0) return 0;
    std::sort(regions.begin(), regions.end(), [window_us](const RegionInfo& a, const RegionInfo& b) {
        return idle_time_us(a, window_us) < idle_time_us(b, window_us);
    });
    uint64_t sum = 0;
    size_t next = 0;
    for (const RegionInfo& region : regions) {
        if (!is_known(region)) continue;
        sum += region.end - region.start;
        const uint64_t last = mul_div(sum, 100, total);
        for (; next <= last && next < percentiles.size(); ++next) {
            percentiles[next] = idle_time_us(region, window_us) / 1'000;
        }
    }
    return total;
}

}  // namespace damon
