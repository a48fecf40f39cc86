// How well the monitor finds what is hot, against the truth of the simulator, at the default attributes (5 ms, 100 ms,
// 10 to 1,000 regions) unless a test says otherwise. Bounds are about twice what was measured over the same seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "support/sim_run.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kSecond = 1'000'000;

SimAccuracy mean_accuracy(SimRun& run, unsigned windows) {
    SimAccuracy sum;
    for (unsigned i = 0; i < windows; ++i) {
        run.window();
        sum += run.accuracy();
    }
    return sum;
}

// After each of `changes` changes, `period_us` apart: how many windows it takes to find what is hot now.
std::vector<unsigned> windows_after_changes(SimRun& run, unsigned changes, uint64_t period_us) {
    std::vector<unsigned> counts;
    for (unsigned change = 1; change <= changes; ++change) {
        counts.push_back(run.windows_until(9'000, static_cast<unsigned>(period_us / 100'000)));
        run.run_until(change * period_us);
    }
    return counts;
}

double mean(const std::vector<unsigned>& counts) {
    return std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
}

TEST(Accuracy, FindsTenPercentHotWithinFourSeconds) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        SimRun run;
        run.seed = seed;
        run.map(0, 256 * kMiB);
        run.pattern(SimPatternKind::kConstant, {64 * kMiB, 64 * kMiB + 6'553 * 4096});
        run.start();
        EXPECT_LE(run.windows_until(9'000, 40), 12u);  // 2 to 6 measured; 40 windows are 4 s
        EXPECT_GE(mean_accuracy(run, 20).f1_bp(), 9'700u);
    }
}

TEST(Accuracy, EstimatesTheWorkingSet) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        SimRun run;
        run.seed = seed;
        run.map(0, 256 * kMiB);
        run.pattern(SimPatternKind::kConstant, {100 * kMiB, 126 * kMiB});
        run.start();
        run.windows(40);
        uint64_t working_set = 0;
        for (const RegionInfo& region : run.regions()) {
            if (region.nr_accesses > 0) working_set += region.end - region.start;
        }
        EXPECT_NEAR(static_cast<double>(working_set) / (26 * kMiB), 1.0, 0.1) << "seed " << seed;
    }
}

TEST(Accuracy, FollowsStairsAndZigzag) {
    for (const SimPatternKind kind : {SimPatternKind::kStairs, SimPatternKind::kZigzag}) {
        for (uint64_t seed = 1; seed <= 5; ++seed) {
            SCOPED_TRACE(testing::Message() << "kind " << static_cast<int>(kind) << ", seed " << seed);
            SimRun run;
            run.seed = seed;
            run.map(0, 173 * kMiB);  // no step begins where the first regions do
            SimPattern& steps = run.pattern(kind, {13 * kMiB, 113 * kMiB});
            steps.nr_regions = 10;
            steps.step_us = 5 * kSecond;
            run.start();
            const std::vector<unsigned> counts = windows_after_changes(run, 20, 5 * kSecond);
            EXPECT_LE(*std::max_element(counts.begin(), counts.end()), 14u);  // 7 measured
            EXPECT_LE(mean(counts), 4.0);                                     // 1.9 to 2.6 measured
        }
    }
}

TEST(Accuracy, FollowsStairsInAMuchLargerSpace) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        SimRun run;
        run.seed = seed;
        run.map(0, 4 * kGiB);
        SimPattern& steps = run.pattern(SimPatternKind::kStairs, {513 * kMiB, 1'013 * kMiB});
        steps.nr_regions = 10;
        steps.step_us = 10 * kSecond;
        run.start();
        const std::vector<unsigned> counts = windows_after_changes(run, 12, 10 * kSecond);
        EXPECT_LE(*std::max_element(counts.begin(), counts.end()), 22u);  // 11 measured
        EXPECT_LE(mean(counts), 7.0);                                     // 3.5 measured
    }
}

TEST(Accuracy, FollowsPhases) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        SimRun run;
        run.seed = seed;
        run.map(0, kGiB);
        for (uint64_t phase = 0; phase < 3; ++phase) {
            const uint64_t start = phase * 300 * kMiB;
            SimPattern& pulse = run.pattern(SimPatternKind::kPulse, {start, start + (phase + 1) * 40 * kMiB});
            pulse.period_us = 30 * kSecond;
            pulse.phase_us = phase * 10 * kSecond;
            pulse.hot_us = 10 * kSecond;
        }
        run.start();
        const std::vector<unsigned> counts = windows_after_changes(run, 9, 10 * kSecond);
        EXPECT_LE(*std::max_element(counts.begin(), counts.end()), 12u);  // 6 measured
    }
}

TEST(Accuracy, FollowsAMovingWindow) {
    for (const uint64_t pass_s : {60, 300}) {
        SimRun run;
        run.map(0, kGiB);
        SimPattern& moving = run.pattern(SimPatternKind::kMoving, {0, kGiB});
        moving.period_us = pass_s * kSecond;
        moving.window_bytes = 100 * kMiB;
        run.start();
        run.windows(100);
        EXPECT_GE(mean_accuracy(run, 200).f1_bp(), 9'350u) << "a pass in " << pass_s << " s";  // 9,680 and 9,870
    }
}

TEST(Accuracy, FindsOneThousandth) {
    for (const uint64_t max_nr_regions : {100, 1'000}) {
        for (uint64_t seed = 1; seed <= 3; ++seed) {
            SimRun run;
            run.seed = seed;
            run.params.attrs.max_nr_regions = max_nr_regions;
            run.map(0, 4 * kGiB);
            run.pattern(SimPatternKind::kConstant, {3 * kGiB, 3 * kGiB + 4 * kMiB});
            run.start();
            EXPECT_LE(run.windows_until(9'000, 100), 64u) << "seed " << seed;  // 16 to 32 measured
        }
    }
}

TEST(Accuracy, FindsAGigabyteInATerabyte) {
    SimRun run;
    run.map(0, kGiB << 10);
    run.pattern(SimPatternKind::kConstant, {700 * kGiB, 701 * kGiB});
    run.start();
    EXPECT_LE(run.windows_until(9'000, 100), 64u);
    for (int i = 0; i < 20; ++i) {
        run.window();
        ASSERT_LE(run.regions().size(), 1'000u);
    }
}

// Eight hot ranges need seventeen regions. F1 over 100 windows after 200, measured: 20 regions 0.50 to 0.67, 30: 0.98,
// 50: 0.995, 100 and more: 0.998.
TEST(Accuracy, GrowsWithTheBudgetOfRegions) {
    const auto f1_with = [](uint64_t max_nr_regions) {
        SimRun run;
        run.params.attrs.max_nr_regions = max_nr_regions;
        run.map(0, kGiB);
        for (uint64_t i = 0; i < 8; ++i) {
            run.pattern(SimPatternKind::kConstant, {i * 128 * kMiB + 32 * kMiB, i * 128 * kMiB + 44 * kMiB});
        }
        run.start();
        run.windows(200);
        return mean_accuracy(run, 100).f1_bp();
    };
    const uint64_t too_few = f1_with(20);
    EXPECT_LT(too_few, 8'000u);
    EXPECT_GE(f1_with(30), 9'500u);
    EXPECT_GE(f1_with(50), 9'850u);
    EXPECT_GE(f1_with(200), 9'900u);
    EXPECT_GE(f1_with(1'000), 9'900u);
}

TEST(Accuracy, UniformMemoryNeedsNoMoreThanTheMinimum) {
    SimRun run;
    run.map(0, kGiB);
    run.pattern(SimPatternKind::kConstant, {0, kGiB});
    run.start();
    run.windows(50);
    EXPECT_EQ(run.accuracy().f1_bp(), kBp);
    EXPECT_LE(run.regions().size(), 2 * run.params.attrs.min_nr_regions);
}

TEST(Accuracy, CountsFollowTheRate) {
    for (const uint64_t rate : {20'000, 100'000, 300'000}) {  // 20, 100, 300 accesses a second
        SimRun run;
        run.params.attrs.max_nr_regions = 100;
        run.map(0, kGiB);
        run.pattern(SimPatternKind::kConstant, {0, kGiB}).rate_millihz = rate;
        run.start();
        run.windows(20);
        double counted = 0;
        for (int i = 0; i < 50; ++i) {
            run.window();
            for (const RegionInfo& region : run.regions()) {
                counted += region.nr_accesses * static_cast<double>(region.end - region.start) / (kGiB * 50.0);
            }
        }
        const double expected = 20 * (1 - std::exp(-static_cast<double>(rate) * 5e-6));
        // Merging rounds down (M-20): always a little too low, by less than one.
        EXPECT_LT(counted, expected + 0.2) << rate;
        EXPECT_GT(counted, expected - 1.0) << rate;
    }
}

TEST(Accuracy, OneSeedIsOneRun) {
    SimRun runs[3];
    for (SimRun& run : runs) {
        run.seed = &run == &runs[2] ? 2 : 1;
        run.map(0, 256 * kMiB);
        run.pattern(SimPatternKind::kConstant, {64 * kMiB, 90 * kMiB}).rate_millihz = 100'000;
        run.start();
        run.windows(30);
    }
    EXPECT_EQ(runs[0].regions(), runs[1].regions());
    EXPECT_TRUE(runs[0].engine() == runs[1].engine());
    EXPECT_NE(runs[0].regions(), runs[2].regions());
}

TEST(Accuracy, ShiftedMemoryGivesShiftedRegions) {
    const uint64_t shift = 5 * kGiB + 12'288;
    SimRun low;
    SimRun high;
    for (SimRun* run : {&low, &high}) {
        const uint64_t base = run == &high ? shift : 0;
        run->params.attrs.survey_bp = 0;  // whose samples depend on where a region lies
        run->map(base, base + 256 * kMiB);
        SimPattern& stairs = run->pattern(SimPatternKind::kStairs, {base + 10 * kMiB, base + 200 * kMiB});
        stairs.rate_millihz = UINT64_MAX;  // certain: no page's luck differs
        stairs.nr_regions = 7;
        stairs.step_us = kSecond;
        run->start();
    }
    for (int i = 0; i < 60; ++i) {
        low.window();
        high.window();
        std::vector<RegionInfo> expected = low.regions();
        for (RegionInfo& region : expected) {
            region.start += shift;
            region.end += shift;
        }
        ASSERT_EQ(high.regions(), expected) << "window " << i;
    }
}

}  // namespace
}  // namespace damon::test
