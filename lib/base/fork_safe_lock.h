// A short lock for process-wide state that the monitor of several contexts shares. It is never held across a system
// call, and it survives fork: it holds the owner's process id, so a child sees that the owner is not of its process
// and takes the lock over. What it guards must be whole after every single store, or be given up by a child.
//
// Whoever waits sleeps: a thread of a real-time class that went on asking would keep the owner, who is not, off its CPU
// for ever.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "base/system.h"

namespace damon {

class ForkSafeLock {
public:
    // `self` is the caller's process id.
    void lock(pid_t self) {
        const auto mine = static_cast<uint32_t>(self);
        uint32_t seen = 0;
        unsigned tries = 0;
        while (!holder_.compare_exchange_weak(seen, mine, std::memory_order_acquire)) {
            if (seen != mine) continue;
            if (++tries > kTries) wait(mine);
            seen = 0;
        }
    }
    void unlock() {
        holder_.exchange(0);
        if (nr_waiters_.load() != 0) wake_all(holder_);
    }

private:
    // What it guards takes a microsecond or less, mostly.
    static constexpr unsigned kTries = 100;

    void wait(uint32_t mine) {
        nr_waiters_.fetch_add(1);
        sleep_while_equal(holder_, mine);
        nr_waiters_.fetch_sub(1);
    }

    std::atomic<uint32_t> holder_{0};
    std::atomic<uint32_t> nr_waiters_{0};  // more than there are in a child, which costs it a system call
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
