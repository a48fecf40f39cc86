// What an armed sample carries from arm to look in Sample::ops_private: how it is watched, or why it cannot be.
#pragma once

#include <cstdint>

#include "model/sample.h"
#include "ops/access_check.h"

namespace damon {

// Bits 0 to 4: not at all, by its absence, or by a check, its AccessCheck plus kByCheck. Bits 5 to 9: why not at all.
// Bit 15: it is a huge page.
struct Watch {
    static constexpr unsigned kNot = 0;
    static constexpr unsigned kByAbsence = 1;
    static constexpr unsigned kByCheck = 2;
    static constexpr unsigned kBits = 5;
    static constexpr unsigned kMask = (1u << kBits) - 1;
    static constexpr unsigned kHuge = 1u << 15;
};
static_assert(kNrUnknownReasons <= Watch::kMask && kNrAccessChecks + Watch::kByCheck <= Watch::kMask);

inline void set_unknown(Sample& sample, UnknownReason unknown) {
    sample.ops_private = static_cast<uint16_t>(static_cast<unsigned>(unknown) << Watch::kBits);
}
inline void watch_absence(Sample& sample) { sample.ops_private = Watch::kByAbsence; }
inline void watch_by_check(Sample& sample, AccessCheck check, bool huge) {
    sample.ops_private =
        static_cast<uint16_t>((static_cast<unsigned>(check) + Watch::kByCheck) | (huge ? Watch::kHuge : 0u));
}

inline bool is_watched(const Sample& sample) { return (sample.ops_private & Watch::kMask) != Watch::kNot; }
inline bool is_watched_by_check(const Sample& sample) { return (sample.ops_private & Watch::kMask) >= Watch::kByCheck; }
// Of a sample that is watched by a check.
inline int32_t check_of(const Sample& sample) {
    return static_cast<int32_t>(sample.ops_private & Watch::kMask) - static_cast<int32_t>(Watch::kByCheck);
}
inline UnknownReason unknown_reason_of(const Sample& sample) {
    return static_cast<UnknownReason>(sample.ops_private >> Watch::kBits & Watch::kMask);
}
inline bool was_huge(const Sample& sample) { return (sample.ops_private & Watch::kHuge) != 0; }

}  // namespace damon
