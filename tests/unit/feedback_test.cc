// The feedback loop of quota goals and interval tuning (S-27).
#include "engine/monitor/feedback.h"

#include <gtest/gtest.h>

#include "base/arithmetic.h"

namespace damon {
namespace {

TEST(Feedback, FollowsTheVectorsOfS27) {
    EXPECT_EQ(next_feedback_input(900'000, 200), 1'782'000u);
    EXPECT_EQ(next_feedback_input(20'000, 5'000), 30'000u);
    EXPECT_EQ(next_feedback_input(1'000'000, 12'000), 800'000u);
    EXPECT_EQ(next_feedback_input(1'000'000, 19'999), 10'000u);
    EXPECT_EQ(next_feedback_input(10'500, 15'000), 10'000u);
    EXPECT_EQ(next_feedback_input(10'000, 0), 20'000u);
}

TEST(Feedback, StaysWhereTheAimIsMet) {
    EXPECT_EQ(next_feedback_input(123'456, 10'000), 123'456u);
    EXPECT_EQ(next_feedback_input(3, 10'000), 3u);
}

TEST(Feedback, FallsToTheFloorFromTwiceTheAimOn) {
    EXPECT_EQ(next_feedback_input(kU64Max, 20'000), 10'000u);
    EXPECT_EQ(next_feedback_input(kU64Max, kU64Max), 10'000u);
}

TEST(Feedback, SaturatesInsteadOfWrapping) {
    EXPECT_EQ(next_feedback_input(kU64Max, 0), kU64Max);
    EXPECT_EQ(next_feedback_input(kU64Max - 5, 9'999), kU64Max);
}

TEST(Feedback, DividesFirstWhereTheProductWouldNotFit) {
    const uint64_t last = kU64Max / 5'000;
    EXPECT_EQ(next_feedback_input(last, 5'000), last + last / 10'000 * 5'000);
    EXPECT_EQ(next_feedback_input(last - 1, 5'000), last - 1 + (last - 1) * 5'000 / 10'000);
}

}  // namespace
}  // namespace damon
