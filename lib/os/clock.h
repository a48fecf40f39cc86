// Time as the worker sees it. The only source of time in the library; engine and ops receive time as an argument.
#pragma once

#include <cstdint>

namespace damon {

class Clock {
public:
    // Nanoseconds of CLOCK_MONOTONIC.
    uint64_t now_ns() const;
};

}  // namespace damon
