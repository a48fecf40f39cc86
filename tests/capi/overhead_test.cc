// damon_attrs.max_overhead_permil on real workers: one that costs too much waits, and waits on nobody's account.
#include <time.h>

#include <chrono>
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

constexpr uint64_t kMs = 1'000'000;

uint64_t clock_ns(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Looking takes this much CPU time.
void make_dear(Context& context, uint64_t cpu_ns, uint64_t permil) {
    context.ops().hook = [cpu_ns](ToyOps::Where where, damon_ctx*) {
        if (where != ToyOps::Where::kCheck) return;
        const uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns;
        while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
        }
    };
    damon_attrs attrs = quick_attrs();
    attrs.max_overhead_permil = permil;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
}

TEST(Overhead, ADearWorkerTakesItsTime) {
    Context context;
    make_dear(context, 10 * kMs, 250);
    const uint64_t start = clock_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 6);  // 30 intervals
    const damon_ctx_stats stats = stats_of(context);
    // 29 x 10 ms are paid for, of these 100 ms in advance: 190 ms at a quarter of a CPU.
    EXPECT_GE(clock_ns(CLOCK_MONOTONIC) - start, 760 * kMs);
    EXPECT_GE(stats.nr_skipped_intervals, 600u) << "points of the grid of one millisecond";
}

TEST(Overhead, ACallDoesNotWaitForIt) {
    Context context;
    make_dear(context, 120 * kMs, 1);  // the second interval would end after 10 s or more
    ASSERT_EQ(context.start(), 0);
    const uint64_t start = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(on_worker(context, [] {}), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    ASSERT_EQ(context.stop(), 0);
    EXPECT_LT(clock_ns(CLOCK_MONOTONIC) - start, 8'000 * kMs);
}

// The next look would end after seconds; schemes and updates are due by the clock meanwhile.
TEST(Overhead, SchemesAndUpdatesGoByTheClockWhileTheNextLookIsPutOff_Q75) {
    Context context;
    make_dear(context, 60 * kMs, 5);
    std::atomic<uint64_t> nr_looks{0};
    context.ops().hook = [&, look = context.ops().hook](ToyOps::Where where, damon_ctx* ctx) {
        nr_looks += where == ToyOps::Where::kCheck;
        look(where, ctx);
    };
    damon_attrs attrs = attrs_of(context);
    attrs.aggr_us = 20 * attrs.sample_us;
    attrs.ops_update_us = 100'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(
        damon_ctx_add_scheme(context, scheme_of([](damos_params& params) { params.apply_interval_us = 200'000; })), 0);
    ASSERT_EQ(context.start(), 0);
    const auto passes = [&] {
        damos_stat stat;
        damos_stat_init(&stat);
        EXPECT_EQ(damon_ctx_get_scheme_stat(context, 0, &stat), 0);
        return stat.nr_snapshots;
    };
    // What may be spent in advance is spent.
    for (int i = 0; nr_looks < 2 && i < 3'000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_GE(nr_looks, 2u);
    const uint64_t looks = nr_looks;
    const uint64_t passes_before = passes();
    const uint64_t updates_before = context.ops().nr_updates;
    const uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const uint64_t slept_ms = (clock_ns(CLOCK_MONOTONIC) - begin) / kMs;
    EXPECT_LE(nr_looks - looks, 1u) << "the limit does not bind";
    EXPECT_GE(passes() - passes_before, slept_ms / 200 - 3);
    EXPECT_LE(passes() - passes_before, slept_ms / 200 + 1);
    EXPECT_GE(context.ops().nr_updates - updates_before, 1u) << "which have a quarter of the limit";
}

TEST(Overhead, IsChangedByACommitAndRefusedAboveOneCpu) {
    Context context;
    make_dear(context, 2 * kMs, 1);
    ASSERT_EQ(context.start(), 0);
    damon_attrs attrs = attrs_of(context);
    EXPECT_EQ(attrs.max_overhead_permil, 1u);
    attrs.max_overhead_permil = 1001;
    ASSERT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), -EINVAL); }), 0);
    EXPECT_NE(errmsg_of(context).find("max_overhead_permil 1001"), std::string::npos) << errmsg_of(context);
    attrs.max_overhead_permil = 0;
    ASSERT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), 0); }), 0);
    EXPECT_EQ(attrs_of(context).max_overhead_permil, 0u);
    pass_windows(context, 20);  // at 1/1,000 these would take more than a minute
}

}  // namespace
}  // namespace damon::test
