// VaddrOps: what is accepted, where targets lie (M-1 to M-5), whether they live.
#include "ops/linux/vaddr.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstring>

#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

// One target, this process.
Params params_for(OpsId ops_id, int32_t pid = 0, AccessCheck access_check = AccessCheck::kAuto) {
    Params params;
    params.ops_id = ops_id;
    params.access_check = static_cast<int32_t>(access_check);
    TargetParams target;
    target.pid = pid;
    EXPECT_TRUE(params.targets.push_back(std::move(target)));
    return params;
}

TEST(Vaddr, TheWholeAddressSpaceIsThreeRegionsM1) {
    VaddrOps ops;
    Memory memory(4);
    memory.fill();
    Params params = params_for(OpsId::kVaddr);
    params.coverage = kCoverThreeAreas;
    ASSERT_TRUE(ops.start(params).ok());
    TargetCoverage coverage;
    ops.refresh(0, RefreshReason::kInit, coverage);
    ASSERT_TRUE(coverage.changed);
    ASSERT_EQ(coverage.ranges.size(), 3u);
    bool stack = false;
    bool heap = false;
    for (const AddressRange range : coverage.ranges) {
        EXPECT_LT(range.start, range.end);
        EXPECT_EQ(range.start % page_bytes(), 0u);
        EXPECT_LT(range.end, uint64_t{1} << 60);  // C-9: not up to the vsyscall page
        stack |= range.contains(reinterpret_cast<uint64_t>(&stack));
        heap |= range.contains(memory.address(2));
    }
    EXPECT_TRUE(stack && heap);
    ops.stop();
}

// Coverage of one target with these ranges, this process.
std::vector<AddressRange> covered(const Params& params, RefreshReason reason) {
    VaddrOps ops;
    TargetCoverage coverage;
    EXPECT_TRUE(ops.start(params).ok());
    coverage.given = params.targets[0].ranges.span();
    ops.refresh(0, reason, coverage);
    EXPECT_TRUE(coverage.changed);
    ops.stop();
    return {coverage.ranges.begin(), coverage.ranges.end()};
}

TEST(Vaddr, GivenRangesAreNeverLeftM4) {
    Memory memory(16);
    memory.fill();
    Params params = params_for(OpsId::kVaddr);
    ASSERT_TRUE(params.targets[0].ranges.push_back({memory.address(2), memory.address(5)}));
    ASSERT_TRUE(params.targets[0].ranges.push_back({memory.address(7), memory.address(9)}));
    for (const RefreshReason reason : {RefreshReason::kGiven, RefreshReason::kUpdate}) {
        const std::vector<AddressRange> ranges = covered(params, reason);
        ASSERT_EQ(ranges.size(), 2u);
        EXPECT_EQ(ranges[0], params.targets[0].ranges[0]);
        EXPECT_EQ(ranges[1], params.targets[0].ranges[1]);
    }
}

TEST(Vaddr, OfGivenRangesWhatIsMappedAndUsableIsCoveredM4) {
    if (thread_sanitized()) return declared_skip("sanitizer", "it maps memory of its own into any hole");
    Memory memory(64);
    memory.fill();
    Params params = params_for(OpsId::kVaddr);
    ASSERT_TRUE(params.targets[0].ranges.push_back({memory.address(0), memory.address(16)}));
    // Whoever maps something meanwhile gets the higher hole.
    ASSERT_EQ(munmap(memory.data(20), 44 * page_bytes()), 0);
    ASSERT_EQ(munmap(memory.data(2), 2 * page_bytes()), 0);
    ASSERT_EQ(mprotect(memory.data(8), 3 * page_bytes(), PROT_NONE), 0);
    const std::vector<AddressRange> expected = {{memory.address(0), memory.address(2)},
                                                {memory.address(4), memory.address(8)},
                                                {memory.address(11), memory.address(16)}};
    EXPECT_EQ(covered(params, RefreshReason::kUpdate), expected);
    ASSERT_EQ(mprotect(memory.data(8), 3 * page_bytes(), PROT_READ), 0);
    EXPECT_EQ(covered(params, RefreshReason::kUpdate).size(), 2u);
}

TEST(Vaddr, AreasNeverReachFromOneGivenRangeToTheNext) {
    Memory memory(40);
    memory.fill();
    Params params = params_for(OpsId::kVaddr);
    params.attrs.max_nr_regions = 4;  // two areas, where there are ten ranges
    params.attrs.min_nr_regions = 3;
    for (size_t i = 0; i < 40; i += 4) {
        ASSERT_TRUE(params.targets[0].ranges.push_back({memory.address(i), memory.address(i + 3)}));
        ASSERT_EQ(munmap(memory.data(i + 1), page_bytes()), 0);
    }
    const std::vector<AddressRange> ranges = covered(params, RefreshReason::kUpdate);
    ASSERT_EQ(ranges.size(), 10u) << "holes inside of a range are passed over";
    for (size_t i = 0; i < 10; ++i) EXPECT_EQ(ranges[i], params.targets[0].ranges[i]);
}

TEST(Fvaddr, GivenRangesAreFinalM5) {
    VaddrOps ops;
    ASSERT_TRUE(ops.start(params_for(OpsId::kFvaddr)).ok());
    TargetCoverage coverage;
    for (const RefreshReason reason : {RefreshReason::kInit, RefreshReason::kUpdate}) {
        ops.refresh(0, reason, coverage);
        EXPECT_FALSE(coverage.changed);
    }
    ops.stop();
}

TEST(Vaddr, RefusesWhatAProcessCannotSee) {
    const VaddrOps ops;
    EXPECT_TRUE(ops.validate(params_for(OpsId::kVaddr)).ok());
    EXPECT_TRUE(ops.validate(params_for(OpsId::kFvaddr, getpid())).ok());
    const Status physical = ops.validate(params_for(OpsId::kPaddr));
    EXPECT_EQ(physical.error(), -EOPNOTSUPP);
    EXPECT_NE(strstr(physical.text(), "physical"), nullptr);
    const Status other = ops.validate(params_for(OpsId::kVaddr, 1));
    EXPECT_EQ(other.error(), -EOPNOTSUPP);
    EXPECT_NE(strstr(other.text(), "process 1"), nullptr);
    EXPECT_TRUE(ops.validate(params_for(OpsId::kVaddr, 1, AccessCheck::kReport)).ok());
    EXPECT_EQ(ops.validate(params_for(OpsId::kVaddr, 0, AccessCheck::kMprotect)).error(), -EOPNOTSUPP);
    EXPECT_EQ(ops.validate(params_for(OpsId::kVaddr, 0, static_cast<AccessCheck>(77))).error(), -EINVAL);
}

TEST(Vaddr, AnotherProcessIsValidWhileItLives) {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    VaddrOps ops;
    ASSERT_TRUE(ops.start(params_for(OpsId::kVaddr, child, AccessCheck::kReport)).ok());
    EXPECT_TRUE(ops.targets_can_die());
    EXPECT_TRUE(ops.target_valid(0));
    EXPECT_FALSE(ops.target_valid(1));
    TargetCoverage coverage;
    ops.refresh(0, RefreshReason::kInit, coverage);
    EXPECT_TRUE(coverage.changed);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_FALSE(ops.target_valid(0));
    ops.refresh(0, RefreshReason::kUpdate, coverage);
    EXPECT_FALSE(coverage.changed);  // M-3
    ops.stop();
}

TEST(Vaddr, ReportsAreTheOnlyEvidenceWhereTheyAreChosen) {
    VaddrOps ops;
    EXPECT_EQ(ops.report_access({1, 1}), -EOPNOTSUPP);
    ASSERT_TRUE(ops.start(params_for(OpsId::kVaddr, 0, AccessCheck::kReport)).ok());
    Memory memory(4);
    memory.fill();
    auto samples = memory.samples();
    EXPECT_EQ(ops.report_access({memory.address(1), 8}), -ECANCELED);
    ops.arm(samples);
    memory.write(0);
    EXPECT_EQ(ops.report_access({memory.address(2) + 9, 8}), 0);
    ops.look(samples);
    EXPECT_EQ(answers(samples), "NNYN");
    EXPECT_EQ(ops.statistics().reports, 1u);
    ops.disarm();
    EXPECT_EQ(ops.report_access({memory.address(2) + 9, 8}), -ECANCELED);
    ops.stop();
}

TEST(Vaddr, ThisProcessNeverDies) {
    VaddrOps ops;
    ASSERT_TRUE(ops.start(params_for(OpsId::kVaddr)).ok());
    EXPECT_TRUE(ops.target_valid(0));
    EXPECT_FALSE(ops.targets_can_die());
    ops.stop();
}

TEST(Vaddr, ArmsAndLooksThroughTheSeam) {
    if (!undeclared_memory_can_be_seen()) return;
    VaddrOps ops;
    Memory memory(4);
    memory.fill();
    ASSERT_TRUE(ops.start(params_for(OpsId::kVaddr)).ok());
    auto samples = memory.samples();
    ops.arm(samples);
    memory.write(2);
    ops.look(samples);
    EXPECT_EQ(samples[2].seen, Seen::kYes);
    EXPECT_EQ(samples[1].seen, Seen::kNo);
    ops.disarm();
    ops.stop();
}

}  // namespace
}  // namespace damon::test
