// What the monitor promises of real memory, through the C interface: it finds what is hot, costs nothing while paused,
// and never gets in the way. The bounds on time are part of the promise: a few windows of the default attributes.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "damon_c.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kHeapBytes = 256 * kMiB;
constexpr size_t kHotStart = 96 * kMiB;
constexpr size_t kHotBytes = kHeapBytes / 10 / (2 * kMiB) * (2 * kMiB);
constexpr double kPromisedF1 = 0.9;
// An emulated machine is slower by an order of magnitude, and takes what its host takes for CPU time of its own; with a
// sanitizer a sample costs several times as much. There one per cent of a CPU is not enough, and no limit leaves the
// program too little.
const bool kEmulated = getenv("DAMON_IN_VM") != nullptr;
const bool kSlow = kEmulated || sanitized();
const auto kPromisedTime = std::chrono::seconds(kSlow ? 32 : 4);

enum class Touch { kReads, kWrites };

// Touches one byte of every page of a range again and again, until it is destroyed.
class Toucher {
public:
    Toucher(char* memory, size_t bytes, Touch touch)
        : thread_([this, memory, bytes, touch] {
              while (!done_) {
                  for (size_t at = 0; at < bytes; at += 4096) {
                      auto* byte = reinterpret_cast<volatile char*>(memory + at);
                      if (touch == Touch::kReads) {
                          static_cast<void>(*byte);
                      } else {
                          *byte = static_cast<char>(at);
                      }
                  }
                  std::this_thread::yield();
              }
          }) {}
    ~Toucher() {
        done_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> done_{false};
    std::thread thread_;
};

// A context over one range, default attributes, started.
class Monitor {
public:
    Monitor(const char* memory, size_t bytes) : ctx_(damon_ctx_new()) {
        const auto start = reinterpret_cast<uint64_t>(memory);
        const damon_addr_range range = {start, start + bytes};
        damon_target* target = damon_target_new();
        result_ = damon_target_set_regions(target, &range, 1);
        if (result_ == 0) result_ = damon_ctx_add_target(ctx_, target);
        if (result_ == 0) result_ = damon_ctx_set_ops(ctx_, DAMON_OPS_FVADDR);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        if (kSlow) attrs.max_overhead_permil = 200;
        if (result_ == 0) result_ = damon_ctx_set_attrs(ctx_, &attrs);
        if (result_ == 0) result_ = damon_start(&ctx_, 1, 0);
    }
    ~Monitor() { damon_ctx_free(ctx_); }
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    operator damon_ctx*() const { return ctx_; }
    int result() const { return result_; }

    // F1 of hot bytes in the last snapshot: a region is called hot from half of the possible accesses on.
    double f1(const char* hot_memory, size_t hot_bytes) {
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx_, regions_.data(), regions_.size(), &info);
        const auto hot_start = reinterpret_cast<uint64_t>(hot_memory);
        const uint64_t hot_end = hot_start + hot_bytes;
        uint64_t found = 0;
        uint64_t right = 0;
        for (int i = 0; i < nr; ++i) {
            const damon_region_info& region = regions_[static_cast<size_t>(i)];
            if (region.nr_accesses * 2 < info.max_nr_accesses) continue;
            found += region.end - region.start;
            const uint64_t start = std::max(region.start, hot_start);
            const uint64_t end = std::min(region.end, hot_end);
            right += start < end ? end - start : 0;
        }
        return 2.0 * static_cast<double>(right) / static_cast<double>(found + hot_bytes);
    }

    // Reads every snapshot until the promise is kept or its time is over; the best that was seen.
    double best_f1(const char* hot_memory, size_t hot_bytes) {
        const auto until = std::chrono::steady_clock::now() + kPromisedTime;
        double best = 0;
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        while (best < kPromisedF1 && std::chrono::steady_clock::now() < until) {
            if (damon_snapshot_wait(ctx_, info.seq, 500) == 0) best = std::max(best, f1(hot_memory, hot_bytes));
            damon_snapshot_read(ctx_, nullptr, 0, &info);
        }
        return best;
    }

private:
    damon_ctx* ctx_;
    int result_ = 0;
    std::vector<damon_region_info> regions_ = std::vector<damon_region_info>(8192);
};

struct SharedHeap {
    char* memory = static_cast<char*>(damon_shared_map(kHeapBytes));
    SharedHeap() {
        if (memory != nullptr) memset(memory, 1, kHeapBytes);
    }
    ~SharedHeap() { damon_shared_unmap(memory, kHeapBytes); }
    char* hot() const { return memory + kHotStart; }
};

bool sees_private_memory(std::string& reason) {
    damon_access_check_info info;
    damon_access_check_info_init(&info);
    EXPECT_EQ(damon_access_check_probe(DAMON_ACCESS_CHECK_AUTO, &info), 0);
    reason = info.reason;
    return info.available == 1 && (info.sees & DAMON_SEES_WRITES) != 0;
}

TEST(Monitor, FindsTheReadPartOfASharedHeap) {
    SharedHeap heap;
    ASSERT_NE(heap.memory, nullptr) << strerror(errno);
    const Toucher toucher(heap.hot(), kHotBytes, Touch::kReads);
    Monitor monitor(heap.memory, kHeapBytes);
    ASSERT_EQ(monitor.result(), 0);
    EXPECT_GE(monitor.best_f1(heap.hot(), kHotBytes), kPromisedF1);
}

// Runs in a child that gave up every privilege; the exit code says what happened.
enum Outcome : int { kFound = 0, kNotFound = 1, kNotUnprivileged = 2, kNotStarted = 3, kNoMemory = 4 };

int find_written_part(bool with_malloc) {
    constexpr unsigned kNobody = 65534;
    if (setgroups(0, nullptr) != 0 && geteuid() == 0) return kNotUnprivileged;
    if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return kNotUnprivileged;
    if (geteuid() == 0) return kNotUnprivileged;
    // As after an exec: changing the user took /proc/self from the process, which an unprivileged program has.
    if (prctl(PR_SET_DUMPABLE, 1) != 0) return kNotUnprivileged;
    void* memory = with_malloc ? malloc(kHeapBytes)
                               : mmap(nullptr, kHeapBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == nullptr || memory == MAP_FAILED) return kNoMemory;
    memset(memory, 1, kHeapBytes);
    char* const hot = static_cast<char*>(memory) + kHotStart;
    const Toucher toucher(hot, kHotBytes, Touch::kWrites);
    Monitor monitor(static_cast<char*>(memory), kHeapBytes);
    if (monitor.result() != 0) {
        char text[256] = "";
        damon_ctx_errmsg(monitor, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        return kNotStarted;
    }
    const double f1 = monitor.best_f1(hot, kHotBytes);
    if (f1 < kPromisedF1) fprintf(stderr, "best F1 %.3f\n", f1);
    return f1 >= kPromisedF1 ? kFound : kNotFound;
}

class Unprivileged : public testing::TestWithParam<bool> {};

TEST_P(Unprivileged, FindsTheWrittenPartOfPrivateMemory) {
    std::string reason;
    if (!sees_private_memory(reason)) return declared_skip("uffd-wp", reason);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(find_written_part(GetParam()));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), kFound);
}

INSTANTIATE_TEST_SUITE_P(Memory, Unprivileged, testing::Values(false, true),
                         [](const auto& given) { return given.param ? "Malloc" : "Mmap"; });

// Files full of a pattern, read into and written from monitored memory.
void expect_system_calls_work(char* memory, size_t bytes, damon_ctx* ctx, uint64_t nr_windows) {
    const int fd = memfd_create("copied", MFD_CLOEXEC);
    ASSERT_GE(fd, 0);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    damon_snapshot_read(ctx, nullptr, 0, &info);
    const uint64_t until = info.seq + nr_windows;
    std::vector<char> wanted(64 * 1024);
    uint64_t round = 0;
    while (damon_snapshot_wait(ctx, until, 0) == -ETIMEDOUT) {
        const size_t at = ++round * 7919 % (bytes / wanted.size()) * wanted.size();
        memset(wanted.data(), static_cast<int>(round), wanted.size());
        ASSERT_EQ(pwrite(fd, wanted.data(), wanted.size(), 0), static_cast<ssize_t>(wanted.size()));
        ASSERT_EQ(pread(fd, memory + at, wanted.size(), 0), static_cast<ssize_t>(wanted.size())) << strerror(errno);
        ASSERT_EQ(pwrite(fd, memory + at, wanted.size(), 0), static_cast<ssize_t>(wanted.size())) << strerror(errno);
        ASSERT_EQ(memcmp(memory + at, wanted.data(), wanted.size()), 0);
    }
    EXPECT_GT(round, 10u);
    close(fd);
}

TEST(Monitor, SystemCallsIntoMonitoredMemoryNeverFail) {
    SharedHeap heap;
    ASSERT_NE(heap.memory, nullptr);
    auto* private_memory =
        static_cast<char*>(mmap(nullptr, kHeapBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(private_memory, MAP_FAILED);
    memset(private_memory, 1, kHeapBytes);
    for (char* memory : {heap.memory, private_memory}) {
        Monitor monitor(memory, kHeapBytes);
        ASSERT_EQ(monitor.result(), 0);
        expect_system_calls_work(memory, kHeapBytes, monitor, kEmulated ? 3 : 10);
    }
    munmap(private_memory, kHeapBytes);
}

std::vector<damon_region_info> live_in_a_call(damon_ctx* ctx) {
    std::vector<damon_region_info> regions(8192);
    struct Given {
        damon_ctx* ctx;
        std::vector<damon_region_info>* regions;
    } given = {ctx, &regions};
    damon_call_control control;
    damon_call_control_init(&control);
    control.data = &given;
    control.fn = [](void* data) {
        const Given& self = *static_cast<Given*>(data);
        return damon_live_read(self.ctx, self.regions->data(), self.regions->size(), nullptr);
    };
    EXPECT_EQ(damon_call(ctx, &control), 0);
    EXPECT_GT(control.return_code, 0);
    regions.resize(static_cast<size_t>(std::max(control.return_code, 0)));
    return regions;
}

damon_ctx_stats stats_of(damon_ctx* ctx) {
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    EXPECT_EQ(damon_ctx_get_stats(ctx, &stats), 0);
    return stats;
}

TEST(Monitor, APauseOfTwoSecondsCostsNothingAndForgetsNothing) {
    SharedHeap heap;
    ASSERT_NE(heap.memory, nullptr);
    const Toucher toucher(heap.hot(), kHotBytes, Touch::kReads);
    Monitor monitor(heap.memory, kHeapBytes);
    ASSERT_EQ(monitor.result(), 0);
    ASSERT_GE(monitor.best_f1(heap.hot(), kHotBytes), kPromisedF1);

    ASSERT_EQ(damon_set_pause(monitor, 1), 0);
    const std::vector<damon_region_info> before = live_in_a_call(monitor);
    // Until the worker has lifted what was armed, in pieces with rests, and sleeps.
    damon_ctx_stats asleep = stats_of(monitor);
    for (int i = 0; i < 100; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        const uint64_t before_ns = asleep.cpu_ns;
        asleep = stats_of(monitor);
        if (asleep.cpu_ns == before_ns) break;
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));  // the promise is about this time
    const damon_ctx_stats awake = stats_of(monitor);
    EXPECT_EQ(awake.cpu_ns, asleep.cpu_ns);
    EXPECT_EQ(awake.nr_wakeups, asleep.nr_wakeups);
    EXPECT_EQ(awake.nr_intervals, asleep.nr_intervals);
    const std::vector<damon_region_info> after = live_in_a_call(monitor);
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(memcmp(after.data(), before.data(), before.size() * sizeof before[0]), 0);

    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    damon_snapshot_read(monitor, nullptr, 0, &info);
    ASSERT_EQ(damon_set_pause(monitor, 0), 0);
    // The window that the pause cut into, and the first whole one.
    const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(kPromisedTime);
    // A busy machine may keep the program from reading in one of them.
    double best = 0;
    for (uint64_t window = 1; window <= 4 && best < kPromisedF1; ++window) {
        ASSERT_EQ(damon_snapshot_wait(monitor, info.seq + window, static_cast<int32_t>(patience.count())), 0);
        best = std::max(best, monitor.f1(heap.hot(), kHotBytes));
    }
    EXPECT_GE(best, kPromisedF1);

    ASSERT_EQ(damon_set_pause(monitor, 1), 0);
    damon_ctx* group[] = {monitor};
    EXPECT_EQ(damon_stop(group, 1), 0);
    EXPECT_EQ(damon_is_running(monitor), 0);
}

}  // namespace
}  // namespace damon::test
