#include "ops/sim/truth.h"

#include "base/arithmetic.h"

namespace damon {
namespace {

uint64_t share_bp(uint64_t part, uint64_t whole, uint64_t other_whole) {
    if (whole != 0) return mul_div(part, kBp, whole);
    return other_whole == 0 ? kBp : 0;
}

}  // namespace

uint64_t SimAccuracy::precision_bp() const { return share_bp(both_bytes, found_bytes, hot_bytes); }
uint64_t SimAccuracy::recall_bp() const { return share_bp(both_bytes, hot_bytes, found_bytes); }

uint64_t SimAccuracy::f1_bp() const {
    const uint64_t sum = saturating_add(hot_bytes, found_bytes);
    return sum == 0 ? kBp : mul_div(both_bytes, 2 * kBp, sum);
}

SimAccuracy& SimAccuracy::operator+=(const SimAccuracy& other) {
    hot_bytes += other.hot_bytes;
    found_bytes += other.found_bytes;
    both_bytes += other.both_bytes;
    return *this;
}

SimAccuracy compare_with_truth(std::span<const AddressRange> hot, std::span<const RegionInfo> regions, FoundHot found) {
    SimAccuracy accuracy;
    for (const AddressRange& range : hot) accuracy.hot_bytes += range.size();
    size_t next_hot = 0;
    for (const RegionInfo& region : regions) {
        if (region.target_idx != found.target_idx || region.nr_accesses < found.min_nr_accesses) continue;
        const AddressRange range{region.start, region.end};
        accuracy.found_bytes += range.size();
        while (next_hot < hot.size() && hot[next_hot].end <= range.start) ++next_hot;
        for (size_t i = next_hot; i < hot.size() && hot[i].start < range.end; ++i) {
            accuracy.both_bytes += hot[i].intersection(range).size();
        }
    }
    return accuracy;
}

}  // namespace damon
