// Quotas: charging, windows, effective size, resume points, ranking (S-22 to S-26b).
#include "engine/schemes/quota.h"

#include <gtest/gtest.h>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kMinRegion = 8;

SchemeParams scheme_with(const QuotaParams& quota) {
    SchemeParams scheme;
    scheme.quota = quota;
    return scheme;
}

bool roll(const SchemeParams& scheme, uint64_t now_us, QuotaState& quota, uint64_t& exceeds) {
    return roll_quota_window(scheme, now_us, kMinRegion, quota, exceeds);
}

TEST(Quota, IsSetBySizeTimeOrGoals) {  // O-7
    EXPECT_FALSE(quota_is_set(scheme_with({.reset_interval_ms = 100})));
    EXPECT_TRUE(quota_is_set(scheme_with({.sz = 1})));
    EXPECT_TRUE(quota_is_set(scheme_with({.ms = 1})));
    SchemeParams with_goal;
    ASSERT_TRUE(with_goal.goals.push_back(QuotaGoal{}));
    EXPECT_TRUE(quota_is_set(with_goal));
}

TEST(Quota, IsFullWhenLessThanOneSmallestRegionIsLeft) {  // S-22
    QuotaState quota;
    EXPECT_TRUE(quota_is_full(quota, kMinRegion)) << "esz 0 of a set quota is always full";
    quota.esz = 100;
    quota.charged_sz = 92;
    EXPECT_FALSE(quota_is_full(quota, kMinRegion));
    quota.charged_sz = 93;
    EXPECT_TRUE(quota_is_full(quota, kMinRegion));
    quota.charged_sz = 101;
    EXPECT_TRUE(quota_is_full(quota, kMinRegion));
}

TEST(Quota, ChargesFollowTheVectorsOfS23) {
    const auto charge = [](uint64_t size, uint64_t applied, uint32_t num, uint32_t denom) {
        return charge_of({.fail_charge_num = num, .fail_charge_denom = denom}, size, applied);
    };
    EXPECT_EQ(charge(1'000, 700, 1, 1'024), 700u);
    EXPECT_EQ(charge(1'048'576, 0, 1, 4'096), 256u);
    EXPECT_EQ(charge(4'096, 8'192, 1, 4'096), 4'096u);
    EXPECT_EQ(charge(1'000, 700, 1, 0), 1'000u) << "denominator 0: a failed byte costs like an applied one";
    EXPECT_EQ(charge(1'000, 600, 1, 2), 800u);
    EXPECT_EQ(charge(1'000, 600, 3, 4), 900u);
}

TEST(Quota, FirstWindowOpensAtTheFirstPass) {  // S-26 (2)
    const SchemeParams scheme = scheme_with({.reset_interval_ms = 10, .sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    EXPECT_TRUE(roll(scheme, 5'000, quota, exceeds));
    EXPECT_EQ(quota.charged_from_us, 5'000u);
    EXPECT_EQ(exceeds, 0u) << "a window that never was is not exceeded";
    EXPECT_FALSE(roll(scheme, 5'000, quota, exceeds)) << "inside the window";
    EXPECT_FALSE(roll(scheme, 14'999, quota, exceeds));
    EXPECT_TRUE(roll(scheme, 15'000, quota, exceeds)) << "the end is not inside (C-9)";
}

TEST(Quota, AWindowThatEndedFullIsCountedAndItsChargeBecomesHistory) {  // S-26 (3), S-26b
    const SchemeParams scheme = scheme_with({.reset_interval_ms = 10, .sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    ASSERT_TRUE(roll(scheme, 0, quota, exceeds));
    quota.esz = 100;
    quota.charged_sz = 96;
    EXPECT_TRUE(roll(scheme, 10'000, quota, exceeds));
    EXPECT_EQ(exceeds, 1u);
    EXPECT_EQ(quota.total_charged_sz, 96u);
    EXPECT_EQ(quota.charged_sz, 0u);
    quota.charged_sz = 40;
    EXPECT_TRUE(roll(scheme, 20'000, quota, exceeds));
    EXPECT_EQ(exceeds, 1u) << "not full";
    EXPECT_EQ(quota.total_charged_sz, 136u);
}

TEST(Quota, AnEffectiveSizeBelowOneRegionCountsAsExceeded) {  // S-26b
    const SchemeParams scheme = scheme_with({.reset_interval_ms = 10, .sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    ASSERT_TRUE(roll(scheme, 0, quota, exceeds));
    quota.esz = kMinRegion - 1;
    EXPECT_TRUE(roll(scheme, 10'000, quota, exceeds));
    EXPECT_EQ(exceeds, 1u);
}

TEST(Quota, ResetIntervalZeroOpensOneWindowAPass) {  // 1.7, Q-19
    const SchemeParams scheme = scheme_with({.sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    EXPECT_TRUE(roll(scheme, 1'000, quota, exceeds));
    EXPECT_EQ(exceeds, 0u) << "the first pass does not close the window it opened";
    EXPECT_TRUE(roll(scheme, 1'000, quota, exceeds));
}

TEST(Quota, AClockThatWentBackOpensANewWindow) {
    const SchemeParams scheme = scheme_with({.reset_interval_ms = 10, .sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    ASSERT_TRUE(roll(scheme, 50'000, quota, exceeds));
    EXPECT_TRUE(roll(scheme, 49'999, quota, exceeds));
}

TEST(Quota, AWindowLongerThanTimeNeverEnds) {
    const SchemeParams scheme = scheme_with({.reset_interval_ms = kU64Max, .sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    ASSERT_TRUE(roll(scheme, 0, quota, exceeds));
    EXPECT_FALSE(roll(scheme, kU64Max - 1, quota, exceeds));
}

TEST(Quota, NothingOfARemovedQuotaStaysInForce) {
    SchemeParams scheme = scheme_with({.reset_interval_ms = 1'000, .sz = 100});
    QuotaState quota;
    uint64_t exceeds = 0;
    ASSERT_TRUE(roll(scheme, 0, quota, exceeds));
    quota.esz = 100;
    scheme.quota.sz = 0;
    EXPECT_FALSE(roll(scheme, 1, quota, exceeds));
    EXPECT_EQ(quota.esz, 0u);
    quota.charged_sz = 5'000;
    scheme.quota.sz = 200;
    EXPECT_TRUE(roll(scheme, 2, quota, exceeds)) << "a quota that is set again starts with a window of its own";
    EXPECT_EQ(quota.charged_sz, 0u) << "and owes nothing for what was done without it (I-9)";
    EXPECT_EQ(quota.total_charged_sz, 5'000u);
    EXPECT_EQ(exceeds, 0u);
}

TEST(Quota, EffectiveSizeFollowsTheVectorsOfS26a) {
    const SchemeParams scheme = scheme_with({.ms = 10});
    QuotaState quota;
    EXPECT_EQ(effective_size(scheme, quota, kMinRegion), 41'943'040u);
    quota.total_charged_sz = 1'000'000;
    quota.total_charged_ns = 2'000'000;
    EXPECT_EQ(effective_size(scheme, quota, kMinRegion), 5'000'000u);
    quota.total_charged_sz = 1;
    quota.total_charged_ns = 2'000'000'000;
    EXPECT_EQ(effective_size(scheme, quota, kMinRegion), kMinRegion);
}

TEST(Quota, TheSmallestOfSizeTimeAndGoalsCounts) {  // S-26a
    QuotaState quota;
    quota.esz_bp = 50 * kBp + 9'999;
    EXPECT_EQ(effective_size(scheme_with({.sz = 777}), quota, kMinRegion), 777u) << "size alone";
    SchemeParams scheme = scheme_with({});
    ASSERT_TRUE(scheme.goals.push_back(QuotaGoal{}));
    EXPECT_EQ(effective_size(scheme, quota, kMinRegion), 50u) << "goals alone";
    scheme.quota.sz = 40;
    EXPECT_EQ(effective_size(scheme, quota, kMinRegion), 40u);
    quota.total_charged_sz = 30;
    quota.total_charged_ns = 1'000'000;
    scheme.quota.ms = 1;
    EXPECT_EQ(effective_size(scheme, quota, kMinRegion), 30u);
}

TEST(Quota, HugeTimeBudgetsSaturate) {
    const SchemeParams scheme = scheme_with({.ms = kU64Max});
    EXPECT_EQ(effective_size(scheme, QuotaState{}, kMinRegion), kU64Max);
}

TEST(Quota, HistoryIsHalvedBeforeItWraps) {
    QuotaState quota;
    quota.total_charged_sz = 1'000;
    quota.total_charged_ns = (uint64_t{1} << 63) - 10;
    charge_quota({}, 100, 100, 10, quota);
    EXPECT_EQ(quota.total_charged_ns, uint64_t{1} << 62);
    EXPECT_EQ(quota.total_charged_sz, 500u);
    EXPECT_EQ(quota.charged_sz, 100u);

    const SchemeParams scheme = scheme_with({.sz = 100});
    quota = {};
    quota.charged_sz = 100;
    quota.total_charged_sz = (uint64_t{1} << 63) - 100;
    quota.total_charged_ns = 80;
    uint64_t exceeds = 0;
    ASSERT_TRUE(roll(scheme, 0, quota, exceeds));
    EXPECT_EQ(quota.total_charged_sz, uint64_t{1} << 62);
    EXPECT_EQ(quota.total_charged_ns, 40u);
}

TEST(Quota, ARegionIsCutToWholeSmallestRegions) {  // S-13 (a) and the last vector of S-18
    QuotaState quota;
    quota.esz = 35;
    EXPECT_EQ(size_within_quota(quota, 30, kMinRegion), 30u);
    EXPECT_EQ(size_within_quota(quota, 35, kMinRegion), 35u);
    EXPECT_EQ(size_within_quota(quota, 36, kMinRegion), 32u);
    quota.charged_sz = 20;
    EXPECT_EQ(size_within_quota(quota, 36, kMinRegion), 8u);
    quota.esz = 1;
    quota.charged_sz = 0;
    EXPECT_EQ(size_within_quota(quota, 64, kMinRegion), 0u);
}

TEST(Quota, ResumeSkipFollowsTheVectorsOfS24) {
    const auto skip = [](uint64_t addr, AddressRange range) {
        return resume_skip({.addr = addr, .target_idx = 0, .set = true}, range, kMinRegion);
    };
    EXPECT_EQ(skip(37, {0, 100}), (ResumeSkip{true, 32}));
    EXPECT_EQ(skip(5, {0, 8}), (ResumeSkip{true, 0}));
    EXPECT_EQ(skip(5, {0, 100}), (ResumeSkip{true, 8}));
    EXPECT_EQ(skip(100, {0, 100}), (ResumeSkip{true, 0})) << "dealt with";
    EXPECT_EQ(skip(100, {100, 200}), (ResumeSkip{false, 0})) << "this is where it goes on";
    EXPECT_EQ(skip(0, {0, 100}), (ResumeSkip{false, 0}));
}

TEST(Quota, MinScoreIsTheLowestThatTheQuotaCanAfford) {  // S-26 (6)
    ScoreHistogram histogram;
    histogram.add(99, 10);
    histogram.add(50, 20);
    histogram.add(50, 5);
    histogram.add(3, 100);
    EXPECT_EQ(histogram.min_score(1), 99u);
    EXPECT_EQ(histogram.min_score(10), 99u);
    EXPECT_EQ(histogram.min_score(11), 50u);
    EXPECT_EQ(histogram.min_score(35), 50u);
    EXPECT_EQ(histogram.min_score(36), 3u);
    EXPECT_EQ(histogram.min_score(136), 0u) << "all of it is not enough";
    histogram.clear();
    EXPECT_EQ(histogram.min_score(1), 0u) << "nothing matches";
}

TEST(Quota, MinScoreStartsAtTheHighestScoreSeen) {
    ScoreHistogram histogram;
    histogram.add(40, 10);
    EXPECT_EQ(histogram.min_score(0), 40u);
}

TEST(Quota, ScoresOutOfRangeAreClamped) {
    ScoreHistogram histogram;
    histogram.add(4'000'000'000, 10);
    EXPECT_EQ(histogram.min_score(10), 99u);
}

TEST(Quota, AWindowInWhichTheGoalWasMetHasNotRunOutOfItsQuota_Q78) {
    SchemeParams scheme;
    QuotaGoal goal;
    goal.target_value = 1;
    ASSERT_TRUE(scheme.goals.push_back(goal));
    QuotaState quota;
    uint64_t qt_exceeds = 0;
    roll_quota_window(scheme, 0, 4096, quota, qt_exceeds);
    quota.esz = 1;  // less than a region: full from the start
    quota.goal_met = true;
    roll_quota_window(scheme, 10, 4096, quota, qt_exceeds);
    EXPECT_EQ(qt_exceeds, 0u);
    quota.goal_met = false;
    roll_quota_window(scheme, 20, 4096, quota, qt_exceeds);
    EXPECT_EQ(qt_exceeds, 1u);
}

}  // namespace
}  // namespace damon
