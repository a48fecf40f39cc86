// The time of a run: the system's, or the one that manual drive was told last.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/arithmetic.h"
#include "os/clock.h"

namespace damon {

class RunClock {
public:
    // Stopped: which time the next run has.
    void set_manual(bool manual) { manual_ = manual; }
    bool is_manual() const { return manual_; }
    // Manual drive: what time it is.
    void set_us(uint64_t now_us) { manual_us_ = now_us; }

    uint64_t now_ns() const { return manual_ ? saturating_mul(manual_us_, 1000) : system_.now_ns(); }
    uint64_t now_us() const { return manual_ ? manual_us_ : system_.now_ns() / 1000; }
    // The system's, whatever the drive.
    uint64_t system_ns() const { return system_.now_ns(); }

private:
    Clock system_;
    std::atomic<bool> manual_{false};
    uint64_t manual_us_ = 0;
};

}  // namespace damon
