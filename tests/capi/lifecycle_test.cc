// Starts and stops, several contexts, ends on their own, manual drive, walks.
#include <sys/resource.h>

#include <memory>
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

using Where = ToyOps::Where;

TEST(Lifecycle, AStoppedContextKeepsItsParametersAndStartsAgain) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    uint64_t seq = 0;
    for (int run = 1; run <= 3; ++run) {
        ASSERT_EQ(context.start(), 0);
        EXPECT_EQ(damon_nr_running_ctxs(), 1);
        EXPECT_GT(damon_kdamond_tid(context), 0);
        pass_windows(context, 2);
        ASSERT_EQ(context.stop(), 0);
        ASSERT_EQ(context.stop(), 0);
        EXPECT_EQ(damon_nr_running_ctxs(), 0);
        EXPECT_EQ(damon_kdamond_tid(context), 0);
        EXPECT_EQ(damon_ctx_nr_targets(context), 1u);
        EXPECT_EQ(damon_ctx_nr_schemes(context), 1u);
        EXPECT_TRUE(live_regions_of(context).empty()) << "learned regions go";
        const uint64_t before = seq;
        EXPECT_FALSE(snapshot_of(context, &seq).empty());
        EXPECT_GE(seq, before + 2) << "numbers go on";
        EXPECT_EQ(context.ops().nr_inits, static_cast<uint64_t>(run));
        EXPECT_EQ(context.ops().nr_cleanups, static_cast<uint64_t>(run));
    }
}

TEST(Lifecycle, AllOfAGroupStartOrNoneA1) {
    Context first;
    Context second;
    Context third;
    damon_ctx* group[] = {first, second, third};
    EXPECT_EQ(damon_start(group, 0, 1), 0);
    EXPECT_EQ(damon_start(group, -1, 0), -EINVAL);
    damon_ctx* twice[] = {first, second, first};
    EXPECT_EQ(damon_start(twice, 3, 0), -EINVAL);
    third.ops().init_result = -EIO;
    EXPECT_EQ(damon_start(group, 3, 0), -EIO);
    EXPECT_NE(errmsg_of(third).find(std::to_string(-EIO)), std::string::npos);
    for (damon_ctx* ctx : group) EXPECT_EQ(damon_is_running(ctx), 0);
    EXPECT_EQ(damon_nr_running_ctxs(), 0);
    EXPECT_EQ(first.ops().nr_cleanups, 1u);
    EXPECT_EQ(third.ops().nr_cleanups, 0u) << "only where init succeeded";
    third.ops().init_result = 7;
    EXPECT_EQ(damon_start(group, 3, 1), -EINVAL) << "a positive answer of init is no success";
    third.ops().init_result = 0;
    ASSERT_EQ(damon_start(group, 3, 1), 0);
    EXPECT_EQ(damon_nr_running_ctxs(), 3);
    EXPECT_EQ(damon_stop(group, 3), 0);
}

TEST(Lifecycle, ExclusiveContextsRunAloneA28) {
    Context alone;
    Context other;
    ASSERT_EQ(alone.start(1), 0);
    EXPECT_EQ(other.start(0), -EBUSY);
    EXPECT_EQ(other.start(1), -EBUSY);
    EXPECT_NE(errmsg_of(other).find("exclusive"), std::string::npos);
    ASSERT_EQ(damon_start(nullptr, 0, 1), 0) << "none is no context";
    ASSERT_EQ(alone.stop(), 0);
    ASSERT_EQ(other.start(0), 0);
    EXPECT_EQ(alone.start(1), -EBUSY);
    ASSERT_EQ(alone.start(0), 0);
    EXPECT_EQ(damon_nr_running_ctxs(), 2);
}

TEST(Lifecycle, TwoThreadsStartOneContextOnce) {
    for (int round = 0; round < 50; ++round) {
        Context context;
        std::atomic<int> started{0};
        std::atomic<int> busy{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                damon_ctx* group[] = {context};
                const int result = damon_start(group, 1, 0);
                EXPECT_TRUE(result == 0 || result == -EBUSY) << result;
                ++(result == 0 ? started : busy);
            });
        }
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(started, 1);
        EXPECT_EQ(damon_is_running(context), 1) << "who came second did not stop what the first began";
        EXPECT_EQ(context.ops().nr_inits, 1u);
    }
    EXPECT_EQ(damon_nr_running_ctxs(), 0);
}

TEST(Lifecycle, StopDuringAStartWaitsForItAndStopsIt) {
    for (const int init_result : {0, -EIO}) {
        Context context;
        std::atomic<bool> inside{false};
        std::atomic<bool> leave{false};
        context.ops().init_result = init_result;
        context.ops().hook = [&](Where where, damon_ctx*) {
            if (where != Where::kInit) return;
            inside = true;
            while (!leave) std::this_thread::yield();
        };
        std::thread starter([&] {
            damon_ctx* group[] = {context};
            EXPECT_EQ(damon_start(group, 1, 0), init_result);
        });
        while (!inside) std::this_thread::yield();
        std::thread stopper([&] {
            damon_ctx* group[] = {context};
            EXPECT_EQ(damon_stop(group, 1), 0);
        });
        EXPECT_EQ(damon_ctx_set_seed(context, 5), -EBUSY);
        leave = true;
        starter.join();
        stopper.join();
        EXPECT_EQ(damon_is_running(context), 0);
        EXPECT_EQ(damon_nr_running_ctxs(), 0);
    }
}

TEST(Lifecycle, AStopEndsWithItsRunWhereOthersStartTheNextAtOnce) {
    Context context;
    std::atomic<bool> done{false};
    // The runs are paused: none that a stop waits for by mistake ever ends by itself.
    std::vector<std::thread> starters;
    for (int i = 0; i < 2; ++i) {
        starters.emplace_back([&] {
            while (!done) {
                if (context.start() == 0) damon_set_pause(context, 1);
            }
        });
    }
    std::vector<std::thread> stoppers;
    for (int i = 0; i < 2; ++i) {
        stoppers.emplace_back([&] {
            for (int nr = 0; nr < 2000; ++nr) EXPECT_EQ(context.stop(), 0);
        });
    }
    for (std::thread& thread : stoppers) thread.join();
    done = true;
    for (std::thread& thread : starters) thread.join();
    EXPECT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_nr_running_ctxs(), 0);
}

TEST(Lifecycle, AWorkerWithoutAValidTargetEndsOnItsOwnL16) {
    Context context;
    context.use_ops(true);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 1);
    context.ops().valid = false;
    EXPECT_EQ(damon_snapshot_wait(context, UINT64_MAX, -1), -ECANCELED);
    EXPECT_EQ(damon_is_running(context), 0);
    EXPECT_EQ(damon_nr_running_ctxs(), 0);
    EXPECT_EQ(on_worker(context, [] {}), -ECANCELED);
    EXPECT_EQ(context.ops().nr_cleanups, 1u);
    context.ops().valid = true;
    ASSERT_EQ(context.start(), 0) << "without a stop in between";
    pass_windows(context, 1);
    ASSERT_EQ(context.stop(), 0);
}

TEST(Lifecycle, WhyAWorkerEndedIsInTheMessage) {
    Context context(true);
    context.use_ops(true);
    ASSERT_EQ(context.start(), 0);
    context.step(2);
    context.ops().valid = false;
    EXPECT_EQ(context.step(), -ECANCELED);
    EXPECT_NE(errmsg_of(context).find("none of its 1 targets"), std::string::npos) << errmsg_of(context);
    EXPECT_EQ(context.step(), -ECANCELED);
    EXPECT_EQ(damon_is_running(context), 0);
    EXPECT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_step(context, 1'000'000), -EINVAL) << "not started";
}

TEST(Lifecycle, TimeOfAManualContextDoesNotGoBack) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damon_step(context, 1000), 0);
    EXPECT_EQ(damon_step(context, 999), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("999"), std::string::npos);
    EXPECT_EQ(damon_step(context, 1000), 0);
    Context threaded;
    ASSERT_EQ(threaded.start(), 0);
    EXPECT_EQ(damon_step(threaded, 5000), -EINVAL);
}

TEST(Lifecycle, TimeOfAManualContextMayBeginAnywhere) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    uint64_t last_ns = 0;
    // Across the moment after which nanoseconds have no room in 64 bits, and up to the last microsecond.
    for (const uint64_t from : {UINT64_MAX / 1000 - 10'000, UINT64_MAX - 20'000}) {
        for (uint64_t now = from; now < from + 20'000; now += 1000) {
            ASSERT_EQ(damon_step(context, now), 0);
            damon_snapshot_info info;
            damon_snapshot_info_init(&info);
            std::vector<damon_region_info> regions(1000);
            ASSERT_GE(damon_snapshot_read(context, regions.data(), regions.size(), &info), 0);
            EXPECT_GE(info.time_ns, last_ns);
            last_ns = info.time_ns;
        }
    }
    EXPECT_EQ(last_ns, UINT64_MAX);
}

// What the first step is told says when the run began: an interval before, whatever clock it is.
TEST(Lifecycle, TimeOfAManualContextBeginsWithItsFirstStep) {
    for (const uint64_t from : {uint64_t{1000}, uint64_t{10'800'000'000}}) {
        Context context(true);
        damos_params params;
        damos_params_init(&params);
        params.apply_interval_us = 10'000;
        ASSERT_EQ(damon_ctx_add_scheme(context, damos_new(&params)), 0);
        ASSERT_EQ(context.start(), 0);
        for (uint64_t now = from; now < from + 25'000; now += 1000) ASSERT_EQ(damon_step(context, now), 0);
        damos_stat stat;
        damos_stat_init(&stat);
        ASSERT_EQ(damon_ctx_get_scheme_stat(context, 0, &stat), 0);
        EXPECT_EQ(stat.nr_snapshots, 2u) << "after 10 and 20 ms, since " << from;
        std::vector<damon_region_info> regions(1000);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(context, regions.data(), regions.size(), &info);
        ASSERT_GT(nr, 0);
        for (int i = 0; i < nr; ++i) EXPECT_EQ(regions[i].idle_us, 25'000u) << "nothing was accessed";
        damon_state_info state;
        damon_state_info_init(&state);
        ASSERT_EQ(damon_ctx_get_state(context, &state), 0);
        EXPECT_EQ(state.since_ns, (from - 1000) * 1000);
        ASSERT_EQ(context.stop(), 0);
        // The next run, too; its first window is as long as its others.
        ASSERT_EQ(context.start(), 0);
        for (uint64_t now = 2 * from; now < 2 * from + 5000; now += 1000) ASSERT_EQ(damon_step(context, now), 0);
        ASSERT_GT(damon_snapshot_read(context, regions.data(), regions.size(), &info), 0);
        EXPECT_EQ(info.window_us, 5000u);
    }
}

TEST(Lifecycle, OneThreadStepsAtATime) {
    Context context(true);
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    context.ops().hook = [&](Where where, damon_ctx*) {
        if (where != Where::kCheck) return;
        inside = true;
        while (!leave) std::this_thread::yield();
    };
    ASSERT_EQ(context.start(), 0);
    std::thread stepper([&] { EXPECT_EQ(damon_step(context, 1000), 0); });
    while (!inside) std::this_thread::yield();
    EXPECT_EQ(damon_step(context, 2000), -EBUSY);
    std::thread caller([&] { EXPECT_EQ(on_worker(context, [] {}), 0) << "waits for its turn"; });
    std::thread pauser([&] { EXPECT_EQ(damon_set_pause(context, 1), 0); });
    leave = true;
    stepper.join();
    caller.join();
    pauser.join();
    EXPECT_EQ(damon_is_paused(context), 1);
}

damos_walk_control walk_of(std::vector<damon_region_info>& seen) {
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.data = &seen;
    control.walk_fn = [](void* data, damon_ctx*, const damon_region_info* r, size_t, uint64_t) {
        static_cast<std::vector<damon_region_info>*>(data)->push_back(*r);
    };
    return control;
}

TEST(Walk, ReportsEveryRegionThatSchemesActOnOnceA13A14) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    std::vector<damon_region_info> seen;
    std::atomic<bool> ended{false};
    std::thread walker([&] {
        damos_walk_control control = walk_of(seen);
        EXPECT_EQ(damos_walk(context, &control), 0);
        EXPECT_EQ(control.canceled, 0);
        ended = true;
    });
    while (!ended) ASSERT_EQ(context.step(), 0);
    walker.join();
    uint64_t at = kToyRange.start;
    for (const damon_region_info& region : seen) {
        EXPECT_EQ(region.start, at);
        at = region.end;
    }
    EXPECT_EQ(at, kToyRange.end);
}

TEST(Walk, IsRefusedOrCancelledWhereItCannotBeServed) {
    Context context;
    std::vector<damon_region_info> seen;
    damos_walk_control control = walk_of(seen);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED) << "not running";
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED) << "no schemes";
    EXPECT_EQ(control.canceled, 1);
    ASSERT_EQ(context.stop(), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.apply_interval_us = 3'600'000'000; })),
              0);
    ASSERT_EQ(context.start(), 0);
    std::thread walker([&] { EXPECT_EQ(damos_walk(context, &control), -ECANCELED) << "stopped meanwhile"; });
    pass_windows(context, 2);
    ASSERT_EQ(context.stop(), 0);
    walker.join();
    EXPECT_TRUE(seen.empty());
}

// What no step could serve is refused without one: nobody need step this context.
TEST(Walk, OfAManuallyDrivenContextIsRefusedWhereNoStepServesIt) {
    Context context(true);
    std::vector<damon_region_info> seen;
    damos_walk_control control = walk_of(seen);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED) << "no schemes";
    EXPECT_EQ(control.canceled, 1);
    Context source(true);
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED) << "paused";
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    std::atomic<int> result{1};
    std::thread walker([&] { result = damos_walk(context, &control); });
    Context no_schemes(true);
    while (result == 1) {
        ASSERT_EQ(damon_commit_ctx(context, no_schemes), 0) << "its schemes go: the walk ends without a step";
        ASSERT_EQ(damon_commit_ctx(context, source), 0);
    }
    walker.join();
    EXPECT_EQ(result, -ECANCELED);
    EXPECT_TRUE(seen.empty());
}

TEST(Walk, OfAManuallyDrivenContextAtItsWatermarksIsRefused) {
    Context context(true);
    ASSERT_EQ(damon_ctx_set_ops(context, DAMON_OPS_FVADDR), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) {
                                       p.wmarks.metric = DAMOS_WMARK_FREE_MEM_RATE;
                                       p.wmarks.high = p.wmarks.mid = p.wmarks.low = 1000;
                                       p.wmarks.interval_us = 3'600'000'000;
                                   })),
              0);
    ASSERT_EQ(context.start(), 0);
    std::vector<damon_region_info> seen;
    damos_walk_control control = walk_of(seen);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED);
    ASSERT_EQ(context.step(), 0);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED);
}

TEST(Walk, OnlyOneIsPendingI11) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    std::atomic<int> served{0};
    std::atomic<int> busy{0};
    std::vector<std::thread> walkers;
    for (int i = 0; i < 2; ++i) {
        walkers.emplace_back([&] {
            std::vector<damon_region_info> seen;
            damos_walk_control control = walk_of(seen);
            const int result = damos_walk(context, &control);
            EXPECT_TRUE(result == 0 || result == -EBUSY) << result;
            ++(result == 0 ? served : busy);
        });
    }
    while (busy == 0 && served == 0) std::this_thread::yield();  // one found the other pending
    EXPECT_EQ(busy, 1);
    while (served == 0) ASSERT_EQ(context.step(), 0);
    for (std::thread& walker : walkers) walker.join();
}

TEST(Walk, WaitsOfSchemesForTheirWatermarksEndIt) {
    Context context;
    // Free memory is never above 1000 permil: always inactive. Custom operations know no free memory: always active.
    ASSERT_EQ(damon_ctx_set_ops(context, DAMON_OPS_FVADDR), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) {
                                       p.wmarks.metric = DAMOS_WMARK_FREE_MEM_RATE;
                                       p.wmarks.high = p.wmarks.mid = p.wmarks.low = 1000;
                                       p.wmarks.interval_us = 3'600'000'000;
                                   })),
              0);
    ASSERT_EQ(context.start(), 0);
    std::vector<damon_region_info> seen;
    damos_walk_control control = walk_of(seen);
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED);
    // At its watermarks for an hour, it still serves calls, commits, pauses and the stop.
    for (int i = 0; i < 10; ++i) EXPECT_EQ(on_worker(context, [] {}), 0);
    EXPECT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damon_set_pause(context, 0), 0);
    Context source;
    ASSERT_EQ(damon_ctx_set_ops(source, DAMON_OPS_FVADDR), 0);
    EXPECT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    pass_windows(context, 1);  // without schemes nothing is waited for
    EXPECT_EQ(context.stop(), 0);
}

TEST(Lifecycle, WhatAContextHasIsNotRemovedFromUnderAStart) {
    Context context(true);
    std::atomic<bool> done{false};
    std::thread owner([&] {
        while (!done) {
            damon_target* target = target_of({kToyRange});
            if (damon_ctx_add_target(context, target) != 0) damon_target_free(target);
            damos* scheme = scheme_of();
            if (damon_ctx_add_scheme(context, scheme) != 0) damos_free(scheme);
            damon_ctx_remove_target(context, 0);
            damon_ctx_remove_scheme(context, 0);
        }
    });
    uint64_t nr_runs = 0;
    while (nr_runs < 500 && !HasFailure()) {
        if (context.start() != 0) continue;
        ++nr_runs;
        const size_t nr_targets = damon_ctx_nr_targets(context);
        const size_t nr_schemes = damon_ctx_nr_schemes(context);
        for (uint64_t now = 1000; now <= 5000; now += 1000) EXPECT_EQ(damon_step(context, now), 0);
        EXPECT_EQ(damon_ctx_nr_targets(context), nr_targets);
        EXPECT_EQ(damon_ctx_nr_schemes(context), nr_schemes);
        EXPECT_EQ(context.stop(), 0);
    }
    done = true;
    owner.join();
}

// The thread sanitizer sees a copy taken of what changes.
TEST(Lifecycle, WhatAContextHasIsNotChangedUnderAStart) {
    Context context(true);
    damon_target* target = target_of({kToyRange});
    ASSERT_EQ(damon_ctx_add_target(context, target), 0);
    damos* scheme = scheme_of();
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme), 0);
    std::atomic<bool> done{false};
    std::thread owner([&] {
        damos_params params;
        damos_params_init(&params);
        const damos_migrate_dest dests[] = {{0, 1}, {1, 2}};
        for (uint32_t i = 0; !done; ++i) {
            params.pattern.min_age = i % 2;
            for (const int result : {damos_set_params(scheme, &params), damos_set_migrate_dests(scheme, dests, i % 3),
                                     damon_target_set_pid(target, 0), damon_target_set_obsolete(target, 0)}) {
                EXPECT_TRUE(result == 0 || result == -EBUSY) << result;
            }
        }
    });
    for (int i = 0; i < 300 && !HasFailure(); ++i) {
        EXPECT_EQ(context.start(), 0);
        EXPECT_EQ(damon_step(context, 1000), 0);
        EXPECT_EQ(context.stop(), 0);
    }
    done = true;
    owner.join();
}

TEST(Lifecycle, WhereTheSystemHasNoMoreAStartSaysSo) {
    const auto watching = [] {
        auto context = std::make_unique<Context>(true);
        EXPECT_EQ(damon_ctx_set_ops(*context, DAMON_OPS_FVADDR), 0);
        return context;
    };
    auto last = watching();
    rlimit files{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    const rlimit none = {0, files.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_EQ(last->start(), -EAGAIN);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    EXPECT_NE(errmsg_of(*last).find("errno 24"), std::string::npos) << errmsg_of(*last);
    std::vector<std::unique_ptr<Context>> contexts;
    for (int i = 0; i < 32; ++i) {
        contexts.push_back(watching());
        ASSERT_EQ(contexts.back()->start(), 0) << i << ": " << errmsg_of(*contexts.back());
    }
    EXPECT_EQ(last->start(), -EAGAIN);
    EXPECT_NE(errmsg_of(*last).find("32 contexts"), std::string::npos) << errmsg_of(*last);
    contexts.pop_back();
    EXPECT_EQ(last->start(), 0) << errmsg_of(*last);
}

TEST(Lifecycle, WithTheSameSeedTwoRunsAreOne) {
    std::vector<std::vector<damon_region_info>> runs;
    for (const uint64_t seed : {9u, 9u, 10u}) {
        Context context(true);
        ASSERT_EQ(damon_ctx_set_seed(context, seed), 0);
        context.ops().hot_start = 100 * kPage;
        context.ops().hot_end = 133 * kPage;
        ASSERT_EQ(context.start(), 0);
        context.step(100);
        runs.push_back(snapshot_of(context));
    }
    EXPECT_TRUE(runs[0] == runs[1]);
    EXPECT_FALSE(runs[0] == runs[2]);
}

}  // namespace
}  // namespace damon::test
