// The ledger of armed pages: one context must not eat another's evidence, in whatever order they come.
#include "ops/linux/registration/armed_page_ledger.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/heap.h"
#include "support/heap_fault.h"

namespace damon {
namespace {

constexpr uint64_t kPage = 0x7000;
constexpr uint64_t kHugeBytes = 0x200000;
constexpr AccessCheck kWp = AccessCheck::kUffdWp;

// Two contexts, both in their first interval.
class TwoContexts : public testing::Test {
protected:
    TwoContexts() {
        EXPECT_EQ(a_.join(16, kHugeBytes), 0);
        EXPECT_EQ(b_.join(16, kHugeBytes), 0);
        a_.begin_interval();
        b_.begin_interval();
    }

    static void arm(ArmedPageLedger& context, bool wiped, uint64_t unit = kPage, AccessCheck way = kWp) {
        context.begin(unit, way);
        context.finish(unit, wiped);
    }
    // What a mark that says `mark` is worth: y, n or ?.
    static char judged(ArmedPageLedger& context, bool mark, uint64_t unit = kPage) {
        bool accessed = mark;
        if (context.judge(unit, accessed) != UnknownReason::kNone) return '?';
        return accessed ? 'y' : 'n';
    }

    ArmedPageLedger a_;
    ArmedPageLedger b_;
};

TEST_F(TwoContexts, KnowOfEachOther) {
    EXPECT_TRUE(a_.crowded());
    EXPECT_TRUE(b_.crowded());
}

TEST_F(TwoContexts, MarksOfDifferentPagesDoNotMeet) {
    arm(a_, true, 0x1000);
    arm(b_, true, 0x2000);
    EXPECT_EQ(judged(a_, false, 0x1000), 'n');
    EXPECT_EQ(judged(b_, true, 0x2000), 'y');
}

TEST_F(TwoContexts, WipedEvidenceIsPassedOn) {
    arm(a_, true);
    arm(b_, true);  // accessed since a armed it
    EXPECT_EQ(judged(a_, false), 'y');
    EXPECT_EQ(judged(b_, false), 'n');
}

TEST_F(TwoContexts, NothingWipedNothingPassedOn) {
    arm(a_, true);
    arm(b_, false);
    EXPECT_EQ(judged(a_, false), 'n');
    EXPECT_EQ(judged(b_, true), 'y');
}

TEST_F(TwoContexts, EvidenceFromBeforeArmingIsNotPassedOn) {
    arm(b_, true);
    a_.begin_interval();
    arm(a_, true);
    EXPECT_EQ(judged(a_, false), 'n');
}

// The first is slow and still at a page that has been armed anew meanwhile: its end is not the end of the third's work.
TEST_F(TwoContexts, EachOfSeveralOthersIsDoneWhenItIsDone) {
    ArmedPageLedger c;
    ASSERT_EQ(c.join(16, kHugeBytes), 0);
    for (ArmedPageLedger* context : {&a_, &b_, &c}) context->begin_interval();
    arm(a_, true);
    EXPECT_TRUE(b_.begin(kPage, kWp));
    a_.begin_interval();
    arm(a_, false);
    EXPECT_TRUE(c.begin(kPage, kWp));
    b_.finish(kPage, false);
    EXPECT_EQ(judged(a_, false), '?') << "the third may just have wiped the mark";
    c.finish(kPage, true);
    EXPECT_EQ(judged(a_, false), 'y');
}

TEST_F(TwoContexts, BusyPagesAreUnknownUntilTheOtherIsDone) {
    arm(a_, true);
    EXPECT_TRUE(b_.begin(kPage, kWp));
    EXPECT_EQ(judged(a_, false), '?');
    EXPECT_EQ(judged(a_, true), 'y');
    b_.finish(kPage, false);
    EXPECT_EQ(judged(a_, false), 'n');
}

TEST_F(TwoContexts, ArmingAtTheSameTimeMakesNoUnsure) {
    a_.begin(kPage, kWp);
    EXPECT_FALSE(b_.begin(kPage, kWp));
    b_.finish(kPage, true);
    a_.finish(kPage, false);
    EXPECT_EQ(judged(a_, false), '?');
    EXPECT_EQ(judged(a_, true), 'y');
    EXPECT_EQ(judged(b_, false), 'n');
}

TEST_F(TwoContexts, AnAbandonedArmingChangesNothing) {
    arm(a_, true);
    b_.begin(kPage, kWp);
    b_.abandon(kPage);
    EXPECT_EQ(judged(a_, false), 'n');
    EXPECT_EQ(judged(b_, false), 'n');
}

TEST_F(TwoContexts, AnotherWayOnTheSamePageMakesItUnknown) {
    arm(a_, true);
    arm(b_, true, kPage, AccessCheck::kZap);
    EXPECT_EQ(judged(a_, true), '?');
    EXPECT_EQ(judged(b_, true), 'y');
}

TEST_F(TwoContexts, TwoSamplesOfOnePageAreOneEntry) {
    arm(a_, true);
    arm(a_, false);
    arm(b_, true);
    EXPECT_EQ(judged(a_, false), 'y');
}

TEST_F(TwoContexts, AFullLedgerIsUnsureButStillTellsTheOthers) {
    ArmedPageLedger small;
    ASSERT_EQ(small.join(1, kHugeBytes), 0);
    a_.begin_interval();
    small.begin_interval();
    for (uint64_t page = 1; page <= 8; ++page) arm(a_, true, page << 12);  // room for 1 is room for 4
    for (uint64_t page = 1; page <= 8; ++page) arm(small, page == 8, page << 12);
    EXPECT_EQ(judged(small, false, 8 << 12), '?');
    EXPECT_EQ(judged(small, true, 8 << 12), 'y');
    EXPECT_EQ(judged(a_, false, 8 << 12), '?');
    EXPECT_EQ(judged(a_, false, 7 << 12), 'n');
    ASSERT_TRUE(small.grow(64));
    small.begin_interval();
    arm(small, true, 8 << 12);
    EXPECT_EQ(judged(small, false, 8 << 12), 'n');
}

TEST_F(TwoContexts, WhoJoinsInMidIntervalMakesEveryNoUnsureOnce) {
    arm(a_, true);
    ArmedPageLedger late;
    ASSERT_EQ(late.join(4, kHugeBytes), 0);
    EXPECT_EQ(judged(a_, false), '?');
    EXPECT_EQ(judged(a_, true), 'y');
    a_.begin_interval();
    arm(a_, true);
    EXPECT_EQ(judged(a_, false), 'n');
}

TEST_F(TwoContexts, ThreeAreToldEach) {
    ArmedPageLedger c;
    ASSERT_EQ(c.join(4, kHugeBytes), 0);
    for (ArmedPageLedger* context : {&a_, &b_, &c}) context->begin_interval();
    arm(a_, false);
    arm(b_, false);
    b_.abandon(kPage);
    arm(b_, false);
    EXPECT_TRUE(c.begin(kPage, kWp));
    EXPECT_TRUE(b_.begin(kPage, kWp));  // again, while c is at it
    b_.finish(kPage, false);
    EXPECT_EQ(judged(a_, false), '?');
    c.finish(kPage, true);
    EXPECT_EQ(judged(a_, false), 'y');
    EXPECT_EQ(judged(b_, false), 'y');
}

TEST_F(TwoContexts, AHugePageIsTheSameAsItsPages) {
    const uint64_t page = 3 * kHugeBytes + 0x5000;
    const uint64_t huge = ArmedPageLedger::unit_of(page, kHugeBytes, true);
    arm(a_, true, page);
    arm(a_, true, 4 * kHugeBytes);
    EXPECT_TRUE(b_.begin(huge, kWp));
    b_.finish(huge, true);
    EXPECT_EQ(judged(a_, false, page), 'y');
    EXPECT_EQ(judged(a_, false, 4 * kHugeBytes), 'n');
    EXPECT_EQ(judged(b_, false, huge), 'n');
    b_.begin_interval();
    a_.begin_interval();
    arm(b_, true, huge);
    arm(a_, true, page);
    EXPECT_EQ(judged(b_, false, huge), 'y');
}

TEST_F(TwoContexts, AbsenceIsDisturbedByZapsAlone) {
    a_.note_absent(kPage);
    arm(b_, true, kPage);
    EXPECT_EQ(judged(a_, false), 'n');
    EXPECT_EQ(judged(a_, true), 'y');
    a_.begin_interval();
    a_.note_absent(kPage);
    arm(b_, true, kPage, AccessCheck::kZap);
    EXPECT_EQ(judged(a_, false), 'y');
}

TEST_F(TwoContexts, ManyPagesOfOneHugePageAreKeptApart) {
    ArmedPageLedger c;
    ASSERT_EQ(c.join(512, kHugeBytes), 0);
    ArmedPageLedger d;
    ASSERT_EQ(d.join(512, kHugeBytes), 0);
    for (ArmedPageLedger* context : {&c, &d}) context->begin_interval();
    for (uint64_t page = 0; page < 512; ++page) arm(c, true, page << 12);
    for (uint64_t page = 0; page < 512; ++page) arm(d, page % 3 == 0, page << 12);
    for (uint64_t page = 0; page < 512; ++page)
        EXPECT_EQ(judged(c, false, page << 12), page % 3 == 0 ? 'y' : 'n') << page;
}

TEST(ArmedPageLedger, AloneNothingIsKept) {
    ArmedPageLedger context;
    ASSERT_EQ(context.join(4, kHugeBytes), 0);
    context.begin_interval();
    EXPECT_FALSE(context.crowded());
    bool accessed = false;
    EXPECT_EQ(context.judge(kPage, accessed), UnknownReason::kNone);
    EXPECT_FALSE(accessed);
}

TEST(ArmedPageLedger, JoiningCanFailAndHoldsNothingThen) {
    const size_t before = heap_bytes_in_use();
    {
        ArmedPageLedger context;
        const test::HeapFault fault(0);
        EXPECT_EQ(context.join(4, kHugeBytes), -ENOMEM);
    }
    std::vector<std::unique_ptr<ArmedPageLedger>> contexts;
    for (size_t i = 0; i < ArmedPageLedger::kMaxContexts; ++i) {
        contexts.push_back(std::make_unique<ArmedPageLedger>());
        ASSERT_EQ(contexts.back()->join(4, kHugeBytes), 0);
    }
    ArmedPageLedger one_more;
    EXPECT_EQ(one_more.join(4, kHugeBytes), -EUSERS);
    contexts.clear();
    EXPECT_EQ(one_more.join(4, kHugeBytes), 0);
    one_more.leave();
    EXPECT_EQ(heap_bytes_in_use(), before);
}

}  // namespace
}  // namespace damon
