// Regions in which a surprising sample was followed in vain: they wait, twice as long each time, before the next one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

class QuietRegions {
public:
    static constexpr size_t kMax = 256;

    [[nodiscard]] bool reserve() { return entries_.reserve(kMax); }
    [[nodiscard]] bool copy_from(const QuietRegions& other) {
        if (!entries_.copy_from(other.entries_)) return false;
        window_ = other.window_;
        return reserve();
    }
    void clear() { entries_.clear(); }

    bool waits(uint32_t target_idx, uint64_t address) const;
    void refuted(uint32_t target_idx, AddressRange region);
    void end_window();

    bool operator==(const QuietRegions&) const = default;

private:
    static constexpr uint8_t kMostDoublings = 6;

    struct Entry {
        AddressRange region;
        uint64_t until_window = 0;
        uint32_t target_idx = 0;
        uint8_t doublings = 0;
        bool operator==(const Entry&) const = default;
    };

    Vector<Entry> entries_;
    uint64_t window_ = 0;
};

}  // namespace damon
