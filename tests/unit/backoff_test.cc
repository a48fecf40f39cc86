// Where an action can do nothing it waits, longer each time.
#include "ops/linux/actions/backoff.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

constexpr AddressRange kMapping{0x1000, 0x9000};
constexpr uint64_t kSecond = 1'000'000;

class BackoffTest : public testing::Test {
protected:
    // One pass at `now_us`, in which `parts` parts of the mapping are tried; whether it waited instead.
    bool waited(uint64_t now_us, uint64_t applied = 0, int parts = 5) {
        backoff_.set_now(now_us);
        for (int i = 0; i < parts; ++i) {
            if (backoff_.waits(DamosAction::kPageout, kMapping)) return true;
            backoff_.note(DamosAction::kPageout, kMapping, 100, i + 1 == parts ? applied : 0);
        }
        return false;
    }

    Backoff backoff_;
};

TEST_F(BackoffTest, ThreePassesInVainAreFollowedByAWaitThatDoubles) {
    uint64_t now_us = 10 * kSecond;
    for (uint32_t pass = 0; pass < Backoff::kPatience; ++pass) EXPECT_FALSE(waited(now_us += 100'000)) << pass;
    for (uint64_t wait_us = Backoff::kFirstWaitUs; wait_us <= Backoff::kLongestWaitUs; wait_us *= 2) {
        EXPECT_TRUE(waited(now_us + 100'000)) << wait_us;
        EXPECT_TRUE(waited(now_us + wait_us - 1)) << wait_us;
        EXPECT_FALSE(waited(now_us += wait_us)) << wait_us;
    }
    EXPECT_TRUE(waited(now_us + Backoff::kLongestWaitUs - 1));
    EXPECT_FALSE(waited(now_us + Backoff::kLongestWaitUs));
}

TEST_F(BackoffTest, AnythingThatCouldBeDoneEndsIt) {
    uint64_t now_us = 0;
    for (int pass = 0; pass < 2; ++pass) EXPECT_FALSE(waited(now_us += 100'000));
    EXPECT_FALSE(waited(now_us += 100'000, 1));
    for (uint32_t pass = 0; pass < Backoff::kPatience; ++pass) EXPECT_FALSE(waited(now_us += 100'000)) << pass;
    EXPECT_TRUE(waited(now_us += 100'000));
}

TEST_F(BackoffTest, OtherActionsMappingsAndSizesAreTried) {
    uint64_t now_us = 0;
    for (int pass = 0; pass < 3; ++pass) EXPECT_FALSE(waited(now_us += 100'000));
    EXPECT_TRUE(waited(now_us += 100'000));
    EXPECT_FALSE(backoff_.waits(DamosAction::kCold, kMapping));
    EXPECT_FALSE(backoff_.waits(DamosAction::kPageout, {0x9000, 0xa000}));
    EXPECT_FALSE(backoff_.waits(DamosAction::kPageout, {0x1000, 0xa000})) << "it grew";
    backoff_.clear();
    EXPECT_FALSE(waited(now_us));
}

TEST_F(BackoffTest, APassWithNothingToDoIsNotInVain) {
    uint64_t now_us = 0;
    for (int pass = 0; pass < 9; ++pass) {
        backoff_.set_now(now_us += 100'000);
        EXPECT_FALSE(backoff_.waits(DamosAction::kPageout, kMapping)) << pass;
        backoff_.note(DamosAction::kPageout, kMapping, 0, 0);
    }
}

TEST_F(BackoffTest, MoreMappingsThanItHasRoomForAreOnlyTriedMoreOften) {
    for (uint64_t pass = 1; pass < 9; ++pass) {
        backoff_.set_now(pass * 100'000);
        for (uint64_t i = 1; i < 500; ++i) {
            const AddressRange mapping{i * 0x1000, (i + 1) * 0x1000};
            if (!backoff_.waits(DamosAction::kPageout, mapping)) backoff_.note(DamosAction::kPageout, mapping, 1, 0);
        }
    }
    EXPECT_FALSE(waited(900'000));
}

}  // namespace
}  // namespace damon
