// Which access check each kind of memory gets, and that the reason is given: one binary, on kernels of three ages.
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>

#include "ops/linux/registration/declared_ranges.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

// What a kernel of this age can do for us; kAuto: nothing.
struct Expected {
    AccessCheck private_memory;
    AccessCheck declared_memory;
};

Expected expected_here() {
    utsname names{};
    uname(&names);
    int major = 0;
    int minor = 0;
    sscanf(names.release, "%d.%d", &major, &minor);
    const int version = major * 100 + minor;
    if (version >= 703) return {AccessCheck::kUffdRwp, AccessCheck::kUffdRwp};
    if (version >= 607) return {AccessCheck::kUffdWp, AccessCheck::kZap};
    return {AccessCheck::kAuto, AccessCheck::kZap};
}

// The way that armed pages of the memory; kAuto: none did.
AccessCheck way_taken_for(const Memory& memory) {
    AccessChecker checker;
    const Status status = checker.start(AccessCheck::kAuto, 64);
    EXPECT_TRUE(status.ok()) << status.text();
    auto samples = memory.samples({0, 20, 40});
    checker.arm(samples);
    memory.write(20);
    checker.look(samples);
    for (const AccessCheck way : {AccessCheck::kUffdRwp, AccessCheck::kZap, AccessCheck::kUffdWp}) {
        if (checker.statistics().armed[static_cast<unsigned>(way)] != 0) {
            EXPECT_EQ(plain_answers(samples), "nyn");
            return way;
        }
    }
    EXPECT_EQ(answers(samples), "???");
    return AccessCheck::kAuto;
}

class Pick : public testing::Test {
protected:
    Pick() {
        for (int32_t id = 0; id < kNrAccessChecks; ++id) {
            const AccessCheckProbe probe = access_check_probe(id);
            printf("%s: %s%s\n", access_check_name(id), probe.available ? "" : "no: ", probe.reason);
            RecordProperty(access_check_name(id), probe.reason);
        }
        private_.fill();
        shared_.fill();
        const AccessCheckProbe writes = access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp));
        const bool in_machine = getenv("DAMON_IN_VM") != nullptr;
        refused_ = !in_machine && (writes.error == EPERM || writes.error == ENOSYS);
        if (refused_) declared_skip("uffd-wp", writes.reason);
    }

    Memory private_{64};
    Memory shared_{64, Kind::kShared};
    bool refused_ = false;  // this is a container that forbids userfaultfd, whatever the kernel can do
};

TEST_F(Pick, FollowsTheAgeOfTheKernel) {
    if (refused_) return;
    const Expected expected = expected_here();
    EXPECT_EQ(way_taken_for(private_), expected.private_memory);
    EXPECT_EQ(way_taken_for(shared_), expected.private_memory) << "shared memory that is not declared";
    ASSERT_EQ(shared_declare(shared_.range()), 0);
    EXPECT_EQ(way_taken_for(shared_), expected.declared_memory);
    EXPECT_EQ(shared_withdraw(shared_.range()), 0);
    EXPECT_TRUE(private_.is_as_filled() && shared_.is_as_filled());
}

TEST_F(Pick, SaysWhatPrivateMemoryGetsAndWhyNothingBetter) {
    if (refused_) return;
    const std::string said = access_check_probe(static_cast<int32_t>(AccessCheck::kAuto)).reason;
    switch (expected_here().private_memory) {
        case AccessCheck::kUffdRwp:
            EXPECT_EQ(said.find("uffd_rwp: works"), 0u) << said;
            EXPECT_EQ(said.find("; "), said.npos) << "nothing is better: " << said;
            break;
        case AccessCheck::kUffdWp:
            EXPECT_EQ(said.find("uffd_wp: works"), 0u) << said;
            EXPECT_NE(said.find("; uffd_rwp: no asynchronous read-write protection (Linux 7.3)"), said.npos) << said;
            break;
        default:
            EXPECT_EQ(said.find("uffd_rwp, uffd_wp: no asynchronous write protection (Linux 6.7)"), 0u) << said;
    }
}

}  // namespace
}  // namespace damon::test
