// The engine as a whole with schemes: when they are applied, on what, and what survives changes (L-11 to L-15, L-22,
// ), and the criteria by which Linux tests its own schemes, in virtual time.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "support/heap_fault.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::started_engine;
using test::toy_params;

using ActionExecutor = std::function<Outcome(const ActionRequest&)>;

Outcome deal_with_all(const ActionRequest& request) { return {.applied = request.range.size()}; }

// One whole interval that ends at `now_us`, schemes included.
void run_with_schemes(Engine& engine, const test::World& world, uint64_t now_us,
                      const ActionExecutor& executor = deal_with_all) {
    test::sample_once(engine, world);
    if (engine.apply_begin(now_us)) {
        ActionRequest request;
        while (engine.next_request(request)) engine.complete(executor(request));
    }
    engine.finish();
}

SchemeParams& add_scheme(Params& params, DamosAction action = DamosAction::kStat) {
    SchemeParams scheme;
    scheme.action = action;
    EXPECT_TRUE(params.schemes.push_back(std::move(scheme)));
    return params.schemes.back();
}

void add_goal(SchemeParams& scheme, const QuotaGoal& goal) { ASSERT_TRUE(scheme.goals.push_back(goal)); }

// The defaults of Linux: 5 ms, 100 ms; pages of 4 KiB.
Params linux_params(uint64_t bytes) {
    Params params = toy_params({{{0, bytes}}});
    params.attrs.sample_us = 5'000;
    params.attrs.aggr_us = 100'000;
    params.min_region_sz = 4'096;
    return params;
}

TEST(EngineSchemes, AppliesAtItsIntervalAndSeesMovingSums_L15) {
    Params params = toy_params({{{0, 3}}});
    params.attrs.ops_update_us = 250;
    params.attrs.min_nr_regions = 3;
    add_scheme(params).apply_interval_us = 30;
    Engine engine = started_engine(params);
    std::vector<uint64_t> ticks;
    std::vector<uint32_t> sums;
    std::vector<uint64_t> updates;
    for (uint64_t tick = 1; tick <= 30; ++tick) {
        test::sample_once(engine, accesses_in({{0, tick <= 13 ? 3u : 0u}}));
        if (engine.apply_begin(tick * 10)) {
            ActionRequest request;
            while (engine.next_request(request)) {
                if (request.range.start == 0) {
                    ticks.push_back(tick);
                    sums.push_back(request.nr_accesses);
                }
                engine.complete({});
            }
        }
        if (engine.finish()) updates.push_back(tick);
    }
    EXPECT_EQ(ticks, (std::vector<uint64_t>{3, 6, 9, 12, 15, 18, 21, 24, 27, 30}));
    EXPECT_EQ(sums, (std::vector<uint32_t>{3, 6, 9, 10, 8, 5, 2, 1, 0, 0}));
    EXPECT_EQ(updates, (std::vector<uint64_t>{25}));
}

TEST(EngineSchemes, FollowsTheAggregationByDefault_L12) {
    Params params = toy_params({{{0, 3}}});
    params.attrs.min_nr_regions = 3;
    add_scheme(params);
    Engine engine = started_engine(params);
    const auto world = accesses_in({{0, 3}});
    uint64_t nr_requests = 0;
    for (uint64_t tick = 1; tick <= 40; ++tick) {
        run_with_schemes(engine, world, tick * 10, [&](const ActionRequest& request) {
            EXPECT_EQ(tick % 10, 0u);
            EXPECT_EQ(request.nr_accesses, 10u) << "complete, not yet reset (L-14)";
            ++nr_requests;
            return Outcome{};
        });
    }
    EXPECT_GE(nr_requests, 4u);
    EXPECT_EQ(engine.scheme(0).stats.nr_snapshots, 4u);
}

TEST(EngineSchemes, AnIntervalBelowTheSamplingIntervalIsEveryTick_L14) {
    Params params = toy_params({{{0, 1'000}}});
    add_scheme(params).apply_interval_us = 1;
    Engine engine = started_engine(params);
    for (uint64_t tick = 1; tick <= 25; ++tick) run_with_schemes(engine, accesses_in({}), tick * 10);
    EXPECT_EQ(engine.scheme(0).stats.nr_snapshots, 25u);
}

TEST(EngineSchemes, QuotaGoesRoundTheAddressSpace_S25) {
    Params params = toy_params({{{0, 90}}});
    params.attrs.min_nr_regions = 3;
    SchemeParams& scheme = add_scheme(params);
    scheme.apply_interval_us = 1;
    scheme.quota.sz = 35;
    Engine engine = started_engine(params);
    std::vector<AddressRange> applied;
    for (uint64_t tick = 1; tick <= 6; ++tick) {
        run_with_schemes(engine, accesses_in({}), tick * 10, [&](const ActionRequest& request) {
            applied.push_back(request.range);
            return deal_with_all(request);
        });
    }
    const std::vector<AddressRange> round = {{0, 30}, {30, 35}, {35, 60}, {60, 70}, {70, 90}};
    std::vector<AddressRange> twice = round;
    twice.insert(twice.end(), round.begin(), round.end());
    EXPECT_EQ(applied, twice);
    EXPECT_EQ(engine.nr_regions(), 3u) << "the cuts of the quota are merged again (S-19)";
}

// Linux: damos_quota. In no window more than 1 MiB is tried, and every window that reached it is counted.
TEST(EngineSchemes, ASizeQuotaBoundsEveryWindow) {
    constexpr uint64_t kQuota = 1 << 20;
    Params params = linux_params(64 << 20);
    SchemeParams& scheme = add_scheme(params, DamosAction::kPageout);
    scheme.pattern.max_nr_accesses = 0;
    scheme.apply_interval_us = 20'000;
    scheme.quota = {.reset_interval_ms = 100, .sz = kQuota, .weight_nr_accesses = 1, .weight_age = 1};
    Engine engine = started_engine(params);
    std::map<uint64_t, uint64_t> tried_in_window;
    for (uint64_t now_us = 5'000; now_us <= 10'000'000; now_us += 5'000) {
        const uint64_t before = engine.scheme(0).stats.sz_tried;
        run_with_schemes(engine, accesses_in({{0, 8 << 20}}), now_us);
        tried_in_window[engine.scheme(0).quota.charged_from_us] += engine.scheme(0).stats.sz_tried - before;
    }
    uint64_t nr_reached = 0;
    for (const auto& [start_us, tried] : tried_in_window) {
        EXPECT_LE(tried, kQuota) << "window from " << start_us << " us";
        if (tried >= kQuota) ++nr_reached;
    }
    EXPECT_GT(tried_in_window.size(), 95u);
    EXPECT_GT(nr_reached, 50u);
    // The window that is open at the end has not been counted yet (S-26b).
    EXPECT_GE(engine.scheme(0).stats.qt_exceeds + 1, nr_reached);
    EXPECT_LE(engine.scheme(0).stats.sz_tried, tried_in_window.size() * kQuota);
}

// Linux: damos_quota_goal. The effective quota rises below the goal and falls above it, and is never under a byte.
TEST(EngineSchemes, AGoalMovesTheEffectiveQuota) {
    Params params = linux_params(64 << 20);
    SchemeParams& scheme = add_scheme(params, DamosAction::kPageout);
    scheme.apply_interval_us = 100'000;
    scheme.quota.reset_interval_ms = 100;
    add_goal(scheme, {.metric = QuotaMetric::kUserInput, .target_value = 10'000});
    Engine engine = started_engine(params);
    uint64_t now_us = 0;
    const auto after_window = [&](uint64_t score) {
        engine.set_goal_value(0, 0, score);
        for (int tick = 0; tick < 20; ++tick) run_with_schemes(engine, accesses_in({}), now_us += 5'000);
        return engine.scheme(0).quota.esz;
    };
    uint64_t esz = after_window(0);
    for (const uint64_t score : {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) {
        const uint64_t next = after_window(score);
        EXPECT_GT(next, esz) << score;
        EXPECT_LE(next, 2 * esz + 1) << score;  // esz is rounded down
        esz = next;
    }
    const uint64_t met = after_window(10'000);
    EXPECT_LE(met, esz / 4) << "the goal is reached (S-40)";
    EXPECT_EQ(after_window(10'000), met) << "and met";
    esz = met;
    for (const uint64_t score : {11'000, 15'000, 13'000}) {
        const uint64_t next = after_window(score);
        EXPECT_LT(next, esz) << score;
        esz = next;
    }
    for (int i = 0; i < 10; ++i) EXPECT_GE(after_window(19'000), 1u);
    EXPECT_EQ(after_window(20'000), 1u);
}

// Linux: damos_apply_interval. A tenth of the interval gives at least nine times the tries.
TEST(EngineSchemes, AShorterIntervalTriesAsMuchMoreOften) {
    Params params = linux_params(64 << 20);
    add_scheme(params).apply_interval_us = 10'000;
    add_scheme(params).apply_interval_us = 100'000;
    Engine engine = started_engine(params);
    for (uint64_t now_us = 5'000; now_us <= 5'000'000; now_us += 5'000) {
        run_with_schemes(engine, accesses_in({{0, 4 << 20}}), now_us);
    }
    EXPECT_GT(engine.scheme(1).stats.nr_tried, 0u);
    EXPECT_GE(engine.scheme(0).stats.nr_tried, 9 * engine.scheme(1).stats.nr_tried);
}

TEST(EngineSchemes, TuningDoesNotStarveALongInterval_Q4) {
    Params params = linux_params(64 << 20);
    params.attrs.intervals_goal = {.access_bp = 400, .aggrs = 1, .min_sample_us = 5'000, .max_sample_us = 40'000};
    add_scheme(params).apply_interval_us = 2'000'000;
    Engine engine = started_engine(params);
    uint64_t now_us = 0;
    uint64_t nr_tunings = 0;
    uint64_t last_sample_us = params.attrs.sample_us;
    for (uint64_t window = 0; now_us < 60'000'000; ++window) {
        // Idle and busy in turn, so that the interval never rests.
        const uint64_t hot = window % 40 < 20 ? 0 : 64 << 20;
        run_with_schemes(engine, accesses_in({{0, hot}}), now_us += engine.params().attrs.sample_us);
        nr_tunings += engine.params().attrs.sample_us != last_sample_us;
        last_sample_us = engine.params().attrs.sample_us;
    }
    EXPECT_GT(nr_tunings, 20u);
    EXPECT_GE(engine.scheme(0).stats.nr_snapshots, 25u);
}

TEST(EngineSchemes, MonitoringWaitsOnlyWhileAllSchemesAreInactive_L22_Q15) {
    Params params = toy_params({{{0, 1'000}}});
    Watermarks marks{.metric = WatermarkMetric::kFreeMemRate, .high = 500, .mid = 400, .low = 200, .interval_us = 900};
    add_scheme(params).wmarks = marks;
    marks.high = 300;
    marks.mid = 250;
    marks.interval_us = 700;
    add_scheme(params).wmarks = marks;
    Engine engine = started_engine(params);
    EXPECT_TRUE(engine.needs_watermark(WatermarkMetric::kFreeMemRate));
    EXPECT_FALSE(engine.needs_watermark(WatermarkMetric::kOwnMemcgFreeRate));
    EXPECT_EQ(engine.watermark_wait_us({.free_mem = -1}), 0u);
    EXPECT_EQ(engine.watermark_wait_us({.free_mem = 600}), 700u) << "both wait; the shorter wait counts";
    EXPECT_EQ(engine.watermark_wait_us({.free_mem = 350}), 0u) << "the first is between low and mid";
    EXPECT_TRUE(engine.scheme(0).activated);
    EXPECT_FALSE(engine.scheme(1).activated);
    EXPECT_EQ(engine.watermark_wait_us({.free_mem = 100}), 700u);
    Engine without = started_engine(toy_params({{{0, 1'000}}}));
    EXPECT_FALSE(without.needs_watermark(WatermarkMetric::kFreeMemRate));
    EXPECT_EQ(without.watermark_wait_us({.free_mem = 100}), 0u);
}

TEST(EngineSchemes, EachSchemeFollowsTheMetricOfItsWatermarks) {
    Params params = toy_params({{{0, 1'000}}});
    Watermarks marks{.metric = WatermarkMetric::kFreeMemRate, .high = 500, .mid = 400, .low = 200, .interval_us = 900};
    add_scheme(params).wmarks = marks;
    marks.metric = WatermarkMetric::kOwnMemcgFreeRate;
    add_scheme(params).wmarks = marks;
    Engine engine = started_engine(params);
    EXPECT_TRUE(engine.needs_watermark(WatermarkMetric::kOwnMemcgFreeRate));
    EXPECT_EQ(engine.watermark_wait_us({.free_mem = 900, .own_memcg = 300}), 0u);
    EXPECT_FALSE(engine.scheme(0).activated);
    EXPECT_TRUE(engine.scheme(1).activated);
    EXPECT_EQ(engine.watermark_wait_us({.free_mem = 900, .own_memcg = 600}), 900u);
}

TEST(EngineSchemes, AStopKeepsStatisticsAndQuotas_A30) {
    Params params = toy_params({{{0, 90}}});
    params.attrs.min_nr_regions = 3;
    SchemeParams& scheme = add_scheme(params);
    scheme.apply_interval_us = 1;
    scheme.quota = {.reset_interval_ms = 1'000, .sz = 35};
    Engine engine = started_engine(params);
    run_with_schemes(engine, accesses_in({}), 10);
    const SchemeStats stats = engine.scheme(0).stats;
    EXPECT_EQ(stats.sz_tried, 35u);
    engine.stop();
    ASSERT_TRUE(engine.prepare(params, test::toy_traits()).ok());
    engine.start(1);
    EXPECT_EQ(engine.scheme(0).stats, stats);
    EXPECT_FALSE(engine.scheme(0).quota.resume.set) << "its target went";
    run_with_schemes(engine, accesses_in({}), 20);
    EXPECT_EQ(engine.scheme(0).stats.sz_tried, 35u) << "the charge window goes on";
}

TEST(EngineSchemes, ACommitKeepsWhatASchemeHasDone_A20) {
    Params params = toy_params({{{0, 90}}, {{0, 90}}});
    SchemeParams& scheme = add_scheme(params);
    scheme.apply_interval_us = 1;
    scheme.quota = {.reset_interval_ms = 1'000, .sz = 95};
    Engine engine = started_engine(params);
    run_with_schemes(engine, accesses_in({}), 10);
    ASSERT_TRUE(engine.scheme(0).quota.resume.set);
    EXPECT_EQ(engine.scheme(0).quota.resume.target_idx, 1u);

    Params next = test::copy_of(params);
    next.targets[0].obsolete = true;
    next.schemes[0].pattern.min_age = 1;
    add_scheme(next, DamosAction::kCold);
    ASSERT_TRUE(engine.commit(next, test::toy_traits(), nullptr).ok());
    EXPECT_EQ(engine.scheme(0).stats.sz_tried, 95u);
    EXPECT_EQ(engine.scheme(0).quota.resume.target_idx, 0u) << "the point moved with its target";
    EXPECT_EQ(engine.params().schemes[0].pattern.min_age, 1u);
    EXPECT_EQ(engine.scheme(1).stats, SchemeStats{});
    EXPECT_EQ(engine.scheme(1).next_apply_sis, 11u);
}

TEST(EngineSchemes, ACommitInMidPassEndsThePass) {
    Params params = toy_params({{{0, 1'000}}});
    add_scheme(params).apply_interval_us = 1;
    Engine engine = started_engine(params);
    test::sample_once(engine, accesses_in({}));
    ASSERT_TRUE(engine.apply_begin(10));
    ActionRequest request;
    ASSERT_TRUE(engine.next_request(request));
    Params next = toy_params({{{0, 500}}});
    ASSERT_TRUE(engine.commit(next, test::toy_traits(), nullptr).ok());
    engine.complete({.applied = 10});
    EXPECT_FALSE(engine.next_request(request));
    EXPECT_EQ(engine.nr_schemes(), 0u);
    engine.finish();
    EXPECT_TRUE(engine.is_valid());
}

TEST(EngineSchemes, ARefusedCommitLeavesAPassInPeace_I13) {
    Params params = toy_params({{{0, 1'000}}});
    add_scheme(params).apply_interval_us = 1;
    Engine engine = started_engine(params);
    test::sample_once(engine, accesses_in({}));
    ASSERT_TRUE(engine.apply_begin(10));
    ActionRequest request;
    ASSERT_TRUE(engine.next_request(request));
    Engine before;
    ASSERT_TRUE(before.copy_from(engine));
    Params bad = test::copy_of(params);
    add_goal(bad.schemes[0], {});
    const Status status = engine.commit(bad, test::toy_traits(), nullptr);
    EXPECT_STREQ(status.text(), "schemes[0].goals[0].target_value is 0, must be at least 1");
    EXPECT_TRUE(engine == before);
    do engine.complete(deal_with_all(request));
    while (engine.next_request(request));
    EXPECT_EQ(engine.scheme(0).stats.sz_tried, 1'000u);
}

TEST(EngineSchemes, ACopyTakenInMidPassGoesOnAlike) {
    Params params = toy_params({{{0, 10'000}}, {{0, 10'000}}});
    for (int i = 0; i < 3; ++i) {
        SchemeParams& scheme = add_scheme(params, DamosAction::kPageout);
        scheme.apply_interval_us = 20;
        scheme.quota = {.reset_interval_ms = 0, .sz = 2'500, .weight_nr_accesses = 1, .weight_age = 2};
        add_goal(scheme, {.metric = QuotaMetric::kUserInput, .target_value = 100, .current_value = 90});
    }
    Engine engine = started_engine(params, 3);
    const auto world = accesses_in({{0, 2'000}});
    for (uint64_t tick = 1; tick < 2'000; ++tick) run_with_schemes(engine, world, tick * 10);
    test::sample_once(engine, world);
    ASSERT_TRUE(engine.apply_begin(20'000));
    ActionRequest first;
    ASSERT_TRUE(engine.next_request(first));
    Engine copy;
    ASSERT_TRUE(copy.copy_from(engine));
    for (Engine* one : {&engine, &copy}) {
        ActionRequest request = first;
        do one->complete(deal_with_all(request));
        while (one->next_request(request));
        one->finish();
        for (uint64_t tick = 2'001; tick < 2'500; ++tick) run_with_schemes(*one, world, tick * 10);
    }
    EXPECT_TRUE(engine == copy);
    EXPECT_GT(engine.scheme(2).stats.sz_applied, 0u);
}

TEST(EngineSchemes, ARunTakesNoMemory) {
    Params params = toy_params({{{0, 100'000}}});
    params.attrs.max_nr_regions = 50;
    SchemeParams& scheme = add_scheme(params, DamosAction::kPageout);
    scheme.apply_interval_us = 10;
    scheme.quota = {.reset_interval_ms = 0, .sz = 3'333, .weight_nr_accesses = 1, .weight_age = 1};
    add_goal(scheme, {.metric = QuotaMetric::kSomeMemPsiUs, .target_value = 100});
    DamosFilter filter;
    filter.type = FilterType::kAddr;
    filter.range = {12'345, 54'321};
    filter.matching = true;
    filter.allow = true;
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    Engine engine = started_engine(params);
    const auto world = accesses_in({{0, 20'000}});
    const test::HeapFault fault(0);
    for (uint64_t tick = 1; tick < 3'000; ++tick) run_with_schemes(engine, world, tick * 10);
    EXPECT_FALSE(fault.hit());
    EXPECT_GT(engine.scheme(0).stats.nr_snapshots, 2'000u);
}

}  // namespace
}  // namespace damon
