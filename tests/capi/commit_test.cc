// damon_commit_ctx from where it may be called, and what a refused one leaves.
#include <thread>

#include "support/heap_fault.h"
#include "toy.h"

namespace damon::test {
namespace {

using Where = ToyOps::Where;

// A stopped context with the parameters of `Context`, to be changed and committed.
class Source : public Context {
public:
    explicit Source(const std::function<void(damon_attrs&)>& change = {}) {
        damon_attrs attrs = quick_attrs();
        if (change) change(attrs);
        EXPECT_EQ(damon_ctx_set_attrs(*this, &attrs), 0);
    }
};

TEST(Commit, OfTheSameParametersChangesNothingA17) {
    const auto run = [](bool commits) {
        Context context(true);
        Source source;
        EXPECT_EQ(context.start(), 0);
        context.ops().hot_start = 100 * kPage;
        context.ops().hot_end = 120 * kPage;
        std::vector<std::vector<damon_region_info>> windows;
        for (int i = 0; i < 50; ++i) {
            context.step(5);
            if (commits) {
                EXPECT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_commit_ctx(context, source), 0); }), 0);
            }
            windows.push_back(snapshot_of(context));
        }
        return windows;
    };
    // The samples in flight are drawn anew after a commit: other addresses, the same coverage and counts per window.
    const auto with = run(true);
    ASSERT_EQ(with.size(), run(false).size());
    for (const auto& window : with) {
        uint64_t bytes = 0;
        for (const damon_region_info& region : window) bytes += region.end - region.start;
        EXPECT_EQ(bytes, 256 * kPage);
    }
    uint32_t most = 0;
    for (const damon_region_info& region : with.back()) most = std::max(most, region.nr_accesses);
    EXPECT_EQ(most, 5u) << "no sample of a window is lost to a commit between steps";
}

TEST(Commit, FromAnotherThreadReachesARunningContext) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 2);
    Source source([](damon_attrs& attrs) { attrs.max_nr_regions = 50; });
    ASSERT_EQ(damon_ctx_add_target(source, target_of({{1000 * kPage, 1010 * kPage}})), 0);
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    EXPECT_EQ(attrs_of(context).max_nr_regions, 50u);
    EXPECT_EQ(damon_ctx_nr_targets(context), 2u);
    EXPECT_EQ(damon_ctx_nr_schemes(context), 1u);
    pass_windows(context, 2);
    EXPECT_EQ(snapshot_of(context).back().end, 1010 * kPage);
    damos_stat stat;
    damos_stat_init(&stat);
    ASSERT_EQ(damon_ctx_get_scheme_stat(context, 0, &stat), 0);
    EXPECT_GT(stat.nr_tried, 0u);
    // The source is as it was, and can be committed again.
    EXPECT_EQ(damon_ctx_nr_targets(source), 2u);
    ASSERT_EQ(damon_target_set_obsolete(damon_ctx_target(source, 0), 1), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    EXPECT_EQ(damon_ctx_nr_targets(context), 1u);
    pass_windows(context, 2);
    EXPECT_EQ(snapshot_of(context).front().start, 1000 * kPage);
}

TEST(Commit, KeepsHandlesAndStatisticsByPositionA19A20) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    damos* const first = damon_ctx_scheme(context, 0);
    damon_target* const target = damon_ctx_target(context, 0);
    ASSERT_EQ(context.start(), 0);
    context.step(10);
    const Report before = report_of(context);
    Source source;
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of([](damos_params& p) { p.action = DAMOS_COLD; })), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    EXPECT_EQ(damon_ctx_nr_schemes(context), 1u);
    EXPECT_EQ(damon_ctx_scheme(context, 0), first);
    EXPECT_EQ(damon_ctx_scheme(context, 1), nullptr);
    EXPECT_EQ(damon_ctx_target(context, 0), target);
    const Report after = report_of(context);
    EXPECT_TRUE(after.live == before.live) << "regions, ages and counters stay";
    EXPECT_EQ(after.scheme_stats[0], before.scheme_stats[0]);
    damos_stat stat;
    damos_stat_init(&stat);
    EXPECT_EQ(damon_ctx_get_scheme_stat(context, 1, &stat), -EINVAL);
}

TEST(Commit, ARefusedOneLeavesEverythingBitIdenticalI13) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    context.step(23);
    const auto expect_refused = [&](damon_ctx* source, int error, const char* word) {
        const Report before = report_of(context);
        EXPECT_EQ(damon_commit_ctx(context, source), error) << word;
        EXPECT_NE(errmsg_of(context).find(word), std::string::npos) << errmsg_of(context);
        EXPECT_EQ(errmsg_of(context), errmsg_of(source));
        EXPECT_TRUE(report_of(context) == before) << word;
    };
    {
        Source source;
        damon_target* surplus = target_of({{1, 2}});
        ASSERT_EQ(damon_target_set_obsolete(surplus, 1), 0);
        ASSERT_EQ(damon_ctx_add_target(source, surplus), 0);
        expect_refused(source, -EINVAL, "obsolete");
    }
    {
        Source source;  // distinct pages for the user, one page for min_region_sz
        ASSERT_EQ(damon_ctx_remove_target(source, 0), 0);
        ASSERT_EQ(damon_ctx_add_target(source, target_of({{0x1000, 0x1400}, {0x1800, 0x2000}})), 0);
        expect_refused(source, -EINVAL, "range");
    }
    {
        Source source([](damon_attrs& attrs) { attrs.max_nr_regions = 2'000; });
        const damon::test::HeapFault fault(0);
        expect_refused(source, -ENOMEM, "memory");
    }
    const Report before = report_of(context);
    EXPECT_EQ(damon_commit_ctx(context, context), -EINVAL);
    EXPECT_EQ(damon_commit_ctx(context, nullptr), -EINVAL);
    EXPECT_EQ(damon_commit_ctx(nullptr, context), -EINVAL);
    Source running;
    ASSERT_EQ(running.start(), 0);
    EXPECT_EQ(damon_commit_ctx(context, running), -EBUSY);
    EXPECT_TRUE(report_of(context) == before);
}

TEST(Commit, IntoAStoppedContextHoldsForItsNextStart) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 2);
    ASSERT_EQ(context.stop(), 0);
    Source source([](damon_attrs& attrs) { attrs.aggr_us = 7000; });
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    EXPECT_EQ(damon_ctx_nr_schemes(context), 0u);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    damos_stat stat;
    damos_stat_init(&stat);
    ASSERT_EQ(damon_ctx_get_scheme_stat(context, 0, &stat), 0);
    EXPECT_EQ(stat.nr_tried, 0u) << "the scheme that was removed took its statistics with it";
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 1);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    EXPECT_EQ(damon_snapshot_read(context, nullptr, 0, &info), -ENOSPC);
    EXPECT_EQ(info.max_nr_accesses, 7u);
}

TEST(Commit, RemovingASchemeTakesItsStatisticsAndMovesTheOthersUp) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.pattern.min_age = UINT32_MAX; })), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    context.step(20);
    ASSERT_EQ(context.stop(), 0);
    const Report before = report_of(context);
    ASSERT_EQ(before.scheme_stats[0], 0u);
    ASSERT_GT(before.scheme_stats[5], 0u);
    ASSERT_EQ(damon_ctx_remove_scheme(context, 0), 0);
    EXPECT_EQ(report_of(context).scheme_stats[0], before.scheme_stats[5]);
    ASSERT_EQ(context.start(), 0);
    EXPECT_GE(report_of(context).scheme_stats[0], before.scheme_stats[5]) << "also in the next run";
}

TEST(Commit, FromEveryCallbackIsDoneAtOnceOrWhenItsStepEnds) {
    for (const bool manual : {false, true}) {
        for (const Where where : {Where::kInit, Where::kPrepare, Where::kCheck, Where::kApply, Where::kUpdate,
                                  Where::kValid, Where::kScore, Where::kDisarm}) {
            SCOPED_TRACE(static_cast<int>(where) + 100 * manual);
            Context context(manual);
            context.use_ops(true);
            damon_attrs attrs = quick_attrs();
            attrs.ops_update_us = 10'000;
            ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
            ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) {
                                               p.action = DAMOS_COLD;
                                               p.quota.sz = 4 * kPage;
                                               p.quota.weight_nr_accesses = 1;
                                           })),
                      0);
            // Two in a row in one callback, with lists that grow and shrink again: the later one wins.
            Source large([](damon_attrs& a) { a.max_nr_regions = 5000; });
            ASSERT_EQ(damon_ctx_add_target(large, target_of({{1000 * kPage, 2000 * kPage}})), 0);
            ASSERT_EQ(damon_ctx_add_scheme(large, scheme_of()), 0);
            ASSERT_EQ(damon_ctx_add_scheme(large, scheme_of()), 0);
            Source small([](damon_attrs& a) { a.max_nr_regions = 60; });
            std::atomic<bool> asked{false};
            std::atomic<bool> done{false};
            damon_ctx* const ctx = context;
            context.ops().hook = [&](Where now, damon_ctx*) {
                if (now != where || asked.exchange(true)) return;
                EXPECT_EQ(damon_commit_ctx(ctx, large), 0) << errmsg_of(ctx);
                EXPECT_EQ(damon_commit_ctx(ctx, small), 0) << errmsg_of(ctx);
                damon_attrs changed = attrs_of(ctx);
                changed.sample_us = 1000;
                changed.aggr_us = 4000;
                changed.max_nr_regions = 70;
                EXPECT_EQ(damon_ctx_set_attrs(ctx, &changed), 0);
                done = true;
            };
            ASSERT_EQ(context.start(), 0);
            const auto go_on = [&] { return manual ? context.step() : (std::this_thread::yield(), 0); };
            if (where == Where::kDisarm) {
                ASSERT_EQ(damon_set_pause(context, 1), 0);
            }
            const auto bounded = [&] { return stats_of(context).nr_intervals < 1000; };
            while (!done && bounded()) ASSERT_EQ(go_on(), 0);
            ASSERT_TRUE(done);
            ASSERT_EQ(damon_set_pause(context, 0), 0);
            while (attrs_of(context).max_nr_regions != 70 && bounded()) ASSERT_EQ(go_on(), 0);
            EXPECT_EQ(attrs_of(context).aggr_us, 4000u);
            EXPECT_EQ(damon_ctx_nr_targets(context), 1u);
            EXPECT_EQ(damon_ctx_nr_schemes(context), 0u);
            if (manual) {
                context.step(20);
            } else {
                pass_windows(context, 2);
            }
            EXPECT_EQ(context.stop(), 0);
        }
    }
}

TEST(Commit, InTheCallbacksAtARunsEndIsRefused) {
    for (const Where where : {Where::kDisarm, Where::kCleanup}) {
        Context context;
        Source source;
        int result = 0;
        damon_ctx* const ctx = context;
        std::atomic<bool> stopping{false};
        context.ops().hook = [&](Where now, damon_ctx*) {
            if (now == where && stopping && result == 0) result = damon_commit_ctx(ctx, source);
        };
        ASSERT_EQ(context.start(), 0);
        pass_windows(context, 1);
        stopping = true;
        ASSERT_EQ(context.stop(), 0);
        // A disarm in front of the end is an ordinary one.
        EXPECT_TRUE(result == -ECANCELED || (result == 0 && where == Where::kDisarm)) << result;
    }
}

TEST(Commit, ManyThreadsAtOnceComeOneAfterTheOther) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            Source source([&](damon_attrs& attrs) { attrs.max_nr_regions = 100 + i; });
            for (int n = 0; n < i; ++n) {
                EXPECT_EQ(damon_ctx_add_target(source, target_of({{(1000 + n) * kPage, (1001 + n) * kPage}})), 0);
                EXPECT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
            }
            for (int round = 0; round < 25; ++round) EXPECT_EQ(damon_commit_ctx(context, source), 0);
        });
    }
    for (std::thread& thread : threads) thread.join();
    // One of them was the last, and all of its parameters hold.
    const uint64_t last = attrs_of(context).max_nr_regions - 100;
    EXPECT_EQ(damon_ctx_nr_targets(context), 1 + last);
    EXPECT_EQ(damon_ctx_nr_schemes(context), last);
    pass_windows(context, 1);
}

TEST(Commit, RegionsSetInACallAreFittedAtOnceAndKeptForTheNextRun) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    damon_target* const target = damon_ctx_target(context, 0);
    const damon_addr_range range = {40 * kPage, 80 * kPage};
    EXPECT_EQ(damon_target_set_regions(target, &range, 1), -EBUSY) << "not on the worker";
    ASSERT_EQ(on_worker(context,
                        [&] {
                            EXPECT_EQ(damon_target_set_regions(target, &range, 1), 0);
                            EXPECT_EQ(live_regions_of(context).front().start, 40 * kPage);
                        }),
              0);
    for (int run = 0; run < 2; ++run) {
        pass_windows(context, 2);
        EXPECT_EQ(snapshot_of(context).front().start, 40 * kPage);
        EXPECT_EQ(snapshot_of(context).back().end, 80 * kPage);
        ASSERT_EQ(context.stop(), 0);
        ASSERT_EQ(context.start(), 0);
    }
}

TEST(Commit, InitMaySetRegionsOfTargetsThatHaveThem) {
    Context context(true);
    damon_ctx* const ctx = context;
    context.ops().hook = [&](Where where, damon_ctx*) {
        const damon_addr_range range = {5 * kPage, 9 * kPage};
        if (where == Where::kInit) {
            EXPECT_EQ(damon_target_set_regions(damon_ctx_target(ctx, 0), &range, 1), 0);
        }
        if (where == Where::kCheck) {
            EXPECT_EQ(damon_target_set_regions(damon_ctx_target(ctx, 0), &range, 1), -EBUSY);
        }
    };
    ASSERT_EQ(context.start(), 0);
    context.step(10);
    EXPECT_EQ(live_regions_of(context).front().start, 5 * kPage);
    EXPECT_EQ(live_regions_of(context).back().end, 9 * kPage);
}

}  // namespace
}  // namespace damon::test
