// Probing by behaviour (facts 1 and 2): an answer for every way, and one that holds.
#include <gtest/gtest.h>

#include <cstring>

#include "ops/linux/access/access_check_table.h"

namespace damon {
namespace {

AccessCheckProbe probe(AccessCheck id) { return access_check_probe(static_cast<int32_t>(id)); }

TEST(Probe, EveryWayAnswersWithAReason) {
    for (int32_t id = 0; id < kNrAccessChecks; ++id) {
        const AccessCheckProbe answer = access_check_probe(id);
        EXPECT_GT(strlen(answer.reason), 5u) << id;
        EXPECT_EQ(answer.available, answer.error == 0) << id << ": " << answer.reason;
        EXPECT_EQ(answer.available, answer.sees_writes) << id;
    }
}

TEST(Probe, UnknownWaysAreRefused) {
    for (const int32_t id : {-1, kNrAccessChecks, 1000}) {
        const AccessCheckProbe answer = access_check_probe(id);
        EXPECT_FALSE(answer.available);
        EXPECT_EQ(answer.error, EINVAL);
    }
}

TEST(Probe, ChecksOfALaterReleaseSaySo) {
    for (const AccessCheck id : {AccessCheck::kUffdMove, AccessCheck::kMprotect, AccessCheck::kPageIdle}) {
        EXPECT_FALSE(probe(id).available);
        EXPECT_EQ(probe(id).error, EOPNOTSUPP);
        EXPECT_NE(strstr(probe(id).reason, "is not in this release"), nullptr);
    }
}

TEST(Probe, ZapWorksOnAnyKernel) {
    EXPECT_TRUE(probe(AccessCheck::kZap).available) << probe(AccessCheck::kZap).reason;
    EXPECT_TRUE(probe(AccessCheck::kZap).sees_reads);
}

TEST(Probe, AccessedBitsTellOfReads) {
    // Without write protection it tells mappings as a whole.
    EXPECT_TRUE(probe(AccessCheck::kReferenced).available) << probe(AccessCheck::kReferenced).reason;
    EXPECT_TRUE(probe(AccessCheck::kReferenced).sees_reads);
}

TEST(Probe, WriteProtectionSeesNoReads) { EXPECT_FALSE(probe(AccessCheck::kUffdWp).sees_reads); }

TEST(Probe, AutoIsAsGoodAsTheBestWayForPrivateMemory) {
    const AccessCheckProbe answer = probe(AccessCheck::kAuto);
    const bool reads = probe(AccessCheck::kUffdRwp).available;
    EXPECT_EQ(answer.available, reads || probe(AccessCheck::kUffdWp).available);
    EXPECT_EQ(answer.sees_reads, reads);
}

}  // namespace
}  // namespace damon
