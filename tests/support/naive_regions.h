// Regions as the rules describe them, kept in linked lists: the slow and plain counterpart of engine/region_list.h.
// Written from the rules alone, so that two independent readings of them can be compared.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <span>

#include "model/address_range.h"

namespace damon::test {

struct NaiveRegion {
    uint64_t start = 0;
    uint64_t end = 0;
    uint32_t nr_accesses = 0;
    uint32_t last_nr_accesses = 0;
    uint32_t age = 0;
    uint64_t age_us = 0;
    uint64_t idle_us = 0;
    std::array<uint8_t, 4> probe_hits{};
    std::array<uint8_t, 4> last_probe_hits{};
    uint8_t evidence = 0;
    uint8_t last_evidence = 0;
    // Samples of this window with and without an answer, and the last reason why one had none; 0 after the reset.
    uint32_t answered = 0;
    uint32_t unanswered = 0;
    uint8_t reason = 0;
    uint8_t last_reason = 0;

    uint64_t size() const { return end - start; }
    bool operator==(const NaiveRegion&) const = default;
};

using NaiveRegions = std::list<NaiveRegion>;

// M-8: whether the ranges can be set with this granularity at all.
bool naive_ranges_fit(std::span<const AddressRange> ranges, uint64_t granularity);

// M-8 to M-10. False: the ranges do not fit and nothing changed.
bool naive_set_regions(NaiveRegions& regions, std::span<const AddressRange> ranges, uint64_t granularity);

// M-27: the region keeps its first `left_size` bytes; the rest follows it.
void naive_split(NaiveRegions& regions, NaiveRegions::iterator region, uint64_t left_size);

// M-20: the region left of `right` takes it in. Returns the survivor.
NaiveRegions::iterator naive_merge_left(NaiveRegions& regions, NaiveRegions::iterator right);

}  // namespace damon::test
