#include "model/idle_statistics.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

bool is_known(const RegionInfo& region) { return (region.flags & kRegionUnknown) == 0; }

// In windows.
int64_t idle_windows(const RegionInfo& region) {
    const int64_t windows = int64_t{region.age} + 1;
    return region.nr_accesses != 0 ? -windows : windows;
}

int64_t to_ms(int64_t windows, uint64_t aggr_us) {
    const auto magnitude = static_cast<uint64_t>(windows < 0 ? -windows : windows);
    const auto ms = static_cast<int64_t>(std::min<uint64_t>(mul_div(magnitude, aggr_us, 1'000), INT64_MAX));
    return windows < 0 ? -ms : ms;
}

}  // namespace

uint64_t estimated_bandwidth(std::span<const RegionInfo> regions, uint64_t aggr_us) {
    unsigned __int128 accesses = 0;
    for (const RegionInfo& region : regions) {
        accesses += static_cast<unsigned __int128>(region.end - region.start) * region.nr_accesses;
    }
    const unsigned __int128 bandwidth = accesses * 1'000'000 / (aggr_us == 0 ? 1 : aggr_us);
    return bandwidth > kU64Max ? kU64Max : static_cast<uint64_t>(bandwidth);
}

uint64_t idle_percentiles(std::span<RegionInfo> regions, uint64_t aggr_us,
                          std::span<int64_t, kNrIdlePercentiles> percentiles) {
    uint64_t total = 0;
    for (const RegionInfo& region : regions) total += is_known(region) ? region.end - region.start : 0;
    std::ranges::fill(percentiles, 0);
    if (total == 0) return 0;
    std::sort(regions.begin(), regions.end(),
              [](const RegionInfo& a, const RegionInfo& b) { return idle_windows(a) < idle_windows(b); });
    uint64_t sum = 0;
    size_t next = 0;
    for (const RegionInfo& region : regions) {
        if (!is_known(region)) continue;
        sum += region.end - region.start;
        const uint64_t last = mul_div(sum, 100, total);
        for (; next <= last && next < percentiles.size(); ++next) {
            percentiles[next] = to_ms(idle_windows(region), aggr_us);
        }
    }
    return total;
}

}  // namespace damon
