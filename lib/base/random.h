// The random numbers of one context: integer only, a plain value, the same sequence for the same seed everywhere.
#pragma once

#include <bit>
#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

// xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its state filled by
// splitmix64 as its authors advise.
class Random {
public:
    explicit constexpr Random(uint64_t seed = 0) {
        for (uint64_t& word : state_) {
            seed += 0x9e3779b97f4a7c15;
            uint64_t mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
            word = mixed ^ (mixed >> 31);
        }
    }

    constexpr uint64_t next() {
        const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
        const uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    // Near-uniform on [low, high), low < high (C-7): the high word of draw times span, 32-bit for spans below 2^32.
    constexpr uint64_t between(uint64_t low, uint64_t high) {
        DAMON_CHECK(low < high);
        const uint64_t span = high - low;
        if (span <= kU32Max) return low + (((next() >> 32) * span) >> 32);
        return low + static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * span) >> 64);
    }

    bool operator==(const Random&) const = default;

private:
    uint64_t state_[4] = {};
};

}  // namespace damon
