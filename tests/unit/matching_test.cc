// Which regions a scheme is for: pattern (S-1), and "could not look" is not "cold".
#include "engine/schemes/matching.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

constexpr RegionInfo kRegion{.start = 100, .end = 140, .target_idx = 0, .nr_accesses = 5, .age = 7, .flags = 0};

TEST(Matching, BoundsAreInclusiveInEveryDimension) {
    AccessPattern exact;
    exact.min_sz = exact.max_sz = 40;
    exact.min_nr_accesses = exact.max_nr_accesses = 5;
    exact.min_age = exact.max_age = 7;
    EXPECT_TRUE(pattern_matches(exact, kRegion));
}

TEST(Matching, EachBoundAloneCanRefuse) {
    AccessPattern pattern;
    EXPECT_TRUE(pattern_matches(pattern, kRegion));
    EXPECT_FALSE(pattern_matches({.min_sz = 41}, kRegion));
    EXPECT_FALSE(pattern_matches({.max_sz = 39}, kRegion));
    EXPECT_FALSE(pattern_matches({.min_nr_accesses = 6}, kRegion));
    EXPECT_FALSE(pattern_matches({.max_nr_accesses = 4}, kRegion));
    EXPECT_FALSE(pattern_matches({.min_age = 8}, kRegion));
    EXPECT_FALSE(pattern_matches({.max_age = 6}, kRegion));
}

TEST(Matching, InvertedBoundsMatchNothing) {
    EXPECT_FALSE(pattern_matches({.min_sz = 50, .max_sz = 30}, kRegion));
    EXPECT_FALSE(pattern_matches({.min_age = 8, .max_age = 6}, kRegion));
}

TEST(Matching, RegionsThatNobodyCouldLookAtAreForStatOnly) {  // S-38
    RegionInfo unknown = kRegion;
    unknown.flags = kRegionUnknown;
    SchemeParams scheme;
    for (int32_t action = 0; action < kNrDamosActions; ++action) {
        scheme.action = static_cast<DamosAction>(action);
        EXPECT_TRUE(scheme_matches(scheme, kRegion)) << action;
        EXPECT_EQ(scheme_matches(scheme, unknown), scheme.action == DamosAction::kStat) << action;
    }
}

TEST(Matching, AnAgeThatIsGivenAsTimeIsComparedWithTime_Q75) {
    SchemeParams scheme;
    scheme.min_age_us = 5'000'000;
    scheme.derive_age(100'000);
    RegionInfo region = kRegion;  // 7 windows old, 50 would be 5 s if none had been late
    region.age_us = 4'999'999;
    EXPECT_FALSE(scheme_matches(scheme, region));
    region.age_us = 5'000'000;
    EXPECT_TRUE(scheme_matches(scheme, region));
    region.age = 50;
    region.age_us = 1'000'000;
    EXPECT_FALSE(scheme_matches(scheme, region)) << "fifty windows that were shorter than now";
}

// S-38: "cold" may mean "only read" there.
TEST(Matching, RegionsWithUnseenReadsAreSparedByActionsThatPresumeColdness) {
    RegionInfo region = kRegion;
    region.flags = kRegionWritesOnly;
    SchemeParams scheme;
    for (int32_t action = 0; action < kNrDamosActions; ++action) {
        scheme.action = static_cast<DamosAction>(action);
        const bool cold = scheme.action == DamosAction::kPageout || scheme.action == DamosAction::kCold ||
                          scheme.action == DamosAction::kLruDeprio || scheme.action == DamosAction::kMigrateCold;
        scheme.flags = 0;
        EXPECT_TRUE(scheme_matches(scheme, region)) << action;
        EXPECT_EQ(unseen_reads_spare(scheme, region), cold) << action;
        EXPECT_FALSE(unseen_reads_spare(scheme, kRegion)) << action;
        scheme.flags = kAllowUnseenReads;
        EXPECT_FALSE(unseen_reads_spare(scheme, region)) << action;
    }
}

}  // namespace
}  // namespace damon
