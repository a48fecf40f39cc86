// The random numbers of one run. Two streams, so that how often regions are split does not change where the next
// samples fall.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace damon {

struct RandomStreams {
    explicit constexpr RandomStreams(uint64_t seed = 0) : sampling(seed), splitting(~seed) {}

    Random sampling;   // addresses (M-12)
    Random splitting;  // where regions are cut (M-25); cuts that schemes ask for draw nothing
    bool operator==(const RandomStreams&) const = default;
};

}  // namespace damon
