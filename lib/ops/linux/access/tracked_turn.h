// Whose turn it is with a context's tracked ranges.
#pragma once

#include <atomic>
#include <cstdint>

#include "os/syscalls.h"

namespace damon {

// The worker, which lifts marks for some 20 us at a time, keeps nobody from asking; it is kept by everybody.
class TrackedTurn {
public:
    enum Kind : uint32_t { kFree, kAsks, kWaits, kLifts };

    // kWaits has it in the end; kAsks unless another thread asks or changes the ranges; kLifts if it is free.
    TrackedTurn(std::atomic<uint32_t>& holder, Kind kind) : holder_(holder) {
        for (;;) {
            uint32_t found = kFree;
            has_ = holder_.compare_exchange_strong(found, kind);
            const bool tries_again = kind == kWaits || (kind == kAsks && found == kLifts);
            if (has_ || !tries_again) return;
            sys::sleep_us(kPollUs);
        }
    }
    ~TrackedTurn() {
        if (has_) holder_.store(kFree);
    }
    TrackedTurn(const TrackedTurn&) = delete;
    TrackedTurn& operator=(const TrackedTurn&) = delete;
    bool has() const { return has_; }

private:
    static constexpr uint64_t kPollUs = 20;

    std::atomic<uint32_t>& holder_;
    bool has_ = false;
};

}  // namespace damon
