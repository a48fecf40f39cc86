// What the kernel's own tests of DAMON ask for, in virtual time and through damon_c.h.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "damon_c.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

// A program of 256 MiB, a tenth of it hot, and a context over it.
class World {
public:
    World() {
        damon_sim_range range;
        damon_sim_range_init(&range);
        range.end = 256 * kMiB;
        EXPECT_EQ(damon_sim_add_range(sim_.get(), &range), 0);
        damon_sim_pattern pattern;
        damon_sim_pattern_init(&pattern);
        pattern.kind = DAMON_SIM_STAIRS;
        pattern.end = 250 * kMiB;
        pattern.nr_regions = 10;
        pattern.step_us = 400'000;
        EXPECT_EQ(damon_sim_add_pattern(sim_.get(), &pattern), 0);
        EXPECT_EQ(damon_ctx_set_sim(ctx_.get(), sim_.get()), 0);
        EXPECT_EQ(damon_ctx_set_drive(ctx_.get(), DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx_.get(), 1), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx_.get(), damon_target_new()), 0);
    }

    void add(const damos_params& params, const damos_quota_goal* goal = nullptr) {
        damos* scheme = damos_new(&params);
        if (goal != nullptr) {
            EXPECT_EQ(damos_add_quota_goal(scheme, goal), 0);
        }
        EXPECT_EQ(damon_ctx_add_scheme(ctx_.get(), scheme), 0);
    }

    void start() {
        damon_ctx* list[] = {ctx_.get()};
        ASSERT_EQ(damon_start(list, 1, 0), 0);
    }

    void run_us(uint64_t us) {
        const uint64_t end = now_us_ + us;
        while (now_us_ < end) ASSERT_EQ(damon_step(ctx_.get(), now_us_ += 5'000), 0);
    }

    damos_stat stat(size_t idx = 0) const {
        damos_stat stat;
        damos_stat_init(&stat);
        EXPECT_EQ(damon_ctx_get_scheme_stat(ctx_.get(), idx, &stat), 0);
        return stat;
    }

    int nr_regions() const {
        std::vector<damon_region_info> regions(2'000);
        return damon_snapshot_read(ctx_.get(), regions.data(), regions.size(), nullptr);
    }

    damon_ctx* ctx() const { return ctx_.get(); }
    damon_sim* sim() const { return sim_.get(); }

private:
    std::unique_ptr<damon_sim, void (*)(damon_sim*)> sim_{damon_sim_new(nullptr), damon_sim_free};
    std::unique_ptr<damon_ctx, void (*)(damon_ctx*)> ctx_{damon_ctx_new(), damon_ctx_free};
    uint64_t now_us_ = 0;
};

damos_params counting() {
    damos_params params;
    damos_params_init(&params);
    return params;
}

TEST(SelftestCriteria, ASizeQuotaOfAMebibyteHoldsInEveryWindow) {
    World world;
    damos_params params = counting();
    params.quota.sz = kMiB;
    params.quota.reset_interval_ms = 100;
    params.apply_interval_us = 10'000;
    world.add(params);
    world.start();
    uint64_t nr_reached = 0;
    damos_stat before = world.stat();
    for (int window = 0; window < 50; ++window) {
        world.run_us(100'000);
        const damos_stat after = world.stat();
        EXPECT_LE(after.sz_tried - before.sz_tried, kMiB) << window;
        nr_reached += after.sz_tried - before.sz_tried == kMiB;
        before = after;
    }
    EXPECT_GT(nr_reached, 40u);
    // The last window that reached it is counted when the next one begins.
    EXPECT_GE(before.qt_exceeds + 1, nr_reached);
}

TEST(SelftestCriteria, TheEffectiveQuotaRisesBelowTheGoalAndFallsAboveIt) {
    World world;
    damos_params params = counting();
    params.quota.reset_interval_ms = 100;
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.metric = DAMOS_QUOTA_USER_INPUT;
    goal.target_value = 10'000;
    world.add(params, &goal);
    world.start();
    world.run_us(200'000);
    const auto moves = [&world](uint64_t score, bool up) {
        ASSERT_EQ(damon_ctx_set_quota_goal_value(world.ctx(), 0, 0, score), 0);
        world.run_us(200'000);
        for (int window = 0; window < 15; ++window) {
            const uint64_t before = world.stat().esz;
            world.run_us(100'000);
            const uint64_t after = world.stat().esz;
            EXPECT_GE(after, 1u) << "never under one byte";
            if (up) {
                EXPECT_GT(after, before) << score << ", window " << window;
            } else {
                EXPECT_TRUE(after < before || after == 1) << score << ", window " << window;
            }
        }
    };
    moves(1'000, true);
    moves(15'000, false);
    moves(0, true);
    moves(40'000, false);
    EXPECT_EQ(world.stat().esz, 1u);
}

TEST(SelftestCriteria, TenMillisecondsTryNineTimesAsOftenAsAHundred) {
    World world;
    damos_params params = counting();
    params.apply_interval_us = 10'000;
    world.add(params);
    params.apply_interval_us = 100'000;
    world.add(params);
    world.start();
    world.run_us(3'000'000);
    EXPECT_GT(world.stat(1).nr_tried, 0u);
    EXPECT_GE(world.stat(0).nr_tried, 9 * world.stat(1).nr_tried);
}

TEST(SelftestCriteria, ACommittedBoundOfSevenRegionsHoldsWithinThreeTenthsOfASecond) {
    World world;
    world.start();
    world.run_us(3'000'000);
    ASSERT_GT(world.nr_regions(), 7) << "nothing to bound";
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.min_nr_regions = 3;
    attrs.max_nr_regions = 7;
    const std::unique_ptr<damon_ctx, void (*)(damon_ctx*)> changed{damon_ctx_new(), damon_ctx_free};
    ASSERT_EQ(damon_ctx_set_sim(changed.get(), world.sim()), 0);
    ASSERT_EQ(damon_ctx_set_drive(changed.get(), DAMON_DRIVE_MANUAL), 0);
    ASSERT_EQ(damon_ctx_add_target(changed.get(), damon_target_new()), 0);
    ASSERT_EQ(damon_ctx_set_attrs(changed.get(), &attrs), 0);
    ASSERT_EQ(damon_commit_ctx(world.ctx(), changed.get()), 0);
    world.run_us(300'000);
    for (int window = 0; window < 30; ++window) {
        EXPECT_LE(world.nr_regions(), 7);
        EXPECT_GE(world.nr_regions(), 3);
        world.run_us(100'000);
    }
}

}  // namespace
}  // namespace damon::test
