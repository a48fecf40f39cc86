#include "engine/monitor/set_regions.h"

#include <cerrno>
#include <cinttypes>

#include "base/arithmetic.h"

namespace damon {
namespace {

AddressRange aligned(AddressRange range, uint64_t granularity) {
    return {align_down(range.start, granularity), align_up(range.end, granularity)};
}

// The last unit of the address space has no end that can be told: there the bound stays.
uint64_t aligned_end(uint64_t end, uint64_t granularity) {
    const uint64_t aligned = align_up(end, granularity);
    return aligned < end ? end : aligned;
}

void insert_fresh(RegionList& regions, size_t target, size_t index, AddressRange range) {
    const bool inserted = regions.insert(target, index, range);
    DAMON_CHECK(inserted);
    (void)inserted;
}

void erase_outside(RegionList& regions, size_t target, std::span<const AddressRange> ranges) {
    size_t next_range = 0;
    size_t index = 0;
    while (index < regions.nr_regions_of(target)) {
        const AddressRange region = regions.at(target, index).range;
        while (next_range < ranges.size() && ranges[next_range].end <= region.start) ++next_range;
        if (next_range < ranges.size() && region.intersects(ranges[next_range])) {
            ++index;
        } else {
            regions.erase(target, index);
        }
    }
}

// Fills the holes between regions [first, last] of the target; returns the index after the last of them.
size_t fill_holes(RegionList& regions, size_t target, size_t first, size_t last) {
    for (size_t index = first + 1; index <= last; ++index) {
        const uint64_t hole_start = regions.at(target, index - 1).range.end;
        const uint64_t hole_end = regions.at(target, index).range.start;
        if (hole_start == hole_end) continue;
        insert_fresh(regions, target, index, {hole_start, hole_end});
        ++index;
        ++last;
    }
    return last + 1;
}

// M-10 for one range: `begin` is the first region that no earlier range has taken. Returns where the next one begins.
size_t cover_range(RegionList& regions, size_t target, size_t begin, AddressRange range, uint64_t granularity) {
    size_t stop = begin;
    while (stop < regions.nr_regions_of(target) && regions.at(target, stop).range.start < range.end) ++stop;
    const AddressRange bounds = aligned(range, granularity);
    if (stop == begin) {
        insert_fresh(regions, target, begin, bounds);
        return begin + 1;
    }
    const size_t last = stop - 1;
    regions.at(target, begin).range.start = bounds.start;
    regions.at(target, last).range.end = bounds.end;
    return fill_holes(regions, target, begin, last);
}

// The range number `index` of several; the one before it ends at `previous_end`, in units of `granularity`.
Status check_range(AddressRange range, size_t index, uint64_t previous_end, uint64_t granularity) {
    const AddressRange bounds = aligned(range, granularity);
    // The aligned bounds of an inverted range may be in order.
    if (range.empty() || bounds.empty()) {
        return Status::fail(-EINVAL, "range %zu [%#" PRIx64 ", %#" PRIx64 ") must end above its start", index,
                            range.start, range.end);
    }
    if (bounds.start < previous_end) {
        return Status::fail(-EINVAL,
                            "range %zu [%#" PRIx64 ", %#" PRIx64 ") must start at %#" PRIx64
                            " or above, where the one before it ends in units of %" PRIu64,
                            index, range.start, range.end, previous_end, granularity);
    }
    return {};
}

}  // namespace

Status check_ranges(std::span<const AddressRange> ranges, uint64_t granularity) {
    uint64_t previous_end = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
        if (Status status = check_range(ranges[i], i, previous_end, granularity); !status.ok()) return status;
        previous_end = align_up(ranges[i].end, granularity);
    }
    return {};
}

Status check_given_ranges(std::span<const AddressRange> ranges, uint64_t granularity) {
    uint64_t previous_end = 0;
    size_t i = 0;
    while (i < ranges.size()) {
        AddressRange maximal = ranges[i];
        const size_t first = i++;
        while (i < ranges.size() && !ranges[i].empty() && ranges[i].start == maximal.end) maximal.end = ranges[i++].end;
        if (Status status = check_range(maximal, first, previous_end, granularity); !status.ok()) return status;
        previous_end = align_up(maximal.end, granularity);
    }
    return {};
}

void align_ranges(Vector<AddressRange>& ranges, uint64_t granularity) {
    size_t nr_joined = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
        const AddressRange aligned{align_down(ranges[i].start, granularity), align_up(ranges[i].end, granularity)};
        if (nr_joined != 0 && aligned.start <= ranges[nr_joined - 1].end) {
            ranges[nr_joined - 1].end = std::max(ranges[nr_joined - 1].end, aligned.end);
        } else {
            ranges[nr_joined++] = aligned;
        }
    }
    (void)ranges.resize(nr_joined);  // fewer
}

void coalesce_ranges(Vector<AddressRange>& ranges) {
    size_t nr_maximal = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
        if (nr_maximal != 0 && ranges[nr_maximal - 1].end == ranges[i].start) {
            ranges[nr_maximal - 1].end = ranges[i].end;
        } else {
            ranges[nr_maximal++] = ranges[i];
        }
    }
    ranges.truncate(nr_maximal);
}

size_t slots_for_ranges(const RegionList& regions, size_t target, size_t nr_ranges) {
    size_t holes = 0;
    for (size_t index = 1; index < regions.nr_regions_of(target); ++index) {
        holes += regions.at(target, index - 1).range.end != regions.at(target, index).range.start;
    }
    // Every range adds a region at most, and so does every hole; a bound that was cut back opens no hole inside.
    return saturating_add(nr_ranges, holes);
}

void set_regions(RegionList& regions, size_t target, std::span<const AddressRange> ranges, uint64_t granularity) {
    erase_outside(regions, target, ranges);
    size_t begin = 0;
    for (const AddressRange range : ranges) begin = cover_range(regions, target, begin, range, granularity);
}

void refit_regions(RegionList& regions, size_t target, uint64_t granularity) {
    uint64_t previous_end = 0;
    size_t index = 0;
    while (index < regions.nr_regions_of(target)) {
        AddressRange& range = regions.at(target, index).range;
        const bool touches_next =
            index + 1 < regions.nr_regions_of(target) && regions.at(target, index + 1).range.start == range.end;
        const uint64_t end = touches_next ? align_down(range.end, granularity) : aligned_end(range.end, granularity);
        const uint64_t start = std::max(align_down(range.start, granularity), previous_end);
        if (start >= end) {
            regions.erase(target, index);
            continue;
        }
        range = {start, end};
        previous_end = end;
        ++index;
    }
}

}  // namespace damon
