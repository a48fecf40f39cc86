// Where the engine takes memory and where it does not, and what a failed allocation leaves behind (A-16, I-13).
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

#include "support/heap_fault.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::started_engine;
using test::toy_params;
using test::toy_traits;

// Quota, goal, filters that cut, probes and tuning: everything that an interval can do.
Params busy_params() {
    Params params = toy_params({{{0, 100'000}}, {{500'000, 700'000}, {800'000, 900'000}}});
    params.attrs.ops_update_us = 300;
    params.attrs.intervals_goal = {.access_bp = 400, .aggrs = 2, .min_sample_us = 1, .max_sample_us = 1'000};
    EXPECT_TRUE(params.probes.resize(2));
    EXPECT_TRUE(params.schemes.resize(2));
    SchemeParams& limited = params.schemes[0];
    limited.action = DamosAction::kPageout;
    limited.quota.sz = 777;
    limited.quota.weight_age = 1;
    limited.apply_interval_us = 30;
    EXPECT_TRUE(
        limited.goals.push_back(QuotaGoal{.metric = QuotaMetric::kNodeMemFreeBp, .nid = 0, .target_value = 50}));
    SchemeParams& filtered = params.schemes[1];
    EXPECT_TRUE(filtered.core_filters.push_back(
        DamosFilter{.type = FilterType::kAddr, .matching = true, .allow = true, .range = {333, 5'555}}));
    return params;
}

void run_everything(Engine& engine, uint64_t now_us) {
    test::sample_once(engine, accesses_in({{10'000, 20'000}, {500'000, 505'000}}));
    if (engine.apply_begin(now_us)) {
        for (MetricQuery& query : engine.metric_queries()) {
            query.answer = 20;
            query.answered = true;
        }
        ActionRequest request;
        while (engine.next_request(request)) engine.complete({.applied = request.range.size()});
    }
    engine.finish();
}

TEST(EngineMemory, AnIntervalTakesNone) {
    Engine engine = started_engine(busy_params());
    const test::HeapFault fault(0);
    for (uint64_t interval = 0; interval < 2'000; ++interval) run_everything(engine, interval * 1'000);
    EXPECT_FALSE(fault.hit());
    EXPECT_GT(engine.scheme(0).stats.nr_tried, 0u);
    EXPECT_GT(engine.scheme(1).stats.nr_tried, 0u);
}

TEST(EngineMemory, StartAndStopTakeNone) {
    Engine engine = started_engine(busy_params());
    const test::HeapFault fault(0);
    for (uint64_t run = 0; run < 10; ++run) {
        engine.stop();
        engine.start(run);
        for (uint64_t interval = 0; interval < 50; ++interval) run_everything(engine, interval);
    }
    EXPECT_FALSE(fault.hit());
}

TEST(EngineMemory, NewCoverageThatFitsTakesNone) {
    Engine engine = started_engine(busy_params());
    const test::HeapFault fault(0);
    for (uint64_t round = 0; round < 100; ++round) {
        const AddressRange ranges[] = {{round * 100, 50'000}, {60'000 + round, 300'000}, {400'000, 900'000 + round}};
        ASSERT_TRUE(engine.set_target_ranges(0, ranges, 1).ok());
        for (uint64_t interval = 0; interval < 12; ++interval) run_everything(engine, interval);
    }
    EXPECT_FALSE(fault.hit());
}

// Makes every allocation of `change` fail in turn, and expects -ENOMEM, a text, and nothing changed.
template <typename Change>
void expect_atomic(Engine& engine, const Change& change) {
    Engine before;
    ASSERT_TRUE(before.copy_from(engine));
    uint64_t fail_at = 0;
    while (true) {
        const test::HeapFault fault(fail_at);
        const Status status = change();
        if (!fault.hit()) {
            EXPECT_TRUE(status.ok()) << status.text();
            break;
        }
        ASSERT_EQ(status.error(), -ENOMEM) << "allocation " << fail_at;
        ASSERT_STRNE(status.text(), "");
        ASSERT_TRUE(engine == before) << "allocation " << fail_at;
        ASSERT_TRUE(engine.is_valid());
        ++fail_at;
    }
    EXPECT_GT(fail_at, 0u) << "the change took no memory: nothing was proven";
    EXPECT_FALSE(engine == before);
}

TEST(EngineMemory, AFailedCommitChangesNothing_I13) {
    Engine engine = started_engine(busy_params());
    for (uint64_t interval = 0; interval < 77; ++interval) run_everything(engine, interval * 1'000);
    Params params = busy_params();
    params.attrs.max_nr_regions = 3'000;
    params.attrs.sample_us = 5;
    params.targets[0].obsolete = true;
    ASSERT_TRUE(params.targets.push_back(TargetParams{}));
    ASSERT_TRUE(params.schemes.resize(3));
    ASSERT_TRUE(params.probes.resize(1));
    expect_atomic(engine, [&] {
        Vector<uint8_t> marks;
        return engine.commit(params, toy_traits(), &marks);
    });
}

TEST(EngineMemory, AFailedPrepareChangesNothing) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    engine.stop();
    const Params params = busy_params();
    expect_atomic(engine, [&] { return engine.prepare(params, toy_traits()); });
}

TEST(EngineMemory, CoverageThatDoesNotFitGrowsTheEngineOrChangesNothing) {
    Params small = toy_params({{{0, 1'000}}});
    small.attrs.max_nr_regions = 10;
    Engine engine = started_engine(small);
    const size_t capacity = engine.region_capacity();
    std::vector<AddressRange> ranges;
    for (uint64_t i = 0; i < 3 * capacity; ++i) ranges.push_back({i * 10, i * 10 + 5});
    expect_atomic(engine, [&] { return engine.set_target_ranges(0, ranges, 1); });
    EXPECT_GE(engine.region_capacity(), ranges.size());
    test::run_intervals(engine, 30, accesses_in({}));
    EXPECT_EQ(engine.nr_regions(), ranges.size()) << "gaps cannot be merged away";
}

TEST(EngineMemory, CoverageFromTheOpsLeavesRoomForTheGivenRanges) {
    Params small = toy_params({{}, {}});
    small.attrs.max_nr_regions = 10;
    for (uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(small.targets[1].ranges.push_back({i * 10, i * 10 + 5}));
    Engine engine;
    ASSERT_TRUE(engine.prepare(small, toy_traits()).ok());
    std::vector<AddressRange> ranges;
    for (uint64_t i = 0; i < engine.region_capacity(); ++i) ranges.push_back({i * 10, i * 10 + 5});
    ASSERT_TRUE(engine.set_target_ranges(0, ranges, 1).ok());
    engine.start(1);
    EXPECT_EQ(engine.regions().nr_regions_of(0), ranges.size());
    EXPECT_EQ(engine.regions().nr_regions_of(1), 20u);
}

TEST(EngineMemory, AFailedCopyLeavesTheCopyAsItWas) {
    Engine engine = started_engine(busy_params());
    Engine copy = started_engine(toy_params({{{0, 50}}}));
    const Engine unchanged = started_engine(toy_params({{{0, 50}}}));
    for (uint64_t fail_at = 0;; ++fail_at) {
        const test::HeapFault fault(fail_at);
        const bool copied = copy.copy_from(engine);
        ASSERT_EQ(copied, !fault.hit());
        if (copied) break;
        ASSERT_TRUE(copy == unchanged);
    }
    EXPECT_TRUE(copy == engine);
}

TEST(EngineMemory, IsAtMost168BytesARegion) {
    for (const uint64_t max_nr_regions : {10, 1'000, 100'000}) {
        Params params = busy_params();
        params.attrs.max_nr_regions = max_nr_regions;
        Engine engine = started_engine(params);
        // With the worker's published copy, which is what the C interface has for a region.
        const size_t published = sizeof(RegionInfo) + sizeof(ProbeHits);
        EXPECT_LE(engine.reserved_bytes() + published * engine.region_capacity(), 168 * engine.region_capacity());
    }
}

}  // namespace
}  // namespace damon
