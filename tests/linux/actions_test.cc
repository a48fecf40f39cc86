// Schemes' actions on this process's real memory: what is applied is what changed, what is not is counted by reason,
// and no byte of any page is ever different afterwards.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "acted_on.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

// The last pages that a processor brought into memory wait in a list of its own, where only its own reclaim gets at
// them: this thread stays where it is.
class OnThisProcessor {
public:
    OnThisProcessor() {
        EXPECT_EQ(sched_getaffinity(0, sizeof before_, &before_), 0);
        cpu_set_t here;
        CPU_ZERO(&here);
        CPU_SET(sched_getcpu(), &here);
        EXPECT_EQ(sched_setaffinity(0, sizeof here, &here), 0);
    }
    ~OnThisProcessor() { EXPECT_EQ(sched_setaffinity(0, sizeof before_, &before_), 0); }
    OnThisProcessor(const OnThisProcessor&) = delete;
    OnThisProcessor& operator=(const OnThisProcessor&) = delete;

private:
    cpu_set_t before_;
};

class Pageout : public testing::Test {
    const OnThisProcessor stay_;
};
using Willneed = Pageout;

TEST_F(Pageout, ColdFilePagesLeaveMemoryAndHotOnesStay) {
    FileMemory memory(1000);
    if (!memory.works()) return;
    memory.touch(0, 1000);
    ASSERT_EQ(present_bytes(memory.range()), 1000 * page_bytes());
    Acting pageout(DamosAction::kPageout);
    const Outcome outcome = pageout.apply(memory.range(200, 1000));
    // A kernel that splits a large folio of the page cache for it may keep some of its pages, unmapped.
    const bool all_left = in_memory_bytes(memory.range(200, 1000)) == 0;
    EXPECT_GE(outcome.applied, (all_left ? 800 : 400) * page_bytes());
    EXPECT_LE(outcome.applied, 800 * page_bytes());
    EXPECT_EQ(outcome.filter_passed, 800 * page_bytes());
    // Where the page cache had one large folio across the border, splitting it unmaps the hot part too.
    EXPECT_EQ(in_memory_bytes(memory.range(0, 200)), 200 * page_bytes());
    EXPECT_EQ(present_bytes(memory.range(200, 1000)), 0u);
    EXPECT_EQ(pageout.executor.statistics().applied_bytes[static_cast<int>(DamosAction::kPageout)], outcome.applied);

    // Nothing is left to do, and nothing is said to be done.
    EXPECT_EQ(pageout.apply(memory.range(200, 1000)).applied, 0u);
    EXPECT_EQ(pageout.skipped(Skip::kAbsent), 800 * page_bytes());
    EXPECT_TRUE(memory.is_as_filled());
}

// The borders of regions lie inside of large folios, which the kernel splits: all their pages leave the page table, and
// in a private mapping, too, nobody would ever have tried them again.
TEST_F(Pageout, NoPageOfAFileIsLeftInMemoryOutOfReachAtTheBordersOfRegions) {
    const size_t nr_pages = (size_t{32} << 20) / page_bytes();
    for (const int flags : {MAP_SHARED, MAP_PRIVATE}) {
        FileMemory memory(nr_pages, flags, 1000);
        if (!memory.works()) return;
        memory.touch(0, nr_pages);
        Acting pageout(DamosAction::kPageout);
        for (int round = 0; round < 3; ++round) {
            for (size_t page = 0; page < nr_pages; page += 777) {
                pageout.apply(memory.range(page, std::min<size_t>(page + 777, nr_pages)));
            }
        }
        // One folio at most: until a page has left, nobody knows whether the kernel tells.
        EXPECT_LE(in_memory_bytes(memory.range()), 512 * page_bytes()) << flags;
        EXPECT_TRUE(memory.is_as_filled());
    }
}

TEST_F(Pageout, AnonymousMemoryNeedsSwapAndSaysSo) {
    Memory memory(300);
    memory.fill();
    Acting pageout(DamosAction::kPageout);
    const Outcome outcome = pageout.apply(memory.range());
    EXPECT_EQ(outcome.applied, memory.bytes() - present_bytes(memory.range()));
    EXPECT_EQ(pageout.skipped(Skip::kKept), memory.bytes() - outcome.applied);
    if (has_swap()) {
        EXPECT_GE(outcome.applied, memory.bytes() / 2);
    } else {
        EXPECT_EQ(outcome.applied, 0u);
    }
    EXPECT_TRUE(memory.is_as_filled());
}

// Without swap the pages of shared memory leave the page tables and stay in memory: nothing was gained.
TEST_F(Pageout, SharedMemoryThatOnlyLeavesThePageTablesIsNotPagedOut) {
    Memory memory(300, Kind::kShared);
    memory.fill();
    Acting pageout(DamosAction::kPageout);
    const Outcome outcome = pageout.apply(memory.range());
    if (has_swap()) {
        EXPECT_GE(outcome.applied, memory.bytes() / 2);
    } else {
        EXPECT_EQ(outcome.applied, 0u);
        EXPECT_EQ(pageout.skipped(Skip::kKept), memory.bytes());
    }
    EXPECT_TRUE(memory.is_as_filled());
}

TEST_F(Pageout, WrittenPagesOfSharedFilesKeepTheirContent) {
    FileMemory memory(300, MAP_SHARED);
    if (!memory.works()) return;
    for (size_t page = 0; page < 300; ++page) {
        auto* byte = reinterpret_cast<volatile char*>(memory.address(page));
        *byte = *byte;
    }
    Acting pageout(DamosAction::kPageout);
    const Outcome outcome = pageout.apply(memory.range());
    EXPECT_LE(outcome.applied, 300 * page_bytes());
    EXPECT_EQ(outcome.applied + pageout.skipped(Skip::kKept), 300 * page_bytes());
    EXPECT_TRUE(memory.is_as_filled());
}

TEST_F(Pageout, LockedMemoryIsSkippedAndCounted) {
    FileMemory memory(100);
    if (!memory.works()) return;
    memory.touch(0, 100);
    // The system call, because sanitizers make mlock() do nothing.
    ASSERT_EQ(syscall(SYS_mlock, memory.address(40), 20 * page_bytes()), 0);
    Acting pageout(DamosAction::kPageout);
    EXPECT_EQ(pageout.apply(memory.range()).applied, 80 * page_bytes());
    EXPECT_EQ(pageout.skipped(Skip::kLocked), 20 * page_bytes());
    EXPECT_EQ(present_bytes(memory.range(40, 60)), 20 * page_bytes());
    EXPECT_EQ(pageout.executor.statistics().nr_failed_calls, 1u);
}

TEST_F(Pageout, HolesInTheRangeAreSkippedAndCounted) {
    FileMemory memory(100);
    if (!memory.works()) return;
    memory.touch(0, 100);
    ASSERT_EQ(munmap(reinterpret_cast<void*>(memory.address(30)), 10 * page_bytes()), 0);
    Acting pageout(DamosAction::kPageout);
    EXPECT_EQ(pageout.apply(memory.range()).applied, 90 * page_bytes());
    // Memory that is mapped meanwhile, by this very thread too, may lie in the hole.
    uint64_t still_unmapped = 0;
    for (size_t page = 30; page < 40; ++page) {
        unsigned char in_core = 0;
        const int mapped = mincore(reinterpret_cast<void*>(memory.address(page)), page_bytes(), &in_core);
        still_unmapped += mapped == 0 ? 0 : page_bytes();
    }
    EXPECT_EQ(pageout.skipped(Skip::kUnmapped), still_unmapped);
    EXPECT_GT(still_unmapped, 0u);
}

TEST_F(Pageout, RegionsOffThePageGridAreAlignedUpS4) {
    FileMemory memory(10);
    if (!memory.works()) return;
    memory.touch(0, 10);
    Acting pageout(DamosAction::kPageout);
    EXPECT_EQ(pageout.apply({memory.address(2) + 1, memory.address(4) + 2}).applied, 3 * page_bytes());
    EXPECT_EQ(present_bytes(memory.range(0, 3)), 3 * page_bytes());
    EXPECT_EQ(present_bytes(memory.range(3, 6)), 0u);
}

TEST_F(Pageout, FiltersPickPagesOfOneKind) {
    FileMemory memory(64);
    if (!memory.works()) return;
    memory.touch(0, 64);
    // Written pages of a private mapping of a file are anonymous; every other page is.
    for (size_t page = 0; page < 64; page += 2) {
        auto* byte = reinterpret_cast<volatile char*>(memory.address(page));
        *byte = *byte;
    }
    Acting pageout(DamosAction::kPageout);
    pageout.filter(FilterType::kAnon, true, false);
    const Outcome outcome = pageout.apply(memory.range());
    EXPECT_EQ(outcome.filter_passed, 32 * page_bytes());
    EXPECT_EQ(outcome.applied, 32 * page_bytes());
    EXPECT_EQ(present_bytes(memory.range()), 32 * page_bytes());
    EXPECT_TRUE(memory.is_as_filled());
}

// A large folio across the border is split, and its pages taken out of the page table.
TEST(Cold, LeavesThePagesOfAFileInThePageTable) {
    const size_t nr_pages = (size_t{32} << 20) / page_bytes();
    FileMemory memory(nr_pages, MAP_SHARED, 1000);
    if (!memory.works()) return;
    memory.touch(0, nr_pages);
    Acting cold(DamosAction::kCold);
    for (size_t page = 0; page < nr_pages; page += 777) {
        cold.apply(memory.range(page, std::min<size_t>(page + 777, nr_pages)));
    }
    EXPECT_EQ(present_bytes(memory.range()), memory.range().size());
    EXPECT_TRUE(memory.is_as_filled());
}

TEST(Cold, CountsThePagesThatAreThere) {
    Memory memory(100);
    for (size_t page = 0; page < 60; ++page) memory.data(page)[0] = 1;
    Acting cold(DamosAction::kCold);
    EXPECT_EQ(cold.apply(memory.range()).applied, 60 * page_bytes());
    EXPECT_EQ(cold.skipped(Skip::kAbsent), 40 * page_bytes());
    EXPECT_EQ(present_bytes(memory.range()), 60 * page_bytes());
    EXPECT_EQ(memory.data(59)[0], 1);
}

TEST(LruDeprio, DoesWhatColdDoes) {
    Memory memory(10);
    memory.fill();
    Acting deprio(DamosAction::kLruDeprio);
    EXPECT_EQ(deprio.apply(memory.range()).applied, memory.bytes());
    EXPECT_TRUE(memory.is_as_filled());
}

TEST_F(Willneed, PagesOfFilesComeBackBeforeTheyAreRead) {
    FileMemory memory(64);
    if (!memory.works()) return;
    memory.touch(0, 64);
    Acting pageout(DamosAction::kPageout);
    ASSERT_EQ(pageout.apply(memory.range()).applied, 64 * page_bytes());
    Acting willneed(DamosAction::kWillneed);
    const Outcome outcome = willneed.apply(memory.range());
    // Reading may still go on; what arrived and what is under way is all of it.
    EXPECT_EQ(outcome.filter_passed, 64 * page_bytes());
    EXPECT_EQ(outcome.applied + willneed.skipped(Skip::kPending), 64 * page_bytes());
    EXPECT_TRUE(memory.is_as_filled());
    // Nothing is missing any more.
    EXPECT_EQ(willneed.apply(memory.range()).applied, 0u);
}

TEST(Stat, CountsWhatFiltersLetPassAndNothingWithoutThemS5) {
    Memory memory(100);
    for (size_t page = 0; page < 70; ++page) memory.data(page)[0] = 1;
    Acting plain(DamosAction::kStat);
    EXPECT_EQ(plain.apply(memory.range()).filter_passed, 0u);
    Acting anon(DamosAction::kStat);
    anon.filter(FilterType::kAnon, true, true);
    EXPECT_EQ(anon.apply(memory.range()).filter_passed, 70 * page_bytes());
    Acting unmapped(DamosAction::kStat);
    unmapped.filter(FilterType::kUnmapped, true, true);
    EXPECT_EQ(unmapped.apply(memory.range()).filter_passed, 30 * page_bytes());
    EXPECT_EQ(unmapped.apply(memory.range()).applied, 0u);
}

TEST(Migrate, ToTheNodeWhereItIsAppliesNothing) {
    Memory memory(50);
    memory.fill();
    Acting migrate(DamosAction::kMigrateCold);
    migrate.scheme.target_nid = 0;
    const Outcome outcome = migrate.apply(memory.range());
    EXPECT_EQ(outcome.applied, 0u);
    EXPECT_EQ(outcome.filter_passed, memory.bytes());
    EXPECT_TRUE(memory.is_as_filled());
}

TEST(Migrate, ToANodeThatDoesNotExistIsCounted) {
    Memory memory(50);
    memory.fill();
    Acting migrate(DamosAction::kMigrateHot);
    migrate.scheme.target_nid = 900;
    EXPECT_EQ(migrate.apply(memory.range()).applied, 0u);
    EXPECT_EQ(migrate.skipped(Skip::kNoNode) + migrate.skipped(Skip::kFailed), memory.bytes());
}

TEST(OtherProcess, IsActedOnWhereThatIsAllowed) {
    Memory memory(20);
    memory.fill();
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    Acting cold(DamosAction::kCold);
    const Outcome outcome = cold.apply(memory.range(), child);
    EXPECT_EQ(outcome.applied + cold.skipped(Skip::kForbidden), memory.bytes());
    Acting gone(DamosAction::kCold);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_EQ(gone.apply(memory.range(), child).applied, 0u);
    EXPECT_EQ(gone.skipped(Skip::kForbidden), memory.bytes());
}

}  // namespace
}  // namespace damon::test
