// A short lock for process-wide state that the monitor of several contexts shares. It is never held across a system
// call, and it survives fork: it holds the owner's process id, so a child sees that the owner is not of its process
// and takes the lock over. What it guards must be whole after every single store, or be given up by a child.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "base/system.h"

namespace damon {

class ForkSafeLock {
public:
    // `self` is the caller's process id.
    void lock(pid_t self) {
        pid_t seen = 0;
        while (!holder_.compare_exchange_weak(seen, self, std::memory_order_acquire)) {
            if (seen != self) continue;
            yield_processor();
            seen = 0;
        }
    }
    void unlock() { holder_.store(0, std::memory_order_release); }

private:
    std::atomic<pid_t> holder_{0};
};

class LockGuard {
public:
    LockGuard(ForkSafeLock& lock, pid_t self) : lock_(lock) { lock_.lock(self); }
    ~LockGuard() { lock_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

private:
    ForkSafeLock& lock_;
};

}  // namespace damon
