// Passes over accessed bits while the program, other contexts and the system do what they do: mappings are left as they
// were, and what could not be told is unknown.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "os/syscalls.h"
#include "pass_run.h"

namespace damon::test {
namespace {

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

// Who knows the whole program flags all of it.
TEST_F(Passes, AllPrivateMemoryMayBeStable) {
    if (!works_) return;
    const size_t all_before = mappings_in({0, UINT64_MAX});
    PassRun run;
    ASSERT_EQ(damon_ctx_set_coverage(run, DAMON_COVER_STABLE), 0);
    ASSERT_EQ(damon_ctx_add_target(run, damon_target_new()), 0);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.passes(8, [this] { read_windows(10, 3); });
    EXPECT_EQ(run.bytes(windows(10, 3), is_cold), 0u);
    EXPECT_GE(run.bytes(memory_.range(), is_cold), 27 * kWindowBytes * 9 / 10) << run.errmsg();
    ASSERT_EQ(run.stop(), 0);
    EXPECT_EQ(mappings_in(memory_.range()), mappings_before_);
    EXPECT_LE(mappings_in({0, UINT64_MAX}), all_before + 8) << "a few of the context's own";
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
