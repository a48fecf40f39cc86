// Fact 4: mappings change under the monitor, between arming and looking and at any other time. Every answer stays true
// or becomes unknown, nothing fails, and the next interval sees again.
#include <gtest/gtest.h>

#include "watched.h"

namespace damon::test {
namespace {

class ChangedMapping : public EveryWay {
protected:
    ChangedMapping() : checker_(GetParam()) { memory_.fill(); }

    // Arms pages 0 to 7, lets the test change something, looks.
    template <typename Change>
    std::string after(Change change) {
        auto samples = memory_.samples();
        checker_->arm(samples);
        change();
        checker_->look(samples);
        return plain_answers(samples);
    }
    std::string after_write(size_t page) {
        return after([this, page] { memory_.write(page); });
    }
    void map_anew(size_t page, size_t nr_pages) {
        void* where = memory_.data(page);
        ASSERT_EQ(mmap(where, nr_pages * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                       -1, 0),
                  where);
    }

    Checker checker_;
    Memory memory_{8};
};
INSTANTIATE_EVERY_WAY(ChangedMapping);

TEST_P(ChangedMapping, UnmappedPagesAreUnknown) {
    if (!checker_.works()) return;
    EXPECT_EQ(after([this] { munmap(memory_.data(2), 3 * page_bytes()); }), "nn???nnn");
    EXPECT_EQ(checker_.unknown(UnknownReason::kUnmapped), 3u);
    EXPECT_EQ(after([] {}), "nn???nnn");
    EXPECT_EQ(checker_.unknown(UnknownReason::kUnmapped), 6u);
}

TEST_P(ChangedMapping, AnotherMappingInTheSamePlaceIsUnknownOnce) {
    if (!checker_.works()) return;
    ASSERT_EQ(after_write(1), "nynnnnnn");
    // All of the mapping, so that not even its bounds tell; touched, so that the new pages are present.
    const std::string seen = after([this] {
        map_anew(0, 8);
        memory_.fill();
    });
    EXPECT_EQ(seen, "????????");
    EXPECT_EQ(after_write(3), "nnnynnnn");
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(ChangedMapping, PartOfAMappingReplacedLeavesTheRestExact) {
    if (!checker_.works()) return;
    ASSERT_EQ(after_write(1), "nynnnnnn");
    const std::string seen = after([this] {
        map_anew(4, 2);
        *memory_.data(4) = 1;
        *memory_.data(5) = 1;
        memory_.write(7);
    });
    EXPECT_EQ(seen, "nnnn??ny");
    EXPECT_EQ(after_write(4), "nnnnynnn");
    checker_->disarm();
    EXPECT_EQ(after_write(6), "nnnnnnyn");
}

TEST_P(ChangedMapping, MovedAwayAndBackIsUnknown) {
    if (!checker_.works()) return;
    const std::string seen = after([this] {
        void* elsewhere = mremap(memory_.data(), memory_.bytes(), memory_.bytes(), MREMAP_MAYMOVE | MREMAP_FIXED,
                                 memory_.data() - (1 << 30));
        ASSERT_NE(elsewhere, MAP_FAILED);
        ASSERT_EQ(mremap(elsewhere, memory_.bytes(), memory_.bytes(), MREMAP_MAYMOVE | MREMAP_FIXED, memory_.data()),
                  memory_.data());
    });
    EXPECT_EQ(seen, "????????");
    EXPECT_TRUE(memory_.is_as_filled());
    EXPECT_EQ(after_write(5), "nnnnnynn");
}

TEST_P(ChangedMapping, ArmedMemoryCanBeMovedAndGrownWhole) {
    if (!checker_.works()) return;
    // Registered whole, the mapping is still one: mremap of all of it works as without a monitor.
    ASSERT_EQ(after_write(1), "nynnnnnn");
    void* grown = mremap(memory_.data(), memory_.bytes(), 2 * memory_.bytes(), MREMAP_MAYMOVE);
    ASSERT_NE(grown, MAP_FAILED);
    EXPECT_EQ(static_cast<uint64_t*>(grown)[1], 1u);
    ASSERT_EQ(mremap(grown, 2 * memory_.bytes(), memory_.bytes(), MREMAP_MAYMOVE | MREMAP_FIXED, memory_.data()),
              memory_.data());
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(ChangedMapping, ProtectionChangesKeepTheEvidence) {
    if (!checker_.works()) return;
    const std::string seen = after([this] {
        memory_.write(1);
        ASSERT_EQ(mprotect(memory_.data(), 4 * page_bytes(), PROT_READ), 0);
        ASSERT_EQ(mprotect(memory_.data(), 4 * page_bytes(), PROT_NONE), 0);
        ASSERT_EQ(mprotect(memory_.data(), 4 * page_bytes(), PROT_READ | PROT_WRITE), 0);
        memory_.write(6);
    });
    EXPECT_EQ(seen, "nynnnnyn");
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(ChangedMapping, MemoryThatBecomesWritableIsSeenAtOnce) {
    if (!checker_.works()) return;
    ASSERT_EQ(mprotect(memory_.data(), memory_.bytes(), PROT_READ), 0);
    checker_->refresh();
    const std::string read_only = after([] {});
    EXPECT_EQ(read_only, GetParam() == AccessCheck::kUffdWp ? "????????" : "nnnnnnnn");
    ASSERT_EQ(mprotect(memory_.data(), memory_.bytes(), PROT_READ | PROT_WRITE), 0);
    EXPECT_EQ(after_write(2), "nnynnnnn");
}

TEST_P(ChangedMapping, DiscardedPagesAreUnknownUnlessTouchedAgain) {
    if (!checker_.works()) return;
    const std::string seen = after([this] {
        madvise(memory_.data(1), 3 * page_bytes(), MADV_DONTNEED);
        *memory_.data(2) = 0;
    });
    EXPECT_EQ(seen, "n?y?nnnn");
    EXPECT_EQ(checker_.unknown(UnknownReason::kDropped), 2u);
}

TEST_P(ChangedMapping, LazilyFreedPagesAreStillExact) {
    if (!checker_.works()) return;
    const std::string seen = after([this] {
        madvise(memory_.data(), memory_.bytes(), MADV_FREE);
        memory_.write(3);
    });
    // Not reclaimed yet, so nothing is lost.
    EXPECT_EQ(seen, "nnnynnnn");
}

TEST_P(ChangedMapping, ColdAdviceDoesNotHideAccesses) {
    if (!checker_.works()) return;
    const std::string seen = after([this] {
        memory_.write(3);
        madvise(memory_.data(), memory_.bytes(), MADV_COLD);
    });
    EXPECT_EQ(seen, "nnnynnnn");
}

TEST_P(ChangedMapping, NewMemoryBesideIsSeenWithoutARefresh) {
    if (!checker_.works()) return;
    ASSERT_EQ(after_write(0), "ynnnnnnn");
    Memory late(4);
    late.fill();
    auto samples = late.samples();
    checker_->arm(samples);
    late.write(2);
    checker_->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnyn");
}

}  // namespace
}  // namespace damon::test
