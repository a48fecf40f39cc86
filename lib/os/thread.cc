#include "os/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/system.h"

namespace damon {
namespace {

constexpr uint64_t kLargestStackBytes = uint64_t{1} << 30;

uint64_t read_clock(clockid_t clock) {
    timespec used{};
    if (clock_gettime(clock, &used) != 0) return 0;
    return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(used.tv_nsec);
}

// Signals that a thread's own faults raise stay open: a callback may run into the barrier of the program's collector.
void block_others_signals(sigset_t& before) {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&blocked, signal);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
}

int create(pthread_t& handle, pthread_attr_t& attributes, void* (*fn)(void*), void* data) {
    sigset_t before;
    block_others_signals(before);
    int error = pthread_create(&handle, &attributes, fn, data);
    if (error == EPERM) {
        // A sandbox without sched_setscheduler(): the maker's policy is better than no thread.
        pthread_attr_setinheritsched(&attributes, PTHREAD_INHERIT_SCHED);
        error = pthread_create(&handle, &attributes, fn, data);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return error;
}

// The CPUs of the process are those of its first thread: the maker may have been moved to a single one.
int set_cpus(const ThreadOptions& options) {
    uint64_t words[128] = {};  // 8,192 CPUs
    if (options.cpu_mask != nullptr) {
        const long result =
            syscall(SYS_sched_setaffinity, 0, options.nr_cpu_words * sizeof(uint64_t), options.cpu_mask);
        return result == 0 ? 0 : -errno;
    }
    const long bytes = syscall(SYS_sched_getaffinity, getpid(), sizeof words, words);
    if (bytes > 0) (void)syscall(SYS_sched_setaffinity, 0, static_cast<size_t>(bytes), words);
    return 0;
}

}  // namespace

int Thread::start(uint64_t stack_bytes, void* (*fn)(void*), void* data) {
    uint64_t bytes = std::max(stack_bytes == 0 ? kStackBytes : stack_bytes, kSmallestStackBytes);
    int error = start_with(bytes, fn, data);
    while (error == -EINVAL && bytes < kLargestStackBytes) error = start_with(bytes *= 2, fn, data);
    return error;
}

int Thread::start_with(uint64_t stack_bytes, void* (*fn)(void*), void* data) {
    const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const size_t usable = (stack_bytes + page_bytes - 1) / page_bytes * page_bytes;
    const size_t whole = usable + page_bytes;
    // Pages of our own, which no context watches; huge pages would make a stack of what is touched of it.
    void* stack = map_pages(whole);
    if (stack == nullptr) return -ENOMEM;
    (void)madvise(stack, whole, MADV_NOHUGEPAGE);
    pthread_attr_t attributes;
    int error = mprotect(stack, page_bytes, PROT_NONE) == 0 ? pthread_attr_init(&attributes) : errno;
    if (error == 0) {
        const sched_param priority{};
        error = pthread_attr_setstack(&attributes, static_cast<char*>(stack) + page_bytes, usable);
        if (error == 0) error = pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
        if (error == 0) error = pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
        if (error == 0) error = pthread_attr_setschedparam(&attributes, &priority);
        if (error == 0) error = create(handle_, attributes, fn, data);
        pthread_attr_destroy(&attributes);
    }
    if (error != 0) {
        unmap_pages(stack, whole);
        return -error;
    }
    stack_ = stack;
    stack_bytes_ = whole;
    return 0;
}

void Thread::join() {
    pthread_join(handle_, nullptr);
    unmap_pages(stack_, stack_bytes_);
    stack_ = nullptr;
}

uint64_t Thread::cpu_ns() const {
    clockid_t clock = 0;
    return pthread_getcpuclockid(handle_, &clock) == 0 ? read_clock(clock) : 0;
}

int adopt_options(const ThreadOptions& options, const char*& refused) {
    pthread_setname_np(pthread_self(), options.name);
    refused = "cpu_mask";
    if (const int error = set_cpus(options); error != 0) return error;
    refused = "nice";
    const auto self = static_cast<id_t>(thread_id());
    const auto process = static_cast<id_t>(getpid());
    const int nice = options.nice != 0 ? options.nice : getpriority(PRIO_PROCESS, process);
    if (setpriority(PRIO_PROCESS, self, nice) != 0 && options.nice != 0) return -errno;
    return 0;
}

uint64_t thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

int32_t thread_id() { return static_cast<int32_t>(syscall(SYS_gettid)); }

uintptr_t thread_token() { return reinterpret_cast<uintptr_t>(reinterpret_cast<void*>(pthread_self())); }

}  // namespace damon
