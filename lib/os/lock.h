// Mutex and condition on plain pthreads: neither allocates, and waits are against CLOCK_MONOTONIC.
#pragma once

#include <pthread.h>

#include <cstdint>

namespace damon {

class Mutex {
public:
    Mutex() { pthread_mutex_init(&handle_, nullptr); }
    ~Mutex() { pthread_mutex_destroy(&handle_); }
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    void lock() { pthread_mutex_lock(&handle_); }
    void unlock() { pthread_mutex_unlock(&handle_); }

private:
    friend class Condition;
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

class Condition {
public:
    Condition() {
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&handle_, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    ~Condition() { pthread_cond_destroy(&handle_); }
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    void notify_all() { pthread_cond_broadcast(&handle_); }
    // The mutex is held by the caller, as everywhere; wake-ups may be spurious.
    void wait(Mutex& mutex) { pthread_cond_wait(&handle_, &mutex.handle_); }
    // False when `deadline_ns` of CLOCK_MONOTONIC has passed.
    bool wait_until(Mutex& mutex, uint64_t deadline_ns) {
        const timespec deadline = {static_cast<time_t>(deadline_ns / 1'000'000'000),
                                   static_cast<long>(deadline_ns % 1'000'000'000)};
        return pthread_cond_timedwait(&handle_, &mutex.handle_, &deadline) == 0;
    }

private:
    pthread_cond_t handle_;
};

// The lock that everything shared between a worker and its callers is under, and who waits on it.
struct WorkerSync {
    Mutex mutex;
    Condition worker;   // the worker waits: sleeping, paused, or at its watermarks
    Condition callers;  // callers wait: for a call, a walk, a pause, a snapshot, the start, the end
};

}  // namespace damon
