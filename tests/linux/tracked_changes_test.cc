// What tracked ranges tell of memory whose page table entries come and go: mapped anew, given back, dropped by the
// kernel.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <optional>
#include <set>
#include <vector>

#include "ops/linux/access/tracked_ranges.h"
#include "ops/linux/registration/uffd.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

using Pages = std::set<size_t>;

constexpr int kPageout = 21;  // MADV_PAGEOUT, which older headers lack

class ChangedTracked : public testing::Test {
protected:
    struct Asked {
        Pages touched;
        TrackedAnswer answer;
    };

    // Huge page after huge page, all of it present and armed.
    void track(Kind kind) {
        const UffdFeatures offered = uffd_offered();
        if (!offered.wp_async && !offered.rwp_async) return declared_skip("uffd-wp", "no userfaultfd");
        reads_ = offered.rwp_async;
        memory_.emplace(kPages, kind, TrackedRange::kPieceBytes);
        madvise(memory_->data(), memory_->bytes(), MADV_NOHUGEPAGE);
        memory_->fill();
        const Status status = tracked_.add(memory_->range());
        ASSERT_TRUE(status.ok()) << status.text();
        ASSERT_EQ(ask().touched, Pages());
    }
    Asked ask() {
        std::vector<uint64_t> bits(kPages / 64);
        Asked asked;
        EXPECT_EQ(tracked_.query({memory_->range(), page_bytes(), bits.data(), nullptr}, asked.answer), 0);
        for (size_t i = 0; i < kPages; ++i) {
            if ((bits[i / 64] >> i % 64 & 1) != 0) asked.touched.insert(i);
        }
        return asked;
    }
    void map_anew(size_t first, size_t nr_pages) const {
        void* at = memory_->data(first);
        ASSERT_EQ(munmap(at, nr_pages * page_bytes()), 0);
        ASSERT_EQ(
            mmap(at, nr_pages * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
            at);
        madvise(at, nr_pages * page_bytes(), MADV_NOHUGEPAGE);
    }

    static constexpr size_t kPages = 8192;
    static constexpr size_t kTable = 512;  // pages of a page table, where pages are of 4 KiB
    bool reads_ = false;                   // seen
    std::optional<Memory> memory_;
    TrackedRanges tracked_;
};

// The page tables of the old mapping are gone with it, and a scan for what is not armed finds nothing.
TEST_F(ChangedTracked, ANewMappingIsNotPresentAndToldExactlyOnceItWasAskedAbout) {
    track(Kind::kAnonymous);
    if (IsSkipped()) return;
    for (const size_t nr_tables : {size_t{1}, size_t{4}, kPages / kTable}) {
        SCOPED_TRACE(nr_tables);
        map_anew(0, nr_tables * kTable);
        TrackedAnswer part;
        const AddressRange table{memory_->address(0), memory_->address(kTable)};
        ASSERT_EQ(tracked_.query({table, page_bytes(), nullptr, nullptr}, part), 0);
        EXPECT_EQ(part.present_bytes, 0u);
        EXPECT_EQ(part.counts.unseen_bytes + part.counts.touched_bytes, 0u);
        Asked asked = ask();
        EXPECT_EQ(asked.answer.present_bytes, (kPages - nr_tables * kTable) * page_bytes());
        EXPECT_EQ(asked.answer.counts.unseen_bytes, 0u);
        EXPECT_EQ(asked.touched, Pages());
        memory_->write(3);
        memory_->write(kTable - 1);
        asked = ask();
        EXPECT_EQ(asked.answer.counts.unseen_bytes, 0u);
        EXPECT_EQ(asked.touched, (Pages{3, kTable - 1}));
        memory_->write(3);
        EXPECT_EQ(ask().touched, Pages{3});
        memory_->fill();
        ask();
        EXPECT_EQ(ask().touched, Pages());
    }
}

TEST_F(ChangedTracked, WhatIsGivenBackIsNotPresentWhetherOrNotItsPageTablesAreKept) {
    track(Kind::kAnonymous);
    if (IsSkipped()) return;
    memory_->write(kTable + 7);
    ASSERT_EQ(madvise(memory_->data(kTable), 2 * kTable * page_bytes(), MADV_DONTNEED), 0);
    Asked asked = ask();
    EXPECT_EQ(asked.answer.present_bytes, (kPages - 2 * kTable) * page_bytes());
    EXPECT_EQ(asked.touched, Pages());
    memory_->read(kTable + 9);  // brings it in
    EXPECT_EQ(ask().touched, Pages{kTable + 9});
}

// As reclaim does, which the test does not wait for. With write protection an armed page leaves a marker.
TEST_F(ChangedTracked, SharedPagesWhoseEntriesAreDroppedAreStillTold) {
    track(Kind::kShared);
    if (IsSkipped()) return;
    memory_->write(5);
    memory_->write(kTable + 64);
    ASSERT_EQ(madvise(memory_->data(4), 3 * page_bytes(), kPageout), 0);
    ASSERT_EQ(madvise(memory_->data(kTable), kTable * page_bytes(), kPageout), 0);
    Asked asked = ask();
    if (reads_) {
        EXPECT_EQ(asked.answer.counts.unseen_bytes, (3 + kTable) * page_bytes());
        EXPECT_EQ(asked.answer.counts.unseen, Unknown::kReclaimed);
        EXPECT_TRUE(asked.touched.contains(5));
    } else {
        EXPECT_EQ(asked.touched, (Pages{5, kTable + 64}));
        EXPECT_EQ(asked.answer.counts.unseen_bytes, 0u);
    }
    asked = ask();  // told once
    EXPECT_EQ(asked.touched, Pages());
    EXPECT_EQ(asked.answer.counts.unseen_bytes, 0u);
    // The first write to it after that brings it in; another one is dropped once more.
    memory_->write(5);
    EXPECT_EQ(ask().touched, Pages{5});
    memory_->write(5);
    ASSERT_EQ(madvise(memory_->data(5), page_bytes(), kPageout), 0);
    EXPECT_EQ(ask().touched, Pages{5});
    EXPECT_TRUE(memory_->is_as_filled());
}

}  // namespace
}  // namespace damon::test
