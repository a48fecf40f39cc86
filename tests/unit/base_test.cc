// The vocabulary that everything above trusts: arithmetic (C-2, C-3), random numbers (C-7), vector and heap.
#include <gtest/gtest.h>

#include <cstring>

#include "base/arithmetic.h"
#include "base/heap.h"
#include "base/random.h"
#include "base/status.h"
#include "base/vector.h"
#include "support/heap_fault.h"

namespace damon {
namespace {

TEST(Arithmetic, MulDivRoundsDownAndSurvivesWideProducts) {
    EXPECT_EQ(mul_div(7, 10, 3), 23u);
    EXPECT_EQ(mul_div(kU64Max, 10'000, 10'000), kU64Max);
    EXPECT_EQ(mul_div(kU64Max, 3, 2), kU64Max);
    EXPECT_EQ(mul_div(1'844'674'407'370'955'161, 10, 10), 1'844'674'407'370'955'161u);
}

TEST(Arithmetic, AlignsToPowersOfTwo) {
    EXPECT_EQ(align_down(4097, 4096), 4096u);
    EXPECT_EQ(align_up(4097, 4096), 8192u);
    EXPECT_EQ(align_up(0, 8), 0u);
}

TEST(Arithmetic, TicksCompareAcrossTheWrap) {
    EXPECT_TRUE(tick_reached(5, 5));
    EXPECT_FALSE(tick_reached(4, 5));
    EXPECT_TRUE(tick_reached(3, kU64Max - 1));
    EXPECT_FALSE(tick_reached(kU64Max - 1, 3));
}

TEST(Random, SameSeedGivesSameNumbersAndStaysInside) {
    Random first(42);
    Random second(42);
    uint64_t buckets[8] = {};
    for (int i = 0; i < 80'000; ++i) {
        const uint64_t value = first.between(100, 108);
        ASSERT_EQ(value, second.between(100, 108));
        ASSERT_GE(value, 100u);
        ASSERT_LT(value, 108u);
        ++buckets[value - 100];
    }
    for (const uint64_t count : buckets) EXPECT_NEAR(static_cast<double>(count), 10'000.0, 500.0);
}

TEST(Random, WideSpansReachBothHalves) {
    Random random(7);
    bool low = false;
    bool high = false;
    for (int i = 0; i < 100; ++i) (random.between(0, uint64_t{1} << 60) >> 59 ? high : low) = true;
    EXPECT_TRUE(low && high);
}

TEST(Status, CarriesErrorAndText) {
    EXPECT_TRUE(Status().ok());
    const Status status = Status::fail(-22, "sample_us is %d", 7);
    EXPECT_EQ(status.error(), -22);
    EXPECT_STREQ(status.text(), "sample_us is 7");
}

TEST(Heap, GivesZeroedMemoryAlsoTheSecondTime) {
    const size_t before = heap_bytes_in_use();
    for (const size_t bytes : {size_t{1}, size_t{16}, size_t{17}, size_t{4096}, size_t{32768}, size_t{1} << 20}) {
        for (int round = 0; round < 2; ++round) {
            auto* block = static_cast<unsigned char*>(heap_allocate(bytes));
            ASSERT_NE(block, nullptr);
            for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(block[i], 0);
            memset(block, 0xff, bytes);
            heap_free(block, bytes);
        }
    }
    EXPECT_EQ(heap_bytes_in_use(), before);
}

TEST(Vector, InsertEraseAndCopyKeepTheOrder) {
    Vector<int> numbers;
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(numbers.push_back(i));
    ASSERT_TRUE(numbers.insert(3, 100));
    EXPECT_EQ(numbers[3], 100);
    EXPECT_EQ(numbers[10], 9);
    numbers.erase(3, 5);
    EXPECT_EQ(numbers[3], 4);
    Vector<int> copy;
    ASSERT_TRUE(copy.copy_from(numbers));
    EXPECT_TRUE(copy == numbers);
}

TEST(Vector, OutOfMemoryLeavesTheElements) {
    Vector<int> numbers;
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(numbers.push_back(i));
    const test::HeapFault fault(0);
    EXPECT_FALSE(numbers.reserve(100));
    EXPECT_TRUE(fault.hit());
    EXPECT_EQ(numbers.size(), 4u);
    EXPECT_EQ(numbers[3], 3);
}

}  // namespace
}  // namespace damon
