// When sampling intervals end: one grid, skipped rather than caught up.
#include "kdamond/timing/deadline.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

TEST(Deadline, TheFirstIsOneIntervalFromNow) {
    EXPECT_EQ(next_deadline(0, 100, 5000).at_ns, 5100u);
    EXPECT_EQ(next_deadline(0, 100, 5000).nr_skipped, 0u);
}

TEST(Deadline, OnTimeItStaysOnTheGridWhateverTheWorkTook) {
    for (const uint64_t now : {1000u, 1001u, 1030u, 1050u}) {
        const Deadline next = next_deadline(1000, 100, now);
        EXPECT_EQ(next.at_ns, 1100u) << now;
        EXPECT_EQ(next.nr_skipped, 0u) << now;
    }
}

TEST(Deadline, LateBySomeIntervalsItSkipsAndCountsThem) {
    for (uint64_t late = 1; late <= 40; ++late) {
        const Deadline next = next_deadline(1000, 100, 1000 + late * 100);
        EXPECT_EQ(next.at_ns, 1000 + (late + 1) * 100) << late;
        EXPECT_EQ(next.nr_skipped, late);
    }
}

TEST(Deadline, NeverLeavesLessThanHalfAnInterval) {
    for (uint64_t now = 1000; now < 1500; ++now) {
        const Deadline next = next_deadline(1000, 100, now);
        EXPECT_GE(next.at_ns, now + 50) << now;
        EXPECT_LT(next.at_ns, now + 150) << now;
        EXPECT_EQ(next.at_ns % 100, 0u) << "on the grid";
        EXPECT_EQ(next.at_ns, 1100 + 100 * next.nr_skipped);
    }
}

TEST(Deadline, NeverComesInABurst) {
    // A worker that was held up for 17 intervals: from then on one deadline an interval, as ever.
    uint64_t now = 1000 + 1730;
    uint64_t deadline = 1000;
    for (int i = 0; i < 20; ++i) {
        const Deadline next = next_deadline(deadline, 100, now);
        EXPECT_EQ(next.nr_skipped, i == 0 ? 17u : 0u);
        EXPECT_GE(next.at_ns - now, 50u);
        deadline = now = next.at_ns;
    }
}

TEST(Deadline, AClockThatJumpedADayAheadCostsOneStep) {
    const uint64_t day = 86'400'000'000'000;
    const Deadline next = next_deadline(1'000'000, 5'000'000, day);
    EXPECT_GE(next.at_ns, day + 2'500'000);
    EXPECT_LT(next.at_ns, day + 7'500'000);
    EXPECT_EQ(next.nr_skipped, (next.at_ns - 6'000'000) / 5'000'000);
}

TEST(Deadline, AClockThatWasSetBackWaitsTwoIntervalsAtMost) {
    EXPECT_EQ(next_deadline(1'000'000, 100, 5000).at_ns, 5200u);
}

TEST(Deadline, AnIntervalThatChangedHoldsFromTheLastDeadline) {
    EXPECT_EQ(next_deadline(1000, 10, 1000).at_ns, 1010u) << "tuned down";
    EXPECT_EQ(next_deadline(1000, 1000, 1001).at_ns, 2000u) << "tuned up";
}

TEST(Deadline, IntervalZeroIsNow) {
    EXPECT_EQ(next_deadline(1000, 0, 7777).at_ns, 7777u);
    EXPECT_EQ(next_deadline(1000, 0, 7777).nr_skipped, 0u);
}

TEST(Deadline, IntervalsOfAgesDoNotWrap) {
    EXPECT_EQ(next_deadline(0, kU64Max, 7).at_ns, kU64Max);
    EXPECT_EQ(next_deadline(7, kU64Max, 9).at_ns, kU64Max);
    EXPECT_GT(next_deadline(1, kU64Max / 2, kU64Max - 5).at_ns, kU64Max - 5);
}

}  // namespace
}  // namespace damon
