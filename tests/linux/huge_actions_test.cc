// HUGEPAGE, NOHUGEPAGE and COLLAPSE make huge pages come and go, as smaps tells.
#include <gtest/gtest.h>

#include "acted_on.h"
#include "os/page_sizes.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

class HugeActions : public testing::Test {
protected:
    void SetUp() override {
        if (!has_huge_pages()) return declared_skip("huge-pages", "transparent huge pages are off");
    }

    const uint64_t huge_ = read_page_sizes().huge_bytes;
    const size_t pages_ = huge_ / page_bytes();
};

TEST_F(HugeActions, HugepageMakesFaultsHuge) {
    Memory memory(4 * pages_, Kind::kAnonymous, huge_);
    Acting hugepage(DamosAction::kHugepage);
    // Half a huge page is left over at each end.
    EXPECT_EQ(hugepage.apply({memory.address(pages_ / 2), memory.address(3 * pages_ + pages_ / 2)}).applied, 2 * huge_);
    EXPECT_EQ(hugepage.skipped(Skip::kUnfit), huge_);
    memory.fill();
    EXPECT_EQ(smaps_kb(memory.address(pages_), "AnonHugePages") * 1024, static_cast<long>(2 * huge_));
    EXPECT_TRUE(memory.is_as_filled());
}

TEST_F(HugeActions, NohugepageKeepsFaultsSmall) {
    Memory memory(2 * pages_, Kind::kAnonymous, huge_);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_HUGEPAGE), 0);
    Acting nohugepage(DamosAction::kNohugepage);
    EXPECT_EQ(nohugepage.apply(memory.range()).applied, memory.bytes());
    memory.fill();
    EXPECT_EQ(smaps_kb(memory.address(0), "AnonHugePages"), 0);
}

TEST_F(HugeActions, CollapseMakesWhatIsThereHugeAtOnce) {
    Memory memory(3 * pages_, Kind::kAnonymous, huge_);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_NOHUGEPAGE), 0);
    for (size_t page = 0; page < 2 * pages_; ++page) memory.data(page)[0] = static_cast<char>(page);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_HUGEPAGE), 0);
    Acting collapse(DamosAction::kCollapse);
    // The kernel refuses pages that it is just moving about: they are collapsed when asked again. Its own daemon, which
    // the advice wakes up, may have been there first.
    uint64_t applied = 0;
    for (int i = 0; i < 100 && applied + collapse.skipped(Skip::kAlreadySo) < 2 * huge_; ++i) {
        collapse.now_us += 10'000'000;  // beyond what backs off
        applied += collapse.apply(memory.range()).applied;
    }
    EXPECT_LE(applied, 2 * huge_);
    EXPECT_GT(applied + collapse.skipped(Skip::kAlreadySo), 0u);
    EXPECT_EQ(smaps_kb(memory.address(0), "AnonHugePages") * 1024, static_cast<long>(2 * huge_));
    // What was empty stays empty.
    EXPECT_GE(collapse.skipped(Skip::kAbsent), huge_);
    EXPECT_EQ(present_bytes({memory.address(2 * pages_), memory.range().end}), 0u);
    for (size_t page = 0; page < 2 * pages_; ++page) ASSERT_EQ(memory.data(page)[0], static_cast<char>(page));
}

TEST_F(HugeActions, CollapseOfWhatIsHugeAlreadyDoesNotCount) {
    RangeScan scan;
    ASSERT_EQ(scan.open(0, page_bytes()), 0);
    if (!scan.sees_huge()) return declared_skip("pagemap-scan", "the kernel does not tell huge pages");
    Memory memory(2 * pages_, Kind::kAnonymous, huge_);
    memory.fill();
    Acting collapse(DamosAction::kCollapse);
    collapse.apply(memory.range());
    EXPECT_EQ(collapse.apply(memory.range()).applied, 0u);
}

TEST_F(HugeActions, CollapseOfMemoryThatMayNotBeHugeIsCounted) {
    Memory memory(2 * pages_, Kind::kAnonymous, huge_);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_NOHUGEPAGE), 0);
    memory.fill();
    Acting collapse(DamosAction::kCollapse);
    EXPECT_EQ(collapse.apply(memory.range()).applied, 0u);
    EXPECT_EQ(collapse.skipped(Skip::kUnfit), 2 * huge_);
    EXPECT_TRUE(memory.is_as_filled());
}

TEST_F(HugeActions, SizeFilterTellsHugePagesFromSmallOnes) {
    Memory memory(2 * pages_, Kind::kAnonymous, huge_);
    ASSERT_EQ(madvise(memory.data(), huge_, MADV_HUGEPAGE), 0);
    ASSERT_EQ(madvise(memory.data(pages_), huge_, MADV_NOHUGEPAGE), 0);
    memory.fill();
    RangeScan scan;
    ASSERT_EQ(scan.open(0, page_bytes()), 0);
    if (!scan.sees_huge()) return declared_skip("pagemap-scan", "the kernel does not tell huge pages");
    Acting huge(DamosAction::kStat);
    huge.filter(FilterType::kHugepageSize, true, true, {huge_, huge_});
    EXPECT_EQ(huge.apply(memory.range()).filter_passed, huge_);
    Acting small(DamosAction::kStat);
    small.filter(FilterType::kHugepageSize, true, true, {0, page_bytes()});
    EXPECT_EQ(small.apply({memory.address(pages_ / 2), memory.range().end}).filter_passed, huge_);
    // Half a huge page is counted as the part that lies in the range.
    EXPECT_EQ(huge.apply({memory.address(pages_ / 2), memory.range().end}).filter_passed, huge_ / 2);
}

}  // namespace
}  // namespace damon::test
