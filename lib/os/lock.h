// Mutex and condition that neither allocate nor invert priorities: whoever waits for a mutex lends its holder its own.
// Waits are against CLOCK_MONOTONIC, and no cancellation point.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "os/futex.h"

namespace damon {

class Mutex {
public:
    Mutex() {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
        if (pthread_mutex_init(&handle_, &attributes) != 0) pthread_mutex_init(&handle_, nullptr);
        pthread_mutexattr_destroy(&attributes);
    }
    ~Mutex() { pthread_mutex_destroy(&handle_); }
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    void lock() { pthread_mutex_lock(&handle_); }
    void unlock() { pthread_mutex_unlock(&handle_); }

private:
    pthread_mutex_t handle_;
};

// Holds a mutex for a scope; may be let go and taken again within it.
class Lock {
public:
    explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
    ~Lock() {
        if (held_) mutex_.unlock();
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    void unlock() {
        held_ = false;
        mutex_.unlock();
    }
    void relock() {
        mutex_.lock();
        held_ = true;
    }

private:
    Mutex& mutex_;
    bool held_ = true;
};

// A count of notifications that threads sleep on: the C library's condition hands a mutex that inherits priorities over
// ten times as slowly. The mutex is held by the caller, as everywhere.
class Condition {
public:
    Condition() = default;
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    void notify_all() {
        notifications_.fetch_add(1, std::memory_order_release);
        if (nr_waiters_ > 0) futex_wake_all(notifications_);
    }
    // Wake-ups may be spurious.
    void wait(Mutex& mutex) { wait_until(mutex, kNoDeadline); }
    // False when `deadline_ns` of CLOCK_MONOTONIC has passed.
    bool wait_until(Mutex& mutex, uint64_t deadline_ns) {
        const uint32_t seen = notifications_.load(std::memory_order_acquire);
        ++nr_waiters_;
        mutex.unlock();
        const bool in_time = futex_wait(notifications_, seen, deadline_ns);
        mutex.lock();
        --nr_waiters_;
        return in_time;
    }

private:
    std::atomic<uint32_t> notifications_{0};
    uint32_t nr_waiters_ = 0;  // under the mutex
};

// The lock that everything shared between a worker and its callers is under, and who waits on it.
struct WorkerSync {
    Mutex mutex;
    Condition worker;   // the worker waits: sleeping, paused, or at its watermarks
    Condition callers;  // callers wait: for a call, a walk, a pause, a snapshot, the start, the end
};

}  // namespace damon
