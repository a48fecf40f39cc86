// Marks survive swap (fact 8): a page that was armed, paged out and left alone was not accessed; one that came back
// was.
#include <gtest/gtest.h>

#include "acted_on.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

class SwappedPages : public EveryWay {
protected:
    SwappedPages() : checker_(GetParam()) {
        memory_.fill();
        if (!checker_.works()) return;
        works_ = has_swap();
        if (!works_) declared_skip("swap", "/proc/swaps is empty");
    }

    // Pages 0 to 7 of the memory that are in swap now, as letters.
    std::string in_swap() {
        PageScan scan;
        EXPECT_EQ(scan.open(page_bytes()), 0);
        std::string text;
        for (size_t page = 0; page < 8; ++page) {
            const uint64_t address = memory_.address(page);
            uint32_t state = 0;
            scan.look({&address, 1}, {&state, 1});
            text += (state & uapi::kPageSwapped) != 0 ? 's' : (state & uapi::kPagePresent) != 0 ? 'p' : '-';
        }
        return text;
    }
    void page_out() { ASSERT_EQ(madvise(memory_.data(), memory_.bytes(), uapi::kAdvisePageout), 0); }

    Checker checker_;
    Memory memory_{8};
    bool works_ = false;
};
INSTANTIATE_EVERY_WAY(SwappedPages);

TEST_P(SwappedPages, KeepTheirMarksOnTheWayOutAndBack) {
    if (!works_) return;
    auto samples = memory_.samples();
    checker_->arm(samples);
    page_out();
    ASSERT_EQ(in_swap(), "ssssssss");
    checker_->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnnnnnnn");

    checker_->arm(samples);  // in swap: nothing to arm, the marks are still those of the first time
    memory_.write(2);
    checker_->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnynnnnn");
    EXPECT_EQ(in_swap()[2], 'p');
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(SwappedPages, AccessesBeforeAndAfterTheWayOutAreSeen) {
    if (!works_) return;
    auto samples = memory_.samples();
    checker_->arm(samples);
    memory_.write(1);
    page_out();
    ASSERT_EQ(in_swap(), "ssssssss");
    memory_.write(5);
    memory_.read(6);
    checker_->look(samples);
    const std::string seen = plain_answers(samples);
    // A write before shows in the lifted mark; a read that brings a page back shows where reads can be seen.
    EXPECT_EQ(seen, GetParam() == AccessCheck::kUffdRwp ? "nynnnyyn" : "nynnnynn");
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_P(SwappedPages, WhatReadAheadBringsBackIsNotAccessed) {
    if (!works_) return;
    auto samples = memory_.samples();
    checker_->arm(samples);
    page_out();
    ASSERT_EQ(madvise(memory_.data(), memory_.bytes(), uapi::kAdviseWillneed), 0);
    checker_->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnnnnnnn");
    EXPECT_TRUE(memory_.is_as_filled());
}

}  // namespace
}  // namespace damon::test
