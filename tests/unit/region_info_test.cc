// What schemes and readers see of a region: moving sum (M-16), and "could not look" apart from "not accessed".
#include "engine/monitor/region_info.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

// The window of ten samples, `passed` of them over.
MovingWindow window_after(uint64_t passed) {
    Attrs attrs;
    attrs.sample_us = 10;
    attrs.aggr_us = 100;
    Cadence cadence;
    cadence.start(attrs);
    cadence.passed_sample_intervals = passed;
    return {attrs, cadence};
}

struct Evidence {
    uint8_t now;
    uint8_t last;
};

uint32_t flags_after(uint64_t passed, Evidence evidence) {
    Region region;
    region.evidence = evidence.now;
    region.last_evidence = evidence.last;
    return region_flags(region, window_after(passed));
}

TEST(RegionInfo, CarriesTheMovingSum) {
    Region region;
    region.range = {100, 300};
    region.nr_accesses = 3;
    region.last_nr_accesses = 10;
    region.age = 6;
    region.age_us = 610;
    region.evidence = region.last_evidence = kEvidenceAnswered;
    EXPECT_EQ(describe_region(region, 2, window_after(5)), (RegionInfo{.start = 100,
                                                                       .end = 300,
                                                                       .age_us = 610,
                                                                       .idle_us = 0,
                                                                       .target_idx = 2,
                                                                       .nr_accesses = 8,
                                                                       .age = 6,
                                                                       .flags = 0}));
}

TEST(RegionInfo, OneAnswerMakesARegionKnown) {
    EXPECT_EQ(flags_after(10, {kEvidenceUnknown | kEvidenceAnswered, 0}), kRegionPartial);
    EXPECT_EQ(flags_after(1, {kEvidenceAnswered, kEvidenceUnknown}), kRegionPartial);
    EXPECT_EQ(flags_after(10, {kEvidenceAnswered, kEvidenceUnknown}), 0u) << "of the previous window nothing counts";
}

TEST(RegionInfo, AFreshRegionIsUnknown) { EXPECT_EQ(flags_after(3, {0, 0}), kRegionUnknown); }

TEST(RegionInfo, AnUnansweredWindowIsUnknownWhateverWasKnownBefore) {
    EXPECT_EQ(flags_after(10, {kEvidenceUnknown, kEvidenceAnswered}), kRegionUnknown);
    EXPECT_EQ(flags_after(3, {kEvidenceUnknown, kEvidenceAnswered}), kRegionUnknown)
        << "the sum falls only because nobody could look";
}

TEST(RegionInfo, RightAfterTheResetThePreviousWindowCounts) {
    EXPECT_EQ(flags_after(0, {0, kEvidenceAnswered}), 0u);
    EXPECT_EQ(flags_after(0, {0, kEvidenceUnknown}), kRegionUnknown);
}

TEST(RegionInfo, WritesOnlyIsToldAsLongAsItWeighsIn) {
    const uint8_t writes_only = kEvidenceAnswered | kEvidenceWritesOnly;
    EXPECT_EQ(flags_after(5, {kEvidenceAnswered, writes_only}), kRegionWritesOnly);
    EXPECT_EQ(flags_after(10, {kEvidenceAnswered, writes_only}), 0u);
    EXPECT_EQ(flags_after(10, {writes_only, 0}), kRegionWritesOnly);
}

}  // namespace
}  // namespace damon
