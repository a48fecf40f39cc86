// Spans of surveys: short stretches that stay armed for several intervals, beside samples and other contexts.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "ops/linux/registration/declared_ranges.h"
#include "os/page_scan.h"
#include "watched.h"

namespace damon::test {
namespace {

Span span_of(const Memory& memory, size_t first, size_t nr_pages) {
    Span span;
    span.start = memory.address(first);
    span.page_bytes = static_cast<uint32_t>(page_bytes());
    span.nr_pages = static_cast<uint16_t>(nr_pages);
    return span;
}

std::string text_of(const Span& span) {
    std::string text;
    for (unsigned page = 0; page < span.nr_pages; ++page) {
        text += !span.known.test(page) ? '?' : span.hit.test(page) ? 'y' : 'n';
    }
    return text;
}

// Arms and looks at a sample, which registers its mapping: spans do not.
void watch(Checker& checker, const Memory& memory) {
    auto samples = memory.samples({0});
    checker->arm(samples);
    checker->look(samples);
}

class Spans : public EveryWay {
protected:
    Spans() : checker_(GetParam()), memory_(128) {
        memory_.fill();
        if (!checker_.works()) return;
        EXPECT_TRUE(checker_->reserve_spans(Span::kMaxArmed));
        watch(checker_, memory_);
    }
    bool works() const { return checker_.works(); }
    std::string look(Span& span) {
        checker_->look_spans({&span, 1});
        return text_of(span);
    }

    Checker checker_;
    Memory memory_;
};
INSTANTIATE_EVERY_WAY(Spans);

TEST_P(Spans, TellTheWrittenPagesSinceTheyWereArmed) {
    if (!works()) return;
    memory_.write(3);
    Span span = span_of(memory_, 0, 16);
    checker_->arm_spans({&span, 1});
    for (const size_t page : {1, 2, 9, 15}) memory_.write(page);
    memory_.write(16);
    EXPECT_EQ(look(span), "nyynnnnnnynnnnny");
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(Spans, OfEverySizeTellEveryPage) {
    if (!works()) return;
    for (const size_t nr_pages : {1, 2, 63, 64, 65, 127, 128}) {
        Span span = span_of(memory_, 0, nr_pages);
        checker_->arm_spans({&span, 1});
        std::string expected(nr_pages, 'n');
        for (size_t page = 0; page < nr_pages; page += 3) {
            memory_.write(page);
            expected[page] = 'y';
        }
        EXPECT_EQ(look(span), expected);
    }
}

TEST_P(Spans, StayArmedWhileSamplesComeAndGo) {
    if (!works()) return;
    Span span = span_of(memory_, 4, 12);
    auto samples = memory_.samples({2, 5, 6, 9, 20});
    checker_->arm(samples);
    checker_->arm_spans({&span, 1});
    memory_.write(6);
    checker_->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnynn");
    checker_->arm(samples);  // sets the mark of page 6 anew
    checker_->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnnnn");
    memory_.write(12);
    checker_->arm(samples);
    checker_->look(samples);
    EXPECT_EQ(look(span), "nnynnnnnynnn");
}

TEST_P(Spans, ThatOverlapDoNotEatEachOthersEvidence) {
    if (!works()) return;
    Span first = span_of(memory_, 0, 8);
    Span second = span_of(memory_, 4, 8);
    checker_->arm_spans({&first, 1});
    memory_.write(5);
    checker_->arm_spans({&second, 1});
    memory_.write(6);
    EXPECT_EQ(look(first), "nnnnnyyn");
    memory_.write(7);
    EXPECT_EQ(look(second), "nnyynnnn");
}

TEST_P(Spans, LeaveNoMarkWhereTheCheckLiftsThem) {
    if (!works() || GetParam() != AccessCheck::kUffdWp) return;
    Span span = span_of(memory_, 0, 128);
    checker_->arm_spans({&span, 1});
    PageScan scan;
    ASSERT_EQ(scan.open(page_bytes()), 0);
    EXPECT_TRUE(scan.any_marked(memory_.range()));
    memory_.write(9);
    look(span);
    EXPECT_FALSE(scan.any_marked(memory_.range()));
}

TEST_P(Spans, ThatAreGivenUpAreUnknownAndTheirMarksAreReleased) {
    if (!works()) return;
    Span span = span_of(memory_, 0, 16);
    checker_->arm_spans({&span, 1});
    checker_->disarm();
    while (checker_->release_some() != 0) continue;
    PageScan scan;
    ASSERT_EQ(scan.open(page_bytes()), 0);
    EXPECT_FALSE(scan.any_marked(memory_.range()));
    EXPECT_EQ(look(span), std::string(16, '?'));
}

// A sweep of all that is registered costs 14 ms a GiB.
TEST_P(Spans, ThatAreGivenUpCostNoSweepWhereTheCheckLiftsMarks) {
    if (!works() || GetParam() != AccessCheck::kUffdWp) return;
    Memory large(8192);  // a sweep takes sixteen pieces
    large.fill();
    watch(checker_, large);
    Span span = span_of(large, 0, 16);
    checker_->arm_spans({&span, 1});
    checker_->disarm();
    int nr_pieces = 0;
    while (checker_->release_some() != 0) ++nr_pieces;
    EXPECT_LE(nr_pieces, 3);
    PageScan scan;
    ASSERT_EQ(scan.open(page_bytes()), 0);
    EXPECT_FALSE(scan.any_marked(large.range()));
    checker_->arm_spans({&span, 1});
    checker_->disarm();
    watch(checker_, large);  // goes on before it was released
    EXPECT_FALSE(scan.any_marked(large.range()));
}

TEST_P(Spans, OfHolesTellWhetherTheyWereFilled) {
    if (!works()) return;
    ASSERT_EQ(madvise(memory_.data(4), 4 * page_bytes(), MADV_DONTNEED), 0);
    Span span = span_of(memory_, 0, 12);
    checker_->arm_spans({&span, 1});
    memory_.write(5);
    const std::string seen = look(span);
    EXPECT_EQ(seen[5], 'y') << seen;
    for (const size_t page : {0, 1, 2, 3, 8, 9, 10, 11}) EXPECT_EQ(seen[page], 'n') << seen;
}

TEST_P(Spans, OfExcludedAndUnmappedMemoryAreUnknown) {
    if (!works()) return;
    Memory other(16);
    Span never_seen = span_of(other, 0, 16);  // not registered: nobody sampled it
    checker_->arm_spans({&never_seen, 1});
    EXPECT_EQ(look(never_seen), std::string(16, '?'));
    Span gone;
    gone.page_bytes = static_cast<uint32_t>(page_bytes());
    gone.start = page_bytes();
    gone.nr_pages = 4;
    checker_->arm_spans({&gone, 1});
    EXPECT_EQ(look(gone), "????");
}

TEST_P(Spans, AndAnotherContextKeepEachOthersEvidence) {
    if (!works()) return;
    Checker other(GetParam());
    if (!other.works()) return;
    auto samples = memory_.samples({1, 5, 9});
    other->arm(samples);
    memory_.write(5);
    Span span = span_of(memory_, 0, 12);
    checker_->arm_spans({&span, 1});  // sets the mark of page 5 anew
    other->look(samples);
    EXPECT_EQ(plain_answers(samples), "nyn");
    memory_.write(9);
    other->arm(samples);  // sets the mark of page 9 anew
    other->look(samples);
    other->disarm();
    while (other->release_some() != 0) continue;
    EXPECT_EQ(look(span), "nnnnnnnnnynn");
}

TEST(ZapSpans, TellReadsInUnitsOf64Kibibytes) {
    Checker checker(AccessCheck::kZap);
    if (!checker.works()) return;
    const size_t unit = 65'536 / page_bytes();
    Memory memory(8 * unit, Kind::kShared, 65'536);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    ASSERT_TRUE(checker->reserve_spans(Span::kMaxArmed));
    watch(checker, memory);
    Span span = span_of(memory, 0, 4 * unit);
    checker->arm_spans({&span, 1});
    memory.read(2 * unit + 3);
    checker->look_spans({&span, 1});
    EXPECT_EQ(text_of(span), std::string(2 * unit, 'n') + std::string(unit, 'y') + std::string(unit, 'n'));
    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

// A declared range that stays pinned can never be withdrawn.
TEST(ZapSpans, ThatAreGivenUpLetTheRangeBeWithdrawn) {
    auto checker = std::make_unique<Checker>(AccessCheck::kZap);
    if (!checker->works()) return;
    Memory memory(64, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    EXPECT_TRUE((*checker)->reserve_spans(Span::kMaxArmed));
    watch(*checker, memory);
    Span span = span_of(memory, 0, 16);
    (*checker)->arm_spans({&span, 1});
    (*checker)->disarm();
    while ((*checker)->release_some() != 0) continue;
    std::atomic<bool> withdrawn{false};
    std::thread program([&] {
        EXPECT_EQ(shared_withdraw(memory.range()), 0);
        withdrawn = true;
    });
    for (int tries = 0; tries < 500 && !withdrawn; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(withdrawn);
    checker.reset();  // ends the wait where the test fails
    program.join();
}

}  // namespace
}  // namespace damon::test
