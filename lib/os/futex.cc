#include "os/futex.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace damon {

namespace {

// <linux/futex.h>, which the C library alone does not bring along.
constexpr int kPrivate = 128;
constexpr int kWakePrivate = 1 | kPrivate;
constexpr int kWaitBitsetPrivate = 9 | kPrivate;
constexpr uint32_t kMatchAny = ~uint32_t{0};

}  // namespace

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

bool futex_wait(const std::atomic<uint32_t>& word, uint32_t seen, uint64_t deadline_ns) {
    const timespec deadline = {static_cast<time_t>(deadline_ns / 1'000'000'000),
                               static_cast<long>(deadline_ns % 1'000'000'000)};
    const long result = syscall(SYS_futex, &word, kWaitBitsetPrivate, seen,
                                deadline_ns == kNoDeadline ? nullptr : &deadline, nullptr, kMatchAny);
    return result == 0 || errno != ETIMEDOUT;
}

void futex_wake_all(const std::atomic<uint32_t>& word) {
    syscall(SYS_futex, &word, kWakePrivate, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace damon
