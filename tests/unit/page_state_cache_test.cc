// What the last look saw of the page tables: pages by state, and blocks that cannot be huge.
#include "ops/linux/access/checks/page_state_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "os/uapi.h"

namespace damon {
namespace {

using Page = PageStateCache::Page;

constexpr uint64_t kPage = 4096;
constexpr uint64_t kBlock = 512 * kPage;

uint64_t page(uint64_t index) { return index * kPage; }

// Page states as letters: m marked, p present, - absent, s swapped, H huge and not marked; from `first` on.
void add(PageStateCache& look, uint64_t first, const std::string& letters) {
    std::vector<uapi::PageRegion> runs;
    for (size_t i = 0; i < letters.size(); ++i) {
        uint64_t categories = 0;
        if (letters[i] == 'm') continue;
        if (letters[i] == 'p') categories = uapi::kPagePresent | uapi::kPageAccessed;
        if (letters[i] == 'H') categories = uapi::kPagePresent | uapi::kPageAccessed | uapi::kPageHuge;
        if (letters[i] == 's') categories = uapi::kPageSwapped;
        const uint64_t start = page(first + i);
        if (!runs.empty() && runs.back().end == start && runs.back().categories == categories) {
            runs.back().end += kPage;
        } else {
            runs.push_back({start, start + kPage, categories});
        }
    }
    look.add({page(first), page(first + letters.size())}, kPage, runs);
}

std::string repeated(const std::string& letters, size_t nr) {
    std::string all;
    for (size_t i = 0; i < nr; ++i) all += letters;
    return all;
}

char letter_of(Page page) {
    switch (page) {
        case Page::kNotRead:
            return '?';
        case Page::kAbsent:
            return '-';
        case Page::kPresent:
            return 'p';
        case Page::kMarked:
            return 'm';
    }
    return '!';
}

std::string told(PageStateCache& look, uint64_t first, uint64_t last) {
    std::string letters;
    for (uint64_t i = first; i < last; ++i) letters += letter_of(look.find(page(i)));
    return letters;
}

TEST(PageStateCache, TellsOnlyOfPagesThatWereSeen) {
    PageStateCache look;
    ASSERT_TRUE(look.reserve(4));
    EXPECT_EQ(told(look, 1, 3), "??");
    add(look, 10, "-pmsH");
    add(look, 20, "p");
    look.sort();
    EXPECT_EQ(told(look, 9, 22),
              "?-pm-"
              "?????"
              "?p?");
    EXPECT_EQ(look.find(page(11)), Page::kPresent) << "backwards too";
    look.clear();
    EXPECT_EQ(told(look, 9, 22), std::string(13, '?'));
}

// Longer than a word of bits, in any order of targets.
TEST(PageStateCache, LongSpansInAnyOrder) {
    PageStateCache look;
    ASSERT_TRUE(look.reserve(8));
    const std::string letters = repeated("-pm", 30).append(70, 'm').append(70, 'p');
    add(look, 1000, letters);
    add(look, 100, letters);
    look.sort();
    for (const uint64_t first : {uint64_t{100}, uint64_t{1000}}) {
        EXPECT_EQ(told(look, first, first + letters.size()), letters);
    }
}

TEST(PageStateCache, WhatLiesOutsideOfTheRangeIsNotKept) {
    PageStateCache look;
    ASSERT_TRUE(look.reserve(4));
    const uapi::PageRegion runs[] = {{page(0), page(11), uapi::kPagePresent}, {page(13), page(99), 0}};
    look.add({page(10), page(15)}, kPage, runs);
    look.sort();
    EXPECT_EQ(told(look, 9, 16), "?pmm--?");
}

TEST(PageStateCache, WhatDoesNotFitIsNotKept) {
    PageStateCache look;
    ASSERT_TRUE(look.reserve(1));
    add(look, 0, std::string(64 * 64, 'm'));
    add(look, 9000, "m");
    add(look, 9100, "m");
    look.sort();
    EXPECT_EQ(told(look, 0, 2), "??");
    EXPECT_EQ(told(look, 9000, 9001), "m");
    EXPECT_EQ(told(look, 9100, 9101), "?");
}

TEST(PageStateCache, ABlockIsOfBasePagesIfOnlyPartOfItIsMarked) {
    struct Case {
        const char* name;
        const char* letters;  // from two pages before the block on
        bool expected;
    };
    const Case cases[] = {
        {"nothing of it", "mp", false},      {"one page", "ppm", false}, {"all marked", "ppmm", false},
        {"none marked", "mmp-", false},      {"huge", "mmHH", false},    {"marked and accessed", "--mp", true},
        {"marked and absent", "mm-m", true},
    };
    for (const Case& c : cases) {
        PageStateCache look;
        ASSERT_TRUE(look.reserve(2));
        add(look, 3 * 512 - 2, c.letters);
        look.sort();
        EXPECT_EQ(look.is_partly_marked({3 * kBlock, 4 * kBlock}), c.expected) << c.name;
    }
    // In two spans, the second behind a word's end.
    PageStateCache look;
    ASSERT_TRUE(look.reserve(2));
    add(look, 512, std::string(70, 'm'));
    EXPECT_FALSE(look.is_partly_marked({kBlock, 2 * kBlock}));
    add(look, 612, repeated("m", 69).append("p"));
    look.sort();
    EXPECT_TRUE(look.is_partly_marked({kBlock, 2 * kBlock}));
    EXPECT_FALSE(look.is_partly_marked({2 * kBlock, 3 * kBlock}));
}

}  // namespace
}  // namespace damon
