// The time of a run: the system's, or a virtual one, which whoever drives the run sets.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/arithmetic.h"
#include "os/clock.h"

namespace damon {

class RunClock {
public:
    // Stopped: which time the next run has.
    void set_virtual(bool is_virtual) { virtual_ = is_virtual; }
    bool is_virtual() const { return virtual_; }
    void set_us(uint64_t now_us) { virtual_us_ = now_us; }

    uint64_t now_ns() const { return virtual_ ? saturating_mul(virtual_us_, 1000) : system_.now_ns(); }
    uint64_t now_us() const { return virtual_ ? virtual_us_ : system_.now_ns() / 1000; }
    // The system's, whatever the drive.
    uint64_t system_ns() const { return system_.now_ns(); }

private:
    Clock system_;
    std::atomic<bool> virtual_{false};
    uint64_t virtual_us_ = 0;
};

}  // namespace damon
