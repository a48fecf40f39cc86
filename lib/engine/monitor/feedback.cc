#include "engine/monitor/feedback.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kAim = kBp;

}  // namespace

uint64_t next_feedback_input(uint64_t last, uint64_t score) {
    if (score == kAim) return last;
    if (score >= 2 * kAim) return kAim;
    const uint64_t distance = absolute_difference(score, kAim);
    // S-27 loses precision on purpose where the product would not fit 64 bits.
    const uint64_t correction = last < kU64Max / distance ? last * distance / kAim : last / kAim * distance;
    if (score < kAim) return saturating_add(last, correction);
    return std::max(last - correction, kAim);
}

}  // namespace damon
