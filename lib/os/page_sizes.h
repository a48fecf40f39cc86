// Page sizes of this system: base pages of 4, 16 or 64 KiB, and the huge page that one page middle directory maps.
#pragma once

#include <cstdint>

namespace damon {

struct PageSizes {
    uint64_t base_bytes = 4096;
    uint64_t huge_bytes = 2u << 20;
    bool operator==(const PageSizes&) const = default;
};

// Asks the system. Where it does not report the size of a huge page, the one that the page table's geometry gives.
PageSizes read_page_sizes();

}  // namespace damon
