// When mappings are read, how long windows are, what a context tells of itself: plain arithmetic, in toy numbers.
#include <gtest/gtest.h>

#include <string>

#include "kdamond/exchange/activity.h"
#include "kdamond/timing/overhead.h"
#include "kdamond/timing/update_schedule.h"
#include "kdamond/timing/window_clock.h"

namespace damon {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(UpdateSchedule, ThePeriodIsServedAtOnce) {
    UpdateSchedule updates;
    updates.start(0);
    EXPECT_FALSE(updates.pending());
    updates.want();
    EXPECT_TRUE(updates.due(0));
    updates.done(0);
    EXPECT_FALSE(updates.pending());
}

TEST(UpdateSchedule, SamplesAskEarlierThanThePeriodButNotOften) {
    UpdateSchedule updates;
    updates.start(0);
    updates.ask(5 * kMs, 1000 * kMs);
    EXPECT_TRUE(updates.pending());
    EXPECT_FALSE(updates.due(99 * kMs));
    EXPECT_TRUE(updates.due(100 * kMs));
    updates.done(100 * kMs);
    updates.ask(5000 * kMs, 1000 * kMs);
    EXPECT_TRUE(updates.due(5000 * kMs)) << "the last reading is long ago";
}

TEST(UpdateSchedule, WhatAReadingDoesNotCureAsksLessAndLessOften) {
    UpdateSchedule updates;
    updates.start(0);
    uint64_t nr = 0;
    for (uint64_t now = 0; now < 60'000 * kMs; now += 5 * kMs) {
        updates.ask(now, 1000 * kMs);
        if (!updates.due(now)) continue;
        updates.done(now);
        ++nr;
    }
    EXPECT_GE(nr, 55u) << "the longest distance is the period";
    EXPECT_LE(nr, 65u);
    updates.done(60'000 * kMs);  // what was asked for last
    updates.ask(120'000 * kMs, 1000 * kMs);
    updates.done(120'000 * kMs);
    updates.ask(120'300 * kMs, 1000 * kMs);
    EXPECT_TRUE(updates.due(120'300 * kMs)) << "cured in between: the shortest distance again";
}

TEST(WindowClock, TimeThatWasNotMonitoredIsNoPartOfAWindow) {
    WindowClock window;
    window.start(100);
    EXPECT_EQ(window.end_window(150), 50u);
    window.rest(160);
    window.rest(170);
    EXPECT_EQ(window.go_on(1160), 1000u);
    EXPECT_EQ(window.go_on(1170), 0u);
    EXPECT_EQ(window.so_far_ns(1170), 20u);
    EXPECT_EQ(window.end_window(1200), 50u);
    EXPECT_EQ(window.end_window(1100), 0u) << "a clock that went back";
}

TEST(Overhead, ReadingMappingsTakesAQuarterOfTheLimitAndLeavesTheRestToSampling) {
    Overhead overhead;
    overhead.start(0);
    EXPECT_FALSE(overhead.in_debt());
    uint64_t now = 0;
    uint64_t readings = 0;
    uint64_t sampled = 0;
    constexpr uint64_t kReading = 12 * kMs;
    for (int i = 0; i < 100'000; ++i) {
        if (!overhead.in_debt()) {
            overhead.add_debt(kReading);
            ++readings;
        }
        sampled += kMs / 20;
        now += std::max(5 * kMs, overhead.charge(kMs / 20, 10, now));
    }
    const uint64_t spent = sampled + readings * kReading;
    EXPECT_LE((spent - Overhead::kAdvanceNs - kReading) * 1000, now * 10);
    EXPECT_LE(readings * kReading * 1000, now * 10 * 27 / 100);
    EXPECT_GE(readings * kReading * 1000, now * 10 * 22 / 100);
}

TEST(Overhead, WithoutALimitNothingIsOwed) {
    Overhead overhead;
    overhead.start(0);
    overhead.add_debt(1'000 * kMs);
    EXPECT_EQ(overhead.charge(kMs, 0, 1), 0u);
    EXPECT_FALSE(overhead.in_debt());
}

TEST(Activity, AStateLastsSinceItBegan) {
    Activity activity;
    activity.become(State::kSampling, 100, "one");
    activity.become(State::kSampling, 200, "two");
    EXPECT_EQ(activity.since_ns, 100u);
    EXPECT_STREQ(activity.reason, "two");
    activity.become(State::kPaused, 300, std::string(500, 'x').c_str());
    EXPECT_EQ(activity.since_ns, 300u);
    EXPECT_EQ(std::string(activity.reason), std::string(Activity::kReasonBytes - 1, 'x'));
    activity.become(State::kPaused, 300, activity.reason);
    EXPECT_EQ(std::string(activity.reason).size(), Activity::kReasonBytes - 1);
}

TEST(CostRate, TellsAfterTheFirstWindowAndThenOfASecond) {
    CostRate rate;
    uint64_t permil = 0;
    rate.start(0);
    rate.add(kMs);
    EXPECT_TRUE(rate.measure(100 * kMs, permil));
    EXPECT_EQ(permil, 10u);
    rate.add(500 * kMs);
    rate.skip(10'000 * kMs);
    EXPECT_FALSE(rate.measure(10'200 * kMs, permil));
    EXPECT_TRUE(rate.measure(11'100 * kMs, permil));
    EXPECT_EQ(permil, 500u);
}

}  // namespace
}  // namespace damon
