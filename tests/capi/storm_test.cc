// Everything at once from several threads, for the sanitizers: no answer but the documented ones, no hang, no leak.
#include <chrono>
#include <random>
#include <thread>

#include "base/heap.h"
#include "toy.h"

namespace damon::test {
namespace {

constexpr auto kStorm = std::chrono::milliseconds(1500);

bool one_of(int result, std::initializer_list<int> allowed) {
    return std::find(allowed.begin(), allowed.end(), result) != allowed.end();
}

// One thing that a thread may do to a context; false: an answer that is not documented.
bool do_something(unsigned what, damon_ctx* ctx, damon_ctx* source) {
    damon_ctx* group[] = {ctx};
    damon_region_info regions[128];
    switch (what % 10) {
        case 0:
            return one_of(damon_start(group, 1, 0), {0, -EBUSY});
        case 1:
            return damon_stop(group, 1) == 0;
        case 2:  // the source is this thread's own
            return damon_set_pause(source, what / 10 % 2 == 1) == 0 &&
                   one_of(damon_commit_ctx(ctx, source), {0, -ECANCELED});
        case 3:
            return one_of(damon_set_pause(ctx, 1), {0, -ECANCELED});
        case 4:
            return one_of(damon_set_pause(ctx, 0), {0, -ECANCELED});
        case 5:
            return one_of(on_worker(ctx, [] {}), {0, -ECANCELED});
        case 6: {
            damos_walk_control walk;
            damos_walk_control_init(&walk);
            walk.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) {};
            return one_of(damos_walk(ctx, &walk), {0, -EBUSY, -ECANCELED});
        }
        case 7: {
            damon_call_control call;
            damon_call_control_init(&call);
            call.flags = DAMON_CALL_REPEAT;
            call.fn = [](void*) { return 0; };
            const int added = damon_call(ctx, &call);
            if (added != 0) return added == -ECANCELED;
            return one_of(damon_call_cancel(ctx, call.id), {0, -ENOENT});
        }
        case 8:
            return one_of(damon_snapshot_wait(ctx, 0, 1), {0, -ETIMEDOUT, -ECANCELED});
        default: {
            damon_snapshot_info info;
            damon_snapshot_info_init(&info);
            damon_ctx_stats stats;
            damon_ctx_stats_init(&stats);
            char text[64];
            return one_of(damon_is_running(ctx), {0, 1}) && one_of(damon_is_paused(ctx), {0, 1}) &&
                   damon_snapshot_read(ctx, regions, 128, &info) >= -ENOSPC && damon_kdamond_tid(ctx) >= 0 &&
                   damon_ctx_get_stats(ctx, &stats) == 0 && damon_ctx_errmsg(ctx, text, 64) >= 0 &&
                   damon_ctx_nr_schemes(ctx) <= 3 && damon_nr_running_ctxs() <= 3;
        }
    }
}

void storm(bool manual) {
    const size_t in_use = heap_bytes_in_use();
    {
        Context contexts[2] = {Context(manual), Context(manual)};
        for (Context& context : contexts) ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
        const auto until = std::chrono::steady_clock::now() + kStorm;
        std::vector<std::thread> threads;
        std::atomic<bool> done{false};
        for (unsigned seed = 0; seed < 4; ++seed) {
            threads.emplace_back([&, seed] {
                Context source;
                for (unsigned i = 0; i < seed; ++i) EXPECT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
                if (seed % 2 == 1) {
                    EXPECT_EQ(damon_ctx_add_target(source, target_of({{1000 * kPage, 1100 * kPage}})), 0);
                }
                std::minstd_rand random(seed + 1);
                for (uint64_t nr = 0; std::chrono::steady_clock::now() < until; ++nr) {
                    const auto what = static_cast<unsigned>(random() >> 8);
                    EXPECT_TRUE(do_something(what, contexts[random() >> 8 & 1], source))
                        << "thread " << seed << ", action " << nr << ": " << what % 10;
                }
            });
        }
        // Manually driven contexts need somebody who steps them, also for the walks to end.
        std::thread stepper([&] {
            for (uint64_t now = 0; !done; now += 1000) {
                for (Context& context : contexts) {
                    if (manual) damon_step(context, now);
                }
                std::this_thread::yield();
            }
        });
        for (std::thread& thread : threads) thread.join();
        done = true;
        stepper.join();
    }
    EXPECT_EQ(damon_nr_running_ctxs(), 0);
    EXPECT_EQ(heap_bytes_in_use(), in_use);
}

TEST(Storm, OfFourThreadsOnTwoContexts) { storm(false); }
TEST(Storm, OfFourThreadsOnTwoManualContexts) { storm(true); }

}  // namespace
}  // namespace damon::test
