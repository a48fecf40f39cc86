// Threads of the library's own: nothing of whoever makes them shows in them. And what a thread costs, and which one
// runs.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>

namespace damon {

// How a thread is to be.
struct ThreadOptions {
    static constexpr size_t kNameBytes = 16;  // the kernel's limit

    uint64_t stack_bytes = 0;            // 0: kStackBytes
    int32_t nice = 0;                    // 0: that of the process's first thread, if it may be had
    const uint64_t* cpu_mask = nullptr;  // null: the CPUs that the process may use
    size_t nr_cpu_words = 0;
    char name[kNameBytes] = {};
};

// A thread with a stack of its own, a guard page below it, SCHED_OTHER whatever its maker has, and all signals blocked
// but those that its own faults raise. The program's signals go to the program's threads.
class Thread {
public:
    // As much as programs expect of a thread, for their callbacks. What is not touched costs nothing.
    static constexpr uint64_t kStackBytes = 8 << 20;
    static constexpr uint64_t kSmallestStackBytes = 64 << 10;

    // 0 or a negative errno. Where static thread-local storage needs more than the stack has, it gets a larger one.
    int start(uint64_t stack_bytes, void* (*fn)(void*), void* data);
    // Waits for its end and gives the stack back.
    void join();
    // Processor time up to now, until it is joined; 0: not known.
    uint64_t cpu_ns() const;

private:
    int start_with(uint64_t stack_bytes, void* (*fn)(void*), void* data);

    pthread_t handle_{};
    void* stack_ = nullptr;
    size_t stack_bytes_ = 0;  // with its guard
};

// On the thread itself: name, CPUs, nice value. 0, or the negative errno of what could not be had; then `refused` says
// what that was.
int adopt_options(const ThreadOptions& options, const char*& refused);

// Processor time of the calling thread.
uint64_t thread_cpu_ns();
// The calling thread as the system numbers it.
int32_t thread_id();
// The calling thread as a number that no other living thread of this process has; never 0.
uintptr_t thread_token();

// While it lives the calling thread cannot be cancelled: a thread that ends inside of the library would keep its locks.
class NoCancel {
public:
    NoCancel() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~NoCancel() { pthread_setcancelstate(before_, nullptr); }
    NoCancel(const NoCancel&) = delete;
    NoCancel& operator=(const NoCancel&) = delete;

private:
    int before_ = 0;
};

}  // namespace damon
