// Passes over accessed bits: reads of private memory are seen where samples see writes only, and nothing that could not
// be told is called cold.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "damon_c.h"
#include "ops/linux/access/access_check_table.h"
#include "os/accessed_bits.h"
#include "os/proc_maps.h"
#include "os/syscalls.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr uint64_t kWindowBytes = 2u << 20;

// Mappings of this process in `range`.
size_t mappings_in(AddressRange range) {
    struct Count {
        AddressRange range;
        size_t nr;
    } count{range, 0};
    ProcMaps maps;
    uint64_t bad_lines = 0;
    EXPECT_EQ(maps.open(0), 0);
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* into = static_cast<Count*>(context);
        into->nr += mapping.range.intersects(into->range);
    };
    EXPECT_EQ(maps.read_all(visit, &count, bad_lines), 0);
    return count.nr;
}

// A manually driven context of one stable range, with a pass every `kPassSteps` steps of 5 ms.
class PassRun {
public:
    static constexpr uint64_t kSampleUs = 5'000;
    static constexpr int kPassSteps = 20;

    explicit PassRun(AddressRange range, int32_t check = DAMON_ACCESS_CHECK_AUTO) : range_(range) {
        EXPECT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
        EXPECT_EQ(damon_ctx_set_access_check(ctx_, check), 0);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.referenced_us = kPassSteps * kSampleUs;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0) << errmsg();
        EXPECT_EQ(damon_ctx_add_range(ctx_, pointer(), range.size(), DAMON_RANGE_STABLE), 0) << errmsg();
    }
    ~PassRun() { damon_ctx_free(ctx_); }
    PassRun(const PassRun&) = delete;
    PassRun& operator=(const PassRun&) = delete;
    operator damon_ctx*() { return ctx_; }

    void* pointer() const { return reinterpret_cast<void*>(range_.start); }
    int start() { return damon_start(&ctx_, 1, 0); }
    int stop() { return damon_stop(&ctx_, 1); }
    void passes(
        int count, const std::function<void()>& touch = [] {}) {
        for (int i = 0; i < count * kPassSteps; ++i) {
            touch();
            ASSERT_EQ(damon_step(ctx_, now_us_ += kSampleUs), 0);
        }
    }
    std::vector<damon_region_info> regions() {
        std::vector<damon_region_info> regions(1'100);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        EXPECT_GE(nr, 0);
        regions.resize(nr < 0 ? 0 : static_cast<size_t>(nr));
        return regions;
    }
    // Bytes of `part` in regions that `is` holds for.
    uint64_t bytes(AddressRange part, const std::function<bool(const damon_region_info&)>& is) {
        uint64_t sum = 0;
        for (const damon_region_info& region : regions()) {
            const AddressRange common = AddressRange{region.start, region.end}.intersection(part);
            if (!common.empty() && is(region)) sum += common.size();
        }
        return sum;
    }
    std::string errmsg() {
        char text[256] = {};
        damon_ctx_errmsg(ctx_, text, sizeof text);
        return text;
    }

private:
    damon_ctx* ctx_ = damon_ctx_new();
    AddressRange range_;
    uint64_t now_us_ = 0;
};

bool is_cold(const damon_region_info& region) {
    return (region.flags & (DAMON_REGION_UNKNOWN | DAMON_REGION_REFERENCED)) == DAMON_REGION_REFERENCED &&
           region.nr_accesses == 0 && region.age >= 3 && region.idle_us >= 300'000;
}

// Whether samples see reads too, so that nobody needs passes.
bool passes_are_needed() {
    if (access_check_probe(DAMON_ACCESS_CHECK_REFERENCED).available &&
        !access_check_probe(DAMON_ACCESS_CHECK_UFFD_RWP).available) {
        return true;
    }
    declared_skip("uffd-wp", "needs write protection alone");
    return false;
}

class Passes : public testing::Test {
protected:
    static constexpr size_t kWindows = 30;
    static constexpr size_t kPagesPerWindow = 512;

    void SetUp() override {
        works_ = passes_are_needed();
        memory_.fill();
        mappings_before_ = mappings_in(memory_.range());
    }
    AddressRange windows(size_t first, size_t count) const {
        const uint64_t start = memory_.range().start + first * kWindowBytes;
        return {start, start + count * kWindowBytes};
    }
    void read_windows(size_t first, size_t count) const {
        for (size_t page = first * kPagesPerWindow; page < (first + count) * kPagesPerWindow; ++page)
            memory_.read(page);
    }

    Memory memory_{kWindows * kPagesPerWindow, Kind::kAnonymous, kWindowBytes};
    bool works_ = false;
    size_t mappings_before_ = 0;
};

TEST_F(Passes, MemoryThatIsOnlyReadIsNotCalledCold) {
    if (!works_) return;
    PassRun run(memory_.range());
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(8, [this] { read_windows(10, 3); });
    EXPECT_EQ(run.bytes(windows(10, 3), is_cold), 0u);
    const uint64_t cold = run.bytes(windows(0, 10), is_cold) + run.bytes(windows(13, 17), is_cold);
    EXPECT_GE(cold, 27 * kWindowBytes * 95 / 100);
    const auto is_hot = [](const damon_region_info& region) {
        return (region.flags & DAMON_REGION_REFERENCED) != 0 && region.nr_accesses != 0 && region.idle_us == 0;
    };
    EXPECT_GE(run.bytes(windows(10, 3), is_hot), 3 * kWindowBytes * 95 / 100);
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(Passes, LeaveTheMappingsAsTheyWere) {
    if (!works_) return;
    PassRun run(memory_.range());
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(3);
    EXPECT_GE(mappings_in(memory_.range()), kWindows - 1);
    ASSERT_EQ(damon_set_pause(run, 1), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
    ASSERT_EQ(damon_set_pause(run, 0), 0);
    run.passes(3);
    EXPECT_GE(mappings_in(memory_.range()), kWindows - 1);
    ASSERT_EQ(run.stop(), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
}

// With samples most of it would be unknown: write protection would split its huge pages.
TEST_F(Passes, HugePagesAreKnownAndStayWhole) {
    if (!works_) return;
    ASSERT_EQ(madvise(memory_.data(), memory_.bytes(), MADV_DONTNEED), 0);
    ASSERT_EQ(madvise(memory_.data(), memory_.bytes(), MADV_HUGEPAGE), 0);
    memory_.fill();
    const long huge_kb = smaps_kb(memory_.range().start, "AnonHugePages");
    if (huge_kb < static_cast<long>(memory_.bytes() / 2048)) return declared_skip("huge-pages", "none to be had");
    PassRun run(memory_.range());
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(10, [this] { memory_.read(10 * kPagesPerWindow + 7); });
    const auto is_unknown = [](const damon_region_info& region) { return (region.flags & DAMON_REGION_UNKNOWN) != 0; };
    EXPECT_LE(run.bytes(memory_.range(), is_unknown), memory_.bytes() - static_cast<uint64_t>(huge_kb) * 1024);
    EXPECT_EQ(run.bytes(windows(10, 1), is_cold), 0u);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() / 2);
    ASSERT_EQ(run.stop(), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
    EXPECT_EQ(smaps_kb(memory_.range().start, "AnonHugePages"), huge_kb);
}

TEST_F(Passes, WithoutSamplesKnowTheSame) {
    if (!works_) return;
    PassRun run(memory_.range(), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(8, [this] { read_windows(10, 3); });
    EXPECT_EQ(run.bytes(windows(10, 3), is_cold), 0u);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), 27 * kWindowBytes * 95 / 100);
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    ASSERT_EQ(damon_ctx_get_stats(run, &stats), 0);
    EXPECT_EQ(stats.nr_samples, stats.nr_unknown_samples);
    ASSERT_EQ(run.stop(), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
}

TEST_F(Passes, OnlyMemoryThatIsUntouchedIsPagedOut) {
    if (!works_) return;
    PassRun run(memory_.range());
    damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.pattern.min_age = 3;
    ASSERT_EQ(damon_ctx_add_scheme(run, damos_new(&params)), 0) << run.errmsg();
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    const auto read = [this] { read_windows(10, 3); };
    run.passes(3, read);
    damos_stat stat;
    damos_stat_init(&stat);
    ASSERT_EQ(damon_ctx_get_scheme_stat(run, 0, &stat), 0);
    EXPECT_EQ(stat.sz_tried, 0u) << "two passes know of two intervals";
    for (int i = 0; i < 6; ++i) run.passes(1, read);
    ASSERT_EQ(damon_ctx_get_scheme_stat(run, 0, &stat), 0);
    EXPECT_GE(stat.sz_tried, 27 * kWindowBytes * 9 / 10);
    for (size_t page = 10 * kPagesPerWindow; page < 13 * kPagesPerWindow; ++page) {
        unsigned char in_memory = 0;
        ASSERT_EQ(mincore(memory_.data(page), page_bytes(), &in_memory), 0);
        ASSERT_EQ(in_memory & 1, 1) << page;
    }
    EXPECT_TRUE(memory_.is_as_filled());
}

// What is shared with a child cannot be cleared.
TEST_F(Passes, MemoryThatAChildSharesIsUnknown) {
    if (!works_) return;
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    PassRun run(memory_.range(), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(4);
    ASSERT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() / 2);
    const pid_t child = fork();
    if (child == 0) {
        char end = 0;
        close(pipe_fds[1]);
        (void)!read(pipe_fds[0], &end, 1);
        _exit(0);
    }
    ASSERT_GT(child, 0);
    run.passes(4);
    const auto is_shared = [](const damon_region_info& region) {
        return (region.flags & DAMON_REGION_UNKNOWN) != 0 && region.unknown_reason == DAMON_UNKNOWN_SHARED_WITH_CHILD;
    };
    EXPECT_EQ(run.bytes(memory_.range(), is_shared), memory_.bytes());
    EXPECT_EQ(run.bytes(memory_.range(), is_cold), 0u);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    run.passes(8);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() * 95 / 100);
}

TEST_F(Passes, LockedMemoryIsUnknown) {
    if (!works_) return;
    ASSERT_EQ(mlock(memory_.data(4 * kPagesPerWindow), kWindowBytes), 0);
    PassRun run(memory_.range(), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(8);
    const auto is_locked = [](const damon_region_info& region) {
        return (region.flags & DAMON_REGION_UNKNOWN) != 0 && region.unknown_reason == DAMON_UNKNOWN_LOCKED;
    };
    EXPECT_EQ(run.bytes(windows(4, 1), is_locked), kWindowBytes);
    EXPECT_EQ(run.bytes(windows(4, 1), is_cold), 0u);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() * 9 / 10);
    ASSERT_EQ(munlock(memory_.data(4 * kPagesPerWindow), kWindowBytes), 0);
}

// Nothing is there, which is not "cold".
TEST_F(Passes, MemoryThatWasNeverTouchedIsNotKnown) {
    if (!works_) return;
    ASSERT_EQ(madvise(memory_.data(4 * kPagesPerWindow), 4 * kWindowBytes, MADV_DONTNEED), 0);
    PassRun run(memory_.range(), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(8);
    EXPECT_EQ(run.bytes(windows(4, 4), is_cold), 0u);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() * 8 / 10);
}

TEST_F(Passes, ARangeThatIsRemovedIsOneMappingAgainAtOnce) {
    if (!works_) return;
    PassRun run(windows(0, 16));
    ASSERT_EQ(damon_ctx_add_range(run, memory_.data(20 * kPagesPerWindow), 8 * kWindowBytes, DAMON_RANGE_STABLE), 0);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(4);
    EXPECT_GE(mappings_in(memory_.range()), 23u);
    ASSERT_EQ(damon_ctx_remove_range(run, memory_.data(20 * kPagesPerWindow), 8 * kWindowBytes), 0);
    EXPECT_LE(mappings_in(windows(20, 8)), 1u);
    ASSERT_EQ(damon_ctx_remove_range(run, memory_.data(), 16 * kWindowBytes), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
    run.passes(2);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
    EXPECT_EQ(run.bytes(memory_.range(), is_cold), 0u);
}

// An excluded range is left alone; what it was cut out of goes on.
TEST_F(Passes, ExcludedMemoryHasNoWindows) {
    if (!works_) return;
    PassRun run(memory_.range(), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(3);
    ASSERT_EQ(damon_exclude(memory_.data(4 * kPagesPerWindow), 4 * kWindowBytes), 0);
    EXPECT_LE(mappings_in(windows(4, 4)), 1u);
    run.passes(6);
    EXPECT_LE(mappings_in(windows(4, 4)), 1u);
    EXPECT_EQ(run.bytes(windows(4, 4), is_cold), 0u);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() * 8 / 10);
    ASSERT_EQ(damon_include(memory_.data(4 * kPagesPerWindow), 4 * kWindowBytes), 0);
    run.passes(6);
    EXPECT_GE(run.bytes(windows(4, 4), is_cold), 4 * kWindowBytes * 9 / 10);
}

// It makes mappings of its own out of windows, and back again.
TEST_F(Passes, AWindowThatTheProgramCutsIsNotCalledCold) {
    if (!works_) return;
    PassRun run(memory_.range(), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(3);
    ASSERT_EQ(mprotect(memory_.data(4 * kPagesPerWindow + 8), 8 * page_bytes(), PROT_NONE), 0);
    run.passes(1);
    EXPECT_EQ(run.bytes(windows(4, 1), is_cold), 0u);
    ASSERT_EQ(mprotect(memory_.data(4 * kPagesPerWindow + 8), 8 * page_bytes(), PROT_READ | PROT_WRITE), 0);
    run.passes(6);
    EXPECT_GE(run.bytes(windows(4, 1), is_cold), kWindowBytes * 9 / 10);
    ASSERT_EQ(run.stop(), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
}

TEST_F(Passes, ACommitTurnsThemOnAndOff) {
    if (!works_) return;
    PassRun run(memory_.range());
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(4);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    const auto commit = [&](uint64_t referenced_us) {
        damon_ctx* source = damon_ctx_new();
        attrs.referenced_us = referenced_us;
        EXPECT_EQ(damon_ctx_set_attrs(source, &attrs), 0);
        EXPECT_EQ(damon_commit_ctx(run, source), 0) << run.errmsg();
        damon_ctx_free(source);
    };
    commit(0);
    run.passes(3);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
    EXPECT_EQ(run.bytes(memory_.range(), is_cold), 0u);
    damon_wss_result wss;
    damon_wss_result_init(&wss);
    wss.mode = 1;
    wss.interval_us = 1'000;
    EXPECT_EQ(damon_wss(run, &wss), 0) << "the bits are free";
    commit(PassRun::kPassSteps * PassRun::kSampleUs);
    run.passes(8);
    EXPECT_GE(mappings_in(memory_.range()), kWindows - 1);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() * 9 / 10);
    EXPECT_EQ(damon_wss(run, &wss), -EBUSY) << "it would clear what the pass wants to read";
}

// Each of them would clear what the other wants to read.
TEST_F(Passes, OneContextOfAProcessHasThem) {
    if (!works_) return;
    PassRun first(windows(5, 8));
    PassRun second(windows(0, 5));
    ASSERT_EQ(first.start(), 0) << first.errmsg();
    ASSERT_EQ(second.start(), 0) << second.errmsg();
    first.passes(1);
    second.passes(4);
    EXPECT_LE(mappings_in(windows(1, 3)), 1u);
    EXPECT_EQ(second.bytes(windows(0, 5), is_cold), 0u);
    EXPECT_NE(second.errmsg().find("another context"), std::string::npos) << second.errmsg();
    ASSERT_EQ(first.stop(), 0);
    second.passes(8);
    EXPECT_GE(second.bytes(windows(0, 5), is_cold), 5 * kWindowBytes * 9 / 10);
}

// The program may close any descriptor.
TEST_F(Passes, GoOnWithoutTheDescriptorsThatTheProgramCloses) {
    if (!works_) return;
    PassRun run(memory_.range());
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(3);
    for (int fd = 100; fd < 70'000; ++fd) close(fd);
    run.passes(10);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), memory_.bytes() * 9 / 10);
    ASSERT_EQ(run.stop(), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
}

// smaps is read from below: what takes long to read there holds the address space as long.
TEST_F(Passes, StopBelowAMappingThatTakesLongToRead) {
    if (!works_) return;
    PassRun run(windows(10, 8), DAMON_ACCESS_CHECK_REFERENCED);
    ASSERT_EQ(damon_ctx_add_range(run, memory_.data(), 2 * kWindowBytes, DAMON_RANGE_STABLE), 0);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(8);
    EXPECT_EQ(run.bytes(windows(10, 8), is_cold), 0u);
    EXPECT_NE(run.errmsg().find("small pages"), std::string::npos) << run.errmsg();
    ASSERT_EQ(damon_ctx_add_range(run, memory_.data(2 * kPagesPerWindow), 8 * kWindowBytes, DAMON_RANGE_STABLE), 0);
    run.passes(8);
    EXPECT_GE(run.bytes(windows(10, 8), is_cold), 8 * kWindowBytes * 9 / 10);
}

// Steps are made between samples; whatever comes in the middle of a pass finds the mappings and leaves them.
TEST_F(Passes, StopAndPauseInTheMiddleOfAPassLeaveTheMappingsAsTheyWere) {
    if (!works_) return;
    damon_ctx* ctx = damon_ctx_new();
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.referenced_us = 1'000;  // one after the other
    attrs.max_overhead_permil = 0;
    ASSERT_EQ(damon_ctx_set_attrs(ctx, &attrs), 0);
    ASSERT_EQ(damon_ctx_add_range(ctx, memory_.data(), memory_.bytes(), DAMON_RANGE_STABLE), 0);
    const auto wait_for_mappings = [this](bool split) {
        for (int i = 0; i < 5'000; ++i) {
            const size_t nr = mappings_in(memory_.range());
            if (split ? nr > kWindows / 2 : nr == mappings_before_) return true;
            usleep(1'000);
        }
        return false;
    };
    for (int round = 0; round < 6; ++round) {
        ASSERT_EQ(damon_start(&ctx, 1, 0), 0);
        ASSERT_TRUE(wait_for_mappings(true)) << round;
        usleep(static_cast<useconds_t>(round) * 3'000);
        ASSERT_EQ(damon_set_pause(ctx, 1), 0);
        ASSERT_TRUE(wait_for_mappings(false)) << round;
        ASSERT_EQ(damon_set_pause(ctx, 0), 0);
        ASSERT_TRUE(wait_for_mappings(true)) << round;
        usleep(static_cast<useconds_t>(round) * 2'000);
        ASSERT_EQ(damon_stop(&ctx, 1), 0);
        ASSERT_TRUE(wait_for_mappings(false)) << round;
    }
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    ASSERT_EQ(damon_ctx_get_stats(ctx, &stats), 0);
    EXPECT_GT(stats.referenced_cpu_ns, 0u);
    EXPECT_LT(stats.referenced_cpu_ns, stats.cpu_ns);
    damon_ctx_free(ctx);
    EXPECT_TRUE(memory_.is_as_filled());
}

// Fails every `fail_every`-th system call of one kind.
std::atomic<int> failing_call{-1};
std::atomic<int> failing_errno{0};
std::atomic<uint64_t> nr_calls{0};
int fail_some(sys::Call call) {
    if (static_cast<int>(call) != failing_call.load()) return 0;
    return nr_calls.fetch_add(1) % 5 == 3 ? failing_errno.load() : 0;
}

TEST_F(Passes, CallsThatFailMakeMemoryUnknownAndNeverCold) {
    if (!works_) return;
    const sys::Call calls[] = {sys::Call::kMadvise, sys::Call::kPread, sys::Call::kIoctl, sys::Call::kOpen,
                               sys::Call::kFcntl};
    for (const sys::Call call : calls) {
        for (const int error : {EAGAIN, ENOMEM, EINVAL}) {
            PassRun run(memory_.range());
            ASSERT_EQ(run.start(), 0) << run.errmsg();
            failing_call = static_cast<int>(call);
            failing_errno = error;
            sys::set_fault_hook(fail_some);
            run.passes(4, [this] { read_windows(10, 3); });
            const uint64_t hot_called_cold = run.bytes(windows(10, 3), is_cold);
            sys::set_fault_hook(nullptr);
            EXPECT_EQ(hot_called_cold, 0u) << static_cast<int>(call) << " " << error;
            ASSERT_EQ(run.stop(), 0);
            EXPECT_EQ(mappings_in(memory_.range()), mappings_before_) << static_cast<int>(call) << " " << error;
        }
    }
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST(PassRefusals, SayWhatIsWrong) {
    damon_ctx* ctx = damon_ctx_new();
    char text[256] = {};
    ASSERT_EQ(damon_ctx_set_access_check(ctx, DAMON_ACCESS_CHECK_REFERENCED), 0);
    damon_target* target = damon_target_new();
    ASSERT_EQ(damon_ctx_add_target(ctx, target), 0);
    EXPECT_EQ(damon_start(&ctx, 1, 0), -EINVAL);
    damon_ctx_errmsg(ctx, text, sizeof text);
    EXPECT_NE(std::string(text).find("referenced_us 0 must be above 0"), std::string::npos) << text;
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.referenced_us = 60'000'001;
    EXPECT_EQ(damon_ctx_set_attrs(ctx, &attrs), -EINVAL);
    attrs.referenced_us = 1'000'000;
    EXPECT_EQ(damon_ctx_set_attrs(ctx, &attrs), 0);
    ASSERT_EQ(damon_ctx_set_access_check(ctx, DAMON_ACCESS_CHECK_REPORT), 0);
    EXPECT_EQ(damon_start(&ctx, 1, 0), -EOPNOTSUPP);
    damon_ctx_free(ctx);
}

}  // namespace
}  // namespace damon::test
