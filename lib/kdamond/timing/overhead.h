// Keeps the cost of monitoring under a share of one CPU: what was spent is paid back with time that is waited out.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/arithmetic.h"

namespace damon {

// A token bucket. Time fills it at the permitted share, costs drain it; full, it holds what a fresh run may spend in
// advance, so that the first windows are quick. Plain arithmetic on the times it is given: no clock of its own.
class Overhead {
public:
    static constexpr uint64_t kAdvanceNs = 100'000'000;
    // However dear one interval was (a machine that stood still, an emulator), the next is not later than this.
    static constexpr uint64_t kLongestWaitNs = 10'000'000'000;

    void start(uint64_t now_ns) {
        credit_ns_ = kAdvanceNs;
        debt_ns_ = pass_debt_ns_ = 0;
        filled_ns_ = now_ns;
    }

    // Time that was not monitored (a pause, watermarks) earns nothing.
    void skip_to(uint64_t now_ns) { filled_ns_ = now_ns; }

    // What reading the mappings cost. It is paid back from a quarter of the permitted share, so that sampling goes on
    // meanwhile; until it is, they are not to be read again unless somebody asks for it.
    void add_debt(uint64_t cost_ns) { debt_ns_ = saturating_add(debt_ns_, cost_ns); }
    bool in_debt() const { return debt_ns_ > 0; }

    // What passes over accessed bits cost: paid back from what that leaves of one half of the permitted share.
    void add_pass_debt(uint64_t cost_ns) { pass_debt_ns_ = saturating_add(pass_debt_ns_, cost_ns); }
    bool in_pass_debt() const { return pass_debt_ns_ > 0; }

    // Takes the cost of an interval that ended, and says how long to wait before the end of the next one, in
    // nanoseconds from `now_ns`. `permil` 0: no limit.
    uint64_t charge(uint64_t cost_ns, uint64_t permil, uint64_t now_ns) {
        const uint64_t elapsed_ns = now_ns > filled_ns_ ? now_ns - filled_ns_ : 0;
        filled_ns_ = now_ns;
        if (permil == 0) {
            credit_ns_ = kAdvanceNs;
            debt_ns_ = pass_debt_ns_ = 0;
            return 0;
        }
        const uint64_t earned_ns = std::min(elapsed_ns, kLongestWaitNs) * permil / 1000;
        const uint64_t paid_ns = std::min(debt_ns_, earned_ns / kDebtPart);
        debt_ns_ -= paid_ns;
        const uint64_t paid_for_passes_ns = std::min(pass_debt_ns_, earned_ns / 2 - paid_ns);
        pass_debt_ns_ -= paid_for_passes_ns;
        const auto earned = static_cast<int64_t>(earned_ns);
        const auto spent = static_cast<int64_t>(std::min(cost_ns, kLongestWaitNs) + paid_ns + paid_for_passes_ns);
        const auto most = static_cast<int64_t>(kAdvanceNs);
        const auto least = -static_cast<int64_t>(kLongestWaitNs * permil / 1000);
        credit_ns_ = std::clamp(credit_ns_ + earned - spent, least, most);
        return credit_ns_ >= 0 ? 0 : static_cast<uint64_t>(-credit_ns_) * 1000 / permil;
    }

private:
    static constexpr uint64_t kDebtPart = 4;

    uint64_t debt_ns_ = 0;
    uint64_t pass_debt_ns_ = 0;
    int64_t credit_ns_ = static_cast<int64_t>(kAdvanceNs);
    uint64_t filled_ns_ = 0;
};

}  // namespace damon
