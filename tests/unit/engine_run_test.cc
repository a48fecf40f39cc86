// The engine as a whole, driven interval by interval: the monitoring side of the main loop (L-1 to L-15).
#include <gtest/gtest.h>

#include "support/toy_engine.h"

namespace damon {
namespace {

using test::accesses_in;
using test::started_engine;
using test::toy_params;

TEST(EngineRun, SamplesOneAddressInsideEveryRegion_M12) {
    Engine engine = started_engine(toy_params({{{0, 1'000}, {5'000, 6'000}}, {{100, 900}}}));
    ASSERT_EQ(engine.nr_targets(), 2u);
    const std::span<Sample> samples = engine.plan();
    ASSERT_EQ(samples.size(), engine.nr_regions());
    size_t next = 0;
    for (uint32_t target = 0; target < engine.nr_targets(); ++target) {
        for (const Region& region : test::regions_of(engine, target)) {
            const Sample& sample = samples[next++];
            EXPECT_EQ(sample.target_idx, target);
            EXPECT_EQ(sample.region, region.range);
            EXPECT_TRUE(region.range.contains(sample.addr));
            EXPECT_EQ(sample.seen, Seen::kUnknown);
        }
    }
}

TEST(EngineRun, StartCutsToTheMinimumCountBeforeTheFirstTick_L1_M22) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    EXPECT_EQ(engine.passed_sample_intervals(), 0u);
    ASSERT_EQ(engine.nr_regions(), 10u);
    EXPECT_EQ(engine.regions().at(0, 3).range, (AddressRange{300, 400}));
}

// L-15 without the scheme: what its applications at T = 3, 6, 9 ... would see.
TEST(EngineRun, MovingSumsOfAnAccessThatEndsAtTick13_L15) {
    Params params = toy_params({{{0, 3}}});
    params.attrs.ops_update_us = 250;
    params.attrs.min_nr_regions = 3;
    Engine engine = started_engine(params);
    std::vector<uint32_t> sums;
    std::vector<uint64_t> updates;
    std::vector<uint64_t> windows;
    for (uint64_t tick = 1; tick <= 30; ++tick) {
        const Due due = test::sample_once(engine, accesses_in({{0, tick <= 13 ? 3u : 0u}}));
        ASSERT_EQ(engine.passed_sample_intervals(), tick);
        if (tick % 3 == 0) sums.push_back(engine.moving_sum(engine.regions().at(0, 0)));
        if (due.aggregation) windows.push_back(tick);
        if (engine.finish()) updates.push_back(tick);
    }
    EXPECT_EQ(sums, (std::vector<uint32_t>{3, 6, 9, 10, 8, 5, 2, 1, 0, 0}));
    EXPECT_EQ(windows, (std::vector<uint64_t>{10, 20, 30}));
    EXPECT_EQ(updates, (std::vector<uint64_t>{25}));
}

TEST(EngineRun, FindsTheHotTenthOfTheMemory) {
    Params params = toy_params({{{0, 1'000'000}}});
    params.attrs.max_nr_regions = 100;
    Engine engine = started_engine(params, 7);
    const AddressRange hot{400'000, 500'000};
    test::run_intervals(engine, 40 * 10 - 1, accesses_in({hot}));
    test::sample_once(engine, accesses_in({hot}));
    uint64_t found = 0;
    uint64_t wrong = 0;
    for (const Region& region : test::regions_of(engine, 0)) {
        const uint64_t inside = region.range.intersects(hot) ? region.range.intersection(hot).size() : 0;
        if (region.nr_accesses >= 5) {
            found += inside;
            wrong += region.size() - inside;
        }
    }
    EXPECT_GT(found, 90'000u);
    EXPECT_LT(wrong, 10'000u);
    EXPECT_LE(engine.nr_regions(), 100u);
}

TEST(EngineRun, UnknownAnswersAreNoAccessesAndAreTold) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    const test::World half_blind = [](const Sample& sample) { return sample.addr < 500 ? Seen::kUnknown : Seen::kNo; };
    test::run_intervals(engine, 9, half_blind);
    test::sample_once(engine, half_blind);
    std::vector<RegionInfo> regions(engine.nr_regions());
    ASSERT_EQ(engine.read_regions(regions, false), regions.size());
    for (const RegionInfo& region : regions) {
        EXPECT_EQ(region.nr_accesses, 0u);
        EXPECT_EQ(region.flags, region.start < 500 ? uint32_t{kRegionUnknown} : 0u);
    }
}

TEST(EngineRun, AWayOfLookingThatSeesOnlyWritesIsTold) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    for (Sample& sample : engine.plan()) {
        sample.seen = Seen::kYes;
        sample.writes_only = sample.addr < 500;
    }
    engine.record_samples();
    std::vector<RegionInfo> regions(engine.nr_regions());
    engine.read_regions(regions, true);
    for (const RegionInfo& region : regions) {
        EXPECT_EQ(region.flags, region.start < 500 ? uint32_t{kRegionWritesOnly} : 0u);
    }
}

TEST(EngineRun, ResetMovesTheWindowToLast_M23_I7) {
    Engine engine = started_engine(toy_params({{{0, 3}}}));
    test::run_intervals(engine, 10, accesses_in({{0, 3}}));
    for (const Region& region : test::regions_of(engine, 0)) {
        EXPECT_EQ(region.nr_accesses, 0u);
        EXPECT_EQ(region.last_nr_accesses, 10u);
        EXPECT_EQ(region.evidence, 0);
        EXPECT_EQ(region.last_evidence, kEvidenceAnswered);
    }
}

// Hot, then not seen for one window, then not accessed once: the memory is not idle, and it is not old.
TEST(EngineRun, AWindowInWhichNobodyCouldLookLeavesTheLastOneInForce_M36_S38_L20) {
    Params params = toy_params({{{0, 3}}});
    SchemeParams scheme;
    scheme.action = DamosAction::kPageout;
    scheme.apply_interval_us = 10;
    scheme.pattern.max_nr_accesses = 0;
    scheme.pattern.min_age = 5;
    ASSERT_TRUE(params.schemes.push_back(std::move(scheme)));
    Engine engine = started_engine(params);
    test::run_intervals(engine, 80, accesses_in({{0, 3}}));
    test::run_intervals(engine, 10, [](const Sample&) { return Seen::kUnknown; });
    for (const Region& region : test::regions_of(engine, 0)) {
        EXPECT_EQ(region.last_nr_accesses, 10u);
        EXPECT_EQ(region.nr_accesses, 0u);
        EXPECT_EQ(region.last_evidence, kEvidenceUnknown) << "before its next sample the region is unknown";
        EXPECT_EQ(engine.moving_sum(region), 10u);
    }
    for (int i = 0; i < 10; ++i) {
        test::sample_once(engine, accesses_in({}));
        ActionRequest request;
        engine.apply_begin(0);
        EXPECT_FALSE(engine.next_request(request)) << "interval " << i << ", age " << request.age;
        engine.finish();
    }
    for (const Region& region : test::regions_of(engine, 0)) EXPECT_EQ(region.age, 0u);
}

TEST(EngineRun, WhatIsIdleGrowsOlderAcrossAWindowInWhichNobodyCouldLook_M36) {
    Engine engine = started_engine(toy_params({{{0, 3}}}));
    test::run_intervals(engine, 50, accesses_in({}));
    test::run_intervals(engine, 10, [](const Sample&) { return Seen::kUnknown; });
    test::run_intervals(engine, 20, accesses_in({}));
    for (const Region& region : test::regions_of(engine, 0)) EXPECT_EQ(region.age, 7u);
}

// Of ten samples, the first `answered` are.
void window_with_answers(Engine& engine, int answered, Seen seen) {
    for (int i = 0; i < 10; ++i) {
        for (Sample& sample : engine.plan()) {
            sample.seen = i < answered ? seen : Seen::kUnknown;
            sample.unknown = Unknown::kHugePage;
        }
        engine.record_samples();
        if (i < 9) engine.finish();
    }
}

std::vector<RegionInfo> snapshot_of(const Engine& engine) {
    std::vector<RegionInfo> infos(engine.nr_regions());
    engine.read_regions(infos, false);
    return infos;
}

TEST(EngineRun, AWindowIsScaledToTheSamplesThatWereAnswered_M36) {
    Engine engine = started_engine(toy_params({{{0, 3}}}));
    window_with_answers(engine, 3, Seen::kYes);
    for (const RegionInfo& info : snapshot_of(engine)) {
        EXPECT_EQ(info.nr_accesses, 10u) << "every answer was yes";
        EXPECT_EQ(info.flags, uint32_t{kRegionPartial});
        EXPECT_EQ(info.unknown_reason, Unknown::kHugePage);
    }
    engine.finish();
    for (const Region& region : test::regions_of(engine, 0)) EXPECT_EQ(region.last_nr_accesses, 10u);
}

TEST(EngineRun, AWindowWithTooFewAnswersIsUnknown_M36) {
    Engine engine = started_engine(toy_params({{{0, 3}}}));
    window_with_answers(engine, 2, Seen::kYes);
    for (const RegionInfo& info : snapshot_of(engine)) {
        EXPECT_EQ(info.flags, uint32_t{kRegionUnknown});
        EXPECT_EQ(info.nr_accesses, 0u);
        EXPECT_EQ(info.idle_us, kU64Max);
        EXPECT_EQ(info.unknown_reason, Unknown::kHugePage);
    }
}

TEST(EngineRun, WhatWasNeverSampledWasNotExamined) {
    const Engine engine = started_engine(toy_params({{{0, 3}}}));
    for (const RegionInfo& info : snapshot_of(engine)) {
        EXPECT_EQ(info.flags, uint32_t{kRegionUnknown});
        EXPECT_EQ(info.unknown_reason, Unknown::kNotExamined);
    }
}

TEST(EngineRun, AgesAndIdleTimesAreThoseOfTheClock_Q75) {
    Params params = toy_params({{{0, 3}}});
    Engine engine = started_engine(params);
    test::run_intervals(engine, 20, accesses_in({{0, 3}}));
    for (int i = 0; i < 100; ++i) {
        for (Sample& sample : engine.plan()) sample.seen = Seen::kNo;
        engine.record_samples(290);
        if (i < 99) engine.finish();
    }
    EXPECT_EQ(engine.window_us(), 2'900u);
    for (const RegionInfo& info : snapshot_of(engine)) {
        EXPECT_EQ(info.idle_us, 29'000u);
        EXPECT_EQ(info.age_us, 9 * 2'900u) << "the window that changed it made it new";
        EXPECT_EQ(info.age, 9u);
    }
}

// A scheme every 100 intervals, in a run whose intervals take 29 times as long.
TEST(EngineRun, SchemesWithAnIntervalOfTheirOwnKeepIt_Q75) {
    Params params = toy_params({{{0, 3}}});
    SchemeParams scheme;
    scheme.apply_interval_us = 1'000;
    ASSERT_TRUE(params.schemes.push_back(std::move(scheme)));
    ASSERT_TRUE(params.schemes.push_back(SchemeParams{}));
    Engine engine = started_engine(params);
    for (int i = 0; i < 200; ++i) {
        for (Sample& sample : engine.plan()) sample.seen = Seen::kNo;
        engine.record_samples(290);
        ActionRequest request;
        if (engine.apply_begin(0)) {
            while (engine.next_request(request)) engine.complete({});
        }
        engine.finish();
    }
    EXPECT_EQ(engine.scheme(0).stats.nr_snapshots, 50u)
        << "58 ms; an interval of 290 us is over when the scheme is due";
    EXPECT_EQ(engine.scheme(1).stats.nr_snapshots, 20u) << "one for each window";
}

TEST(EngineRun, ThatReadsWereMissedIsRememberedAcrossAWindowInWhichNobodyCouldLook) {
    Engine engine = started_engine(toy_params({{{0, 3}}}));
    for (int i = 0; i < 10; ++i) {
        for (Sample& sample : engine.plan()) {
            sample.seen = Seen::kYes;
            sample.writes_only = true;
        }
        engine.record_samples();
        engine.finish();
    }
    test::run_intervals(engine, 10, [](const Sample&) { return Seen::kUnknown; });
    test::run_intervals(engine, 1, accesses_in({}));
    std::vector<RegionInfo> infos(engine.nr_regions());
    engine.read_regions(infos, true);
    for (const RegionInfo& info : infos) EXPECT_EQ(info.flags, uint32_t{kRegionWritesOnly | kRegionPartial});
}

TEST(EngineRun, SameSeedAndAnswersGiveTheSameEngine) {
    Engine first = started_engine(toy_params({{{0, 100'000}}}), 5);
    Engine second = started_engine(toy_params({{{0, 100'000}}}), 5);
    Engine other_seed = started_engine(toy_params({{{0, 100'000}}}), 6);
    for (Engine* engine : {&first, &second, &other_seed}) {
        test::run_intervals(*engine, 500, accesses_in({{30'000, 40'000}}));
    }
    EXPECT_TRUE(first == second);
    EXPECT_FALSE(first == other_seed);
}

TEST(EngineRun, ACopyGoesOnAsTheOriginal) {
    Engine engine = started_engine(toy_params({{{0, 100'000}}, {{500, 700}}}));
    test::run_intervals(engine, 123, accesses_in({{30'000, 40'000}}));
    for (Sample& sample : engine.plan()) sample.seen = Seen::kYes;
    Engine copy;
    ASSERT_TRUE(copy.copy_from(engine));
    ASSERT_TRUE(copy == engine);
    for (Engine* one : {&engine, &copy}) {
        one->record_samples();
        one->finish();
        test::run_intervals(*one, 123, accesses_in({{50'000, 60'000}}));
    }
    EXPECT_TRUE(copy == engine);
}

TEST(EngineRun, StoppingDropsTheRegionsAndStartingBringsTheGivenOnesBack_L17_A30) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    test::run_intervals(engine, 50, accesses_in({{0, 100}}));
    engine.stop();
    EXPECT_EQ(engine.nr_regions(), 0u);
    engine.start(1);
    EXPECT_TRUE(engine == started_engine(toy_params({{{0, 1'000}}})));
}

TEST(EngineRun, CoverageThatArrivesBetweenIntervalsIsSampledFromTheNextOn_M35) {
    Engine engine = started_engine(toy_params({{}}));
    EXPECT_TRUE(engine.plan().empty());
    engine.record_samples();
    engine.finish();
    const AddressRange range{0, 100};
    ASSERT_TRUE(engine.set_target_ranges(0, {&range, 1}, 1).ok());
    EXPECT_EQ(engine.plan().size(), 1u);
    engine.record_samples();
    engine.finish();
    // L-14: the minimum count is enforced at the next aggregation only.
    EXPECT_EQ(engine.nr_regions(), 1u);
    test::run_intervals(engine, 8, accesses_in({}));
    EXPECT_GE(engine.nr_regions(), 10u);
}

TEST(EngineRun, ACommitBetweenPlanAndFoldDropsThatIntervalsSamples) {
    Engine engine = started_engine(toy_params({{{0, 1'000}}}));
    for (Sample& sample : engine.plan()) sample.seen = Seen::kYes;
    ASSERT_TRUE(engine.commit(engine.params(), test::toy_traits(), nullptr).ok());
    engine.record_samples();
    for (const Region& region : test::regions_of(engine, 0)) EXPECT_EQ(region.evidence, 0);
    EXPECT_EQ(engine.passed_sample_intervals(), 1u);
}

}  // namespace
}  // namespace damon
