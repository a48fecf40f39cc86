// From how far the goals are to the quota of the next window (S-28, S-40, S-41).
#pragma once

#include <cstdint>

#include "base/arithmetic.h"
#include "engine/schemes/goal.h"
#include "model/scheme.h"

namespace damon {

// How the charge window that has just ended went.
struct WindowEnd {
    uint64_t charged_sz = 0;
    uint64_t esz = 0;
    bool known = false;  // there was one
    bool full = false;   // S-22: more could have been done
    bool operator==(const WindowEnd&) const = default;
};

// What the tuner remembers of the windows before.
struct TunerMemory {
    static constexpr uint64_t kUnknown = kU64Max;
    static constexpr uint32_t kStuckWindows = 8;

    uint64_t goals_key = 0;     // which goals it is about
    uint64_t score = kUnknown;  // when the window that ended began
    uint64_t charged_sz = 0;    // in the window before that one
    uint64_t gain = 0;          // by how much the score rose when it last rose,
    uint64_t gain_sz = 0;       // after so much was charged
    bool follows_rate = false;  // the score is that of the last window's quota, and does not add up
    uint32_t nr_stuck = 0;      // windows in a row in which more quota would not have helped, or is not allowed
    uint64_t stuck_score = 0;   // when they began
    bool out_of_reach() const { return nr_stuck >= kStuckWindows; }
    bool operator==(const TunerMemory&) const = default;
};

// The quota, in bp of a unit, after a window with quota `esz_bp` led to `score`. Goals that nobody could measure leave
// it as it is.
uint64_t tune_esz_bp(const SchemeParams& scheme, uint64_t esz_bp, GoalsScore score, const WindowEnd& end,
                     uint64_t min_region_sz, TunerMemory& memory);

}  // namespace damon
