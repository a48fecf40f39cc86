// Whole runs in small worlds, window by window, against texts that are checked in. A difference is a change of what the
// monitor does: look at it, and if it is meant, renew the texts and say so in the commit:
//
//     DAMON_RENEW_GOLDEN=1 <build>/tests/sim_tests --gtest_filter='Golden.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/sim_run.h"

namespace damon::test {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSecond = 1'000'000;

std::filesystem::path golden_path(const std::string& name) {
    return std::filesystem::path(DAMON_TESTS_DIR) / "sim" / "golden" / (name + ".txt");
}

// One line a window: when, then each region as first page, nr_accesses and age. The last number is the end.
std::string window_text(const SimRun& run) {
    std::ostringstream text;
    text << run.now_us() / 1'000 << " ms, f1 " << run.accuracy().f1_bp() << ":";
    for (const RegionInfo& region : run.regions()) {
        text << " | " << region.start / kPage << " " << region.nr_accesses << "/" << region.age;
    }
    text << " | " << (run.regions().empty() ? 0 : run.regions().back().end / kPage) << "\n";
    return text.str();
}

void compare_with_golden(const std::string& name, const std::string& text) {
    if (getenv("DAMON_RENEW_GOLDEN") != nullptr) {
        std::ofstream(golden_path(name)) << text;
        return;
    }
    std::ifstream file(golden_path(name));
    ASSERT_TRUE(file.is_open()) << golden_path(name);
    std::string expected;
    std::istringstream actual(text);
    std::string line;
    for (unsigned number = 1; std::getline(file, expected); ++number) {
        ASSERT_TRUE(std::getline(actual, line)) << name << " ends before line " << number;
        ASSERT_EQ(line, expected) << name << ", line " << number;
    }
    EXPECT_FALSE(std::getline(actual, line)) << name << " goes on: " << line;
}

void run_windows(SimRun& run, const std::string& name, unsigned windows) {
    run.params.attrs.min_nr_regions = 3;
    run.params.attrs.max_nr_regions = 12;
    run.params.attrs.survey_bp = 0;  // DAMON as it is in the kernel
    run.start();
    std::string text;
    for (unsigned i = 0; i < windows; ++i) {
        run.window();
        text += window_text(run);
    }
    compare_with_golden(name, text);
}

TEST(Golden, OneHotRange) {
    SimRun run;
    run.map(0, 1'000 * kPage);
    run.pattern(SimPatternKind::kConstant, {300 * kPage, 400 * kPage});
    run_windows(run, "one_hot_range", 30);
}

TEST(Golden, LukewarmNextToHot) {
    SimRun run;
    run.seed = 2;
    run.map(0, 1'000 * kPage);
    run.pattern(SimPatternKind::kConstant, {300 * kPage, 400 * kPage});
    run.pattern(SimPatternKind::kConstant, {400 * kPage, 700 * kPage}).rate_millihz = 100'000;
    run_windows(run, "lukewarm_next_to_hot", 30);
}

TEST(Golden, Stairs) {
    SimRun run;
    run.seed = 3;
    run.map(0, 1'000 * kPage);
    SimPattern& stairs = run.pattern(SimPatternKind::kStairs, {100 * kPage, 900 * kPage});
    stairs.nr_regions = 4;
    stairs.step_us = kSecond;
    run_windows(run, "stairs", 50);
}

TEST(Golden, TwoRangesWithAHole) {
    SimRun run;
    run.seed = 4;
    run.map(0, 400 * kPage);
    run.map(5'000 * kPage, 5'600 * kPage);
    SimPattern& zigzag = run.pattern(SimPatternKind::kZigzag, {5'000 * kPage, 5'600 * kPage});
    zigzag.nr_regions = 3;
    zigzag.step_us = kSecond;
    run_windows(run, "two_ranges_with_a_hole", 40);
}

// The lines end with what the scheme has done so far and what is present, in pages.
TEST(Golden, ReclaimUnderAQuota) {
    SimRun run;
    run.seed = 6;
    run.params.attrs.min_nr_regions = 3;
    run.params.attrs.max_nr_regions = 12;
    run.params.attrs.survey_bp = 0;
    run.map(0, 1'000 * kPage);
    run.pattern(SimPatternKind::kConstant, {300 * kPage, 400 * kPage});
    SimPattern& shift = run.pattern(SimPatternKind::kPulse, {600 * kPage, 700 * kPage});
    shift.period_us = 2 * kSecond;
    shift.hot_us = kSecond / 2;
    SchemeParams scheme;
    scheme.action = DamosAction::kPageout;
    scheme.pattern.max_nr_accesses = 0;
    scheme.pattern.min_age = 3;
    scheme.quota.sz = 60 * kPage;
    scheme.quota.reset_interval_ms = 200;
    scheme.quota.weight_age = 1;
    ASSERT_TRUE(run.params.schemes.push_back(std::move(scheme)));
    run.start();
    std::string text;
    for (int i = 0; i < 50; ++i) {
        run.window();
        std::string line = window_text(run);
        line.pop_back();
        const SchemeStats& stats = run.engine().scheme(0).stats;
        std::ostringstream scheme_text;
        scheme_text << " || tried " << stats.nr_tried << ", " << stats.sz_tried / kPage << "; applied "
                    << stats.nr_applied << ", " << stats.sz_applied / kPage << "; full " << stats.qt_exceeds
                    << "; present " << run.sim.stat().resident_bytes / kPage << "\n";
        text += line + scheme_text.str();
    }
    compare_with_golden("reclaim_under_a_quota", text);
}

TEST(Golden, TunedIntervals) {
    SimRun run;
    run.seed = 5;
    run.truly_hot = 2'500;
    run.params.attrs.intervals_goal = {.access_bp = 400, .aggrs = 3, .min_sample_us = 5'000, .max_sample_us = 400'000};
    run.map(0, 1'000 * kPage);
    run.pattern(SimPatternKind::kConstant, {300 * kPage, 310 * kPage}).rate_millihz = 5'000;
    run_windows(run, "tuned_intervals", 40);
}

}  // namespace
}  // namespace damon::test
