// Ranges that are kept armed as a whole: every write is told once, whoever arms the same pages, and what cannot be told
// is said to be unknown.
#include "ops/linux/access/tracked_ranges.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "ops/linux/registration/uffd.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

struct Asked {
    int error = 0;
    std::set<size_t> touched;
    TrackedAnswer answer;
};

class TrackedRangesTest : public testing::Test {
protected:
    static constexpr size_t kPages = 1000;

    void SetUp() override {
        const UffdFeatures offered = uffd_offered();
        if (!offered.wp_async && !offered.rwp_async) return declared_skip("uffd-wp", "no userfaultfd");
        reads_ = offered.rwp_async;
        memory_.fill();
        const Status status = tracked_.add(memory_.range());
        ASSERT_TRUE(status.ok()) << status.text();
    }
    Asked ask(size_t first = 0, size_t nr_pages = kPages) {
        std::vector<uint64_t> bits((nr_pages + 63) / 64);
        Asked asked;
        const AddressRange range{memory_.address(first), memory_.address(first + nr_pages)};
        asked.error = tracked_.query({range, page_bytes(), bits.data(), nullptr}, asked.answer);
        for (size_t i = 0; i < nr_pages; ++i) {
            if ((bits[i / 64] >> i % 64 & 1) != 0) asked.touched.insert(first + i);
        }
        return asked;
    }
    using Pages = std::set<size_t>;

    // As the worker of a paused context does. How often.
    static int release(TrackedRanges& tracked) {
        int nr = 0;
        while (tracked.release_some() != 0) ++nr;
        return nr;
    }
    bool any_marked(AddressRange range) const {
        PageScan scan;
        return scan.open(page_bytes()) == 0 && scan.any_marked(range);
    }

    AccessCheck check() const { return reads_ ? AccessCheck::kUffdRwp : AccessCheck::kUffdWp; }
    uint64_t mode() const { return reads_ ? uapi::kRegisterModeRwp : uapi::kRegisterModeWp; }

    bool reads_ = false;  // seen
    Memory memory_{kPages};
    TrackedRanges tracked_;
};

TEST_F(TrackedRangesTest, EachAccessIsToldOnceAndReadsWhereTheyAreSeen) {
    if (IsSkipped()) return;
    EXPECT_EQ(tracked_.sees_reads(), reads_);
    EXPECT_EQ(ask().touched, Pages());
    memory_.write(3);
    memory_.write(999);
    memory_.read(7);
    const Asked asked = ask();
    EXPECT_EQ(asked.touched, (reads_ ? Pages{3, 7, 999} : Pages{3, 999}));
    EXPECT_EQ(asked.answer.counts.touched_bytes, asked.touched.size() * page_bytes());
    EXPECT_EQ(asked.answer.present_bytes, memory_.bytes());
    EXPECT_EQ(asked.answer.counts.unseen_bytes, 0u);
    EXPECT_EQ(ask().touched, Pages());
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(TrackedRangesTest, AQuestionAboutAPartLeavesTheRestForTheNext) {
    if (IsSkipped()) return;
    memory_.write(10);
    memory_.write(500);
    EXPECT_EQ(ask(400, 200).touched, Pages{500});
    EXPECT_EQ(ask().touched, Pages{10});
}

TEST_F(TrackedRangesTest, WhatASampleFoundWrittenAndArmedAnewIsStillTold) {
    if (IsSkipped()) return;
    AccessChecker checker;
    ASSERT_TRUE(checker.start(check(), 16).ok());
    memory_.write(5);
    auto samples = memory_.samples({5, 6, 7});
    checker.arm(samples);
    memory_.write(6);
    checker.look(samples);
    EXPECT_EQ(samples[1].seen, Seen::kYes);
    EXPECT_EQ(samples[2].seen, Seen::kNo);
    // Armed once more: 6 was written, and the marks of 5 and 7 still stand.
    checker.arm(samples);
    checker.look(samples);
    EXPECT_EQ(ask().touched, (Pages{5, 6}));
    checker.stop();
    EXPECT_EQ(ask().touched, Pages());
}

TEST_F(TrackedRangesTest, WhatAQuestionArmedAnewIsStillTheSamplesHit) {
    if (IsSkipped()) return;
    AccessChecker checker;
    ASSERT_TRUE(checker.start(check(), 16).ok());
    auto samples = memory_.samples({20, 21});
    checker.arm(samples);
    memory_.write(20);
    EXPECT_EQ(ask().touched, Pages{20});
    checker.look(samples);
    EXPECT_EQ(samples[0].seen, Seen::kYes);
    EXPECT_EQ(samples[1].seen, Seen::kNo);
    EXPECT_EQ(ask().touched, Pages());
}

TEST_F(TrackedRangesTest, TwoContextsTrackTheSameRange) {
    if (IsSkipped()) return;
    TrackedRanges other;
    ASSERT_TRUE(other.add(memory_.range()).ok());
    memory_.write(30);
    EXPECT_EQ(ask().touched, Pages{30});
    TrackedAnswer answer;
    ASSERT_EQ(other.query_all(answer), 0);
    EXPECT_EQ(answer.counts.touched_bytes, page_bytes());
}

TEST_F(TrackedRangesTest, AMappingThatWasReplacedIsUnknownOnce) {
    if (IsSkipped()) return;
    void* hole = memory_.data(100);
    ASSERT_EQ(munmap(hole, 50 * page_bytes()), 0);
    Asked asked = ask();
    EXPECT_EQ(asked.answer.counts.unseen_bytes, 50 * page_bytes());
    EXPECT_EQ(asked.answer.counts.unseen, Unknown::kUnmapped);
    EXPECT_EQ(asked.answer.counts.touched_bytes, 0u);
    EXPECT_EQ(asked.touched.size(), 50u);  // unknown is never cold
    ASSERT_EQ(mmap(hole, 50 * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
              hole);
    memory_.write(110);
    asked = ask();
    EXPECT_EQ(asked.answer.counts.unseen_bytes, page_bytes());
    EXPECT_EQ(asked.answer.counts.unseen, Unknown::kNotRegistered);
    EXPECT_EQ(asked.touched, Pages{110});
    memory_.write(111);
    asked = ask();
    EXPECT_EQ(asked.touched, Pages{111});
    EXPECT_EQ(asked.answer.counts.unseen_bytes, 0u);
}

// A span of a survey is armed by one call where nobody else has its pages armed; here that would wipe an access.
TEST_F(TrackedRangesTest, WhatASpanArmedAnewIsStillTold) {
    if (IsSkipped()) return;
    AccessChecker checker;
    ASSERT_TRUE(checker.start(check(), 16).ok());
    ASSERT_TRUE(checker.reserve_spans(1));
    auto samples = memory_.samples({600});
    checker.arm(samples);
    checker.look(samples);
    memory_.write(40);
    Span span;
    span.start = memory_.address(32);
    span.nr_pages = 64;
    span.page_bytes = static_cast<uint32_t>(page_bytes());
    checker.arm_spans({&span, 1});
    memory_.write(50);
    EXPECT_EQ(ask().touched, (Pages{40, 50}));
    checker.look_spans({&span, 1});
    EXPECT_TRUE(span.hit.test(50 - 32));
    EXPECT_FALSE(span.hit.test(40 - 32));
    EXPECT_EQ(ask().touched, Pages());
}

// A sample registers what was moved in before the question comes.
TEST_F(TrackedRangesTest, MemoryThatWasMovedInIsUnknownAndNotWritten) {
    if (IsSkipped()) return;
    Memory source(10);
    source.fill();
    ASSERT_NE(mremap(source.data(), source.bytes(), source.bytes(), MREMAP_MAYMOVE | MREMAP_FIXED, memory_.data(200)),
              MAP_FAILED);
    AccessChecker checker;
    ASSERT_TRUE(checker.start(check(), 16).ok());
    auto samples = memory_.samples({205});
    for (int i = 0; i < 2; ++i) {
        checker.arm(samples);
        checker.look(samples);
    }
    const Asked asked = ask();
    EXPECT_EQ(asked.answer.counts.touched_bytes, 0u);
    EXPECT_EQ(asked.answer.counts.unseen_bytes, 10 * page_bytes());
    memory_.write(203);
    EXPECT_EQ(ask().touched, Pages{203});
}

TEST_F(TrackedRangesTest, LiftedMarksAndExcludedMemoryAreUnknown) {
    if (IsSkipped()) return;
    const AddressRange part{memory_.address(300), memory_.address(310)};
    ASSERT_EQ(uffd_lift(part, mode()), 0);
    Asked asked = ask();
    EXPECT_EQ(asked.answer.counts.unseen_bytes, part.size());
    EXPECT_EQ(asked.answer.counts.touched_bytes, 0u);
    ASSERT_EQ(exclude_range(part), 0);
    asked = ask();
    EXPECT_EQ(asked.answer.counts.unseen_bytes, part.size());
    EXPECT_EQ(asked.answer.counts.unseen, Unknown::kExcluded);
    ASSERT_EQ(include_range(part), 0);
    EXPECT_EQ(ask().answer.counts.unseen_bytes, part.size());
    EXPECT_EQ(ask().answer.counts.unseen_bytes, 0u);
    memory_.write(305);
    EXPECT_EQ(ask().touched, Pages{305});
}

TEST_F(TrackedRangesTest, AChildDisturbsNothing) {
    if (IsSkipped()) return;
    const pid_t child = fork();
    if (child == 0) {
        memory_.write(1);
        tracked_.~TrackedRanges();
        _exit(0);
    }
    memory_.write(2);
    EXPECT_EQ(ask().touched, Pages{2});
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    memory_.write(4);
    EXPECT_EQ(ask().touched, Pages{4});
}

// As where a program asks without a rest: the worker, which lifts where nobody asks, has no turn.
TEST_F(TrackedRangesTest, QuestionsDuringAPauseLiftTheMarksToo) {
    if (IsSkipped()) return;
    ASSERT_TRUE(any_marked(memory_.range()));
    (void)ask();
    EXPECT_TRUE(any_marked(memory_.range()));  // not before it is paused
    tracked_.set_paused(true);
    for (size_t i = 0; i < memory_.bytes() / (1u << 20) + 2 && any_marked(memory_.range()); ++i) (void)ask(0, 1);
    EXPECT_FALSE(any_marked(memory_.range()));
}

TEST_F(TrackedRangesTest, APauseLiftsAllMarksInShortPiecesAndNothingIsArmedUntilItEnds) {
    if (IsSkipped()) return;
    memory_.write(3);
    ASSERT_TRUE(any_marked(memory_.range()));
    EXPECT_EQ(tracked_.release_some(), 0u);  // not paused
    tracked_.set_paused(true);
    EXPECT_GE(release(tracked_), 2);  // of at most 2 MiB each
    EXPECT_FALSE(any_marked(memory_.range()));
    for (int i = 0; i < 2; ++i) {
        const Asked asked = ask();
        EXPECT_EQ(asked.error, 0);
        EXPECT_EQ(asked.touched.size(), kPages);  // unknown is never cold
        EXPECT_EQ(asked.answer.counts.unseen_bytes, memory_.bytes());
        EXPECT_EQ(asked.answer.counts.unseen, Unknown::kPaused);
        EXPECT_EQ(asked.answer.counts.touched_bytes, 0u);
        EXPECT_EQ(asked.answer.present_bytes, memory_.bytes());
    }
    Memory more(10);
    more.fill();
    ASSERT_TRUE(tracked_.add(more.range()).ok());
    EXPECT_FALSE(any_marked(more.range()));
    EXPECT_FALSE(any_marked(memory_.range()));
    EXPECT_TRUE(tracked_.remove(more.range()));
}

TEST_F(TrackedRangesTest, TheFirstQuestionAfterAPauseReportsTheGapAndTheSecondIsExact) {
    if (IsSkipped()) return;
    tracked_.set_paused(true);
    release(tracked_);
    EXPECT_EQ(ask().answer.counts.unseen, Unknown::kPaused);
    memory_.write(8);
    tracked_.set_paused(false);
    EXPECT_EQ(tracked_.release_some(), 0u);
    Asked asked = ask(0, 400);
    EXPECT_EQ(asked.answer.counts.unseen_bytes, 400 * page_bytes());
    EXPECT_EQ(asked.answer.counts.unseen, Unknown::kPaused);
    EXPECT_TRUE(any_marked(memory_.range()));
    memory_.write(9);
    memory_.write(700);
    EXPECT_EQ(ask(0, 400).touched, Pages{9});
    asked = ask();
    EXPECT_EQ(asked.answer.counts.unseen_bytes, (kPages - 400) * page_bytes());  // not asked about since
    EXPECT_EQ(asked.answer.counts.unseen, Unknown::kPaused);
    EXPECT_EQ(ask().touched, Pages());
    memory_.write(701);
    EXPECT_EQ(ask().touched, Pages{701});
}

// Whatever the worker has come to: no page may be told as untouched that was written while the context was paused.
TEST_F(TrackedRangesTest, APauseThatEndsBeforeAllMarksAreLiftedIsAGapOfTheWholeRange) {
    if (IsSkipped()) return;
    tracked_.set_paused(true);
    ASSERT_NE(tracked_.release_some(), 0u);
    memory_.write(8);
    memory_.write(999);
    tracked_.set_paused(false);
    const Asked asked = ask();
    EXPECT_EQ(asked.answer.counts.unseen_bytes, memory_.bytes());
    EXPECT_EQ(asked.answer.counts.unseen, Unknown::kPaused);
    EXPECT_EQ(ask().touched, Pages());
    // A new pause begins with the first piece again.
    tracked_.set_paused(true);
    release(tracked_);
    EXPECT_FALSE(any_marked(memory_.range()));
}

TEST_F(TrackedRangesTest, APauseInWhichNothingWasDoneIsAGapOnce) {
    if (IsSkipped()) return;
    tracked_.set_paused(true);
    tracked_.set_paused(false);
    EXPECT_EQ(ask().answer.counts.unseen, Unknown::kPaused);
    EXPECT_EQ(ask().answer.counts.unseen_bytes, 0u);
}

TEST_F(TrackedRangesTest, APauseLeavesWhatAnotherContextTracks) {
    if (IsSkipped()) return;
    const AddressRange others{memory_.address(400), memory_.address(600)};
    TrackedRanges other;
    ASSERT_TRUE(other.add(others).ok());
    const auto other_touched = [&other, others] {
        TrackedAnswer answer;
        EXPECT_EQ(other.query({others, page_bytes(), nullptr, nullptr}, answer), 0);
        EXPECT_EQ(answer.counts.unseen_bytes, 0u);
        return answer.counts.touched_bytes / page_bytes();
    };
    EXPECT_EQ(other_touched(), 0u);
    tracked_.set_paused(true);
    release(tracked_);
    EXPECT_FALSE(any_marked({memory_.address(0), others.start}));
    EXPECT_FALSE(any_marked({others.end, memory_.range().end}));
    EXPECT_EQ(other_touched(), 0u);
    memory_.write(450);
    EXPECT_EQ(other_touched(), 1u);
    tracked_.set_paused(false);
    memory_.write(451);
    EXPECT_EQ(ask().answer.counts.unseen_bytes, memory_.bytes());
    EXPECT_EQ(other_touched(), 1u);
    // Resting once more, it does not hold back the other's lifting.
    tracked_.set_paused(true);
    release(tracked_);
    ASSERT_TRUE(other.remove(others));
    EXPECT_FALSE(any_marked(memory_.range()));
}

TEST_F(TrackedRangesTest, SamplesWhoseMarksAPauseLiftedAreUnknownAndLiftTheirOwnMarksAfterwards) {
    if (IsSkipped()) return;
    AccessChecker checker;
    ASSERT_TRUE(checker.start(check(), 16).ok());
    auto samples = memory_.samples({20, 21});
    checker.arm(samples);
    tracked_.set_paused(true);
    release(tracked_);
    checker.look(samples);
    EXPECT_EQ(samples[0].seen, Seen::kUnknown);
    checker.arm(samples);
    memory_.write(20);
    checker.look(samples);
    EXPECT_EQ(samples[0].seen, Seen::kYes);
    EXPECT_EQ(samples[1].seen, Seen::kNo);
    EXPECT_EQ(any_marked(memory_.range()), reads_);  // with read-write protection marks of samples stay
}

TEST_F(TrackedRangesTest, WhatIsRemovedHasNoMarksAndNobodyHoldsTheDescriptor) {
    if (IsSkipped()) return;
    ASSERT_EQ(uffd_users(), 1u);
    EXPECT_FALSE(tracked_.remove({memory_.address(0), memory_.address(10)}));
    ASSERT_TRUE(tracked_.remove(memory_.range()));
    EXPECT_EQ(uffd_users(), 0u);
    EXPECT_EQ(ask().error, -ENOENT);
    // Added again while a context is at work; then removed from beside it.
    AccessChecker checker;
    ASSERT_TRUE(checker.start(check(), 16).ok());
    ASSERT_TRUE(tracked_.add(memory_.range()).ok());
    EXPECT_EQ(ask().touched, Pages());
    ASSERT_TRUE(tracked_.remove(memory_.range()));
    PageScan scan;
    ASSERT_EQ(scan.open(page_bytes()), 0);
    EXPECT_FALSE(scan.any_marked(memory_.range()));
}

}  // namespace
}  // namespace damon::test
