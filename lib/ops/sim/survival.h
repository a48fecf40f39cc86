// How likely memory stays untouched: exp(-x) in 64-bit fixed point, x the expected number of accesses. Integer only, so
// that a simulation gives the same answers on every machine.
#pragma once

#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

// An expected number of accesses in units of 1e-9; the largest value stands for "surely accessed".
inline constexpr uint64_t kNanoAccess = 1'000'000'000;
inline constexpr uint64_t kSurelyAccessed = kU64Max;

// 2^64 * exp(-expected_nano / 1e9), at most 2^64-1 (which stands for 1) and exactly 0 from 44 expected accesses on,
// where the true value is below 2^-63.
uint64_t silence_q64(uint64_t expected_nano);

// The part of `bytes` that is expected to be still untouched, rounded to the nearest byte.
uint64_t untouched_part(uint64_t bytes, uint64_t expected_nano);

}  // namespace damon
