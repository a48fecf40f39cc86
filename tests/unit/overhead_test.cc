// The bound on the cost of monitoring: a token bucket, in toy numbers.
#include "kdamond/timing/overhead.h"

#include <gtest/gtest.h>

#include "kdamond/timing/deadline.h"

namespace damon {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(Overhead, WhatMayBeSpentInAdvanceDelaysNothing) {
    Overhead overhead;
    overhead.start(0);
    EXPECT_EQ(overhead.charge(Overhead::kAdvanceNs, 10, 0), 0u);
    EXPECT_EQ(overhead.charge(1 * kMs, 10, 0), 100 * kMs) << "1 ms at 1 % is paid back in 100";
}

TEST(Overhead, OverTimeTheShareHolds) {
    for (const uint64_t permil : {1u, 10u, 250u, 1000u}) {
        Overhead overhead;
        overhead.start(0);
        uint64_t now = 0, spent = 0;
        for (int i = 0; i < 1000; ++i) {
            const uint64_t cost = (i % 7 + 1) * 100'000;
            spent += cost;
            now += 5 * kMs;
            now += overhead.charge(cost, permil, now);
        }
        EXPECT_LE((spent - Overhead::kAdvanceNs) * 1000, now * permil) << permil;
        if (permil < 50) {
            EXPECT_GE(spent * 1000, now * permil * 99 / 100) << permil << ": no longer than needed";
        }
    }
}

TEST(Overhead, CheapMonitoringIsNeverDelayed) {
    Overhead overhead;
    overhead.start(0);
    for (uint64_t i = 1; i < 1000; ++i) EXPECT_EQ(overhead.charge(50'000, 10, i * 5 * kMs), 0u);
}

TEST(Overhead, NoMoreIsSavedThanMayBeSpentInAdvance) {
    Overhead overhead;
    overhead.start(0);
    EXPECT_EQ(overhead.charge(0, 10, 3'600'000 * kMs), 0u);
    EXPECT_EQ(overhead.charge(Overhead::kAdvanceNs + kMs, 10, 3'600'000 * kMs), 100 * kMs);
}

TEST(Overhead, TimeThatIsSkippedEarnsNothing) {
    Overhead overhead;
    overhead.start(0);
    EXPECT_EQ(overhead.charge(Overhead::kAdvanceNs + kMs, 10, 0), 100 * kMs);
    overhead.skip_to(60'000 * kMs);
    EXPECT_EQ(overhead.charge(0, 10, 60'000 * kMs), 100 * kMs);
}

TEST(Overhead, NoLimitDelaysNothingAndForgetsDebts) {
    Overhead overhead;
    overhead.start(0);
    EXPECT_GT(overhead.charge(3 * Overhead::kAdvanceNs, 10, 0), 0u);
    EXPECT_EQ(overhead.charge(1'000 * kMs, 0, 1), 0u);
    EXPECT_EQ(overhead.charge(kMs, 10, 1), 0u);
}

TEST(Overhead, OneMonstrousIntervalDelaysTheNextByABoundedTime) {
    Overhead overhead;
    overhead.start(0);
    EXPECT_EQ(overhead.charge(~0ull, 1, 0), Overhead::kLongestWaitNs);
    EXPECT_EQ(overhead.charge(~0ull, 1000, 1), Overhead::kLongestWaitNs);
}

TEST(PutOff, StaysOnTheGridAndCountsWhatItLeavesOut) {
    const Deadline nominal{1000, 2};
    EXPECT_EQ(put_off(nominal, 100, 1000).at_ns, 1000u);
    EXPECT_EQ(put_off(nominal, 100, 1000).nr_skipped, 2u);
    EXPECT_EQ(put_off(nominal, 100, 1001).at_ns, 1100u);
    EXPECT_EQ(put_off(nominal, 100, 1001).nr_skipped, 3u);
    EXPECT_EQ(put_off(nominal, 100, 2000).at_ns, 2000u);
    EXPECT_EQ(put_off(nominal, 100, 2000).nr_skipped, 12u);
    EXPECT_EQ(put_off(nominal, 0, 2000).at_ns, 2000u) << "as fast as possible: no grid";
}

}  // namespace
}  // namespace damon
