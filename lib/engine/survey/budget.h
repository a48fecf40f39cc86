// What surveys may cost: a token bucket in nanoseconds of processor time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

// Fills at five sixths of the permitted share and holds as much as five thirds of a second of it, so that no ten
// seconds, however they are chosen, cost more than the share of ten seconds.
class SurveyBudget {
public:
    void start(uint64_t share_bp) {
        share_bp_ = share_bp;
        tokens_ns_ = cap_ns();
        carry_ = 0;
    }
    void set_share(uint64_t share_bp) {
        share_bp_ = share_bp;
        tokens_ns_ = std::min(tokens_ns_, cap_ns());
    }
    uint64_t share_bp() const { return share_bp_; }

    void pass(uint64_t elapsed_us) {
        const uint64_t bounded_us = std::min<uint64_t>(elapsed_us, 10'000'000);
        // ns = us * 1,000 * bp / 10,000 * 5 / 6, in twelfths.
        const uint64_t twelfths = bounded_us * share_bp_ + carry_;
        tokens_ns_ = std::min(tokens_ns_ + static_cast<int64_t>(twelfths / 12), cap_ns());
        carry_ = twelfths % 12;
    }
    void charge(uint64_t cost_ns) {
        spent_ns_ = saturating_add(spent_ns_, cost_ns);
        tokens_ns_ = std::max(tokens_ns_ - static_cast<int64_t>(std::min(cost_ns, kMostNs)), -kMost);
    }

    // In all.
    uint64_t spent_ns() const { return spent_ns_; }
    // Whether something new may begin.
    bool may_begin() const { return tokens_ns_ > 0; }
    // Whether what has begun may go on: down to what comes in within four intervals.
    bool may_go_on(uint64_t interval_us) const { return tokens_ns_ > -static_cast<int64_t>(earned_ns(4, interval_us)); }
    // What is there beyond three quarters of a full bucket.
    uint64_t spare_ns() const {
        const int64_t spare = tokens_ns_ - cap_ns() / 4 * 3;
        return spare > 0 ? static_cast<uint64_t>(spare) : 0;
    }

    bool operator==(const SurveyBudget&) const = default;

private:
    static constexpr uint64_t kMostNs = 10'000'000'000;
    static constexpr int64_t kMost = static_cast<int64_t>(kMostNs);

    uint64_t earned_ns(uint64_t intervals, uint64_t interval_us) const {
        return intervals * std::min<uint64_t>(interval_us, 10'000'000) * share_bp_ / 12;
    }
    int64_t cap_ns() const { return static_cast<int64_t>(share_bp_ * 500'000 / 3); }

    uint64_t share_bp_ = 0;
    int64_t tokens_ns_ = 0;
    uint64_t carry_ = 0;
    uint64_t spent_ns_ = 0;
};

}  // namespace damon
