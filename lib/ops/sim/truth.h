// How well a list of regions agrees with the truth.
#pragma once

#include <cstdint>
#include <span>

#include "model/address_range.h"
#include "model/snapshot.h"

namespace damon {

struct SimAccuracy {
    uint64_t hot_bytes = 0;    // truly hot
    uint64_t found_bytes = 0;  // in regions that were found hot
    uint64_t both_bytes = 0;   // hot and found

    // Basis points, rounded down; 10,000 where there was nothing to find or nothing was found, and both agree.
    uint64_t precision_bp() const;  // of what was found, how much is hot
    uint64_t recall_bp() const;     // of what is hot, how much was found
    uint64_t f1_bp() const;         // harmonic mean of the two

    SimAccuracy& operator+=(const SimAccuracy& other);
    bool operator==(const SimAccuracy&) const = default;
};

// Which regions count as found hot.
struct FoundHot {
    uint32_t target_idx = 0;
    uint32_t min_nr_accesses = 1;
};

// Compares regions with the ranges that are truly hot. Both lists are sorted and disjoint; regions of other targets are
// passed over.
SimAccuracy compare_with_truth(std::span<const AddressRange> hot, std::span<const RegionInfo> regions, FoundHot found);

}  // namespace damon
