// When passes over accessed bits begin, and when their next step may be. Plain arithmetic on the times it is given.
#pragma once

#include <cstdint>

#include "base/arithmetic.h"
#include "os/futex.h"

namespace damon {

class PassSchedule {
public:
    void start() { *this = PassSchedule(); }

    bool under_way() const { return under_way_; }
    // Whether the next pass may begin, `interval_ns` after the last one did.
    bool due(uint64_t interval_ns, uint64_t now_ns) const {
        return !under_way_ && (last_ns_ == 0 || now_ns >= saturating_add(last_ns_, interval_ns));
    }
    void begin(uint64_t now_ns) {
        under_way_ = true;
        last_ns_ = next_step_ns_ = now_ns == 0 ? 1 : now_ns;
    }
    // A step has been made; 0: it was the last one.
    void step(uint64_t rest_ns, uint64_t now_ns) {
        under_way_ = rest_ns != 0;
        next_step_ns_ = saturating_add(now_ns, rest_ns);
        stepped_ = true;
    }
    void give_up() { under_way_ = false; }

    void begin_interval() { stepped_ = false; }
    // When to make a step in an interval that ends at `end_ns`: not so late that it would end later, but for the first
    // one, or short intervals would leave passes no time. kNoDeadline: not in this interval.
    uint64_t step_at(uint64_t end_ns, uint64_t now_ns) const {
        if (!under_way_) return kNoDeadline;
        if (!stepped_) return next_step_ns_ < now_ns ? now_ns : next_step_ns_;
        return saturating_add(next_step_ns_, kStepNs) > end_ns ? kNoDeadline : next_step_ns_;
    }

private:
    static constexpr uint64_t kStepNs = 150'000;  // with waking up

    bool under_way_ = false;
    bool stepped_ = false;  // in this interval
    uint64_t last_ns_ = 0;  // when the last pass began; 0: there was none
    uint64_t next_step_ns_ = 0;
};

}  // namespace damon
