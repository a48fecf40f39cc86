// The texts that tell how much memory was accessed, and whether reclaim came between.
#include "os/accessed_bits.h"

#include <gtest/gtest.h>

#include <string>

#include "os/metrics_text.h"

namespace damon {
namespace {

constexpr const char* kRollup =
    "5567a32b3000-7fff1624d000 ---p 00000000 00:00 0                          [rollup]\n"
    "Rss:                1628 kB\nPss:                 197 kB\nShared_Clean:       1472 kB\n"
    "Referenced:          628 kB\nShared_Hugetlb:     2048 kB\nPrivate_Hugetlb:    4096 kB\nLocked:    0 kB\n";

TEST(AccessedBytesText, PresentAccessedAndWhatHasNoBits) {
    AccessedBytes bytes;
    ASSERT_TRUE(parse_accessed_bytes(kRollup, bytes));
    EXPECT_EQ(bytes.present, 1628u << 10);
    EXPECT_EQ(bytes.accessed, 628u << 10);
    EXPECT_EQ(bytes.hugetlb, 6144u << 10);
}

TEST(AccessedBytesText, AKernelWithoutHugetlbfsTellsNothingOfIt) {
    AccessedBytes bytes;
    ASSERT_TRUE(parse_accessed_bytes("Rss: 8 kB\nReferenced: 4 kB\n", bytes));
    EXPECT_EQ(bytes.hugetlb, 0u);
}

TEST(AccessedBytesText, ATextThatEndsEarlyIsRefused) {
    AccessedBytes bytes;
    const std::string text = kRollup;
    EXPECT_FALSE(parse_accessed_bytes(text.substr(0, text.find("Referenced")), bytes));
    EXPECT_FALSE(parse_accessed_bytes("Rss: 99999999999999999 kB\nReferenced: 4 kB\n", bytes));
    EXPECT_FALSE(parse_accessed_bytes("", bytes));
}

TEST(StatusText, HeldMemoryIsPagesAndPageTables) {
    HeldMemory held;
    ASSERT_TRUE(parse_held_memory("Name:\tx\nVmHWM:\t    9 kB\nVmRSS:\t    8 kB\nVmPTE:\t    4 kB\n", held));
    EXPECT_EQ(held.present, 8192u);
    EXPECT_EQ(held.tables, 4096u);
    EXPECT_FALSE(parse_held_memory("VmRSS:\t    8 kB\n", held));
}

TEST(VmstatText, ReclaimIsCountedOnceWhoeverAskedForIt) {
    EXPECT_EQ(reclaim_scanned_pages("pgfault 7\npgscan_kswapd 10\npgscan_direct 5\npgscan_khugepaged 2\n"
                                    "pgscan_proactive 1\npgscan_anon 9\npgscan_file 9\npgsteal_kswapd 3\n"),
              18u);
    EXPECT_EQ(reclaim_scanned_pages(""), 0u);
    EXPECT_EQ(reclaim_scanned_pages("pgscan_kswapd many\n"), 0u);
}

}  // namespace
}  // namespace damon
