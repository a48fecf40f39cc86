// What a context tells of itself: its state and why, what it costs, how long its windows really are.
#include <time.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

using Where = ToyOps::Where;

constexpr uint64_t kMs = 1'000'000;

uint64_t clock_ns(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

void burn(uint64_t cpu_ns) {
    const uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
    }
}

damon_state_info state_of(damon_ctx* ctx) {
    damon_state_info info;
    damon_state_info_init(&info);
    EXPECT_EQ(damon_ctx_get_state(ctx, &info), 0) << errmsg_of(ctx);
    EXPECT_LT(strnlen(info.reason, sizeof info.reason), sizeof info.reason);
    return info;
}

damon_snapshot_info snapshot_info_of(damon_ctx* ctx) {
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    damon_snapshot_read(ctx, nullptr, 0, &info);
    return info;
}

TEST(State, FollowsALife) {
    const uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    Context context;
    context.use_ops(true);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_STOPPED);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_SAMPLING);
    pass_windows(context, 2);
    const damon_state_info sampling = state_of(context);
    EXPECT_EQ(sampling.state, DAMON_STATE_SAMPLING);
    EXPECT_GE(sampling.since_ns, begin);
    EXPECT_LE(sampling.since_ns, clock_ns(CLOCK_MONOTONIC));
    EXPECT_GE(sampling.window_us, 2500u) << "a window of 5 samples, one a millisecond";
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    const damon_state_info paused = state_of(context);
    EXPECT_EQ(paused.state, DAMON_STATE_PAUSED);
    EXPECT_GE(paused.since_ns, sampling.since_ns);
    EXPECT_EQ(paused.cost_permil, 0u);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_SAMPLING);
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_STOPPED);
    ASSERT_EQ(context.start(), 0);
    context.ops().valid = false;
    while (damon_is_running(context) == 1) std::this_thread::yield();
    const damon_state_info ended = state_of(context);
    EXPECT_EQ(ended.state, DAMON_STATE_ENDED);
    EXPECT_NE(strstr(ended.reason, "none of its 1 targets"), nullptr) << ended.reason;
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_STOPPED);
}

TEST(State, OfAManuallyDrivenContext) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_SAMPLING);
    context.step(10, 1500);
    EXPECT_EQ(state_of(context).window_us, 7500u) << "5 steps of 1.5 ms";
    EXPECT_EQ(snapshot_info_of(context).window_us, 7500u);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_PAUSED);
    context.step(3, 100'000);
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_SAMPLING);
    context.step(5, 1000);
    EXPECT_EQ(snapshot_info_of(context).window_us, 5000u) << "a pause is no part of a window";
}

TEST(State, RefusesWhatItCannotWrite) {
    Context context;
    damon_state_info info;
    damon_state_info_init(&info);
    info.size = 4;
    EXPECT_EQ(damon_ctx_get_state(context, &info), -EINVAL);
    EXPECT_EQ(damon_ctx_get_state(context, nullptr), -EINVAL);
    EXPECT_EQ(damon_ctx_get_state(nullptr, &info), -EINVAL);
}

TEST(State, TellsThatTheLimitBindsAndThatItDoesNoMore) {
    Context context;
    // So dear that the limit binds also where a busy machine gives the worker a tenth of a CPU; and without that, the
    // worker's own 0.4 ms an interval suffice a sanitizer too.
    std::atomic<uint64_t> dear_ns{4 * kMs};
    context.ops().hook = [&](Where where, damon_ctx*) {
        if (where == Where::kCheck) burn(dear_ns);
    };
    damon_attrs attrs = quick_attrs();
    attrs.sample_us = 4000;
    attrs.aggr_us = 20'000;
    attrs.max_overhead_permil = 100;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0);
    damon_state_info limited = state_of(context);
    for (; limited.state != DAMON_STATE_LIMITED; limited = state_of(context)) pass_windows(context, 1);
    EXPECT_NE(strstr(limited.reason, "max_overhead_permil is 100"), nullptr) << limited.reason;
    // What could be spent in advance is spent first, and what a busy machine did not let it spend is again; then the
    // limit holds.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    do {
        pass_windows(context, 1);
        limited = state_of(context);
        const bool holds =
            limited.state == DAMON_STATE_LIMITED && limited.cost_permil <= 400 && limited.window_us >= 150'000u;
        if (holds) break;
    } while (std::chrono::steady_clock::now() < end);
    EXPECT_EQ(limited.state, DAMON_STATE_LIMITED);
    EXPECT_GE(limited.window_us, 150'000u) << "5 samples of 4 ms at a tenth of a CPU";
    EXPECT_GE(snapshot_info_of(context).window_us, 150'000u);
    EXPECT_EQ(snapshot_info_of(context).aggr_us, 20'000u) << "what was wanted";
    EXPECT_GE(limited.cost_permil, 40u);
    EXPECT_LE(limited.cost_permil, 400u);
    dear_ns = 0;
    while (state_of(context).state == DAMON_STATE_LIMITED) pass_windows(context, 1);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_SAMPLING);
}

TEST(State, TellsHowMuchOfAMinimumNextToTheMaximumCounts_Q77) {
    Context context(true);
    damon_attrs attrs = quick_attrs();
    attrs.max_nr_regions = attrs.min_nr_regions = 100;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(context.step(20), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_SAMPLING);
    EXPECT_NE(strstr(state_of(context).reason, "min_nr_regions counts as 84"), nullptr) << state_of(context).reason;
    attrs.min_nr_regions = 84;
    ASSERT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), 0); }), 0);
    ASSERT_EQ(context.step(20), 0);
    EXPECT_EQ(strstr(state_of(context).reason, "min_nr_regions"), nullptr) << state_of(context).reason;
}

TEST(State, ReadingMappingsCountsAgainstTheLimitAndIsStretched) {
    Context context;
    context.ops().hook = [&](Where where, damon_ctx*) {
        if (where == Where::kUpdate) burn(20 * kMs);
    };
    damon_attrs attrs = quick_attrs();
    attrs.ops_update_us = 10'000;
    attrs.max_overhead_permil = 200;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0);
    const uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    while (state_of(context).state != DAMON_STATE_LIMITED) std::this_thread::yield();
    EXPECT_NE(strstr(state_of(context).reason, "mappings are read less often"), nullptr) << state_of(context).reason;
    while (context.ops().nr_updates < 5) std::this_thread::yield();
    // 20 ms at a quarter of a fifth of a CPU: one in 400 ms, where one in 10 was wanted. The first is not waited for.
    EXPECT_GE(clock_ns(CLOCK_MONOTONIC) - begin, 4 * 350 * kMs);
    ASSERT_EQ(context.stop(), 0);
    EXPECT_GE(stats_of(context).update_cpu_ns, 100 * kMs);
}

TEST(State, AContextThatIsHeldBackSaysByWhat) {
    Context context;
    ASSERT_EQ(damon_ctx_set_ops(context, DAMON_OPS_FVADDR), 0);  // custom operations know no free memory
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) {
                                       p.wmarks.metric = DAMOS_WMARK_FREE_MEM_RATE;
                                       p.wmarks.high = p.wmarks.mid = p.wmarks.low = 1000;
                                       p.wmarks.interval_us = 3'600'000'000;
                                   })),
              0);
    ASSERT_EQ(context.start(), 0);
    while (state_of(context).state != DAMON_STATE_WATERMARKS) std::this_thread::yield();
    const damon_state_info info = state_of(context);
    EXPECT_NE(strstr(info.reason, "schemes[0].wmarks"), nullptr) << info.reason;
    EXPECT_NE(strstr(info.reason, "low 1000"), nullptr) << info.reason;
    EXPECT_EQ(damon_snapshot_wait(context, 0, 1), -ETIMEDOUT);
    EXPECT_NE(errmsg_of(context).find("watermarks: schemes[0]"), std::string::npos) << errmsg_of(context);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(state_of(context).state, DAMON_STATE_PAUSED);
    EXPECT_EQ(damon_snapshot_wait(context, 0, 1), -ETIMEDOUT);
    EXPECT_NE(errmsg_of(context).find("paused"), std::string::npos) << errmsg_of(context);
}

TEST(Stats, SplitCpuTimeByConsumer) {
    Context context;
    context.ops().hook = [&](Where where, damon_ctx*) {
        if (where == Where::kCheck) burn(kMs / 2);
        if (where == Where::kApply) burn(2 * kMs);
        if (where == Where::kUpdate) burn(4 * kMs);
    };
    damon_attrs attrs = quick_attrs();
    attrs.ops_update_us = 10'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.action = DAMOS_COLD; })), 0);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 10);
    ASSERT_EQ(on_worker(context, [] { burn(30 * kMs); }), 0);
    ASSERT_EQ(context.stop(), 0);
    const damon_ctx_stats stats = stats_of(context);
    EXPECT_GE(stats.sampling_cpu_ns, stats.nr_intervals * kMs / 2);
    EXPECT_GE(stats.update_cpu_ns, context.ops().nr_updates * 4 * kMs);
    EXPECT_GE(stats.action_cpu_ns, 30 * kMs + 10 * 2 * kMs) << "callbacks too";
    EXPECT_EQ(stats.survey_cpu_ns, 0u);
    EXPECT_EQ(stats.referenced_cpu_ns, 0u);
    const uint64_t sum = stats.sampling_cpu_ns + stats.update_cpu_ns + stats.action_cpu_ns;
    EXPECT_LE(sum, stats.cpu_ns);
    EXPECT_GE(sum + 5 * kMs, stats.cpu_ns) << "all that the worker did belongs to somebody";
}

TEST(Refresh, ReadsTheMappingsFromAnyThread) {
    for (const bool manual : {false, true}) {
        Context context(manual);
        EXPECT_EQ(damon_ctx_refresh(context), -ECANCELED) << "stopped";
        ASSERT_EQ(context.start(), 0);
        uint64_t updates = context.ops().nr_updates;
        ASSERT_EQ(damon_ctx_refresh(context), 0) << errmsg_of(context);
        EXPECT_EQ(context.ops().nr_updates, ++updates);
        ASSERT_EQ(on_worker(context,
                            [&] {
                                EXPECT_EQ(damon_ctx_refresh(context), 0);
                                EXPECT_EQ(context.ops().nr_updates, ++updates) << "on the worker at once";
                            }),
                  0);
        ASSERT_EQ(damon_set_pause(context, 1), 0);
        ASSERT_EQ(damon_ctx_refresh(context), 0);
        EXPECT_EQ(context.ops().nr_updates, ++updates) << "also while paused";
        EXPECT_EQ(damon_ctx_refresh(nullptr), -EINVAL);
    }
}

TEST(Refresh, InACallbackOfAStepItIsDoneWhenThatHasEnded) {
    Context context(true);
    damon_ctx* const ctx = context;
    bool asked = false;
    context.ops().hook = [&](Where where, damon_ctx*) {
        if (where == Where::kUpdate) {
            EXPECT_EQ(damon_ctx_refresh(ctx), 0) << "it is being read";
        }
        if (where != Where::kCheck || std::exchange(asked, true)) return;
        const uint64_t updates = context.ops().nr_updates;
        EXPECT_EQ(damon_ctx_refresh(ctx), 0);
        EXPECT_EQ(context.ops().nr_updates, updates);
    };
    ASSERT_EQ(context.start(), 0);
    context.step();
    ASSERT_TRUE(asked);
    EXPECT_EQ(context.ops().nr_updates, 1u);
}

TEST(Refresh, SamplesThatFindTheirMappingGoneAskForItButNotOften) {
    struct World {
        std::atomic<bool> mapped{true};
        std::atomic<uint64_t> nr_updates{0};
    } world;
    Context context;
    damon_operations ops;
    damon_operations_init(&ops);
    ops.check_accesses = [](void* priv, damon_sample* samples, size_t nr) {
        const bool mapped = static_cast<World*>(priv)->mapped;
        for (size_t i = 0; i < nr; ++i) {
            samples[i].seen = mapped ? DAMON_SEEN_NO : DAMON_SEEN_UNKNOWN;
            samples[i].unknown_reason = mapped ? DAMON_UNKNOWN_NONE : DAMON_UNKNOWN_UNMAPPED;
        }
    };
    ops.update = [](void* priv, damon_ctx*) { ++static_cast<World*>(priv)->nr_updates; };
    ASSERT_EQ(damon_ctx_set_custom_ops(context, &ops, &world), 0);
    damon_attrs attrs = quick_attrs();
    attrs.ops_update_us = 3'600'000'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 40);
    EXPECT_EQ(world.nr_updates, 0u) << "nobody asked";
    const uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    world.mapped = false;
    while (world.nr_updates < 3) std::this_thread::yield();
    // After 0.1 s at the earliest, and where that cures nothing, after 0.2 and 0.4 s.
    EXPECT_GE(clock_ns(CLOCK_MONOTONIC) - begin, 500 * kMs);
    EXPECT_GT(stats_of(context).nr_unknown_by_reason[DAMON_UNKNOWN_UNMAPPED], 0u);
}

TEST(Results, ASizingCallIsNoFailure) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    context.step(10);
    EXPECT_EQ(damon_set_pause(context, 2), -EINVAL);
    const std::string before = errmsg_of(context);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    EXPECT_EQ(damon_snapshot_read(context, nullptr, 0, &info), -ENOSPC);
    EXPECT_EQ(damon_live_read(context, nullptr, 0, &info), -ENOSPC);
    EXPECT_EQ(damon_snapshot_read_probes(context, nullptr, nullptr, 0, &info), -ENOSPC);
    EXPECT_GT(info.nr_regions, 0u);
    EXPECT_EQ(errmsg_of(context), before);
    damon_region_info one;
    EXPECT_EQ(damon_snapshot_read(context, &one, 1, &info), -ENOSPC);
    EXPECT_NE(errmsg_of(context), before) << "too small is one";
}

}  // namespace
}  // namespace damon::test
