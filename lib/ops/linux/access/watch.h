// What an armed sample carries from arm to look in Sample::ops_private: how it is watched, or why it cannot be.
#pragma once

#include <cstdint>

#include "model/sample.h"
#include "ops/linux/access/access_check.h"

namespace damon {

enum class Watch : uint8_t { kNone, kPresence, kZap, kUffdWp, kUffdRwp };

inline constexpr uint16_t kWatchHuge = 1u << 8;

inline void set_watch(Sample& sample, Watch watch, bool huge) {
    sample.ops_private = static_cast<uint16_t>(static_cast<unsigned>(watch) | (huge ? kWatchHuge : 0u));
}
inline void set_unknown(Sample& sample, UnknownReason unknown) {
    sample.ops_private = static_cast<uint16_t>(static_cast<unsigned>(unknown) << 4);
}
inline Watch watch_of(const Sample& sample) { return static_cast<Watch>(sample.ops_private & 0xf); }
inline UnknownReason unknown_reason_of(const Sample& sample) {
    return static_cast<UnknownReason>(sample.ops_private >> 4 & 0xf);
}
inline bool was_huge(const Sample& sample) { return (sample.ops_private & kWatchHuge) != 0; }

inline Watch watch_by(AccessCheck way) {
    switch (way) {
        case AccessCheck::kUffdRwp:
            return Watch::kUffdRwp;
        case AccessCheck::kZap:
            return Watch::kZap;
        default:
            return Watch::kUffdWp;
    }
}

}  // namespace damon
