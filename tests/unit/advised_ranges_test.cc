// What was told already is not told again, for a while.
#include "ops/linux/actions/advised_ranges.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

class AdvisedRangesTest : public testing::Test {
protected:
    static constexpr AddressRange kAll{0, 1'000};
    AdvisedRanges advised_;
};

TEST_F(AdvisedRangesTest, TellsTheFirstPartThatWasTold) {
    EXPECT_EQ(advised_.next(kAll, true), (AddressRange{1'000, 1'000}));
    advised_.add({300, 400}, true);
    advised_.add({100, 200}, true);
    EXPECT_EQ(advised_.next(kAll, true), (AddressRange{100, 200}));
    EXPECT_EQ(advised_.next({150, 170}, true), (AddressRange{150, 170}));
    EXPECT_EQ(advised_.next({200, 1'000}, true), (AddressRange{300, 400}));
    EXPECT_EQ(advised_.next(kAll, false), (AddressRange{1'000, 1'000}));
}

TEST_F(AdvisedRangesTest, TheOtherAdviceTakesItsPlace) {
    advised_.add({100, 400}, true);
    advised_.add({200, 300}, false);
    EXPECT_EQ(advised_.next(kAll, true), (AddressRange{100, 200}));
    EXPECT_EQ(advised_.next({200, 1'000}, true), (AddressRange{300, 400}));
    EXPECT_EQ(advised_.next(kAll, false), (AddressRange{200, 300}));
    advised_.add({0, 1'000}, false);
    EXPECT_EQ(advised_.next(kAll, true), (AddressRange{1'000, 1'000}));
}

TEST_F(AdvisedRangesTest, IsForgottenAfterAWhileAndWhereTheClockGoesBack) {
    advised_.set_now(5);
    advised_.add({0, 100}, true);
    advised_.set_now(5 + AdvisedRanges::kTrustedUs);
    EXPECT_FALSE(advised_.next({0, 100}, true).empty());
    advised_.set_now(6 + AdvisedRanges::kTrustedUs);
    EXPECT_TRUE(advised_.next({0, 100}, true).empty());
    advised_.add({0, 100}, true);
    advised_.set_now(1);
    EXPECT_TRUE(advised_.next({0, 100}, true).empty());
}

TEST_F(AdvisedRangesTest, HasRoomForSoManyAndForgetsTheOldest) {
    for (uint64_t i = 0; i <= AdvisedRanges::kMaxRanges; ++i) advised_.add({i * 10, i * 10 + 5}, true);
    EXPECT_TRUE(advised_.next({0, 5}, true).empty());
    EXPECT_FALSE(advised_.next({10, 15}, true).empty());
}

}  // namespace
}  // namespace damon
