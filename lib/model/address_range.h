// Half-open ranges of addresses [start, end), in core units (bytes for every back-end but the physical one).
#pragma once

#include <algorithm>
#include <cstdint>

namespace damon {

struct AddressRange {
    uint64_t start = 0;
    uint64_t end = 0;

    constexpr uint64_t size() const { return end - start; }
    constexpr bool empty() const { return start >= end; }
    constexpr bool contains(uint64_t address) const { return start <= address && address < end; }
    constexpr bool covers(AddressRange other) const { return start <= other.start && other.end <= end; }
    constexpr bool intersects(AddressRange other) const { return start < other.end && other.start < end; }
    constexpr AddressRange intersection(AddressRange other) const {
        return {std::max(start, other.start), std::min(end, other.end)};
    }
    bool operator==(const AddressRange&) const = default;
};

}  // namespace damon
