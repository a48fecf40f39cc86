// Which windows passes look at: the promised memory, cut at multiples of a huge page, so that each window can be made a
// mapping of its own. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

struct PlannedWindow {
    AddressRange range;
    // Neighbouring windows differ, and so does what lies beside the promised memory, which is never second.
    bool second = false;
    bool hard_start = false;  // a mapping begins here without our doing
    bool operator==(const PlannedWindow&) const = default;
};

// Memory that would be one mapping without our windows.
struct NaturalMapping {
    AddressRange range;
    bool readable = false;
    bool writable = false;
    bool private_memory = false;  // anonymous and private, of base pages or transparent huge ones: what windows are for
};

struct WindowLimits {
    uint64_t unit_bytes = 2u << 20;  // a huge page: no window begins inside of one
    uint64_t most_bytes = 8u << 20;  // of a window, but for what is left over beside the last border
    size_t max_windows = SIZE_MAX;
};

// Fed with the mappings in address order; those that differ only by our windows are joined.
class WindowPlan {
public:
    // `windows`: those that are mappings of their own now, sorted.
    void begin(std::span<const PlannedWindow> windows);
    // False: out of memory.
    [[nodiscard]] bool add(const NaturalMapping& mapping);
    size_t nr_mappings() const { return nr_mappings_; }
    // Of private memory, in address order.
    std::span<const NaturalMapping> mappings() const { return mappings_.span(); }
    // The windows of what lies in `promised` (sorted, disjoint), as small as the limits let them be; where even the
    // largest are too many, those at the lowest addresses. False: out of memory.
    [[nodiscard]] bool finish(std::span<const AddressRange> promised, const WindowLimits& limits,
                              Vector<PlannedWindow>& out);

private:
    bool is_our_border(uint64_t address) const;
    bool cut_all(std::span<const AddressRange> promised, uint64_t window_bytes, Vector<PlannedWindow>& out) const;

    std::span<const PlannedWindow> windows_;
    Vector<NaturalMapping> mappings_;  // of private memory
    size_t nr_mappings_ = 0;
};

}  // namespace damon
