// Access patterns as a user describes them; each is translated into pulses.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/vector.h"
#include "ops/sim/pulse.h"

namespace damon {

// Values are part of the C ABI.
enum class SimPatternKind : int32_t {
    kConstant = 0,  // the whole range, always
    kPulse = 1,     // the whole range, for hot_us of every period_us, first after phase_us; period_us 0: once
    kStairs = 2,    // nr_regions equal parts, one after another for step_us each, then from the first again
    kZigzag = 3,    // the same, up and down again
    kMoving = 4,    // a window of window_bytes passes over the range once every period_us and wraps around
    kSweep = 5,     // every page once each period_us, in address order; rate_millihz is not used
};
inline constexpr int32_t kNrSimPatternKinds = 6;

struct SimPattern {
    SimPatternKind kind = SimPatternKind::kConstant;
    uint32_t target_idx = 0;
    AddressRange range;         // multiples of the page size
    uint64_t rate_millihz = 0;  // accesses of each hot page in 1,000 s
    uint32_t writes_bp = kBp;   // share of the accesses that write
    uint32_t nr_regions = 0;    // kStairs, kZigzag: 2 or more
    uint64_t begin_us = 0;
    uint64_t end_us = kU64Max;
    uint64_t step_us = 0;
    uint64_t period_us = 0;
    uint64_t phase_us = 0;
    uint64_t hot_us = 0;
    uint64_t window_bytes = 0;
};

// -EINVAL with the field, its value and what would be right.
Status validate_pattern(const SimPattern& pattern, uint64_t page_size);

// Appends the pulses of a valid pattern; -ENOMEM, and then nothing was appended.
Status append_pulses(const SimPattern& pattern, uint64_t page_size, Vector<SimPulse>& pulses);

}  // namespace damon
