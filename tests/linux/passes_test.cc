// Passes over accessed bits: reads of private memory are seen where samples see writes only, and nothing that could not
// be told is called cold.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pass_run.h"

namespace damon::test {
namespace {

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

}  // namespace
}  // namespace damon::test
