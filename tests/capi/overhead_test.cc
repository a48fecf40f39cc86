// damon_attrs.max_overhead_permil on real workers: one that costs too much waits, and waits on nobody's account.
#include <time.h>

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
