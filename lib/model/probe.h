// Probes: attributes of memory that are sampled like accesses are (rules O-6, section 6).
#pragma once

#include <cstdint>

#include "base/vector.h"

namespace damon {

inline constexpr unsigned kMaxProbes = 4;  // as in the kernel (C-6)

enum class ProbeFilterType : int32_t { kAnon = 0, kMemcg = 1, kHugepageSize = 2 };

struct ProbeFilter {
    ProbeFilterType type = ProbeFilterType::kAnon;
    bool matching = false;
    bool allow = false;
    uint64_t memcg_id = 0;
    uint64_t min_bytes = 0, max_bytes = 0;  // kHugepageSize, inclusive
    bool operator==(const ProbeFilter&) const = default;
};

struct ProbeParams {
    uint32_t weight = 0;
    Vector<ProbeFilter> filters;

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const ProbeParams& other) {
        if (!filters.copy_from(other.filters)) return false;
        weight = other.weight;
        return true;
    }
    bool operator==(const ProbeParams&) const = default;
};

}  // namespace damon
