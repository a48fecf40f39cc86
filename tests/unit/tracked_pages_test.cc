// What is known of the pages of tracked ranges, without any memory behind them.
#include "ops/linux/registration/tracked_pages.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace damon {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kHuge = 512 * kPage;
constexpr uint64_t kMs = 1'000'000;

TEST(IdleLevel, IsTheLargestPowerThatWasReached) {
    EXPECT_EQ(idle_level(0), 0);
    for (uint64_t ms = 1; ms < uint64_t{1} << 40; ms += 1 + ms / 7) {
        const int level = idle_level(ms);
        EXPECT_LE(std::pow(2.0, level / 4.0), static_cast<double>(ms) * 1.0001) << ms;
        EXPECT_GT(std::pow(2.0, (level + 1) / 4.0), static_cast<double>(ms) * 0.9999) << ms;
    }
}

TEST(TrackedPages, AUnitIsTouchedByAnyOfItsPagesAndIdleAsItsYoungest) {
    TrackedRange range;
    const AddressRange all{16 * kHuge, 18 * kHuge};
    ASSERT_TRUE(range.begin(all, kPage, 0));
    range.hit({all.start + 3 * kPage, all.start + 5 * kPage});
    uint64_t touched = 0;
    std::vector<uint8_t> idle(2, 255);
    TrackedCounts counts;
    range.collect({all, kHuge, &touched, idle.data()}, all, 1024 * kMs, counts);
    EXPECT_EQ(touched, 1u);
    EXPECT_EQ(idle, (std::vector<uint8_t>{0, 40}));  // 2^(40/4) = 1,024
    EXPECT_EQ(counts.touched_bytes, 2 * kPage);
    EXPECT_EQ(counts.since_ns, 0u);
    touched = 0;
    idle.assign(2, 255);
    range.collect({all, kHuge, &touched, idle.data()}, all, 2048 * kMs, counts);
    EXPECT_EQ(touched, 0u);
    EXPECT_EQ(idle, (std::vector<uint8_t>{40, 44}));
}

TEST(TrackedPages, ALostPageIsUnseenAndNeverCold) {
    TrackedRange range;
    const AddressRange all{0, 200 * kPage};
    ASSERT_TRUE(range.begin(all, kPage, 0));
    range.hit({70 * kPage, 71 * kPage});
    range.lose({70 * kPage, 72 * kPage}, Unknown::kHugePage);
    std::vector<uint64_t> touched(4);
    std::vector<uint8_t> idle(200, 255);
    TrackedCounts counts;
    range.collect({all, kPage, touched.data(), idle.data()}, all, 1024 * kMs, counts);
    EXPECT_EQ(touched[1], uint64_t{3} << 6);
    EXPECT_EQ(touched[0] | touched[2] | touched[3], 0u);
    EXPECT_EQ(counts.touched_bytes, 0u);
    EXPECT_EQ(counts.unseen_bytes, 2 * kPage);
    EXPECT_EQ(counts.unseen, Unknown::kHugePage);
    EXPECT_EQ(idle[71], 0);
    EXPECT_EQ(idle[72], 40);
}

}  // namespace
}  // namespace damon
