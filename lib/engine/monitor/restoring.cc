#include "engine/monitor/restoring.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

// The part of `region` that lies in both, the range of then and that of now, at its address of now; may be empty.
AddressRange moved(AddressRange region, AddressRange then, AddressRange now) {
    const AddressRange inside = region.intersection(then);
    if (inside.empty()) return {};
    const uint64_t from = std::min(inside.start - then.start, now.size());
    const uint64_t to = std::min(inside.end - then.start, now.size());
    return {now.start + from, now.start + to};
}

Region region_of(const SavedRegion& saved, AddressRange range) {
    Region region;
    region.range = range;
    region.age_us = saved.age_us;
    region.idle_us = saved.idle_us;
    region.nr_accesses = region.last_nr_accesses = saved.nr_accesses;
    region.age = saved.age;
    std::copy(std::begin(saved.probe_hits), std::end(saved.probe_hits), region.probe_hits);
    region.evidence = region.last_evidence = saved.evidence;
    region.unknown_reason = region.last_unknown_reason = saved.unknown_reason;
    return region;
}

bool append_fresh(Vector<Region>& regions, AddressRange range) {
    if (range.empty()) return true;
    Region fresh;
    fresh.range = range;
    return regions.push_back(fresh);
}

// Of one run of regions that touch. `next` is the first saved region that may reach into it.
bool fit_run(AddressRange run, std::span<const SavedRegion> saved, size_t& next, uint64_t granularity,
             Vector<Region>& regions) {
    uint64_t done = run.start;
    while (next < saved.size() && saved[next].range.end <= run.start) ++next;
    for (; next < saved.size() && saved[next].range.start < run.end; ++next) {
        const uint64_t start = std::max(align_down(saved[next].range.start, granularity), done);
        uint64_t end = align_up(std::min(saved[next].range.end, run.end), granularity);
        if (next + 1 < saved.size() && saved[next + 1].range.start < end) {
            end = align_down(saved[next + 1].range.start, granularity);
        }
        end = std::min(end, run.end);
        if (start < end) {  // else it is smaller than the smallest region: a neighbour has its memory
            if (!append_fresh(regions, {done, start})) return false;
            if (!regions.push_back(region_of(saved[next], {start, end}))) return false;
            done = end;
        }
        if (saved[next].range.end > run.end) break;  // the next run has a part of it, too
    }
    return append_fresh(regions, {done, run.end});
}

// Neighbours whose counts are at most `threshold` apart become one, while there are more than `max_nr_regions`.
void join_alike(RegionList& list, uint64_t threshold, uint64_t max_nr_regions) {
    for (size_t target = 0; target < list.nr_targets(); ++target) {
        size_t index = 1;
        while (index < list.nr_regions_of(target) && list.nr_regions() > max_nr_regions) {
            const Region& left = list.at(target, index - 1);
            const Region& right = list.at(target, index);
            const bool alike = absolute_difference(left.nr_accesses, right.nr_accesses) <= threshold;
            if (left.range.end == right.range.start && alike) {
                list.merge_into_previous(target, index);
            } else {
                ++index;
            }
        }
    }
}

}  // namespace

bool move_to(SavedTarget& target, std::span<const AddressRange> now) {
    DAMON_CHECK(now.size() == target.ranges.size());
    Vector<SavedRegion> pieces;
    size_t first = 0;          // region that may reach into the range
    size_t latest = SIZE_MAX;  // region that the latest piece is of
    bool closed = false;       // the range before is known up to its end
    for (size_t i = 0; i < now.size(); ++i) {
        const AddressRange then = target.ranges[i];
        while (first < target.regions.size() && target.regions[first].range.end <= then.start) ++first;
        for (size_t at = first; at < target.regions.size() && target.regions[at].range.start < then.end; ++at) {
            SavedRegion piece = target.regions[at];
            piece.range = moved(piece.range, then, now[i]);
            if (piece.range.empty()) continue;
            // What lies between two ranges is nobody's: the piece in front of it takes it.
            const bool new_range = !pieces.empty() && pieces.back().range.end <= now[i].start;
            if (new_range && closed) pieces.back().range.end = piece.range.start;
            if (latest == at && pieces.back().range.end == piece.range.start) {
                pieces.back().range.end = piece.range.end;
            } else if (!pieces.push_back(piece)) {
                return false;
            }
            latest = at;
        }
        closed = now[i].size() <= then.size();
    }
    Vector<AddressRange> ranges;
    for (const AddressRange range : now) {
        if (!ranges.push_back(range)) return false;
    }
    target.regions.swap(pieces);
    target.ranges.swap(ranges);
    return true;
}

bool moved_address(const SavedTarget& target, std::span<const AddressRange> now, uint64_t& address) {
    DAMON_CHECK(now.size() == target.ranges.size());
    for (size_t i = 0; i < now.size(); ++i) {
        if (!target.ranges[i].contains(address)) continue;
        const uint64_t offset = address - target.ranges[i].start;
        address = now[i].start + offset;
        return offset < now[i].size();
    }
    return false;
}

bool fit_saved(const RegionList& list, size_t target, std::span<const SavedRegion> saved, uint64_t granularity,
               Vector<Region>& regions) {
    size_t next = 0;
    size_t index = 0;
    while (index < list.nr_regions_of(target)) {
        AddressRange run = list.at(target, index).range;
        while (++index < list.nr_regions_of(target) && list.at(target, index).range.start == run.end) {
            run.end = list.at(target, index).range.end;
        }
        if (!fit_run(run, saved, next, granularity, regions)) return false;
    }
    return true;
}

void join_down_to(RegionList& list, uint64_t max_nr_regions) {
    uint64_t threshold = 0;
    while (list.nr_regions() > max_nr_regions) {
        join_alike(list, threshold, max_nr_regions);
        if (threshold > kU32Max) return;
        threshold = std::max<uint64_t>(1, 2 * threshold);
    }
}

}  // namespace damon
