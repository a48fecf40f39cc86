// Probing by behaviour (facts 1 and 2): an answer for every way, and one that holds.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstring>

#include "ops/linux/access/access_check_table.h"
#include "os/uapi.h"
#include "support/declared_skip.h"
#include "watched.h"

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

// As a sandbox does it: the kernel is not too old.
int refuse_page_scans() {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(uapi::kPagemapScan), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 2;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) return 3;
    const AccessCheckProbe answer = probe(AccessCheck::kUffdWp);
    return !answer.available && strstr(answer.reason, "PAGEMAP_SCAN is refused") != nullptr ? 0 : 1;
}

TEST(Probe, AScanThatASandboxRefusesIsNotTakenForAnOldKernel) {
    if (!probe(AccessCheck::kUffdWp).available)
        return test::declared_skip("uffd-wp", probe(AccessCheck::kUffdWp).reason);
    EXPECT_EQ(test::in_child(refuse_page_scans), 0);
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
