// The text of /proc/PID/smaps.
#include "os/smaps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace damon::test {
namespace {

const std::string kText =
    "55d0c8a00000-55d0c8c00000 rw-p 00000000 00:00 0                          [heap]\n"
    "Size:               2048 kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n"
    "Rss:                1024 kB\nPss:                1000 kB\nPss_Dirty:           1000 kB\n"
    "Shared_Clean:          8 kB\nShared_Dirty:         16 kB\nPrivate_Clean:         0 kB\nPrivate_Dirty:      1000 "
    "kB\n"
    "Referenced:          512 kB\nAnonymous:          1024 kB\nKSM:                   0 kB\nLazyFree:              0 "
    "kB\n"
    "AnonHugePages:         0 kB\nShmemPmdMapped:        0 kB\nFilePmdMapped:         0 kB\nShared_Hugetlb:        0 "
    "kB\n"
    "Private_Hugetlb:       0 kB\nSwap:                  0 kB\nSwapPss:               0 kB\nLocked:                4 "
    "kB\n"
    "THPeligible:           1\nVmFlags: rd wr mr mw me ac uw\n"
    "7f0000000000-7f0000200000 rw-p 00000000 00:00 0 \n"
    "Size:               2048 kB\nRss:                2048 kB\nReferenced:             0 kB\nAnonHugePages:      2048 "
    "kB\n"
    "VmFlags: rd wr mr mw me ac hg\n";

std::vector<SmapsEntry> parse(const std::string& text, size_t piece, bool finish = true) {
    std::vector<SmapsEntry> entries;
    const auto visit = [](void* context, const SmapsEntry& entry) {
        static_cast<std::vector<SmapsEntry>*>(context)->push_back(entry);
    };
    SmapsParser parser;
    for (size_t at = 0; at < text.size(); at += piece) {
        const std::string part = text.substr(at, piece);
        parser.feed(part, visit, &entries);
    }
    if (finish) parser.finish(visit, &entries);
    return entries;
}

TEST(Smaps, TextInPiecesOfAnySizeIsTheSame) {
    for (size_t piece = 1; piece <= kText.size(); piece = piece < 100 ? piece + 1 : piece * 2) {
        const std::vector<SmapsEntry> entries = parse(kText, piece);
        ASSERT_EQ(entries.size(), 2u) << piece;
        EXPECT_EQ(entries[0].range, (AddressRange{0x55d0c8a00000, 0x55d0c8c00000}));
        EXPECT_EQ(entries[0].present, 1024u << 10);
        EXPECT_EQ(entries[0].accessed, 512u << 10);
        EXPECT_EQ(entries[0].shared, 24u << 10);
        EXPECT_EQ(entries[0].locked, 4u << 10);
        EXPECT_EQ(entries[0].huge, 0u);
        EXPECT_EQ(entries[1].range, (AddressRange{0x7f0000000000, 0x7f0000200000}));
        EXPECT_EQ(entries[1].accessed, 0u);
        EXPECT_EQ(entries[1].shared, 0u);
        EXPECT_EQ(entries[1].huge, 2048u << 10);
    }
}

// So that a window can be cleared before the next one is read.
TEST(Smaps, AnEntryIsToldWithItsLastLine) {
    const size_t end_of_first = kText.find("7f0000000000");
    EXPECT_EQ(parse(kText.substr(0, end_of_first), 50, false).size(), 1u);
    EXPECT_EQ(parse(kText.substr(0, end_of_first - 2), 50, false).size(), 0u);
}

TEST(Smaps, NamesOfFilesMayBeLongAndLookLikeAnything) {
    const std::string name = "/" + std::string(5000, 'a') + "\\012Rss:   77 kB";
    const std::string text =
        "1000-2000 r-xp 00000000 08:01 12    " + name + "\nRss:  4 kB\nReferenced:  4 kB\nVmFlags: rd\n";
    const std::vector<SmapsEntry> entries = parse(text, 700);
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].present, 4096u);
}

TEST(Smaps, OtherTextHasNoEntries) {
    for (const char* text : {"", "\n\n", "Rss: 4 kB\nVmFlags: rd\n", "zzz\n", "1000-1000 rw-p\nRss: 4 kB\n",
                             "1000 2000\nRss: 4 kB\n", "10000000000000000-2 rw-p\nRss: 4 kB\n"}) {
        EXPECT_TRUE(parse(text, 3).empty()) << text;
    }
    const std::vector<SmapsEntry> odd =
        parse("1000-2000 rw-p\nRss: x kB\nReferenced: 99999999999999999999 kB\nLocked: 4\n", 9);
    ASSERT_EQ(odd.size(), 1u);
    EXPECT_EQ(odd[0].present, 0u);
    EXPECT_EQ(odd[0].accessed, UINT64_MAX);
    EXPECT_EQ(odd[0].locked, 0u);
}

}  // namespace
}  // namespace damon::test
