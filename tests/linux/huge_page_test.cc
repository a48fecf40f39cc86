// Fact 7: huge pages stay huge, whatever is watched.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ops/linux/access/tracked_ranges.h"
#include "ops/linux/registration/call_pieces.h"
#include "ops/linux/registration/declared_ranges.h"
#include "ops/linux/registration/uffd_mapping.h"
#include "os/page_sizes.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr size_t kHugePages = 4;

// Memory of huge pages only; the test is skipped where the system gives none.
class HugePages : public testing::Test {
protected:
    HugePages() : memory_(kHugePages * huge_bytes() / page_bytes(), Kind::kAnonymous, huge_bytes()) {
        if (madvise(memory_.data(), memory_.bytes(), MADV_HUGEPAGE) == 0) memory_.fill();
        huge_ = huge_kb() == all_kb();
        if (!huge_) declared_skip("huge-pages", "MADV_HUGEPAGE gave " + std::to_string(huge_kb()) + " kB");
    }

    static uint64_t huge_bytes() { return read_page_sizes().huge_bytes; }
    long huge_kb() const { return smaps_kb(memory_.address(0), "AnonHugePages"); }
    long all_kb() const { return static_cast<long>(memory_.bytes() / 1024); }
    size_t page_of(size_t huge_page, size_t offset) const { return huge_page * (huge_bytes() / page_bytes()) + offset; }

    Memory memory_;
    bool huge_ = false;
};

TEST_F(HugePages, AreWholeOrUnseenInATrackedRangeAndStayHuge) {
    if (!huge_) return;
    TrackedRanges tracked;
    const Status status = tracked.add(memory_.range());
    if (!status.ok()) return declared_skip("uffd-wp", status.text());
    memory_.write(page_of(1, 7));
    TrackedAnswer answer;
    ASSERT_EQ(tracked.query_all(answer), 0);
    const bool seen = tracked.sees_reads();
    EXPECT_EQ(answer.counts.unseen_bytes, seen ? 0 : memory_.bytes());
    EXPECT_EQ(answer.counts.unseen, seen ? Unknown::kNone : Unknown::kHugePage);
    EXPECT_EQ(answer.counts.touched_bytes, seen ? huge_bytes() : 0u);
    EXPECT_EQ(answer.present_bytes, memory_.bytes());
    EXPECT_EQ(huge_kb(), all_kb());
}

TEST_F(HugePages, AreUnseenWhereATrackedRangeCoversAPart) {
    if (!huge_) return;
    TrackedRanges tracked;
    const AddressRange part{memory_.address(page_of(0, 9)), memory_.address(page_of(2, 0))};
    const Status status = tracked.add(part);
    if (!status.ok()) return declared_skip("uffd-wp", status.text());
    memory_.write(page_of(1, 7));
    TrackedAnswer answer;
    ASSERT_EQ(tracked.query_all(answer), 0);
    EXPECT_EQ(answer.counts.unseen_bytes, tracked.sees_reads() ? huge_bytes() - 9 * page_bytes() : part.size());
    EXPECT_EQ(answer.counts.unseen, Unknown::kHugePage);
    EXPECT_EQ(answer.counts.touched_bytes, tracked.sees_reads() ? huge_bytes() : 0u);
    EXPECT_EQ(huge_kb(), all_kb());
}

TEST_F(HugePages, StayHugeWhereATrackedRangeThatPausesAndEndsCoversAPart) {
    if (!huge_) return;
    TrackedRanges tracked;
    const AddressRange part{memory_.address(page_of(0, 9)), memory_.address(page_of(2, 5))};
    const Status status = tracked.add(part);
    if (!status.ok()) return declared_skip("uffd-wp", status.text());
    tracked.set_paused(true);
    while (tracked.release_some() != 0) continue;
    EXPECT_EQ(huge_kb(), all_kb());
    tracked.set_paused(false);
    TrackedAnswer answer;
    ASSERT_EQ(tracked.query_all(answer), 0);
    EXPECT_EQ(huge_kb(), all_kb());
    EXPECT_TRUE(tracked.remove(part));
    EXPECT_EQ(huge_kb(), all_kb());
}

TEST_F(HugePages, AreUnregisteredWholeAndSmallOnesByHalfAsMuch) {
    if (!huge_) return;
    PageScan scan;
    ASSERT_EQ(scan.open(page_bytes()), 0);
    if (!scan.can_scan()) return declared_skip("pagemap-scan", "no huge page can be told from a small one");
    const UnregisteringLength length;
    EXPECT_EQ(end_of_unregistering(scan, read_page_sizes(), memory_.range(), length), memory_.address(page_of(1, 0)));
    Memory small(memory_.nr_pages(), Kind::kAnonymous, huge_bytes());
    ASSERT_EQ(madvise(small.data(), small.bytes(), MADV_NOHUGEPAGE), 0);
    small.fill();
    EXPECT_EQ(end_of_unregistering(scan, read_page_sizes(), small.range(), length),
              small.address(page_of(0, 0)) + UnregisteringLength::kMaxBytes);
}

TEST_F(HugePages, WriteProtectionLeavesThemAloneAndSaysSo) {
    if (!huge_) return;
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    auto samples = memory_.samples({page_of(0, 0), page_of(1, 7), page_of(2, 100), page_of(3, 511)});
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        for (size_t i = 0; i < kHugePages; ++i) memory_.write(page_of(i, 33));
        checker->look(samples);
        EXPECT_EQ(answers(samples), "????");
    }
    EXPECT_EQ(checker.unknown(UnknownReason::kHuge), 12u);
    EXPECT_EQ(huge_kb(), all_kb());
    checker->disarm();
    EXPECT_EQ(huge_kb(), all_kb());
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(HugePages, ReadWriteProtectionSeesThemWholeAndKeepsThem) {
    if (!huge_) return;
    Checker checker(AccessCheck::kUffdRwp);
    if (!checker.works()) return;
    auto samples = memory_.samples({page_of(0, 0), page_of(1, 7), page_of(2, 100), page_of(3, 511)});
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        EXPECT_EQ(huge_kb(), all_kb());
        memory_.read(page_of(1, 300));  // another page of the same huge one
        memory_.write(page_of(3, 511));
        checker->look(samples);
        EXPECT_EQ(answers(samples), "NYNY");
    }
    EXPECT_EQ(huge_kb(), all_kb());
    checker->disarm();
    EXPECT_EQ(huge_kb(), all_kb());
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(HugePages, AutoNeverSplitsThem) {
    if (!huge_) return;
    Checker checker(AccessCheck::kAuto);
    ASSERT_TRUE(checker.works());
    auto samples = memory_.samples();
    for (int round = 0; round < 2; ++round) {
        checker->arm(samples);
        for (size_t page = 0; page < memory_.nr_pages(); page += 5) memory_.write(page);
        checker->look(samples);
    }
    EXPECT_EQ(huge_kb(), all_kb());
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(HugePages, AdviceBetweenArmAndLookIsHarmless) {
    if (!huge_ || !undeclared_memory_can_be_seen()) return;
    Checker checker(AccessCheck::kAuto);
    ASSERT_TRUE(checker.works());
    Memory small(huge_bytes() / page_bytes(), Kind::kAnonymous, huge_bytes());
    ASSERT_EQ(madvise(small.data(), small.bytes(), MADV_NOHUGEPAGE), 0);
    small.fill();
    auto samples = small.samples({0, 3, 9});
    checker->arm(samples);
    small.write(3);
    madvise(small.data(), small.bytes(), MADV_HUGEPAGE);
    checker->look(samples);
    EXPECT_EQ(plain_answers(samples), "nyn");
    EXPECT_TRUE(small.is_as_filled());
}

// Collapses, however often the kernel wants to be asked: pages that are just being moved about are refused for now.
bool collapses(Memory& memory) {
    for (int i = 0; i < 1000; ++i) {
        if (madvise(memory.data(), memory.bytes(), uapi::kAdviseCollapse) == 0) return true;
        if (errno != EAGAIN && errno != EBUSY) return false;
        usleep(1000);
    }
    return false;
}

class Collapse : public EveryWay {};
INSTANTIATE_EVERY_WAY(Collapse);

TEST_P(Collapse, WorksOnceTheMarksAreLifted) {
    Checker checker(GetParam());
    if (!checker.works()) return;
    const uint64_t huge_bytes = read_page_sizes().huge_bytes;
    Memory memory(huge_bytes / page_bytes(), Kind::kAnonymous, huge_bytes);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_NOHUGEPAGE), 0);
    memory.fill();
    auto samples = memory.samples({1, 2, 3});
    checker->arm(samples);
    memory.write(2);
    // Not before it is armed: this wakes up the kernel's own daemon, which may collapse it at once.
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_HUGEPAGE), 0);

    ASSERT_EQ(madvise(memory.data(), memory.bytes(), uapi::kAdviseCollapse), -1);
    ASSERT_TRUE(lift_marks(memory.range(), page_bytes()));
    EXPECT_FALSE(lift_marks(memory.range(), page_bytes()));  // none left
    ASSERT_TRUE(collapses(memory)) << strerror(errno);
    EXPECT_EQ(smaps_kb(memory.address(0), "AnonHugePages"), static_cast<long>(huge_bytes / 1024));
    checker->look(samples);
    EXPECT_EQ(answers(samples), "???");
    EXPECT_EQ(checker.unknown(UnknownReason::kOtherContext), 3u);
    EXPECT_TRUE(memory.is_as_filled());
}

// The program's own MADV_COLLAPSE, and khugepaged: a mapping that is registered but has no marks is as any other.
TEST(CollapseByTheProgram, WorksBetweenALookAndTheNextArm) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    const uint64_t huge_bytes = read_page_sizes().huge_bytes;
    Memory memory(huge_bytes / page_bytes(), Kind::kAnonymous, huge_bytes);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_NOHUGEPAGE), 0);
    memory.fill();
    auto samples = memory.samples({1, 2, 300});
    checker->arm(samples);
    memory.write(2);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "nyn");
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_HUGEPAGE), 0);
    EXPECT_TRUE(collapses(memory)) << strerror(errno);
    EXPECT_TRUE(memory.is_as_filled());
}

TEST(SharedHugePages, ZapDropsThemWholeAndKeepsTheirContent) {
    const uint64_t huge_bytes = read_page_sizes().huge_bytes;
    Memory memory(2 * huge_bytes / page_bytes(), Kind::kShared, huge_bytes);
    memory.fill();
    if (madvise(memory.data(), memory.bytes(), uapi::kAdviseCollapse) != 0 ||
        smaps_kb(memory.address(0), "ShmemPmdMapped") <= 0) {
        return declared_skip("shared-huge-pages", "MADV_COLLAPSE on a memfd");
    }
    const long before = smaps_kb(memory.address(0), "ShmemPmdMapped");
    ASSERT_EQ(shared_declare(memory.range()), 0);
    Checker checker(AccessCheck::kZap);
    ASSERT_TRUE(checker.works());
    auto samples = memory.samples({5, huge_bytes / page_bytes() + 9});
    checker->arm(samples);
    memory.read(100);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "YN");
    memory.read(huge_bytes / page_bytes());
    EXPECT_EQ(smaps_kb(memory.address(0), "ShmemPmdMapped"), before);
    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

}  // namespace
}  // namespace damon::test
