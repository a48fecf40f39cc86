// Pages that the kernel is asked about in one go.
#pragma once

#include <cstddef>
#include <cstdint>

namespace damon {

// Addresses, their states, and whose they are. On the stack.
struct PageBatch {
    static constexpr size_t kMax = 128;

    uint64_t pages[kMax];
    uint32_t states[kMax];
    uint32_t sample_idx[kMax];
    size_t size = 0;

    void add(uint64_t page, size_t index) {
        pages[size] = page;
        sample_idx[size++] = static_cast<uint32_t>(index);
    }
};

}  // namespace damon
