// Schemes on simulated machines: what a policy costs and what it brings, over hours and days of virtual time.
#include <gtest/gtest.h>

#include "support/sim_run.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kHour = 3'600 * kSecond;

SchemeParams& add_scheme(SimRun& run, DamosAction action) {
    SchemeParams scheme;
    scheme.action = action;
    EXPECT_TRUE(run.params.schemes.push_back(std::move(scheme)));
    return run.params.schemes.back();
}

// Half a second and ten seconds: a day is 172,800 intervals.
void look_seldom(SimRun& run) {
    run.params.attrs.sample_us = kSecond / 2;
    run.params.attrs.aggr_us = 10 * kSecond;
}

// Pages out what was not accessed for `age` windows.
SchemeParams& add_reclaim(SimRun& run, uint32_t age) {
    SchemeParams& scheme = add_scheme(run, DamosAction::kPageout);
    scheme.pattern.max_nr_accesses = 0;
    scheme.pattern.min_age = age;
    return scheme;
}

TEST(Policy, ReclaimKeepsTheWorkingSetForADay) {
    SimRun run;
    look_seldom(run);
    run.map(0, 8 * kGiB);
    run.pattern(SimPatternKind::kConstant, {kGiB, 2 * kGiB});
    add_reclaim(run, 12);
    run.start();
    run.run_until(24 * kHour);
    const SimStat stat = run.sim.stat();
    EXPECT_LE(stat.resident_bytes, kGiB + kGiB / 20);
    EXPECT_GE(stat.resident_bytes, kGiB - kGiB / 20);
    // Nearly everything was paged out once and never came back.
    EXPECT_LE(stat.refault_bytes, kGiB / 10);
    EXPECT_LE(stat.paged_out_bytes, 7 * kGiB + kGiB / 5);
    const SchemeStats& stats = run.engine().scheme(0).stats;
    EXPECT_EQ(stats.sz_applied, stat.paged_out_bytes);
}

TEST(Policy, HastyReclaimPaysInRefaults) {
    const auto refaults_with = [](uint32_t age) {
        SimRun run;
        look_seldom(run);
        run.map(0, kGiB);
        // Half of it is in use for ten minutes of every hour.
        SimPattern& shift = run.pattern(SimPatternKind::kPulse, {0, kGiB / 2});
        shift.period_us = kHour;
        shift.hot_us = kHour / 6;
        add_reclaim(run, age);
        run.start();
        run.run_until(12 * kHour);
        return run.sim.stat().refault_bytes;
    };
    const uint64_t hasty = refaults_with(6);      // a minute
    const uint64_t patient = refaults_with(360);  // an hour
    EXPECT_GE(hasty, 10 * (kGiB / 2));            // out and in again in each of the eleven later hours
    EXPECT_LE(patient, kGiB / 20);
}

TEST(Policy, QuotaBoundsEachSecond) {
    SimRun run;
    run.map(0, 8 * kGiB);
    SchemeParams& scheme = add_reclaim(run, 5);
    scheme.quota.reset_interval_ms = 1'000;
    scheme.quota.sz = 64 * kMiB;
    scheme.quota.weight_age = 1;
    run.start();
    uint64_t before = 0;
    for (uint64_t second = 1; second <= 60; ++second) {
        run.run_until(second * kSecond);
        const uint64_t now = run.sim.stat().paged_out_bytes;
        // A window may begin and end within the second.
        ASSERT_LE(now - before, 2 * 64 * kMiB) << "second " << second;
        before = now;
    }
    // Memory that is out already is tried again as it grows old, and charged (S-23): the quota is used, if not well.
    const SchemeStats& stats = run.engine().scheme(0).stats;
    EXPECT_EQ(stats.sz_applied, before);
    EXPECT_LE(stats.sz_tried, 60 * 64 * kMiB);
    EXPECT_GE(stats.sz_tried, 57 * 64 * kMiB);
    EXPECT_GE(stats.qt_exceeds, 57u);
}

TEST(Policy, TimeQuotaFollowsTheCostOfPages) {
    SimRun run;
    run.map(0, 64 * kGiB);
    SchemeParams& scheme = add_reclaim(run, 5);
    scheme.quota.reset_interval_ms = 1'000;
    scheme.quota.ms = 10;
    run.start();
    run.run_until(60 * kSecond);
    // 2 us a page: 10 ms pay for 5,000 pages. The first window knows nothing yet (S-26a) and the charge follows.
    const double per_second = static_cast<double>(run.sim.stat().paged_out_bytes) / 4096 / 55;
    EXPECT_GT(per_second, 4'000);
    EXPECT_LT(per_second, 6'000);
}

TEST(Policy, PressureGoalStopsAtTheGoal) {
    SimRun run;
    look_seldom(run);
    run.map(0, 4 * kGiB);
    // Used evenly, each page once in ten minutes: every reclaimed page comes back.
    run.pattern(SimPatternKind::kConstant, {0, 4 * kGiB}).rate_millihz = 1'667;
    SchemeParams& scheme = add_scheme(run, DamosAction::kPageout);
    scheme.quota.reset_interval_ms = 10'000;
    scheme.quota.sz = kGiB;
    scheme.quota.weight_age = 1;
    QuotaGoal goal;
    goal.metric = QuotaMetric::kSomeMemPsiUs;
    goal.target_value = 100'000;  // 1 % of the time
    ASSERT_TRUE(scheme.goals.push_back(goal));
    run.start();
    run.run_until(kHour / 2);
    const uint64_t before = run.sim.stat().stall_ns;
    run.run_until(kHour);
    const double share = static_cast<double>(run.sim.stat().stall_ns - before) / 1.8e12;
    EXPECT_GT(share, 0.005);
    EXPECT_LT(share, 0.02);
}

TEST(Policy, WatermarksWaitForScarcity) {
    for (const bool scarce : {false, true}) {
        SimRun run;
        SimMachine machine;
        machine.node_bytes[0] = scarce ? 5 * kGiB : 64 * kGiB;
        ASSERT_TRUE(run.sim.set_machine(machine).ok());
        run.map(0, 4 * kGiB);
        SchemeParams& scheme = add_reclaim(run, 5);
        scheme.wmarks = {
            .metric = WatermarkMetric::kFreeMemRate, .high = 500, .mid = 400, .low = 50, .interval_us = kSecond};
        run.start();
        run.run_until(30 * kSecond);
        const uint64_t out = run.sim.stat().paged_out_bytes;
        if (scarce) {
            EXPECT_GE(out, kGiB);
        } else {
            EXPECT_EQ(out, 0u);
        }
    }
}

TEST(Policy, TieringMovesHotMemoryUp) {
    SimRun run;
    SimMachine machine;
    machine.nr_nodes = 2;
    machine.node_bytes[0] = kGiB;
    machine.node_bytes[1] = 16 * kGiB;
    ASSERT_TRUE(run.sim.set_machine(machine).ok());
    SimRange range;
    range.range = {0, 8 * kGiB};
    range.nid = 1;
    ASSERT_TRUE(run.sim.add_range(range).ok());
    run.pattern(SimPatternKind::kConstant, {3 * kGiB, 3 * kGiB + 512 * kMiB});
    SchemeParams& promote = add_scheme(run, DamosAction::kMigrateHot);
    promote.target_nid = 0;
    promote.pattern.min_nr_accesses = 10;
    promote.pattern.min_age = 3;
    run.start();
    run.run_until(60 * kSecond);
    Extent extent;
    uint64_t hot_on_top = 0;
    for (uint64_t address = 3 * kGiB; address < 3 * kGiB + 512 * kMiB; address += kMiB) {
        ASSERT_TRUE(run.sim.memory().extent_at(0, address, run.now_us(), extent));
        hot_on_top += extent.nid == 0 ? kMiB : 0;
    }
    EXPECT_GE(hot_on_top, 500 * kMiB);
    EXPECT_LE(run.sim.stat().node_used_bytes[0], 512 * kMiB + 52 * kMiB);
}

TEST(Policy, AFilterSparesAnonymousMemory) {
    SimRun run;
    run.map(0, kGiB);
    SimRange file;
    file.range = {2 * kGiB, 3 * kGiB};
    file.flags = kSimRangeFile;
    ASSERT_TRUE(run.sim.add_range(file).ok());
    SchemeParams& scheme = add_reclaim(run, 5);
    DamosFilter filter;
    filter.type = FilterType::kAnon;
    filter.matching = true;
    filter.allow = false;
    ASSERT_TRUE(scheme.ops_filters.push_back(filter));
    run.start();
    run.run_until(10 * kSecond);
    EXPECT_EQ(run.sim.stat().swapped_bytes, 0u);
    EXPECT_EQ(run.sim.stat().evicted_bytes, kGiB);
    const SchemeStats& stats = run.engine().scheme(0).stats;
    EXPECT_EQ(stats.sz_applied, kGiB);
    EXPECT_GE(stats.sz_ops_filter_passed, kGiB);
}

}  // namespace
}  // namespace damon::test
