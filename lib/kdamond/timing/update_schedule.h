// When the mappings are read again: every ops_update_us, and earlier where samples find them gone or changed. Plain
// arithmetic on the times it is given.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

class UpdateSchedule {
public:
    // Samples do not ask more often than this.
    static constexpr uint64_t kShortestNs = 100'000'000;

    void start(uint64_t now_ns) {
        *this = UpdateSchedule();
        last_ns_ = now_ns;
    }

    // The period has passed, or somebody wants it done at the next occasion.
    void want() { wanted_ = true; }

    // A sample found its mapping gone or changed. Where the last reading that samples asked for did not cure that, the
    // next comes later, twice as late each time, up to `longest_ns`.
    void ask(uint64_t now_ns, uint64_t longest_ns) {
        if (asked_) return;
        asked_ = true;
        const bool again =
            last_asked_ns_ != 0 && now_ns < saturating_add(last_asked_ns_, saturating_mul(2, spacing_ns_));
        spacing_ns_ = again ? saturating_mul(2, spacing_ns_) : kShortestNs;
        spacing_ns_ = std::clamp(spacing_ns_, kShortestNs, std::max(longest_ns, kShortestNs));
        not_before_ns_ = saturating_add(last_ns_, spacing_ns_);
    }

    bool pending() const { return wanted_ || asked_; }
    bool due(uint64_t now_ns) const { return wanted_ || (asked_ && now_ns >= not_before_ns_); }

    void done(uint64_t now_ns) {
        last_ns_ = now_ns;
        if (asked_) last_asked_ns_ = now_ns;
        wanted_ = asked_ = false;
    }

private:
    bool wanted_ = false;
    bool asked_ = false;
    uint64_t last_ns_ = 0;        // the last reading
    uint64_t last_asked_ns_ = 0;  // the last one that samples asked for; 0: none
    uint64_t spacing_ns_ = kShortestNs;
    uint64_t not_before_ns_ = 0;
};

}  // namespace damon
