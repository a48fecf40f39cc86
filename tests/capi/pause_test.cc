// damon_set_pause: L-18 to L-21, sharpened as the header says.
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

damos_walk_control walk_of(std::function<void(const damon_region_info&)>& body) {
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.data = &body;
    control.walk_fn = [](void* data, damon_ctx*, const damon_region_info* r, size_t, uint64_t) {
        (*static_cast<std::function<void(const damon_region_info&)>*>(data))(*r);
    };
    return control;
}

TEST(Pause, NothingLearnedMovesWhilePausedL19L20) {
    Context context;
    context.ops().hot_start = 50 * kPage;
    context.ops().hot_end = 80 * kPage;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 20);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damon_is_paused(context), 1);
    Report before;
    ASSERT_EQ(on_worker(context, [&] { before = report_of(context); }), 0);
    EXPECT_FALSE(before.live.empty());
    const damon_ctx_stats stats = stats_of(context);
    // Time passes for the context only through what is asked of it.
    for (int i = 0; i < 50; ++i) {
        Report now;
        ASSERT_EQ(on_worker(context, [&] { now = report_of(context); }), 0);
        ASSERT_TRUE(now == before) << i;
    }
    const damon_ctx_stats after = stats_of(context);
    EXPECT_EQ(after.nr_intervals, stats.nr_intervals);
    EXPECT_EQ(after.nr_samples, stats.nr_samples);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    EXPECT_EQ(damon_is_paused(context), 0);
    pass_windows(context, 2);
}

TEST(Pause, ARunWithPausesEqualsTheRunWithout) {
    const auto run = [](bool pauses) {
        Context context(true);
        EXPECT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
        EXPECT_EQ(context.start(), 0);
        std::vector<Report> reports;
        for (int i = 0; i < 200; ++i) {
            context.ops().hot_start = (40 + i / 10) * kPage;
            context.ops().hot_end = (60 + i / 10) * kPage;
            context.step();
            reports.push_back(report_of(context));
            reports.back().targets.clear();  // handles of its own
            reports.back().schemes.clear();
            if (pauses && i % 7 == 3) {
                EXPECT_EQ(damon_set_pause(context, 1), 0);
                EXPECT_EQ(damon_set_pause(context, 1), 0) << "idempotent";
                context.step(i % 5, 100'000);
                EXPECT_EQ(damon_set_pause(context, 0), 0);
                EXPECT_EQ(damon_set_pause(context, 0), 0);
            }
            if (pauses && i % 11 == 5) {
                EXPECT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_set_pause(context, 1), 0); }), 0);
                EXPECT_EQ(damon_is_paused(context), 1);
                context.step(2);
                EXPECT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_set_pause(context, 0), 0); }), 0);
            }
        }
        return reports;
    };
    const std::vector<Report> without = run(false);
    const std::vector<Report> with = run(true);
    ASSERT_EQ(with.size(), without.size());
    for (size_t i = 0; i < with.size(); ++i) ASSERT_TRUE(with[i] == without[i]) << "step " << i;
    EXPECT_GT(with.back().seq, 30u);
}

TEST(Pause, APausedWorkerDoesNotWakeUp) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    Context other;  // its windows are the clock of this test
    ASSERT_EQ(other.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    // It says that it is paused a moment before it goes to sleep.
    damon_ctx_stats before = stats_of(context);
    for (uint64_t asleep = 0; asleep != before.cpu_ns;) {
        asleep = before.cpu_ns;
        pass_windows(other, 2);
        before = stats_of(context);
    }
    pass_windows(other, 40);
    const damon_ctx_stats after = stats_of(context);
    EXPECT_EQ(after.nr_wakeups, before.nr_wakeups);
    EXPECT_EQ(after.cpu_ns, before.cpu_ns);
    EXPECT_EQ(on_worker(context, [] {}), 0);
    EXPECT_GT(stats_of(context).nr_wakeups, before.nr_wakeups) << "a call wakes it";
    EXPECT_EQ(context.stop(), 0);
}

TEST(Pause, DisarmsWhatWasArmed) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    const uint64_t disarms = context.ops().nr_disarms;
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(context.ops().nr_disarms, disarms + 1);
    const uint64_t prepared = context.ops().nr_prepared;
    context.step(10);
    EXPECT_EQ(context.ops().nr_prepared, prepared);
    EXPECT_EQ(context.ops().nr_checked, 0u);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    EXPECT_GT(context.ops().nr_prepared, prepared) << "armed anew";
}

TEST(Pause, RepeatCallsGoOnWhilePaused) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    std::atomic<int> runs{0};
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.data = &runs;
    control.fn = [](void* data) { return ++*static_cast<std::atomic<int>*>(data) >= 20 ? 1 : 0; };
    ASSERT_EQ(damon_call(context, &control), 0);
    while (runs < 20) std::this_thread::yield();
    EXPECT_EQ(damon_is_paused(context), 1);
}

TEST(Pause, WalksAreCancelledAndRefused) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.apply_interval_us = 3'600'000'000; })),
              0);
    ASSERT_EQ(context.start(), 0);
    std::function<void(const damon_region_info&)> nothing = [](const damon_region_info&) {};
    damos_walk_control control = walk_of(nothing);
    std::atomic<bool> ended{false};
    std::thread walker([&] {
        EXPECT_EQ(damos_walk(context, &control), -ECANCELED);
        EXPECT_EQ(control.canceled, 1);
        ended = true;
    });
    // Whether the walk was pending already or comes now: a pause ends it.
    while (!ended) {
        EXPECT_EQ(damon_set_pause(context, 1), 0);
        EXPECT_EQ(damon_set_pause(context, 0), 0);
    }
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    walker.join();
    control.canceled = 0;
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED) << "paused";
    EXPECT_EQ(control.canceled, 1);
}

TEST(Pause, AStoppedContextKeepsItForTheNextStart) {
    Context context;
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damon_is_paused(context), 1);
    ASSERT_EQ(context.start(), 0);
    Report report;
    EXPECT_EQ(on_worker(context, [&] { report = report_of(context); }), 0);
    EXPECT_EQ(report.passed_sample_intervals, 0u);
    EXPECT_EQ(report.live.size(), 10u) << "min_nr_regions";
    EXPECT_EQ(stats_of(context).nr_intervals, 0u);
    ASSERT_EQ(context.stop(), 0) << "stop works while paused";
    EXPECT_EQ(damon_is_paused(context), 1);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    pass_windows(context, 1);
}

TEST(Pause, FromCallbacksItTakesEffectAtTheEndOfTheStep) {
    using Where = ToyOps::Where;
    for (const Where where : {Where::kInit, Where::kPrepare, Where::kCheck, Where::kApply, Where::kUpdate}) {
        Context context;
        std::atomic<bool> asked{false};
        ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.action = DAMOS_COLD; })), 0);
        damon_attrs attrs = quick_attrs();
        attrs.ops_update_us = 10'000;
        ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
        damon_ctx* const ctx = context;
        context.ops().hook = [&, ctx](Where now, damon_ctx*) {
            if (now != where || asked.exchange(true)) return;
            EXPECT_EQ(damon_set_pause(ctx, 1), 0);
            EXPECT_EQ(damon_is_paused(ctx), 1) << "what was asked for";
        };
        ASSERT_EQ(context.start(), 0);
        while (!asked || damon_is_paused(context) == 0) std::this_thread::yield();
        EXPECT_EQ(damon_set_pause(context, 1), 0);
        const uint64_t intervals = stats_of(context).nr_intervals;
        EXPECT_EQ(on_worker(context, [] {}), 0);
        EXPECT_EQ(stats_of(context).nr_intervals, intervals);
        ASSERT_EQ(damon_set_pause(context, 0), 0);
        pass_windows(context, 2);
        ASSERT_EQ(context.stop(), 0);
    }
}

TEST(Pause, ATargetThatDiesWhilePausedEndsTheContext) {
    Context context;
    context.use_ops(true);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damon_is_running(context), 1);
    context.ops().valid = false;
    EXPECT_EQ(damon_snapshot_wait(context, UINT64_MAX, -1), -ECANCELED);
    EXPECT_EQ(damon_is_running(context), 0);
    EXPECT_NE(errmsg_of(context).find("not run"), std::string::npos);
    EXPECT_EQ(damon_set_pause(context, 0), 0);
    context.ops().valid = true;
    ASSERT_EQ(context.start(), 0) << "and it can be started again";
    pass_windows(context, 1);
}

TEST(Pause, StopDuringASleepOfAnHourDoesNotWaitForIt) {
    Context context;
    damon_attrs attrs = quick_attrs();
    attrs.sample_us = attrs.aggr_us = 3'600'000'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(on_worker(context, [] {}), 0);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    EXPECT_EQ(context.stop(), 0);
    EXPECT_EQ(stats_of(context).nr_intervals, 0u);
}

TEST(Pause, AWalkIsServedAsSoonAsTheResumeReturned) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    std::function<void(const damon_region_info&)> ignore = [](const damon_region_info&) {};
    damos_walk_control control = walk_of(ignore);
    for (int round = 0; round < 50; ++round) {
        ASSERT_EQ(damon_set_pause(context, 1), 0);
        ASSERT_EQ(damos_walk(context, &control), -ECANCELED);
        ASSERT_EQ(damon_set_pause(context, 0), 0);
        ASSERT_EQ(damos_walk(context, &control), 0) << round;
    }
}

TEST(Pause, RefusesOtherValues) {
    Context context;
    EXPECT_EQ(damon_set_pause(context, 2), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("2"), std::string::npos);
    EXPECT_EQ(damon_set_pause(nullptr, 1), -EINVAL);
    EXPECT_EQ(damon_is_paused(nullptr), -EINVAL);
    EXPECT_EQ(damon_is_paused(context), 0);
}

}  // namespace
}  // namespace damon::test
