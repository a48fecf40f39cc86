// damon_call and damon_call_cancel.
#include <mutex>
#include <thread>

#include "toy.h"

namespace damon::test {
namespace {

// A repeat call that counts, and can be told what to return.
struct Repeated {
    std::atomic<int> runs{0};
    std::atomic<int> releases{0};
    std::atomic<int> answer{0};
    std::function<void()> body;

    damon_call_control control() {
        damon_call_control control;
        damon_call_control_init(&control);
        control.flags = DAMON_CALL_REPEAT;
        control.data = this;
        control.fn = [](void* data) {
            auto& self = *static_cast<Repeated*>(data);
            ++self.runs;
            if (self.body) self.body();
            return self.answer.load();
        };
        control.release = [](void* data) { ++static_cast<Repeated*>(data)->releases; };
        return control;
    }
};

TEST(Call, RunsOnceOnTheWorkerAndBringsTheResultBack) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    struct Given {
        damon_ctx* ctx;
        std::thread::id thread;
    } given = {context, {}};
    damon_call_control control;
    damon_call_control_init(&control);
    control.data = &given;
    control.fn = [](void* data) {
        static_cast<Given*>(data)->thread = std::this_thread::get_id();
        return -77;
    };
    EXPECT_EQ(damon_call(context, &control), 0);
    EXPECT_EQ(control.return_code, -77);
    EXPECT_EQ(control.canceled, 0);
    EXPECT_NE(control.id, 0u);
    EXPECT_NE(given.thread, std::this_thread::get_id());
    EXPECT_EQ(damon_call_cancel(context, control.id), -ENOENT);
    EXPECT_NE(errmsg_of(context).find("no call " + std::to_string(control.id)), std::string::npos);
}

TEST(Call, IsRefusedOnAContextThatDoesNotRunQ16) {
    Context context;
    Repeated repeated;
    damon_call_control control = repeated.control();
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(damon_call(context, &control), -ECANCELED);
        control.flags = 0;
        EXPECT_EQ(damon_call(context, &control), -ECANCELED);
        EXPECT_EQ(control.canceled, 1);
        ASSERT_EQ(context.start(), 0);
        ASSERT_EQ(context.stop(), 0);
    }
    EXPECT_EQ(repeated.runs, 0);
    EXPECT_EQ(repeated.releases, 0) << "a call that was refused still belongs to its caller (A-9)";
}

TEST(Call, ARepeatCallRunsOncePerIntervalA26) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    Repeated repeated;
    damon_call_control control = repeated.control();
    ASSERT_EQ(damon_call(context, &control), 0);
    for (int i = 1; i <= 12; ++i) {
        context.step();
        EXPECT_EQ(repeated.runs, i);
    }
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    context.step(3);
    EXPECT_EQ(repeated.runs, 15) << "paused or not";
    repeated.answer = 1;
    context.step(3);
    EXPECT_EQ(repeated.runs, 16) << "until it returns non-zero";
    EXPECT_EQ(repeated.releases, 1);
    EXPECT_EQ(damon_call_cancel(context, control.id), -ENOENT);
    EXPECT_EQ(context.stop(), 0);
    EXPECT_EQ(repeated.releases, 1);
}

TEST(Call, ARepeatCallFirstRunsAtOnceWhilePaused) {
    Context context;
    damon_attrs attrs = quick_attrs();
    attrs.sample_us = attrs.aggr_us = 3'600'000'000;
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    Repeated stays;
    Repeated ends;
    ends.answer = 1;
    damon_call_control first = stays.control();
    damon_call_control second = ends.control();
    ASSERT_EQ(damon_call(context, &first), 0);
    ASSERT_EQ(damon_call(context, &second), 0);
    while (ends.releases == 0) std::this_thread::yield();
    EXPECT_EQ(stays.runs, 1) << "its next turn comes in an hour";
    EXPECT_EQ(ends.runs, 1);
    EXPECT_EQ(damon_call_cancel(context, first.id), 0);
    EXPECT_EQ(stays.releases, 1);
}

TEST(Call, StopReleasesRepeatCallsOnce) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    Repeated repeated;
    damon_call_control control = repeated.control();
    ASSERT_EQ(damon_call(context, &control), 0);
    while (repeated.runs < 3) std::this_thread::yield();
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(repeated.releases, 1);
    const int runs = repeated.runs;
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 2);
    EXPECT_EQ(repeated.runs, runs) << "another run begins without it";
}

TEST(Call, CancelFromAnotherThreadReturnsWhenItIsReleased) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    for (int round = 0; round < 20; ++round) {
        Repeated repeated;
        damon_call_control control = repeated.control();
        ASSERT_EQ(damon_call(context, &control), 0);
        if (round % 2 == 0) {
            while (repeated.runs == 0) std::this_thread::yield();
        }
        EXPECT_EQ(damon_call_cancel(context, control.id), 0);
        EXPECT_EQ(repeated.releases, 1);
        EXPECT_EQ(damon_call_cancel(context, control.id), -ENOENT);
    }  // nothing touches `repeated` from here on
    pass_windows(context, 1);
}

TEST(Call, CancelWhileItRunsWaitsForItAndItsRelease) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    Repeated repeated;
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    repeated.body = [&] {
        inside = true;
        while (!leave) std::this_thread::yield();
    };
    damon_call_control control = repeated.control();
    ASSERT_EQ(damon_call(context, &control), 0);
    while (!inside) std::this_thread::yield();
    std::atomic<int> cancelled{0};
    std::vector<std::thread> threads;
    std::atomic<int> successes{0};
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            const int result = damon_call_cancel(context, control.id);
            EXPECT_EQ(repeated.releases, 1) << "whoever is told that it is gone may free its data";
            successes += result == 0;
            EXPECT_TRUE(result == 0 || result == -ENOENT);
            ++cancelled;
        });
    }
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    EXPECT_EQ(cancelled, 0);
    leave = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(successes, 1);
    EXPECT_EQ(repeated.runs, 1);
}

TEST(Call, CancelOfACallWhoseReleaseRunsWaitsForIt) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    struct Slow {
        std::atomic<bool> inside{false};
        std::atomic<bool> leave{false};
        std::atomic<bool> released{false};
    } slow;
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.data = &slow;
    control.fn = [](void*) { return 0; };
    control.release = [](void* data) {
        auto& self = *static_cast<Slow*>(data);
        self.inside = true;
        while (!self.leave) std::this_thread::yield();
        self.released = true;
    };
    ASSERT_EQ(damon_call(context, &control), 0);
    std::thread first([&] { EXPECT_EQ(damon_call_cancel(context, control.id), 0); });
    while (!slow.inside) std::this_thread::yield();
    std::thread second([&] {
        EXPECT_EQ(damon_call_cancel(context, control.id), -ENOENT);
        EXPECT_TRUE(slow.released);
    });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    slow.leave = true;
    first.join();
    second.join();
}

TEST(Call, CancelsItselfFromInside) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    Repeated repeated;
    damon_call_control control = repeated.control();
    repeated.body = [&] { EXPECT_EQ(damon_call_cancel(context, control.id), 0); };
    ASSERT_EQ(damon_call(context, &control), 0);
    while (repeated.releases == 0) std::this_thread::yield();
    pass_windows(context, 2);
    EXPECT_EQ(repeated.runs, 1);
    EXPECT_EQ(repeated.releases, 1);
}

TEST(Call, AOneShotCallCanBeCancelledBeforeItRuns) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    std::thread blocker([&] {
        EXPECT_EQ(on_worker(context,
                            [&] {
                                inside = true;
                                while (!leave) std::this_thread::yield();
                            }),
                  0);
    });
    while (!inside) std::this_thread::yield();
    // The worker is busy: this one waits in the queue. Its id is one above the blocker's.
    damon_call_control control;
    damon_call_control_init(&control);
    control.fn = [](void*) { return 1; };
    std::thread waiter([&] { EXPECT_EQ(damon_call(context, &control), -ECANCELED); });
    int cancelled = -ENOENT;
    for (uint64_t id = 2; cancelled != 0;) cancelled = damon_call_cancel(context, id);
    waiter.join();  // returns while the context goes on
    EXPECT_EQ(control.canceled, 1);
    EXPECT_EQ(control.return_code, 0);
    EXPECT_EQ(damon_is_running(context), 1);
    leave = true;
    blocker.join();
}

TEST(Call, CallsRunInTheOrderOfTheirArrivalA11A26) {
    std::vector<int> order;
    std::vector<Repeated> repeated(3);
    Repeated late;
    Context context(true);  // its end releases the calls
    ASSERT_EQ(context.start(), 0);
    for (int i = 0; i < 3; ++i) {
        repeated[i].body = [&order, i] { order.push_back(i); };
        damon_call_control control = repeated[i].control();
        ASSERT_EQ(damon_call(context, &control), 0);
    }
    context.step();
    EXPECT_EQ(order, (std::vector{0, 1, 2}));
    // What the first of a round adds waits for the next one.
    late.body = [&order] { order.push_back(9); };
    repeated[0].body = [&] {
        order.push_back(0);
        if (late.runs > 0 || order.size() > 4) return;
        damon_call_control control = late.control();
        EXPECT_EQ(damon_call(context, &control), 0);
    };
    order.clear();
    context.step();
    EXPECT_EQ(order, (std::vector{0, 1, 2}));
    order.clear();
    context.step();
    EXPECT_EQ(order, (std::vector{9, 0, 1, 2})) << "repeat calls go behind what arrived meanwhile";
}

TEST(Call, WouldWaitForItselfInACallback) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    damon_ctx* const ctx = context;
    EXPECT_EQ(on_worker(ctx,
                        [&] {
                            EXPECT_EQ(on_worker(ctx, [] {}), -EDEADLK);
                            damos_walk_control walk;
                            damos_walk_control_init(&walk);
                            walk.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) {};
                            EXPECT_EQ(damos_walk(ctx, &walk), -EDEADLK);
                            EXPECT_EQ(damon_snapshot_wait(ctx, 0, 10), -EDEADLK);
                            EXPECT_EQ(damon_step(ctx, 0), -EDEADLK);
                            damon_ctx* group[] = {ctx};
                            EXPECT_EQ(damon_stop(group, 1), -EDEADLK);
                            EXPECT_EQ(damon_start(group, 1, 0), -EDEADLK);
                            damon_ctx_free(ctx);
                            EXPECT_EQ(damon_is_running(ctx), 1);
                        }),
              0);
    EXPECT_EQ(damon_is_running(ctx), 1);
}

TEST(Call, NeverDeadlocksAgainstStopsAndRestarts) {
    Context context;
    std::atomic<bool> done{false};
    std::atomic<uint64_t> ran{0};
    std::atomic<uint64_t> cancelled{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
        callers.emplace_back([&] {
            while (!done) {
                const int result = on_worker(context, [] {});
                EXPECT_TRUE(result == 0 || result == -ECANCELED) << result;
                ++(result == 0 ? ran : cancelled);
            }
        });
    }
    for (int round = 0; round < 100; ++round) {
        ASSERT_EQ(context.start(), 0);
        const uint64_t before = ran;
        while (ran == before) std::this_thread::yield();
        ASSERT_EQ(context.stop(), 0);
    }
    done = true;
    for (std::thread& caller : callers) caller.join();
    EXPECT_GE(ran, 100u);
}

}  // namespace
}  // namespace damon::test
