// The simulator's dice: what happened is a fact of the world, a function of who, where and when.
#pragma once

#include <cstdint>

namespace damon {

// One step of splitmix64: a number that depends on every bit of both arguments.
inline uint64_t mix(uint64_t seed, uint64_t value) {
    uint64_t mixed = seed ^ (value + 0x9e3779b97f4a7c15 + (seed << 6) + (seed >> 2));
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

}  // namespace damon
