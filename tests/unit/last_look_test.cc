// What the last look read of the page tables: pages by state, and blocks that cannot be huge.
#include "ops/linux/last_look.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "ops/linux/uapi.h"

namespace damon {
namespace {

using Page = LastLook::Page;

constexpr uint64_t kPage = 4096;
constexpr uint64_t kBlock = 512 * kPage;
constexpr uint64_t kAbsent = 0;
constexpr uint64_t kPresent = uapi::kEntryPresent;
constexpr uint64_t kMarked = uapi::kEntryPresent | uapi::kEntryMarked;
constexpr uint64_t kSwapped = uapi::kEntrySwapped | uapi::kEntryMarked;

uint64_t page(uint64_t index) { return index * kPage; }

TEST(LastLook, TellsOnlyOfPagesThatWereRead) {
    LastLook look;
    ASSERT_TRUE(look.reserve(4));
    EXPECT_EQ(look.find(page(1)), Page::kNotRead);
    const uint64_t entries[] = {kAbsent, kPresent, kMarked, kSwapped};
    look.add(page(10), kPage, entries);
    look.add(page(20), kPage, {entries + 1, 1});
    look.sort();
    const Page expected[] = {Page::kNotRead, Page::kAbsent, Page::kPresent,
                             Page::kMarked,  Page::kAbsent, Page::kNotRead};
    for (uint64_t i = 0; i < 6; ++i) EXPECT_EQ(look.find(page(9 + i)), expected[i]) << i;
    EXPECT_EQ(look.find(page(19)), Page::kNotRead);
    EXPECT_EQ(look.find(page(20)), Page::kPresent);
    EXPECT_EQ(look.find(page(21)), Page::kNotRead);
    EXPECT_EQ(look.find(page(11)), Page::kPresent) << "backwards too";
    look.clear();
    EXPECT_EQ(look.find(page(11)), Page::kNotRead);
}

// Longer than a word of bits, in any order of targets.
TEST(LastLook, LongSpansInAnyOrder) {
    LastLook look;
    ASSERT_TRUE(look.reserve(8));
    std::vector<uint64_t> entries(130);
    for (size_t i = 0; i < entries.size(); ++i) entries[i] = i % 3 == 0 ? kAbsent : i % 3 == 1 ? kPresent : kMarked;
    look.add(page(1000), kPage, entries);
    look.add(page(100), kPage, entries);
    look.sort();
    for (const uint64_t first : {uint64_t{100}, uint64_t{1000}}) {
        for (size_t i = 0; i < entries.size(); ++i) {
            const Page expected = i % 3 == 0 ? Page::kAbsent : i % 3 == 1 ? Page::kPresent : Page::kMarked;
            ASSERT_EQ(look.find(page(first + i)), expected) << first << " + " << i;
        }
    }
}

TEST(LastLook, WhatDoesNotFitIsNotKept) {
    LastLook look;
    ASSERT_TRUE(look.reserve(1));
    const std::vector<uint64_t> entries(64 * 64, kMarked);
    look.add(page(0), kPage, entries);
    look.add(page(9000), kPage, {entries.data(), 1});
    look.add(page(9100), kPage, {entries.data(), 1});
    look.sort();
    EXPECT_EQ(look.find(page(0)), Page::kNotRead);
    EXPECT_EQ(look.find(page(9000)), Page::kMarked);
    EXPECT_EQ(look.find(page(9100)), Page::kNotRead);
}

TEST(LastLook, ABlockIsOfBasePagesIfOnlyPartOfItIsMarked) {
    struct Case {
        const char* name;
        std::vector<uint64_t> entries;  // from two pages before the block on
        bool expected;
    };
    const Case cases[] = {
        {"nothing of it", {kMarked, kPresent}, false},
        {"one page", {kPresent, kPresent, kMarked}, false},
        {"all marked", {kPresent, kPresent, kMarked, kMarked}, false},
        {"none marked", {kMarked, kMarked, kPresent, kAbsent}, false},
        {"marked and accessed", {kAbsent, kAbsent, kMarked, kPresent}, true},
        {"marked and absent", {kMarked, kMarked, kAbsent, kMarked}, true},
    };
    for (const Case& c : cases) {
        LastLook look;
        ASSERT_TRUE(look.reserve(2));
        look.add(3 * kBlock - 2 * kPage, kPage, c.entries);
        look.sort();
        EXPECT_EQ(look.is_partly_marked({3 * kBlock, 4 * kBlock}), c.expected) << c.name;
    }
    // In two spans, the second behind a word's end.
    LastLook look;
    ASSERT_TRUE(look.reserve(2));
    std::vector<uint64_t> entries(70, kMarked);
    look.add(kBlock, kPage, entries);
    EXPECT_FALSE(look.is_partly_marked({kBlock, 2 * kBlock}));
    entries[69] = kPresent;
    look.add(kBlock + 100 * kPage, kPage, entries);
    look.sort();
    EXPECT_TRUE(look.is_partly_marked({kBlock, 2 * kBlock}));
    EXPECT_FALSE(look.is_partly_marked({2 * kBlock, 3 * kBlock}));
}

}  // namespace
}  // namespace damon
