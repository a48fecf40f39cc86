#include "support/naive_regions.h"

#include <iterator>
#include <vector>

#include "base/arithmetic.h"

namespace damon::test {
namespace {

AddressRange aligned(AddressRange range, uint64_t granularity) {
    return {align_down(range.start, granularity), align_up(range.end, granularity)};
}

NaiveRegion fresh(uint64_t start, uint64_t end) {
    NaiveRegion region;
    region.start = start;
    region.end = end;
    return region;
}

bool intersects(const NaiveRegion& region, AddressRange range) {
    return region.start < range.end && range.start < region.end;
}

bool intersects_any(const NaiveRegion& region, std::span<const AddressRange> ranges) {
    for (const AddressRange range : ranges) {
        if (intersects(region, range)) return true;
    }
    return false;
}

void fill_holes(NaiveRegions& regions, NaiveRegions::iterator first, NaiveRegions::iterator last) {
    while (first != last) {
        const auto next = std::next(first);
        if (first->end < next->start) regions.insert(next, fresh(first->end, next->start));
        first = next;
    }
}

// M-10 for one range, from `stop` on; afterwards `stop` is where the sweep for the next range begins.
void fit_range(NaiveRegions& regions, NaiveRegions::iterator& stop, AddressRange range, uint64_t granularity) {
    auto first = regions.end();
    auto last = regions.end();
    while (stop != regions.end() && stop->start < range.end) {
        if (intersects(*stop, range)) {
            if (first == regions.end()) first = stop;
            last = stop;
        }
        ++stop;
    }
    const AddressRange cover = aligned(range, granularity);
    if (first == regions.end()) {
        regions.insert(stop, fresh(cover.start, cover.end));
        return;
    }
    first->start = cover.start;
    last->end = cover.end;
    fill_holes(regions, first, last);
}

uint64_t weighted_mean(uint64_t left, uint64_t left_size, uint64_t right, uint64_t right_size) {
    using Wide = unsigned __int128;
    const Wide sum = Wide{left} * left_size + Wide{right} * right_size;
    return static_cast<uint64_t>(sum / (Wide{left_size} + right_size));
}

}  // namespace

bool naive_ranges_fit(std::span<const AddressRange> ranges, uint64_t granularity) {
    uint64_t previous_end = 0;
    for (const AddressRange range : ranges) {
        const AddressRange cover = aligned(range, granularity);
        if (cover.start >= cover.end || cover.start < previous_end) return false;
        previous_end = cover.end;
    }
    return true;
}

bool naive_set_regions(NaiveRegions& regions, std::span<const AddressRange> ranges, uint64_t granularity) {
    if (!naive_ranges_fit(ranges, granularity)) return false;
    regions.remove_if([&](const NaiveRegion& region) { return !intersects_any(region, ranges); });
    auto stop = regions.begin();
    for (const AddressRange range : ranges) fit_range(regions, stop, range, granularity);
    return true;
}

void naive_split(NaiveRegions& regions, NaiveRegions::iterator region, uint64_t left_size) {
    NaiveRegion right = *region;
    right.start = region->start + left_size;
    region->end = right.start;
    regions.insert(std::next(region), right);
}

NaiveRegions::iterator naive_merge_left(NaiveRegions& regions, NaiveRegions::iterator right) {
    const auto left = std::prev(right);
    const auto mean = [&](uint64_t of_left, uint64_t of_right) {
        return weighted_mean(of_left, left->size(), of_right, right->size());
    };
    left->nr_accesses = static_cast<uint32_t>(mean(left->nr_accesses, right->nr_accesses));
    left->age_us = mean(left->age_us, right->age_us);
    left->idle_us = mean(left->idle_us, right->idle_us);
    left->age = static_cast<uint32_t>(mean(left->age, right->age));
    for (size_t i = 0; i < left->probe_hits.size(); ++i) {
        left->probe_hits[i] = static_cast<uint8_t>(mean(left->probe_hits[i], right->probe_hits[i]));
    }
    left->answered = static_cast<uint32_t>(mean(left->answered, right->answered));
    left->unanswered = static_cast<uint32_t>(mean(left->unanswered, right->unanswered));
    const bool right_is_larger = right->size() > left->size();
    const auto reason = [&](uint8_t of_left, uint8_t of_right) {
        const bool takes_right = of_left == 0 || (of_right != 0 && right_is_larger);
        return takes_right ? of_right : of_left;
    };
    left->reason = reason(left->reason, right->reason);
    left->last_reason = reason(left->last_reason, right->last_reason);
    left->evidence |= right->evidence;  // beyond the rules: what is known of the samples is joined
    left->last_evidence |= right->last_evidence;
    left->end = right->end;
    regions.erase(right);
    return left;
}

}  // namespace damon::test
