#include "kdamond/exchange/activity.h"

#include <algorithm>
#include <cstring>

namespace damon {

void Activity::become(State next, uint64_t now_ns, const char* text) {
    if (state != next) since_ns = now_ns;
    state = next;
    const size_t length = std::min(strnlen(text, kReasonBytes), kReasonBytes - 1);
    memmove(reason, text, length);
    reason[length] = '\0';
}

bool CostRate::measure(uint64_t now_ns, uint64_t& permil) {
    const uint64_t elapsed_ns = now_ns > begin_ns_ ? now_ns - begin_ns_ : 0;
    // The first window is reported already; later ones are put together, since single ones differ.
    if (elapsed_ns == 0 || (measured_ && elapsed_ns < kSpanNs)) return false;
    permil = (std::min<uint64_t>(cost_ns_, UINT64_MAX / 2000) * 1000 + elapsed_ns / 2) / elapsed_ns;
    start(now_ns);
    measured_ = true;
    return true;
}

}  // namespace damon
