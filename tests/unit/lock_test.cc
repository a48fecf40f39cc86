// The locks: whoever waits sleeps, and lends its priority to the holder.
#include "os/lock.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/fork_safe_lock.h"
#include "os/thread.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(ForkSafeLock, IsHeldByOneThreadAtATime) {
    ForkSafeLock lock;
    uint64_t count = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 20'000; ++n) {
                const LockGuard guard(lock, getpid());
                ++count;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(count, 80'000u);
}

TEST(ForkSafeLock, WhoeverWaitsSleeps) {
    ForkSafeLock lock;
    lock.lock(getpid());
    std::atomic<bool> begun{false};
    std::atomic<uint64_t> waited_cpu_ns{0};
    std::thread waiter([&] {
        const uint64_t before = thread_cpu_ns();
        begun = true;
        lock.lock(getpid());
        waited_cpu_ns = thread_cpu_ns() - before;
        lock.unlock();
    });
    while (!begun) std::this_thread::yield();
    const uint64_t end = thread_cpu_ns() + 100 * kMs;
    while (thread_cpu_ns() < end) {
    }
    lock.unlock();
    waiter.join();
    // It asks once a millisecond; one that yields or spins takes as much as there is.
    EXPECT_LT(waited_cpu_ns, 20 * kMs);
}

TEST(ForkSafeLock, OfAnotherProcessIsTakenOver) {
    ForkSafeLock lock;
    lock.lock(getpid() + 1);
    lock.lock(getpid());
    lock.unlock();
}

TEST(Condition, WaitsForNotificationsAndForTime) {
    Mutex mutex;
    Condition condition;
    const auto now_ns = [] {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
    };
    bool told = false;
    std::thread teller;
    {
        Lock lock(mutex);
        const uint64_t deadline = now_ns() + 3 * kMs;
        while (condition.wait_until(mutex, deadline)) {
        }
        EXPECT_GE(now_ns(), deadline);
        EXPECT_FALSE(condition.wait_until(mutex, 1)) << "long ago";
        teller = std::thread([&] {
            const Lock inner(mutex);
            told = true;
            condition.notify_all();
        });
        while (!told) condition.wait(mutex);
    }
    teller.join();
}

// As the kernel shows it: below 0 for real-time threads, and for those that one of them lends its priority to.
int priority_of(int32_t thread) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    FILE* file = fopen(path, "r");
    if (file == nullptr) return 0;
    int priority = 0;
    const int found = fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d", &priority);
    fclose(file);
    return found == 1 ? priority : 0;
}

TEST(Mutex, WhoeverWaitsLendsItsPriority) {
    Mutex mutex;
    std::atomic<int32_t> holder_id{0};
    std::atomic<bool> let_go{false};
    std::thread holder([&] {
        const Lock lock(mutex);
        holder_id = thread_id();
        while (!let_go) std::this_thread::yield();
    });
    while (holder_id == 0) std::this_thread::yield();
    std::atomic<int> refused{-1};
    std::thread waiter([&] {
        const sched_param priority = {.sched_priority = 1};
        refused = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
        const Lock lock(mutex);
    });
    while (refused < 0) std::this_thread::yield();
    const uint64_t end = thread_cpu_ns() + 5'000 * kMs;
    bool lent = false;
    while (refused == 0 && !lent && thread_cpu_ns() < end) lent = priority_of(holder_id) < 0;
    let_go = true;
    holder.join();
    waiter.join();
    if (refused != 0) return declared_skip("real-time", "pthread_setschedparam(SCHED_FIFO)");
    EXPECT_TRUE(lent);
}

}  // namespace
}  // namespace damon::test
