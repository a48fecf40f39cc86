// Watermarks (S-29).
#include "engine/schemes/watermark.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

constexpr Watermarks kMarks{
    .metric = WatermarkMetric::kFreeMemRate, .high = 500, .mid = 400, .low = 200, .interval_us = 7'000};

TEST(Watermark, FollowsTheVectorOfS29) {
    bool activated = true;
    struct Step {
        int32_t free_permil;
        bool active;
    };
    for (const Step step :
         {Step{450, true}, {501, false}, {450, false}, {399, true}, {450, true}, {199, false}, {250, true}}) {
        EXPECT_EQ(evaluate_watermark(kMarks, step.free_permil, activated), step.active ? 0u : 7'000u)
            << step.free_permil;
        EXPECT_EQ(activated, step.active) << step.free_permil;
    }
}

TEST(Watermark, TheMarksThemselvesAreInside) {
    bool activated = true;
    EXPECT_EQ(evaluate_watermark(kMarks, 500, activated), 0u);
    EXPECT_EQ(evaluate_watermark(kMarks, 200, activated), 0u);
    activated = false;
    EXPECT_EQ(evaluate_watermark(kMarks, 400, activated), 7'000u) << "mid still waits";
    EXPECT_FALSE(activated);
}

TEST(Watermark, NoMetricOrNoValueChangesNothing) {
    Watermarks none = kMarks;
    none.metric = WatermarkMetric::kNone;
    for (const bool before : {false, true}) {
        bool activated = before;
        EXPECT_EQ(evaluate_watermark(none, 900, activated), 0u);
        EXPECT_EQ(evaluate_watermark(kMarks, -1, activated), before ? 0u : 7'000u) << "who waits goes on waiting";
        EXPECT_EQ(activated, before);
    }
}

TEST(Watermark, IntervalZeroNeverWaits) {
    Watermarks marks = kMarks;
    marks.interval_us = 0;
    bool activated = true;
    EXPECT_EQ(evaluate_watermark(marks, 900, activated), 0u);
    EXPECT_FALSE(activated);
}

TEST(Watermark, InvertedMarksAreTakenAsTheyAre) {
    const Watermarks inverted{
        .metric = WatermarkMetric::kFreeMemRate, .high = 100, .mid = 200, .low = 300, .interval_us = 5};
    bool activated = true;
    for (const int32_t free_permil : {0, 100, 200, 300, 1000}) {
        EXPECT_EQ(evaluate_watermark(inverted, free_permil, activated), 5u);
        EXPECT_FALSE(activated);
    }
}

}  // namespace
}  // namespace damon
