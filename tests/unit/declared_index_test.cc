// The declared ranges in address order.
#include "ops/linux/registration/declared_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/random.h"

namespace damon::test {
namespace {

constexpr size_t kSlots = 3'000;

// Against a map; now and then made anew from its slots, as a child of fork does.
TEST(DeclaredIndex, IsAsAMapIsAfterRandomChanges) {
    const auto slots = std::make_unique<SharedSlot[]>(kSlots);
    DeclaredIndex index;
    const auto make_anew = [&] {
        index.clear();
        for (size_t i = 0; i < kSlots; ++i) index.add(slots[i]);
    };
    make_anew();
    std::map<uint64_t, uint64_t> model;
    Random random(11);
    for (int i = 0; i < 40'000; ++i) {
        const uint64_t start = random.between(0, 5'000) * 4;
        const AddressRange range{start, start + random.between(1, 4) * 4};
        const auto above = model.lower_bound(start);
        const bool overlaps = (above != model.end() && above->first < range.end) ||
                              (above != model.begin() && std::prev(above)->second > start);
        SharedSlot* next = index.first_above(start);
        ASSERT_EQ(next != nullptr && next->range.intersects(range), overlaps);
        if (!overlaps) {
            ASSERT_EQ(index.has_free(), model.size() < kSlots);
            ASSERT_EQ(index.declare(range), model.size() < kSlots);
            if (model.size() < kSlots) model[range.start] = range.end;
        } else if (random.between(0, 2) == 0) {
            model.erase(next->range.start);
            index.withdraw(*next);
        }
        const uint64_t address = random.between(0, 21'000);
        const auto after = model.upper_bound(address);
        const bool inside = after != model.begin() && std::prev(after)->second > address;
        const SharedSlot* at = index.at(address);
        ASSERT_EQ(at != nullptr, inside);
        if (inside) {
            ASSERT_EQ(at->range.start, std::prev(after)->first);
        }
        const SharedSlot* ends_above = index.first_above(address);
        if (!inside && after == model.end()) {
            ASSERT_EQ(ends_above, nullptr);
        }
        if (!inside && after != model.end()) {
            ASSERT_EQ(ends_above->range.start, after->first);
        }
        if (i % 5'000 == 0) make_anew();
    }
    ASSERT_GT(model.size(), 1'000u);
}

}  // namespace
}  // namespace damon::test
