// Integer arithmetic of the rules (C-2, C-3). Every division rounds down unless the name says otherwise.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "base/check.h"

namespace damon {

inline constexpr uint64_t kBp = 10'000;  // basis points of one
inline constexpr uint64_t kU64Max = std::numeric_limits<uint64_t>::max();
inline constexpr uint64_t kU32Max = std::numeric_limits<uint32_t>::max();

// floor(x * multiplier / divisor) through a 128-bit product; saturates at 2^64-1 (C-3). `divisor` must not be 0.
constexpr uint64_t mul_div(uint64_t x, uint64_t multiplier, uint64_t divisor) {
    DAMON_CHECK(divisor != 0);
    const auto quotient = static_cast<unsigned __int128>(x) * multiplier / divisor;
    return quotient > kU64Max ? kU64Max : static_cast<uint64_t>(quotient);
}

// `alignment` must be a power of two. align_up wraps to 0 past 2^64-1, as unsigned arithmetic does.
constexpr uint64_t align_down(uint64_t x, uint64_t alignment) { return x & ~(alignment - 1); }
constexpr uint64_t align_up(uint64_t x, uint64_t alignment) { return align_down(x + alignment - 1, alignment); }

constexpr uint64_t saturating_add(uint64_t a, uint64_t b) {
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? kU64Max : sum;
}

constexpr uint64_t saturating_mul(uint64_t a, uint64_t b) {
    uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? kU64Max : product;
}

constexpr uint32_t saturate_u32(uint64_t x) {
    return x > kU32Max ? static_cast<uint32_t>(kU32Max) : static_cast<uint32_t>(x);
}
constexpr uint8_t saturate_u8(uint64_t x) { return x > 255 ? uint8_t{255} : static_cast<uint8_t>(x); }

constexpr uint64_t absolute_difference(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }

// Whether tick `now` has reached tick `deadline`; safe where the tick counter wraps (C-4).
constexpr bool tick_reached(uint64_t now, uint64_t deadline) { return static_cast<int64_t>(now - deadline) >= 0; }

}  // namespace damon
