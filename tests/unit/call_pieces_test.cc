#include "ops/linux/registration/call_pieces.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

constexpr uint64_t kSlowNs = 61'000;
constexpr uint64_t kMiddlingNs = 30'000;
constexpr uint64_t kQuickNs = 8'000;

void note(UnregisteringLength& length, uint64_t cpu_ns, int times) {
    for (int i = 0; i < times; ++i) length.note(cpu_ns);
}

TEST(UnregisteringLength, IsHalvedUntilACallIsQuickEnough) {
    UnregisteringLength length;
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMaxBytes);
    note(length, kSlowNs, 32);
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMinBytes);
    note(length, kMiddlingNs, 100);
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMinBytes);
    note(length, kSlowNs, 100);
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMinBytes);
}

TEST(UnregisteringLength, StaysWhereOneCallNowAndThenIsSlow) {
    UnregisteringLength length;
    for (int i = 0; i < 100; ++i) {
        note(length, kSlowNs, 1);
        note(length, kMiddlingNs, 3);
    }
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMaxBytes);
}

TEST(UnregisteringLength, GrowsAgainWhereAllCallsAreQuick) {
    UnregisteringLength length;
    note(length, kSlowNs, 100);
    note(length, kQuickNs, 2);
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMinBytes);
    note(length, kQuickNs, 100);
    EXPECT_EQ(length.bytes(), UnregisteringLength::kMaxBytes);
}

}  // namespace
}  // namespace damon
