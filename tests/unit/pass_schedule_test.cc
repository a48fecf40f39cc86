// When passes over accessed bits begin and go on, and what they may cost.
#include "kdamond/timing/pass_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kdamond/timing/overhead.h"

namespace damon::test {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(PassSchedule, TheFirstPassBeginsAtOnceAndTheNextOnesAtTheirInterval) {
    PassSchedule passes;
    EXPECT_TRUE(passes.due(100 * kMs, 0));
    passes.begin(0);
    EXPECT_FALSE(passes.due(100 * kMs, 500 * kMs)) << "one is under way";
    passes.step(0, 7 * kMs);
    EXPECT_FALSE(passes.under_way());
    EXPECT_FALSE(passes.due(100 * kMs, 99 * kMs));
    EXPECT_TRUE(passes.due(100 * kMs, 101 * kMs));
}

TEST(PassSchedule, NoStepIsMadeSoLateThatTheIntervalWouldEndLater) {
    PassSchedule passes;
    EXPECT_EQ(passes.step_at(5 * kMs, 0), kNoDeadline);
    passes.begin(1);
    passes.begin_interval();
    EXPECT_EQ(passes.step_at(5 * kMs, 1), 1u);
    passes.step(kMs / 10, 1 * kMs);
    EXPECT_EQ(passes.step_at(5 * kMs, 1 * kMs), kMs + kMs / 10);
    passes.step(kMs / 10, 5 * kMs - kMs / 5);
    EXPECT_EQ(passes.step_at(5 * kMs, 5 * kMs), kNoDeadline);
}

TEST(PassSchedule, OneStepIsMadeInEachIntervalHoweverShort) {
    PassSchedule passes;
    passes.begin(1);
    for (uint64_t now = 1'000; now < 100'000; now += 1'000) {
        passes.begin_interval();
        EXPECT_NE(passes.step_at(now + 1'000, now), kNoDeadline);
        passes.step(100'000, now);
        EXPECT_EQ(passes.step_at(now + 1'000, now), kNoDeadline);
    }
}

TEST(PassDebt, IsPaidFromHalfOfTheShareAndInsideOfIt) {
    Overhead overhead;
    overhead.start(0);
    (void)overhead.charge(Overhead::kAdvanceNs, 10, 0);
    overhead.add_pass_debt(50 * kMs);
    uint64_t now = 0;
    uint64_t sampled = 0;
    while (overhead.in_pass_debt()) {
        const uint64_t wait = overhead.charge(kMs / 10, 10, now);
        sampled += kMs / 10;
        now += std::max<uint64_t>(wait, kMs);
    }
    EXPECT_NEAR(static_cast<double>(now), 10e9, 3e8) << "50 ms at half of 1 %";
    EXPECT_NEAR(static_cast<double>(sampled), 50e6, 3e6) << "samples have the other half";
}

TEST(PassDebt, WithoutALimitThereIsNone) {
    Overhead overhead;
    overhead.start(0);
    overhead.add_pass_debt(50 * kMs);
    EXPECT_EQ(overhead.charge(1, 0, 1), 0u);
    EXPECT_FALSE(overhead.in_pass_debt());
}

}  // namespace
}  // namespace damon::test
