// Registered memory does not merge with what is mapped beside it later, and pieces that were written to apart never
// merge again. So a program's growing memory ends with as many mappings as without the library, plus a small constant.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "ops/linux/registration/exclusion.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr size_t kMib = 1 << 20;

class GrowingMemory : public testing::Test {
protected:
    static constexpr size_t kMaxMib = 140;

    GrowingMemory() {
        const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp));
        if (!probe.available) {
            declared_skip("uffd-wp", probe.reason);
            return;
        }
        // Room with a hole on each side, so that nothing else merges with it.
        room_ = static_cast<char*>(
            mmap(nullptr, (kMaxMib + 2) * kMib, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        heap_ = room_ + kMib;
        munmap(room_, (kMaxMib + 2) * kMib);
    }
    ~GrowingMemory() override {
        checker_.stop();
        if (heap_ != nullptr) munmap(heap_, kMaxMib * kMib);
    }

    bool works() const { return heap_ != nullptr; }
    void start() { ASSERT_TRUE(checker_.start(AccessCheck::kUffdWp, 64, RegisterWhen::kSettled).ok()); }

    static void map(char* at, size_t mib, int protection) {
        ASSERT_EQ(mmap(at, mib * kMib, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), at);
        madvise(at, mib * kMib, MADV_NOHUGEPAGE);
    }
    void grow(size_t mib) {
        map(heap_ + size_mib_ * kMib, mib, PROT_READ | PROT_WRITE);
        for (size_t i = 0; i < mib * kMib; i += page_bytes()) heap_[size_mib_ * kMib + i] = 1;
        size_mib_ += mib;
    }
    // One interval with a sample in each of 32 parts.
    std::string interval() {
        std::vector<Sample> samples(32);
        for (size_t i = 0; i < samples.size(); ++i) {
            samples[i].addr = reinterpret_cast<uint64_t>(heap_) + i * size_mib_ * kMib / samples.size() + 77;
        }
        checker_.arm(samples);
        checker_.look(samples);
        return plain_answers(samples);
    }

    size_t nr_mappings(size_t mib) const {
        FILE* maps = fopen("/proc/self/maps", "re");
        char line[4096];
        size_t nr = 0;
        const auto start = reinterpret_cast<uint64_t>(heap_);
        while (fgets(line, sizeof line, maps) != nullptr) {
            unsigned long from = 0;
            unsigned long to = 0;
            if (sscanf(line, "%lx-%lx ", &from, &to) == 2) nr += from < start + mib * kMib && to > start;
        }
        fclose(maps);
        return nr;
    }

    AccessChecker checker_;
    char* room_ = nullptr;
    char* heap_ = nullptr;
    size_t size_mib_ = 0;
};

// Registered apart, it was several mappings; given back, it is one, which is not new. Nor is it what the larger memory
// beside it grew by.
TEST_F(GrowingMemory, IsKnownAtOnceWhereAnExclusionMadeItOneMappingAgain) {
    if (!works()) return;
    grow(8);
    char* beside = heap_ + 8 * kMib;
    ASSERT_EQ(
        mmap(beside, 64 * kMib, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0),
        beside);
    beside[0] = 1;
    start();
    const auto at = reinterpret_cast<uint64_t>(heap_);
    const AddressRange part{at + 2 * kMib, at + 4 * kMib};
    const AddressRange all{at, at + 8 * kMib};
    EXPECT_EQ(interval(), std::string(32, 'n'));
    ASSERT_EQ(exclude_range(part), 0);
    interval();
    checker_.refresh();
    ASSERT_EQ(include_range(part), 0);
    ASSERT_EQ(exclude_range(all), 0);
    ASSERT_EQ(include_range(all), 0);
    interval();
    EXPECT_EQ(interval(), std::string(32, 'n'));
    EXPECT_EQ(nr_mappings(8), 1u);
}

TEST_F(GrowingMemory, EndsWithAsManyMappingsPlusThree) {
    if (!works()) return;
    grow(1);
    start();
    for (int i = 0; i < 129; ++i) {
        grow(1);
        interval();
        checker_.refresh();
        interval();
    }
    EXPECT_LE(nr_mappings(size_mib_), 1u + 3u);
    // Most of it is seen.
    const std::string seen = interval();
    EXPECT_GE(std::count(seen.begin(), seen.end(), 'n'), 29) << seen;
}

TEST_F(GrowingMemory, WithRestsEndsWithAsManyMappingsPlusThree) {
    if (!works()) return;
    grow(1);
    start();
    for (int i = 0; i < 64; ++i) {
        grow(1);
        for (int rest = 0; rest < 6; ++rest) {
            interval();
            checker_.refresh();
        }
    }
    EXPECT_LE(nr_mappings(size_mib_), 1u + 3u);
}

TEST_F(GrowingMemory, WhatStandsForLongIsSeenAtLast) {
    if (!works()) return;
    grow(8);
    start();
    grow(1);
    for (int i = 0; i < 100; ++i) {
        interval();
        checker_.refresh();
    }
    EXPECT_EQ(interval(), std::string(32, 'n'));
}

// A program that has loaded its data and grows no more.
TEST_F(GrowingMemory, TheLargerAPieceIsTheSoonerItIsSeen) {
    if (!works()) return;
    grow(8);
    start();
    grow(4);
    for (int i = 0; i < 15; ++i) {
        interval();
        checker_.refresh();
    }
    EXPECT_EQ(interval(), std::string(32, 'n'));
}

TEST_F(GrowingMemory, AMuchLargerPieceIsSeenSoon) {
    if (!works()) return;
    grow(1);
    start();
    grow(15);
    for (int i = 0; i < 3; ++i) {
        interval();
        checker_.refresh();
    }
    EXPECT_EQ(interval(), std::string(32, 'n'));
}

TEST_F(GrowingMemory, WhatHasJustBeenMappedSaysThatItIsNotRegistered) {
    if (!works()) return;
    start();
    grow(4);
    EXPECT_EQ(interval(), std::string(32, '?'));
    std::vector<Sample> sample(1);
    sample[0].addr = reinterpret_cast<uint64_t>(heap_);
    checker_.arm(sample);
    checker_.look(sample);
    EXPECT_EQ(sample[0].unknown, Unknown::kNotRegistered);
}

TEST_F(GrowingMemory, AReservationThatIsCommittedByAndByStaysOneMapping) {
    if (!works()) return;
    size_mib_ = 64;
    map(heap_, 64, PROT_NONE);
    start();
    interval();
    size_t nr_seen = 0;
    for (size_t mib = 0; mib < 64; mib += 4) {
        ASSERT_EQ(mprotect(heap_ + mib * kMib, 4 * kMib, PROT_READ | PROT_WRITE), 0);
        for (size_t i = 0; i < 4 * kMib; i += page_bytes()) heap_[mib * kMib + i] = 1;
        const std::string seen = interval();
        nr_seen = static_cast<size_t>(std::count(seen.begin(), seen.end(), 'n'));
        checker_.refresh();
    }
    EXPECT_EQ(nr_mappings(64), 1u);
    EXPECT_EQ(nr_seen, 32u);
}

// No sample lies in what is not committed: only memory is covered.
TEST_F(GrowingMemory, CommittedBesideWhatIsWatchedIsKnownAtOnceAndStaysOneMapping) {
    if (!works()) return;
    map(heap_, 64, PROT_NONE);
    const auto commit = [this](size_t mib) {
        ASSERT_EQ(mprotect(heap_ + size_mib_ * kMib, mib * kMib, PROT_READ | PROT_WRITE), 0);
        for (size_t i = 0; i < mib * kMib; i += page_bytes()) heap_[size_mib_ * kMib + i] = 1;
        size_mib_ += mib;
    };
    commit(24);
    start();
    EXPECT_EQ(interval(), std::string(32, 'n'));
    for (int i = 0; i < 8; ++i) {
        commit(1);
        EXPECT_EQ(interval(), std::string(32, 'n')) << i;
        checker_.refresh();
        EXPECT_EQ(interval(), std::string(32, 'n')) << i;
    }
    EXPECT_EQ(nr_mappings(size_mib_), 1u);
    EXPECT_EQ(nr_mappings(64), 2u);
    checker_.end();
    while (checker_.release_some() != 0) continue;
    EXPECT_EQ(nr_mappings(64), 2u);
}

// Committed by mapping anew instead, it is new memory, which may grow.
TEST_F(GrowingMemory, MappedIntoAReservationCanBeMovedWholeAfterGrowing) {
    if (!works()) return;
    size_mib_ = 64;
    map(heap_, 64, PROT_NONE);
    start();
    interval();
    size_mib_ = 0;
    for (int i = 0; i < 8; ++i) {
        grow(4);
        interval();
    }
    EXPECT_EQ(nr_mappings(size_mib_), 1u);
    void* moved = mremap(heap_, size_mib_ * kMib, (size_mib_ + 1) * kMib, MREMAP_MAYMOVE);
    ASSERT_NE(moved, MAP_FAILED);
    munmap(moved, (size_mib_ + 1) * kMib);
}

// A place is used again and again, by a heap that grows each time.
TEST_F(GrowingMemory, InThePlaceOfOlderMemoryCanBeMovedWholeAfterGrowing) {
    if (!works()) return;
    grow(32);
    start();
    interval();  // registered: the first reading has seen it
    for (int round = 0; round < 3; ++round) {
        munmap(heap_, 32 * kMib);
        size_mib_ = 0;
        for (int i = 0; i < 8; ++i) {
            grow(4);
            interval();
        }
        EXPECT_EQ(nr_mappings(size_mib_), 1u);
    }
}

// It was smaller between two readings, so that the second one does not see what the first one has seen.
TEST_F(GrowingMemory, ThatBeganAnewBetweenTwoReadingsHasNotStood) {
    if (!works()) return;
    start();
    grow(16);
    checker_.refresh();
    munmap(heap_, 16 * kMib);
    size_mib_ = 0;
    grow(8);
    interval();
    grow(16);
    checker_.refresh();
    interval();
    EXPECT_EQ(nr_mappings(size_mib_), 1u);
}

TEST_F(GrowingMemory, AfterAnExclusionIsRegisteredAtOnce) {
    if (!works()) return;
    grow(32);
    start();
    interval();
    const auto start = reinterpret_cast<uint64_t>(heap_);
    const AddressRange middle = {start + 8 * kMib, start + 16 * kMib};
    ASSERT_EQ(exclude_range(middle), 0);
    EXPECT_EQ(nr_mappings(size_mib_), 3u);
    ASSERT_EQ(include_range(middle), 0);
    interval();
    EXPECT_EQ(nr_mappings(size_mib_), 1u);
}

// Readings that come soon, because samples found memory gone, do not make it stand.
TEST_F(GrowingMemory, ThatIsReadOftenHasNotStoodForLong) {
    if (!works()) return;
    checker_.settle_after_us(60'000'000);
    start();
    for (int i = 0; i < 8; ++i) {
        grow(4);
        checker_.refresh();
        interval();
    }
    EXPECT_EQ(nr_mappings(size_mib_), 1u);
    checker_.settle_after_us(0);
    checker_.refresh();
    checker_.refresh();
    EXPECT_NE(interval(), std::string(32, '?'));
}

TEST_F(GrowingMemory, CanBeMovedWholeAfterGrowing) {
    if (!works()) return;
    start();
    for (int i = 0; i < 8; ++i) {
        grow(4);
        interval();
    }
    // As long as no reading came in between, nothing of it is registered.
    EXPECT_EQ(nr_mappings(size_mib_), 1u);
    void* moved = mremap(heap_, size_mib_ * kMib, (size_mib_ + 1) * kMib, MREMAP_MAYMOVE);
    ASSERT_NE(moved, MAP_FAILED);
    munmap(moved, (size_mib_ + 1) * kMib);
}

}  // namespace
}  // namespace damon::test
