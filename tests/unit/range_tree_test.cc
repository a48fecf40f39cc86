// Many ranges in address order.
#include "base/range_tree.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <vector>

namespace damon::test {
namespace {

std::vector<std::pair<uint64_t, uint64_t>> all_of(const RangeTree& tree) {
    std::vector<RangeTree::Range> found(tree.size() + 1);
    const size_t nr = tree.read(0, found);
    std::vector<std::pair<uint64_t, uint64_t>> pairs;
    for (size_t i = 0; i < nr; ++i) pairs.emplace_back(found[i].start, found[i].end);
    return pairs;
}

TEST(RangeTree, KeepsRangesInOrder) {
    RangeTree tree;
    EXPECT_EQ(tree.insert({30, 40, 3}), 0);
    EXPECT_EQ(tree.insert({10, 20, 1}), 0);
    EXPECT_EQ(tree.insert({20, 30, 2}), 0);
    EXPECT_EQ(all_of(tree), (std::vector<std::pair<uint64_t, uint64_t>>{{10, 20}, {20, 30}, {30, 40}}));
    RangeTree::Range range;
    ASSERT_TRUE(tree.first_above(20, range));
    EXPECT_EQ(range.start, 20u);
    EXPECT_EQ(range.flags, 2u);
    EXPECT_FALSE(tree.first_above(40, range));
}

TEST(RangeTree, RefusesWhatOverlapsAndWhatIsNotThere) {
    RangeTree tree;
    ASSERT_EQ(tree.insert({10, 20, 7}), 0);
    for (const RangeTree::Range range :
         {RangeTree::Range{5, 11, 0}, {19, 25, 0}, {12, 13, 0}, {5, 25, 0}, {10, 20, 0}}) {
        EXPECT_EQ(tree.insert(range), -EEXIST) << range.start;
    }
    RangeTree::Range part{10, 15, 0};
    EXPECT_EQ(tree.erase(part), -ENOENT);
    RangeTree::Range whole{10, 20, 0};
    EXPECT_EQ(tree.erase(whole), 0);
    EXPECT_EQ(whole.flags, 7u);
    EXPECT_EQ(tree.size(), 0u);
}

TEST(RangeTree, IsAsAMapIsAfterRandomChanges) {
    RangeTree tree;
    std::map<uint64_t, uint64_t> model;
    Random random(7);
    for (int i = 0; i < 40'000; ++i) {
        const uint64_t start = random.between(0, 5'000) * 4;
        const uint64_t end = start + random.between(1, 4) * 4;
        if (random.between(0, 3) != 0) {
            const auto above = model.lower_bound(start);
            const bool overlaps = (above != model.end() && above->first < end) ||
                                  (above != model.begin() && std::prev(above)->second > start);
            ASSERT_EQ(tree.insert({start, end, 0}), overlaps ? -EEXIST : 0);
            if (!overlaps) model[start] = end;
        } else {
            const auto found = model.find(start);
            RangeTree::Range range{start, found == model.end() ? end : found->second, 0};
            ASSERT_EQ(tree.erase(range), found == model.end() ? -ENOENT : 0);
            if (found != model.end()) model.erase(found);
        }
        ASSERT_EQ(tree.size(), model.size());
    }
    EXPECT_EQ(all_of(tree), (std::vector<std::pair<uint64_t, uint64_t>>(model.begin(), model.end())));
}

TEST(RangeTree, TakesThirtyTwoBytesARange) {
    RangeTree tree;
    for (uint64_t i = 0; i < 100'000; ++i) ASSERT_EQ(tree.insert({i * 8, i * 8 + 4, 0}), 0);
    EXPECT_LE(tree.bytes(), 100'000u * 32 + 64 * 1024);
}

}  // namespace
}  // namespace damon::test
