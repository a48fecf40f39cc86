// Claiming, driving and giving back the kernel's DAMON, on a fake one.
#include "ops/offload/sysfs_tree.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "support/fake_kernel_damon.h"

namespace damon::test {
namespace {

const std::string kKdamonds = FakeKernelDamon::kKdamonds;

void expect_refused(const Status& status, int error, const std::string& named) {
    EXPECT_EQ(status.error(), error) << status.text();
    EXPECT_NE(std::string(status.text()).find(named), std::string::npos) << status.text();
}

TEST(SysfsTree, MakesOneKdamondAndGivesItBack) {
    const FakeKernelDamon kernel;
    SysfsTree tree;
    ASSERT_TRUE(tree.claim().ok());
    EXPECT_EQ(kernel.content("nr_kdamonds"), "1");
    EXPECT_TRUE(kernel.exists("0/contexts/0/pause"));
    EXPECT_EQ(tree.turn_on(), 0);
    EXPECT_TRUE(tree.runs());
    tree.release();
    EXPECT_EQ(kernel.content("nr_kdamonds"), "0");
    EXPECT_FALSE(kernel.exists("0"));
    EXPECT_FALSE(tree.runs());
    tree.release();
    EXPECT_TRUE(tree.claim().ok()) << "again";
}

TEST(SysfsTree, OneClaimAtATime) {
    const FakeKernelDamon kernel;
    SysfsTree first;
    ASSERT_TRUE(first.claim().ok());
    SysfsTree second;
    expect_refused(second.claim(), -EBUSY, "another context");
    EXPECT_EQ(kernel.content("nr_kdamonds"), "1");
    first.release();
    EXPECT_TRUE(second.claim().ok());
}

TEST(SysfsTree, WhatOthersMadeIsNeverWrittenTo) {
    FakeKernelDamon kernel;
    kernel.put(kKdamonds + "/nr_kdamonds", "1");
    kernel.put(kKdamonds + "/0/state", "on");
    SysfsTree tree;
    expect_refused(tree.claim(), -EBUSY, "nr_kdamonds is 1");
    tree.release();
    EXPECT_EQ(kernel.nr_writes(), 0);
    EXPECT_EQ(kernel.content("0/state"), "on");
}

TEST(SysfsTree, TheKernelsOwnUsersAreNamed) {
    for (const char* user : {"stat", "reclaim", "lru_sort"}) {
        FakeKernelDamon kernel;
        kernel.put(std::string("sys/module/damon_") + user + "/parameters/enabled", "Y");
        SysfsTree tree;
        expect_refused(tree.claim(), -EBUSY, std::string("damon_") + user);
        EXPECT_EQ(kernel.nr_writes(), 0);
    }
}

TEST(SysfsTree, KernelsWithoutDamonAreToldFromMissingRights) {
    FakeKernelDamon kernel;
    std::filesystem::remove_all(std::string(kernel_root()) + "/" + kKdamonds);
    SysfsTree tree;
    expect_refused(tree.claim(), -EOPNOTSUPP, kKdamonds);
    kernel.put(kKdamonds + "/something", "");
    expect_refused(tree.claim(), -EPERM, "root");
}

TEST(SysfsTree, AFailureWhileMakingLeavesNothing) {
    FakeKernelDamon kernel;
    kernel.refuse("contexts/nr_contexts", -ENOMEM);
    SysfsTree tree;
    expect_refused(tree.claim(), -ENOMEM, "cannot be used");
    EXPECT_FALSE(tree.claimed());
    EXPECT_EQ(kernel.content("nr_kdamonds"), "0");
    EXPECT_TRUE(tree.claim().ok()) << "the lock was given back";
}

TEST(SysfsTree, WaitsWhereTheKernelIsBusy) {
    FakeKernelDamon kernel;
    SysfsTree tree;
    ASSERT_TRUE(tree.claim().ok());
    kernel.be_busy(3);
    EXPECT_EQ(tree.write("contexts/0/pause", "Y"), 0);
    kernel.be_busy(1'000'000);
    EXPECT_EQ(tree.write("contexts/0/pause", "N"), -EBUSY) << "not for ever";
    kernel.be_busy(0);
}

TEST(SysfsTree, AWorkerThatEndedIsSeen) {
    FakeKernelDamon kernel;
    SysfsTree tree;
    ASSERT_TRUE(tree.claim().ok());
    EXPECT_FALSE(tree.runs());
    ASSERT_EQ(tree.turn_on(), 0);
    kernel.kill_worker();
    EXPECT_FALSE(tree.runs());
    tree.release();
    EXPECT_EQ(kernel.content("nr_kdamonds"), "0");
}

TEST(SysfsTree, SomebodyElsesWorkerInTheSamePlaceIsLeftAlone) {
    FakeKernelDamon kernel;
    SysfsTree tree;
    ASSERT_TRUE(tree.claim().ok());
    ASSERT_EQ(tree.turn_on(), 0);
    kernel.kill_worker();
    kernel.put(kKdamonds + "/0/pid", "77");  // who turned it on again
    kernel.put(kKdamonds + "/0/state", "on");
    EXPECT_FALSE(tree.runs());
    const int before = kernel.nr_writes();
    tree.release();
    EXPECT_EQ(kernel.nr_writes(), before);
    EXPECT_EQ(kernel.content("0/state"), "on");
    EXPECT_EQ(kernel.content("nr_kdamonds"), "1");
}

TEST(SysfsTree, AnotherFolderInItsPlaceIsLeftAlone) {
    FakeKernelDamon kernel;
    SysfsTree tree;
    ASSERT_TRUE(tree.claim().ok());
    const std::filesystem::path folder = std::string(kernel_root()) + "/" + kKdamonds;
    // Kept under another name, so that its inode number is not given to the new one.
    std::filesystem::rename(folder / "0", folder / "old");
    kernel.put(kKdamonds + "/0/pid", "-1");
    tree.release();
    EXPECT_EQ(kernel.content("nr_kdamonds"), "1");
    EXPECT_TRUE(kernel.exists("0/pid"));
}

}  // namespace
}  // namespace damon::test
