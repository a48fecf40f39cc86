// What passes over accessed bits add to the naive engine (M-37), asked address by address.
#include <algorithm>

#include "base/arithmetic.h"
#include "model/snapshot.h"
#include "support/naive_engine.h"

namespace damon::test {

const PassWindow* NaiveEngine::pass_at(uint64_t address) const {
    for (const PassWindow& window : passes_) {
        if (window.range.start <= address && address < window.range.end) return &window;
    }
    return nullptr;
}

// Known or not, touched or not, idle times no more than a factor of 2 apart.
bool NaiveEngine::passes_alike_around(uint64_t address) const {
    if (passes_.empty()) return true;
    std::optional<uint64_t> idle[2];
    for (int side = 0; side < 2; ++side) {
        const PassWindow* window = pass_at(address - 1 + static_cast<uint64_t>(side));
        const bool known = window != nullptr && window->present_bytes != 0 && window->unknown == Unknown::kNone;
        if (known) idle[side] = window->idle_us;
    }
    if (!idle[0].has_value() || !idle[1].has_value()) return idle[0].has_value() == idle[1].has_value();
    const uint64_t larger = std::max(*idle[0], *idle[1]);
    const uint64_t smaller = std::min(*idle[0], *idle[1]);
    return (larger == 0) == (smaller == 0) && larger / 2 <= smaller;
}

// The least idle time of [start, end); nothing where some of it is not known, and why in `why`.
std::optional<uint64_t> NaiveEngine::passes_idle_us(uint64_t start, uint64_t end, Unknown* why) const {
    uint64_t least = kU64Max;
    while (start < end) {
        const PassWindow* window = pass_at(start);
        if (window == nullptr) return std::nullopt;
        if (window->unknown != Unknown::kNone || window->present_bytes == 0) {
            if (why != nullptr && window->unknown != Unknown::kNone) *why = window->unknown;
            return std::nullopt;
        }
        least = std::min(least, window->idle_us);
        start = window->range.end;
    }
    return least;
}

NaiveView NaiveEngine::view(const NaiveRegion& region) const {
    NaiveView seen;
    seen.nr_accesses = moving_sum(region);
    seen.age = region.age;
    seen.age_us = region.age_us;
    seen.idle_us = idle_us(region);
    seen.flags = region_flags(region);
    seen.reason = unknown_reason(region);
    const bool in_vain = (seen.flags & kRegionUnknown) != 0;
    if (passes_.empty() || (!in_vain && (seen.flags & kRegionWritesOnly) == 0)) return seen;
    const std::optional<uint64_t> idle = passes_idle_us(region.start, region.end, &seen.reason);
    if (!idle.has_value()) return seen;
    seen.flags |= kRegionReferenced;
    if (in_vain) {
        seen.flags -= kRegionUnknown;
        seen.nr_accesses = 0;
        seen.idle_us = kU64Max;
        seen.reason = Unknown::kNone;
    }
    seen.idle_us = std::min(seen.idle_us, *idle);
    const bool touched = *idle == 0;
    if (!touched && seen.nr_accesses == 0) {
        const uint64_t windows = *idle / std::max<uint64_t>(attrs_.aggr_us, 1);
        if (windows < seen.age) seen.age = static_cast<uint32_t>(windows);
        seen.age_us = std::min(seen.age_us, *idle);
    }
    if (touched && seen.nr_accesses == 0) seen.nr_accesses = 1;
    return seen;
}

void NaiveEngine::take_passes(std::span<const PassWindow> windows) {
    passes_.assign(windows.begin(), windows.end());
    for (NaiveTarget& target : targets_) cut_at_passes(target.regions);
}

void NaiveEngine::cut_at_passes(NaiveRegions& regions) {
    std::vector<uint64_t> edges;
    for (const PassWindow& window : passes_) {
        edges.push_back(window.range.start);
        edges.push_back(window.range.end);
    }
    for (auto region = regions.begin(); region != regions.end(); ++region) {
        for (const uint64_t edge : edges) {
            const bool inside = region->start < edge && edge < region->end && edge % min_region_sz_ == 0;
            if (!inside || passes_alike_around(edge)) continue;
            const uint64_t most = attrs_.max_nr_regions - attrs_.max_nr_regions / 10;
            if (nr_regions() >= most || nr_regions() >= region_capacity_) return;
            naive_split(regions, region, edge - region->start);
            break;  // the rest is the next region
        }
    }
}

}  // namespace damon::test
