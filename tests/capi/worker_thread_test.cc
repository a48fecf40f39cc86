// The worker as a thread of the program: nothing of its maker shows in it, and nobody that waits for it can be
// cancelled.
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

std::vector<int> cpus_of(pid_t thread) {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(sched_getaffinity(thread, sizeof set, &set), 0);
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
    return cpus;
}

damon_worker_attr worker_attr() {
    damon_worker_attr attr;
    damon_worker_attr_init(&attr);
    return attr;
}

size_t stack_bytes_of_caller(size_t* guard_bytes = nullptr) {
    pthread_attr_t attributes;
    EXPECT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    void* stack = nullptr;
    size_t bytes = 0;
    EXPECT_EQ(pthread_attr_getstack(&attributes, &stack, &bytes), 0);
    pthread_attr_destroy(&attributes);
    if (guard_bytes != nullptr) {
        // The page below cannot be written to: mincore() knows it, and a write would be a fault.
        unsigned char resident = 0;
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        int ends[2];
        EXPECT_EQ(pipe(ends), 0);
        char* below = static_cast<char*>(stack) - page;
        const bool mapped = mincore(below, page, &resident) == 0;
        const bool readable = write(ends[1], below, 1) == 1;
        *guard_bytes = mapped && !readable ? page : 0;
        close(ends[0]);
        close(ends[1]);
    }
    return bytes;
}

TEST(Worker, LeavesSignalsOfItsOwnFaultsOpenAndBlocksAllOthers) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(on_worker(context,
                        [] {
                            sigset_t blocked;
                            ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &blocked), 0);
                            for (const int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
                                EXPECT_EQ(sigismember(&blocked, open), 0) << open;
                            }
                            for (const int closed : {SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGPROF, SIGPIPE}) {
                                EXPECT_EQ(sigismember(&blocked, closed), 1) << closed;
                            }
                        }),
              0);
}

thread_local sigjmp_buf barrier;

TEST(Worker, ACallbackMayRunIntoTheBarrierOfACollector) {
    struct sigaction handler {};
    struct sigaction before {};
    handler.sa_handler = [](int) { siglongjmp(barrier, 1); };
    ASSERT_EQ(sigaction(SIGSEGV, &handler, &before), 0);
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* const guarded = mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Context context;
    ASSERT_EQ(context.start(), 0);
    std::atomic<bool> handled{false};
    ASSERT_EQ(on_worker(context,
                        [&] {
                            if (sigsetjmp(barrier, 1) == 0) {
                                *static_cast<volatile char*>(guarded) = 1;
                            } else {
                                handled = true;
                            }
                        }),
              0);
    EXPECT_TRUE(handled);
    ASSERT_EQ(context.stop(), 0);
    munmap(guarded, page);
    sigaction(SIGSEGV, &before, nullptr);
}

TEST(Worker, HasAStackOfItsOwnWithAGuardWhateverItsMakerHas) {
    Context context;
    Context small;
    damon_worker_attr attr = worker_attr();
    attr.stack_bytes = 65536;
    ASSERT_EQ(damon_ctx_set_worker_attr(small, &attr), 0);
    // The default of threads is small here, as in programs with thousands of them.
    pthread_attr_t before;
    pthread_attr_t tiny;
    ASSERT_EQ(pthread_getattr_default_np(&before), 0);
    ASSERT_EQ(pthread_attr_init(&tiny), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&tiny, static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN))), 0);
    ASSERT_EQ(pthread_setattr_default_np(&tiny), 0);
    EXPECT_EQ(context.start(), 0);
    EXPECT_EQ(small.start(), 0);
    ASSERT_EQ(pthread_setattr_default_np(&before), 0);
    ASSERT_EQ(on_worker(context,
                        [] {
                            size_t guard_bytes = 0;
                            EXPECT_GE(stack_bytes_of_caller(&guard_bytes), size_t{8} << 20);
                            EXPECT_GT(guard_bytes, 0u);
                            volatile char deep[1 << 20];
                            deep[0] = 1;
                            deep[sizeof deep - 1] = 1;
                        }),
              0);
    ASSERT_EQ(on_worker(small,
                        [] {
                            EXPECT_GE(stack_bytes_of_caller(), 65536u);
                            EXPECT_LE(stack_bytes_of_caller(), 1u << 20);
                        }),
              0);
    pass_windows(small, 2);
}

TEST(Worker, RunsWhereTheProcessMayAndNotWhereItsMakerIsHeld) {
    const std::vector<int> all = cpus_of(getpid());
    Context context;
    std::thread maker([&] {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(all.back(), &one);
        ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof one, &one), 0);
        EXPECT_EQ(context.start(), 0);
    });
    maker.join();
    EXPECT_EQ(cpus_of(damon_kdamond_tid(context)), all);
}

TEST(Worker, IsAnOrdinaryThreadAlsoUnderARealTimeMaker) {
    Context context;
    std::atomic<bool> real_time{false};
    std::thread maker([&] {
        const sched_param priority = {.sched_priority = 1};
        real_time = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;
        EXPECT_EQ(context.start(), 0);
    });
    maker.join();
    // Without the right to be one the maker was ordinary, and so is the worker.
    EXPECT_EQ(sched_getscheduler(damon_kdamond_tid(context)), SCHED_OTHER) << "real-time maker: " << real_time;
}

TEST(WorkerAttr, SetsNameNiceValueAndCpus) {
    Context context;
    const int cpu = cpus_of(getpid()).front();
    damon_worker_attr attr = worker_attr();
    attr.nice = 7;
    std::vector<uint64_t> mask(static_cast<size_t>(cpu) / 64 + 1);
    mask.back() = uint64_t{1} << (cpu % 64);
    attr.cpu_mask = mask.data();
    attr.nr_cpu_words = mask.size();
    strcpy(attr.name, "watcher");
    ASSERT_EQ(damon_ctx_set_worker_attr(context, &attr), 0) << errmsg_of(context);
    mask.assign(mask.size(), 0);  // it was copied
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    const int32_t tid = damon_kdamond_tid(context);
    EXPECT_EQ(cpus_of(tid), std::vector<int>{cpu});
    EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(tid)), 7);
    ASSERT_EQ(on_worker(context,
                        [] {
                            char name[16];
                            EXPECT_EQ(pthread_getname_np(pthread_self(), name, sizeof name), 0);
                            EXPECT_STREQ(name, "watcher");
                        }),
              0);
    EXPECT_EQ(damon_ctx_set_worker_attr(context, &attr), -EBUSY);
    ASSERT_EQ(context.stop(), 0);
    Context other;
    ASSERT_EQ(damon_commit_ctx(other, context), 0) << errmsg_of(other);
    ASSERT_EQ(other.start(), 0);
    EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(damon_kdamond_tid(other))), 7) << "a commit carries it";
}

TEST(WorkerAttr, WhatIsOutOfRangeIsRefusedByName) {
    Context context;
    const auto expect_refused = [&](const damon_worker_attr& attr, const char* word) {
        EXPECT_EQ(damon_ctx_set_worker_attr(context, &attr), -EINVAL) << word;
        EXPECT_NE(errmsg_of(context).find(word), std::string::npos) << errmsg_of(context);
    };
    damon_worker_attr attr = worker_attr();
    attr.nice = 20;
    expect_refused(attr, "nice is 20");
    attr = worker_attr();
    attr.stack_bytes = 65535;
    expect_refused(attr, "stack_bytes is 65535");
    attr = worker_attr();
    attr.nr_cpu_words = 1;
    expect_refused(attr, "cpu_mask is NULL");
    const uint64_t none = 0;
    attr.cpu_mask = &none;
    expect_refused(attr, "names no CPU");
    attr = worker_attr();
    memset(attr.name, 'x', sizeof attr.name);
    expect_refused(attr, "name");
    EXPECT_EQ(damon_ctx_set_worker_attr(context, nullptr), -EINVAL);
    EXPECT_EQ(damon_ctx_set_worker_attr(nullptr, &attr), -EINVAL);
    // A mask of CPUs that this machine does not have is found out by the system.
    const uint64_t absent[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, uint64_t{1} << 63};
    attr = worker_attr();
    attr.cpu_mask = absent;
    attr.nr_cpu_words = 16;
    ASSERT_EQ(damon_ctx_set_worker_attr(context, &attr), 0);
    EXPECT_EQ(context.start(), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("cpu_mask"), std::string::npos) << errmsg_of(context);
    EXPECT_EQ(damon_is_running(context), 0);
}

// Cancels a thread that is inside `wait`, and lets `release` end the wait.
template <typename Wait, typename Release>
void cancel_inside(Wait wait, Release release) {
    std::atomic<bool> begun{false};
    struct Job {
        Wait& wait;
        std::atomic<bool>& begun;
    } job = {wait, begun};
    pthread_t thread;
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* data) -> void* {
                      Job& given = *static_cast<Job*>(data);
                      given.begun = true;
                      given.wait();
                      pthread_testcancel();
                      return data;
                  },
                  &job),
              0);
    while (!begun) std::this_thread::yield();
    for (int i = 0; i < 200; ++i) std::this_thread::yield();
    ASSERT_EQ(pthread_cancel(thread), 0);
    release();
    void* result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, PTHREAD_CANCELED) << "it is cancelled as soon as it is outside";
}

#if defined(__SANITIZE_ADDRESS__)
// A cancelled thread leaves its frames without a word to the sanitizer, which then takes its own stack variables at the
// end of the thread, those for the alternate signal stack, for frames of before.
extern "C" const char* __asan_default_options() { return "use_sigaltstack=0"; }
#endif

TEST(Cancel, OfAThreadInsideOfTheLibraryLeavesTheContextWhole) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    cancel_inside([&] { EXPECT_EQ(damon_snapshot_wait(context, 0, -1), 0); },
                  [&] { EXPECT_EQ(damon_set_pause(context, 0), 0); });
    std::atomic<bool> go_on{false};
    cancel_inside(
        [&] {
            EXPECT_EQ(on_worker(context,
                                [&] {
                                    while (!go_on) std::this_thread::yield();
                                }),
                      0);
        },
        [&] { go_on = true; });
    go_on = false;
    std::atomic<bool> inside{false};
    std::thread busy([&] {
        EXPECT_EQ(on_worker(context,
                            [&] {
                                inside = true;
                                while (!go_on) std::this_thread::yield();
                            }),
                  0);
    });
    while (!inside) std::this_thread::yield();
    cancel_inside([&] { EXPECT_EQ(context.stop(), 0); }, [&] { go_on = true; });
    busy.join();
    EXPECT_EQ(damon_is_running(context), 0);
    ASSERT_EQ(context.start(), 0) << "its locks are free, its thread was joined";
    pass_windows(context, 1);
}

// What the library keeps open of /proc must not end with the thread that opened it.
TEST(Manual, GoesOnAfterTheThreadThatStartedItHasEnded) {
    damon_ctx* ctx = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(ctx, damon_target_new()), 0);
    ASSERT_EQ(damon_ctx_set_ops(ctx, DAMON_OPS_VADDR), 0);
    ASSERT_EQ(damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL), 0);
    int started = -1;
    std::thread([&] { started = damon_start(&ctx, 1, 0); }).join();
    ASSERT_EQ(started, 0) << errmsg_of(ctx);
    // Shared, so that accesses are seen on every kernel.
    constexpr size_t kBytes = 32 << 20;
    auto* late = static_cast<char*>(damon_shared_map(kBytes));
    ASSERT_NE(late, nullptr);
    const auto begin = reinterpret_cast<uint64_t>(late);
    const auto seen_bytes = [&] {
        std::vector<damon_region_info> regions(2000);
        const int nr = damon_snapshot_read(ctx, regions.data(), regions.size(), nullptr);
        uint64_t bytes = 0;
        for (int i = 0; i < nr; ++i) {
            const damon_region_info& region = regions[static_cast<size_t>(i)];
            const bool inside = region.start >= begin && region.end <= begin + kBytes;
            if (inside && region.nr_accesses != 0) bytes += region.end - region.start;
        }
        return bytes;
    };
    uint64_t now_us = 0;
    for (int interval = 0; interval < 4'000 && seen_bytes() < kBytes / 2; ++interval) {
        for (size_t at = 0; at < kBytes; at += 4096) late[at] = 1;
        ASSERT_EQ(damon_step(ctx, now_us += 5'000), 0);
    }
    EXPECT_GE(seen_bytes(), kBytes / 2);
    EXPECT_EQ(damon_stop(&ctx, 1), 0);
    damon_ctx_free(ctx);
    damon_shared_unmap(late, kBytes);
}

TEST(Cancel, OfTheWorkerByACallbackOfItsOwnDoesNothing) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(on_worker(context,
                        [] {
                            pthread_cancel(pthread_self());
                            pthread_testcancel();
                        }),
              0);
    pass_windows(context, 2);
    EXPECT_EQ(context.stop(), 0);
}

}  // namespace
}  // namespace damon::test
