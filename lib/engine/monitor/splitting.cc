#include "engine/monitor/splitting.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

// M-25, one attempt: cuts between one and nine tenths of the region. False: the attempt was wasted.
bool split_once(RegionList& regions, size_t target, size_t index, uint64_t min_region_sz, Random& random) {
    const uint64_t size = regions.at(target, index).size();
    const uint64_t tenths = random.between(1, 10);
    const uint64_t cut = align_down(mul_div(size, tenths, 10), min_region_sz);
    return cut != 0 && cut < size && regions.split_at(target, index, cut);
}

void split_all(RegionList& regions, uint64_t nr_parts, uint64_t min_region_sz, Random& random, Spared spared) {
    const uint64_t too_small = saturating_mul(2, min_region_sz);
    for (size_t target = 0; target < regions.nr_targets(); ++target) {
        size_t index = 0;
        while (index < regions.nr_regions_of(target)) {
            size_t nr_made = 0;
            if (spared(target, regions.at(target, index))) {
                ++index;
                continue;
            }
            for (uint64_t attempt = 1; attempt < nr_parts; ++attempt) {
                if (regions.at(target, index).size() <= too_small) break;
                nr_made += split_once(regions, target, index, min_region_sz, random);
            }
            index += 1 + nr_made;
        }
    }
}

// M-26: every `step`-th region of all, beginning with number `offset`.
void split_every(RegionList& regions, uint64_t step, uint64_t offset, uint64_t min_region_sz, Random& random,
                 Spared spared) {
    const uint64_t large_enough = saturating_mul(2, min_region_sz);
    uint64_t until_next = offset;
    for (size_t target = 0; target < regions.nr_targets(); ++target) {
        for (size_t index = 0; index < regions.nr_regions_of(target); ++index) {
            if (until_next != 0) {
                --until_next;
                continue;
            }
            until_next = step - 1;
            if (regions.at(target, index).size() < large_enough || spared(target, regions.at(target, index))) continue;
            index += split_once(regions, target, index, min_region_sz, random);
        }
    }
}

}  // namespace

uint64_t unaligned_size_limit(const RegionList& regions, SizeBounds bounds) {
    unsigned __int128 total = 0;
    for (size_t target = 0; target < regions.nr_targets(); ++target) {
        for (size_t index = 0; index < regions.nr_regions_of(target); ++index)
            total += regions.at(target, index).size();
    }
    total /= bounds.min_nr_regions;
    return std::max(total > kU64Max ? kU64Max : static_cast<uint64_t>(total), bounds.min_region_sz);
}

uint64_t cut_to_size_limit(RegionList& regions, SizeBounds bounds) {
    const uint64_t unaligned = unaligned_size_limit(regions, bounds);
    const uint64_t aligned = align_up(unaligned, bounds.min_region_sz);
    const uint64_t limit = aligned < unaligned ? kU64Max : aligned;
    for (size_t target = 0; target < regions.nr_targets(); ++target) {
        for (size_t index = 0; index < regions.nr_regions_of(target); ++index) {
            if (regions.at(target, index).size() <= limit) continue;
            if (!regions.split_at(target, index, limit)) return limit;
        }
    }
    return limit;
}

void split_regions(RegionList& regions, SplitBounds bounds, SplitMemory& memory, Random& random, Spared spared) {
    const size_t nr_regions = regions.nr_regions();
    const uint64_t max_nr_regions = bounds.max_nr_regions;
    const bool unchanged = memory.nr_regions == nr_regions;
    memory.nr_regions = nr_regions;
    if (nr_regions >= max_nr_regions) return;
    if (nr_regions > max_nr_regions / 2) {
        const uint64_t step = max_nr_regions / (max_nr_regions - nr_regions);
        const uint64_t offset = memory.rotation++ % step;
        split_every(regions, step, offset, bounds.min_region_sz, random, spared);
        return;
    }
    const uint64_t nr_parts = unchanged && nr_regions < max_nr_regions / 3 ? 3 : 2;
    split_all(regions, nr_parts, bounds.min_region_sz, random, spared);
}

}  // namespace damon
