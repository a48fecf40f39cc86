// Reported accesses: a sample is accessed where a report since arming overlapped its region.
#include "ops/linux/access/checks/report.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace damon {
namespace {

// Ten regions of 100 bytes for each of two targets, and a ring.
class Reports : public testing::Test {
protected:
    Reports() {
        EXPECT_TRUE(ring_.reserve(64));
        for (uint32_t target = 0; target < 2; ++target) {
            for (uint64_t i = 0; i < 10; ++i) {
                Sample sample;
                sample.region = {1000 * target + 100 * i, 1000 * target + 100 * (i + 1)};
                sample.addr = sample.region.start + 50;
                sample.target_idx = target;
                samples_.push_back(sample);
            }
        }
        ring_.arm();
    }

    std::string look() {
        ring_.look(samples_, statistics_);
        std::string text;
        for (const Sample& sample : samples_) text += "ny?"[static_cast<int>(sample.seen)];
        return text;
    }

    ReportRing ring_;
    std::vector<Sample> samples_;
    AccessStatistics statistics_;
};

TEST_F(Reports, NothingReportedIsNotAccessed) { EXPECT_EQ(look(), "nnnnnnnnnnnnnnnnnnnn"); }

TEST_F(Reports, CountForTheWholeRegionNotForThePageAlone) {
    EXPECT_EQ(ring_.report({101, 1}), 0);
    EXPECT_EQ(ring_.report({1999, 0}), 0);
    EXPECT_EQ(look(), "nynnnnnnnnnnnnnnnnny");
    EXPECT_EQ(statistics_.reports, 2u);
    EXPECT_EQ(statistics_.yes, 2u);
}

TEST_F(Reports, SpanRegionsAndTargets) {
    EXPECT_EQ(ring_.report({899, 302}), 0);
    EXPECT_EQ(look(), "nnnnnnnnyyyyynnnnnnn");
    ring_.arm();
    EXPECT_EQ(ring_.report({0, UINT64_MAX}), 0);
    EXPECT_EQ(look(), "yyyyyyyyyyyyyyyyyyyy");
    ring_.arm();
    EXPECT_EQ(ring_.report({5000, UINT64_MAX}), 0);
    EXPECT_EQ(look(), "nnnnnnnnnnnnnnnnnnnn");
}

TEST_F(Reports, FromBeforeArmingDoNotCount) {
    EXPECT_EQ(ring_.report({150, 1}), 0);
    ring_.arm();
    EXPECT_EQ(look(), "nnnnnnnnnnnnnnnnnnnn");
}

TEST_F(Reports, LostOnesMakeTheOthersUnknown) {
    for (int i = 0; i < 64; ++i) ASSERT_EQ(ring_.report({150, 1}), 0);
    EXPECT_EQ(ring_.report({950, 1}), -EAGAIN);
    EXPECT_EQ(look(), "?y??????????????????");
    EXPECT_EQ(statistics_.unknown[static_cast<unsigned>(UnknownReason::kReportsLost)], 19u);
    ring_.arm();
    EXPECT_EQ(ring_.report({950, 1}), 0);
    EXPECT_EQ(look(), "nnnnnnnnnynnnnnnnnnn");
}

TEST_F(Reports, WithoutARingAreRefused) {
    ReportRing none;
    EXPECT_EQ(none.report({1, 1}), -EOPNOTSUPP);
    none.arm();
    none.look(samples_, statistics_);
    EXPECT_EQ(samples_[0].seen, Seen::kNo);
}

TEST_F(Reports, AreRefusedWhileNobodyLooks) {
    ring_.disarm();
    EXPECT_EQ(ring_.report({150, 1}), -ECANCELED);
    ring_.arm();
    EXPECT_EQ(look(), "nnnnnnnnnnnnnnnnnnnn");
    EXPECT_EQ(ring_.report({150, 1}), 0);
}

TEST_F(Reports, OfManyThreadsAllArriveOrAreCounted) {
    constexpr uint64_t kEach = 20'000;
    std::atomic<uint64_t> dropped{0};
    std::atomic<int> running{4};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (uint64_t n = 0; n < kEach; ++n) dropped += ring_.report({n % 1000, 1}) != 0;
            --running;
        });
    }
    while (running.load() != 0) ring_.look(samples_, statistics_);
    for (std::thread& thread : threads) thread.join();
    ring_.look(samples_, statistics_);
    EXPECT_EQ(statistics_.reports + dropped, 4 * kEach);
}

}  // namespace
}  // namespace damon
