// The moving sum of a counter (M-14, M-15).
#include "engine/monitor/moving_sum.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

MovingWindow window_at(uint64_t tick, uint64_t deadline, Attrs attrs = {.sample_us = 10, .aggr_us = 100}) {
    Cadence cadence;
    cadence.passed_sample_intervals = tick;
    cadence.next_aggregation = deadline;
    return MovingWindow(attrs, cadence);
}

TEST(MovingSum, VectorsOfM15) {
    EXPECT_EQ(window_at(0, 10).sum(5u, 3u), 3u);
    EXPECT_EQ(window_at(5, 10).sum(3u, 10u), 8u);
    EXPECT_EQ(window_at(8, 10).sum(3u, 10u), 5u);
    EXPECT_EQ(window_at(10, 10).sum(42u, 49u), 42u);
}

TEST(MovingSum, APassedDeadlineLeavesTheCurrentCountAlone_M14) { EXPECT_EQ(window_at(15, 10).sum(4u, 9u), 4u); }

TEST(MovingSum, ZeroIntervalsCountAsOne_M14) {
    EXPECT_EQ(window_at(0, 1, {.sample_us = 0, .aggr_us = 0}).sum(5u, 3u), 3u);
}

TEST(MovingSum, ProbeSumsSaturateAtEightBits_M15_Q26) {
    EXPECT_EQ(window_at(5, 10).sum(uint8_t{200}, uint8_t{200}), 255);
    EXPECT_EQ(window_at(5, 10).sum(uint8_t{20}, uint8_t{11}), 25);
}

TEST(MovingSum, RateSumsSaturateAtThirtyTwoBits_M15) {
    EXPECT_EQ(window_at(1, 10).sum(4'000'000'000u, 4'000'000'000u), kU32Max);
}

TEST(MovingSum, EvidenceIsThatOfTheWindowsThatTheSumCovers) {
    const Region region{.evidence = kEvidenceAnswered, .last_evidence = kEvidenceUnknown};
    EXPECT_EQ(window_at(0, 10).evidence(region), kEvidenceUnknown);
    EXPECT_EQ(window_at(5, 10).evidence(region), kEvidenceAnswered | kEvidenceUnknown);
    EXPECT_EQ(window_at(10, 10).evidence(region), kEvidenceAnswered);
}

}  // namespace
}  // namespace damon
