// damon_commit_ctx carries pause as every other parameter: dst is paused afterwards if and only if src is, with
// the guarantees of damon_set_pause (L-18 to L-21). And what a commit does not carry it refuses by name.
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

using Where = ToyOps::Where;

void set_paused(damon_ctx* ctx, bool paused) { ASSERT_EQ(damon_set_pause(ctx, paused), 0) << errmsg_of(ctx); }

// Whether the worker samples: a paused one takes no sample until it is resumed.
void expect_silent(Context& context) {
    EXPECT_EQ(damon_is_paused(context), 1);
    EXPECT_EQ(on_worker(context, [] {}), 0);  // a run that began paused has nothing to disarm, and does it all the same
    const damon_ctx_stats before = stats_of(context);
    const uint64_t disarms = context.ops().nr_disarms;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(on_worker(context, [] {}), 0);
    EXPECT_EQ(stats_of(context).nr_intervals, before.nr_intervals);
    EXPECT_EQ(stats_of(context).nr_samples, before.nr_samples);
    EXPECT_EQ(context.ops().nr_disarms, disarms) << "all was disarmed before";
}

void expect_sampling(Context& context) {
    EXPECT_EQ(damon_is_paused(context), 0);
    pass_windows(context, 1);
}

TEST(CommitPause, FromAnotherThreadReturnsWhenTheWorkerIsSilentOrHasResumed) {
    Context context;
    Context source;
    ASSERT_EQ(context.start(), 0);
    for (int round = 0; round < 20; ++round) {
        set_paused(source, true);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
        expect_silent(context);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << "idempotent";
        expect_silent(context);
        set_paused(source, false);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
        expect_sampling(context);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << "idempotent";
        expect_sampling(context);
    }
}

TEST(CommitPause, OfASourceThatIsNotPausedResumesWhatWasPausedOtherwise) {
    Context context;
    Context source;
    ASSERT_EQ(context.start(), 0);
    set_paused(context, true);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    expect_sampling(context);
}

TEST(CommitPause, IntoAStoppedContextSaysHowItsNextRunBegins) {
    Context context;
    Context source;
    set_paused(source, true);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    EXPECT_EQ(damon_is_paused(context), 1);
    ASSERT_EQ(context.start(), 0);
    expect_silent(context);
    EXPECT_EQ(stats_of(context).nr_intervals, 0u) << "L-21: no sample before";
    EXPECT_EQ(context.ops().nr_prepared, 0u);
    ASSERT_EQ(context.stop(), 0);
    set_paused(source, false);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    EXPECT_EQ(damon_is_paused(context), 0);
    ASSERT_EQ(context.start(), 0);
    expect_sampling(context);
}

TEST(CommitPause, AContextThatStartsPausedSaysSoAtOnceAndCanBeResumedAtOnce) {
    for (int round = 0; round < 50; ++round) {
        Context context;
        set_paused(context, true);
        ASSERT_EQ(context.start(), 0);
        ASSERT_EQ(damon_is_paused(context), 1);
        ASSERT_EQ(stats_of(context).nr_intervals, 0u);
        set_paused(context, false);
        ASSERT_EQ(damon_is_paused(context), 0);
        if (round == 0) pass_windows(context, 1);
    }
}

TEST(CommitPause, InsideACallItHoldsWhenTheCallsStepEnds) {
    for (const bool manual : {false, true}) {
        SCOPED_TRACE(manual);
        Context context(manual);
        Context source;
        ASSERT_EQ(context.start(), 0);
        const auto commit_in_call = [&](bool paused) {
            set_paused(source, paused);
            EXPECT_EQ(on_worker(context,
                                [&] {
                                    EXPECT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
                                    EXPECT_EQ(damon_is_paused(context), paused) << "what was asked for";
                                }),
                      0);
        };
        commit_in_call(true);
        if (!manual) {
            while (damon_is_paused(context) == 0) std::this_thread::yield();
        }
        if (manual) context.step(3);
        expect_silent(context);
        commit_in_call(false);
        if (manual) {
            const uint64_t intervals = stats_of(context).nr_intervals;
            context.step(2);
            EXPECT_GT(stats_of(context).nr_intervals, intervals);
        } else {
            while (damon_is_paused(context) == 1) std::this_thread::yield();
            expect_sampling(context);
        }
    }
}

TEST(CommitPause, InACallNoFurtherSampleIsTakenAfterItsStep) {
    Context context;
    Context source;
    set_paused(source, true);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 1);
    uint64_t intervals = 0;
    ASSERT_EQ(on_worker(context,
                        [&] {
                            EXPECT_EQ(damon_commit_ctx(context, source), 0);
                            intervals = stats_of(context).nr_intervals;
                        }),
              0);
    while (damon_is_paused(context) == 0) std::this_thread::yield();
    EXPECT_EQ(stats_of(context).nr_intervals, intervals);
}

TEST(CommitPause, FromCallbacksWhoseCommitIsPutOffItHoldsWhenTheStepEnds) {
    for (const bool manual : {false, true}) {
        for (const Where where :
             {Where::kInit, Where::kPrepare, Where::kCheck, Where::kApply, Where::kUpdate, Where::kValid}) {
            SCOPED_TRACE(static_cast<int>(where) + 100 * manual);
            Context context(manual);
            context.use_ops(true);
            Context source;
            damon_attrs attrs = quick_attrs();
            attrs.ops_update_us = 10'000;
            for (Context* each : {&context, &source}) {
                ASSERT_EQ(damon_ctx_set_attrs(*each, &attrs), 0);
                ASSERT_EQ(damon_ctx_add_scheme(*each, scheme_of([](damos_params& p) { p.action = DAMOS_COLD; })), 0);
            }
            set_paused(source, true);
            std::atomic<bool> asked{false};
            damon_ctx* const ctx = context;
            context.ops().hook = [&](Where now, damon_ctx*) {
                if (now != where || asked.exchange(true)) return;
                EXPECT_EQ(damon_commit_ctx(ctx, source), 0) << errmsg_of(ctx);
            };
            ASSERT_EQ(context.start(), 0);
            for (int i = 0; damon_is_paused(context) == 0 || !asked; ++i) {
                ASSERT_LT(i, 1'000'000);
                if (manual) {
                    context.step();
                } else {
                    std::this_thread::yield();
                }
            }
            expect_silent(context);
            ASSERT_EQ(context.stop(), 0);
        }
    }
}

TEST(CommitPause, ASetPauseThatComesAfterACommitThatWaitsWins) {
    for (const bool paused : {false, true}) {
        Context context(true);
        Context source;
        set_paused(source, !paused);
        std::atomic<bool> asked{false};
        damon_ctx* const ctx = context;
        context.ops().hook = [&](Where now, damon_ctx*) {
            if (now != Where::kCheck || asked.exchange(true)) return;
            EXPECT_EQ(damon_commit_ctx(ctx, source), 0);
            EXPECT_EQ(damon_set_pause(ctx, paused), 0);
        };
        ASSERT_EQ(context.start(), 0);
        context.step();
        EXPECT_TRUE(asked);
        EXPECT_EQ(damon_is_paused(context), paused);
    }
}

TEST(CommitPause, ARefusedCommitLeavesPauseAsItWas) {
    for (const bool paused : {false, true}) {
        Context context;
        ASSERT_EQ(context.start(), 0);
        set_paused(context, paused);
        Context source;
        damon_target* surplus = target_of({{1, 2}});
        ASSERT_EQ(damon_target_set_obsolete(surplus, 1), 0);
        ASSERT_EQ(damon_ctx_add_target(source, surplus), 0);
        set_paused(source, !paused);
        EXPECT_EQ(damon_commit_ctx(context, source), -EINVAL);
        EXPECT_EQ(damon_is_paused(context), paused);
        ASSERT_EQ(context.stop(), 0);
        EXPECT_EQ(damon_commit_ctx(context, source), -EINVAL);
        EXPECT_EQ(damon_is_paused(context), paused);
    }
}

TEST(CommitPause, NewAttributesOnTheWorkerLeavePauseAsItIs) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    set_paused(context, true);
    ASSERT_EQ(on_worker(context,
                        [&] {
                            const damon_attrs attrs = quick_attrs();
                            EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
                        }),
              0);
    expect_silent(context);
}

// The same commits with damon_set_pause round them: what was learned is bit for bit the same.
TEST(CommitPause, ARunPausedByCommitsEqualsOnePausedBySetPause) {
    const auto run = [](bool by_commit) {
        Context context(true);
        Context source;
        for (Context* each : {&context, &source}) EXPECT_EQ(damon_ctx_add_scheme(*each, scheme_of()), 0);
        EXPECT_EQ(context.start(), 0);
        std::vector<Report> reports;
        const auto turn = [&](bool paused) {
            set_paused(source, by_commit ? paused : true);
            if (!by_commit && paused) set_paused(context, true);
            EXPECT_EQ(damon_commit_ctx(context, source), 0);
            if (!by_commit && !paused) set_paused(context, false);
        };
        for (int i = 0; i < 200; ++i) {
            context.ops().hot_start = (40 + i / 10) * kPage;
            context.ops().hot_end = (60 + i / 10) * kPage;
            context.step();
            if (i % 7 == 3) {
                turn(true);
                context.step(i % 5, 100'000);
                turn(false);
            }
            reports.push_back(report_of(context));
            reports.back().targets.clear();  // handles of its own
            reports.back().schemes.clear();
        }
        return reports;
    };
    const std::vector<Report> set = run(false);
    const std::vector<Report> committed = run(true);
    ASSERT_EQ(set.size(), committed.size());
    for (size_t i = 0; i < set.size(); ++i) ASSERT_TRUE(set[i] == committed[i]) << "step " << i;
    EXPECT_GT(committed.back().seq, 30u);
}

TEST(CommitPause, APauseThatIsTakenBackWhileItIsWaitedForReturns) {
    Context context;
    std::atomic<bool> inside{false};
    std::atomic<bool> go_on{false};
    context.ops().hook = [&](Where where, damon_ctx*) {
        if (where != Where::kCheck || inside.exchange(true)) return;
        while (!go_on) std::this_thread::yield();
    };
    ASSERT_EQ(context.start(), 0);
    while (!inside) std::this_thread::yield();
    std::atomic<bool> returned{false};
    std::thread pauser([&] {
        EXPECT_EQ(damon_set_pause(context, 1), 0);
        returned = true;
    });
    // is_paused tells of the worker; that the pause was asked for shows when it is taken back: once is not enough.
    while (!returned) {
        EXPECT_EQ(damon_set_pause(context, 0), 0);
        std::this_thread::yield();
    }
    go_on = true;
    pauser.join();
    EXPECT_EQ(damon_is_paused(context), 0);
}

TEST(CommitMembers, OtherOperationsAreRefusedByNameWhileItRunsAndTakenOverWhenStopped) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    damon_ctx* source = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(source, target_of({kToyRange})), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << "never chosen: " << errmsg_of(context);
    ASSERT_EQ(damon_ctx_set_ops(source, DAMON_OPS_FVADDR), 0);
    EXPECT_EQ(damon_commit_ctx(context, source), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("ops_id of the source is DAMON_OPS_FVADDR"), std::string::npos)
        << errmsg_of(context);
    EXPECT_NE(errmsg_of(context).find("DAMON_OPS_CUSTOM"), std::string::npos);
    ASSERT_EQ(context.stop(), 0);
    const uint64_t inits = context.ops().nr_inits;
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    (void)context.start();  // whether this machine can see accesses or not: the program's operations are not asked
    EXPECT_EQ(context.ops().nr_inits, inits);
    Context custom;
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_commit_ctx(source, custom), -EINVAL) << "a table of functions belongs to its context";
    EXPECT_NE(errmsg_of(source).find("damon_ctx_set_custom_ops()"), std::string::npos) << errmsg_of(source);
    damon_ctx_free(source);
}

TEST(CommitMembers, AnotherAccessCheckIsRefusedByNameWhileItRunsAndTakenOverWhenStopped) {
    Context context;
    Context source;
    ASSERT_EQ(damon_ctx_set_access_check(source, DAMON_ACCESS_CHECK_REPORT), 0);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damon_commit_ctx(context, source), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("access check of the source is report"), std::string::npos) << errmsg_of(context);
    ASSERT_EQ(context.stop(), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damon_commit_ctx(context, source), 0) << "the same now: " << errmsg_of(context);
    Context silent;  // never chose one
    EXPECT_EQ(damon_commit_ctx(context, silent), 0);
}

TEST(CommitMembers, TheSmallestRegionIsCarriedAndTheUnitToo) {
    Context context;
    Context source;
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_ctx_set_min_region_sz(source, 32 * kPage), 0);
    ASSERT_EQ(damon_ctx_set_addr_unit(source, 4), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    pass_windows(context, 3);
    for (const damon_region_info& region : snapshot_of(context)) {
        EXPECT_EQ(region.start % (32 * kPage), 0u);
        EXPECT_EQ(region.end % (32 * kPage), 0u);
    }
}

}  // namespace
}  // namespace damon::test
