// What cannot be done is not tried all the time, what is so already costs nothing, and the monitor's own marks are not
// in the way.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "acted_on.h"
#include "os/page_sizes.h"
#include "scheme_run.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

bool sees_huge_pages() {
    RangeScan scan;
    if (has_huge_pages() && scan.open(0, page_bytes()) == 0 && scan.sees_huge()) return true;
    declared_skip("huge-pages", "transparent huge pages are off, or not told");
    return false;
}

TEST(VainActions, PageoutWithoutSwapIsBackedOffAndCostsNothing) {
    if (has_swap()) return;  // then it is not in vain
    Memory memory(600);
    memory.fill();
    Acting pageout(DamosAction::kPageout);
    uint64_t tried = 0;
    for (int pass = 0; pass < 20; ++pass) {
        pageout.now_us += 100'000;
        const Outcome outcome = pageout.apply(memory.range());
        EXPECT_EQ(outcome.applied, 0u);
        if (!outcome.spared_all(memory.bytes())) ++tried;
        EXPECT_FALSE(outcome.unseen_all(memory.bytes())) << "it was seen";
    }
    EXPECT_EQ(tried, 4u) << "three passes, and one a second later";
    EXPECT_EQ(pageout.skipped(Skip::kKept), 4 * memory.bytes()) << "the reason";
    EXPECT_EQ(pageout.skipped(Skip::kBackedOff), 16 * memory.bytes());
}

TEST(VainActions, LockedMemoryIsBackedOffToo) {
    Memory memory(16);
    memory.fill();
    ASSERT_EQ(syscall(SYS_mlock, memory.data(), memory.bytes()), 0);  // sanitizers make mlock() do nothing
    Acting cold(DamosAction::kCold);
    for (int pass = 0; pass < 5; ++pass) {
        cold.now_us += 100'000;
        EXPECT_EQ(cold.apply(memory.range()).applied, 0u);
    }
    EXPECT_EQ(cold.skipped(Skip::kLocked), 3 * memory.bytes());
    EXPECT_EQ(cold.skipped(Skip::kBackedOff), 2 * memory.bytes());
}

TEST(AlreadySo, HugepageToldOnceIsNotChargedAgain) {
    if (!has_huge_pages()) return declared_skip("huge-pages", "transparent huge pages are off");
    const uint64_t huge = read_page_sizes().huge_bytes;
    Memory memory(4 * huge / page_bytes(), Kind::kAnonymous, huge);
    Acting hugepage(DamosAction::kHugepage);
    const AddressRange range{memory.address(1), memory.range().end};
    EXPECT_EQ(hugepage.apply(range).applied, 3 * huge);
    const uint64_t calls = hugepage.executor.statistics().nr_calls;
    const Outcome again = hugepage.apply(range);
    EXPECT_EQ(again.applied, 0u);
    EXPECT_TRUE(again.spared_all(range.size())) << "the front that no huge page fits into was not tried either";
    EXPECT_EQ(hugepage.skipped(Skip::kAlreadySo), 3 * huge);
    EXPECT_EQ(hugepage.executor.statistics().nr_calls, calls);
    // The other advice undoes it, and then it is news again.
    hugepage.scheme.action = DamosAction::kNohugepage;
    EXPECT_EQ(hugepage.apply(memory.range()).applied, 4 * huge);
    hugepage.scheme.action = DamosAction::kHugepage;
    EXPECT_EQ(hugepage.apply(memory.range()).applied, 4 * huge);
}

TEST(AlreadySo, CollapseOfHugePagesCostsNothing) {
    if (!sees_huge_pages()) return;
    const uint64_t huge = read_page_sizes().huge_bytes;
    Memory memory(2 * huge / page_bytes(), Kind::kAnonymous, huge);
    memory.fill();
    Acting collapse(DamosAction::kCollapse);
    collapse.apply(memory.range());
    ASSERT_EQ(smaps_kb(memory.address(0), "AnonHugePages") * 1024, static_cast<long>(2 * huge));
    const uint64_t before = collapse.skipped(Skip::kAlreadySo);  // where memory was born so
    EXPECT_TRUE(collapse.apply(memory.range()).spared_all(2 * huge));
    EXPECT_EQ(collapse.skipped(Skip::kAlreadySo) - before, 2 * huge);
}

void fill_with_huge_pages(Memory& memory) {
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_HUGEPAGE), 0);
    memory.fill();
    Acting collapse(DamosAction::kCollapse);
    collapse.apply(memory.range());
    ASSERT_EQ(smaps_kb(memory.address(0), "AnonHugePages") * 1024, static_cast<long>(memory.bytes()));
}

// Under write protection a huge page cannot be looked at: NOHUGEPAGE makes it known again.
TEST(AlreadySo, NohugepageSplitsWhatTheMonitorCannotLookInto) {
    if (!sees_huge_pages()) return;
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    const uint64_t huge = read_page_sizes().huge_bytes;
    Memory memory(2 * huge / page_bytes(), Kind::kAnonymous, huge);
    fill_with_huge_pages(memory);
    checker->refresh();
    auto samples = memory.samples({3});
    checker->arm(samples);
    checker->look(samples);
    ASSERT_EQ(answers(samples), "?");
    Acting nohugepage(DamosAction::kNohugepage);
    nohugepage.checker = &*checker;
    nohugepage.apply(memory.range());
    EXPECT_EQ(smaps_kb(memory.address(0), "AnonHugePages"), 0);
    checker->arm(samples);
    memory.write(3);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "y");
    EXPECT_TRUE(memory.is_as_filled());
}

// The same from a context's view: the region is unknown, and of all schemes this one matches it.
TEST(AlreadySo, ASchemeSplitsTheHugePagesThatItsContextCannotLookInto_S38) {
    if (!sees_huge_pages()) return;
    if (!access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp)).available) {
        return declared_skip("uffd-wp", "no write protection");
    }
    const uint64_t huge = read_page_sizes().huge_bytes;
    Memory memory(2 * huge / page_bytes(), Kind::kAnonymous, huge);
    fill_with_huge_pages(memory);
    SchemeRun run(memory.range());
    ASSERT_EQ(damon_ctx_set_access_check(run, DAMON_ACCESS_CHECK_UFFD_WP), 0);
    ASSERT_EQ(damon_ctx_set_min_region_sz(run, huge), 0);  // advice is for whole huge pages
    run.add([](damos_params& params) {
        params.action = DAMOS_NOHUGEPAGE;
        params.pattern.max_nr_accesses = 0;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(2, [] {});
    EXPECT_EQ(smaps_kb(memory.address(0), "AnonHugePages"), 0);
    EXPECT_GE(run.stat().sz_applied, 2 * huge);
    EXPECT_TRUE(memory.is_as_filled());
    run.windows(2, [&] { memory.write(3); });
    damon_region_info regions[16];
    const int nr_regions = damon_snapshot_read(run, regions, 16, nullptr);
    ASSERT_GT(nr_regions, 0);
    for (int i = 0; i < nr_regions; ++i) EXPECT_EQ(regions[i].flags & DAMON_REGION_UNKNOWN, 0u) << i;
}

// A folio of many pages, one of which is armed, stayed in memory and out of the page table for ever.
TEST(OwnMarks, PageoutOfAFileThatIsWatchedFreesAsMuchAsPlainAdvice) {
    FileMemory memory(4000, MAP_SHARED);
    if (!memory.works()) return;
    if (!access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp)).available) {
        return declared_skip("uffd-wp", "no write protection");
    }
    memory.touch(0, 4000);
    SchemeRun run(memory.range());
    run.add([](damos_params& params) {
        params.action = DAMOS_PAGEOUT;
        params.pattern.max_nr_accesses = 0;
        params.pattern.min_age = 3;
        params.flags = DAMOS_ALLOW_UNSEEN_READS;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(10, [] {});
    EXPECT_LE(in_memory_bytes(memory.range()), memory.range().size() / 20);
    EXPECT_TRUE(memory.is_as_filled());
}

}  // namespace
}  // namespace damon::test
