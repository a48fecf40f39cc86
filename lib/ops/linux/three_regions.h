// The coverage of a whole address space without its two biggest holes (M-2). Pure.
#pragma once

#include <cstdint>

#include "model/address_range.h"

namespace damon {

// Fed with the mappings in address order, keeps what the answer needs and nothing else.
class ThreeRegions {
public:
    void add(AddressRange mapping);

    // Writes the three ranges, bounds aligned up to `page_bytes` (a power of two). False: there are fewer than two gaps
    // (M-3), `ranges` is untouched.
    bool finish(uint64_t page_bytes, AddressRange (&ranges)[3]) const;

private:
    bool any_ = false;
    uint64_t start_ = 0;
    uint64_t end_ = 0;
    AddressRange largest_;
    AddressRange second_;
};

}  // namespace damon
