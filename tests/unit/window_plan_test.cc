// How promised memory is cut into windows.
#include "ops/linux/passes/window_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace damon::test {
namespace {

constexpr uint64_t kUnit = 0x100;

struct Planned {
    uint64_t start, end;
    bool second;
    bool operator==(const Planned&) const = default;
};

class WindowPlanning : public testing::Test {
protected:
    std::vector<Planned> plan(std::vector<AddressRange> promised, size_t max_windows = SIZE_MAX) {
        plan_.begin(own_.span());
        for (const NaturalMapping& mapping : mappings_) EXPECT_TRUE(plan_.add(mapping));
        const WindowLimits limits{.unit_bytes = kUnit, .most_bytes = 4 * kUnit, .max_windows = max_windows};
        Vector<PlannedWindow> windows;
        EXPECT_TRUE(plan_.finish(promised, limits, windows));
        std::vector<Planned> out;
        for (const PlannedWindow& window : windows) {
            out.push_back({window.range.start, window.range.end, window.second});
        }
        made_.swap(windows);
        return out;
    }
    void map(uint64_t start, uint64_t end, bool writable = true, bool private_memory = true) {
        mappings_.push_back({{start, end}, true, writable, private_memory});
    }
    // The windows that were planned last are mappings of their own now.
    void split() {
        own_.swap(made_);
        std::vector<NaturalMapping> mappings;
        for (const NaturalMapping& mapping : mappings_) {
            uint64_t at = mapping.range.start;
            for (const PlannedWindow& window : own_) {
                if (!mapping.range.covers(window.range)) continue;
                if (at < window.range.start)
                    mappings.push_back({{at, window.range.start}, true, mapping.writable, true});
                mappings.push_back({window.range, true, mapping.writable, true});
                at = window.range.end;
            }
            if (at < mapping.range.end) mappings.push_back({{at, mapping.range.end}, true, mapping.writable, true});
        }
        mappings_ = mappings;
    }

    WindowPlan plan_;
    Vector<PlannedWindow> own_;
    Vector<PlannedWindow> made_;
    std::vector<NaturalMapping> mappings_;
};

TEST_F(WindowPlanning, WindowsBeginAtMultiplesOfAHugePageAndAlternate) {
    map(0x280, 0x600);
    EXPECT_EQ(plan({{0, 0x1000}}),
              (std::vector<Planned>{
                  {0x280, 0x300, true}, {0x300, 0x400, false}, {0x400, 0x500, true}, {0x500, 0x600, false}}));
}

// What lies beside the promised part is registered with the first descriptor or with none.
TEST_F(WindowPlanning, TheFirstAndTheLastWindowDifferFromWhatLiesBeside) {
    map(0, 0x1000);
    EXPECT_EQ(plan({{0x200, 0x500}}),
              (std::vector<Planned>{{0x200, 0x300, true}, {0x300, 0x400, false}, {0x400, 0x500, true}}));
    EXPECT_EQ(plan({{0x200, 0x600}}),
              (std::vector<Planned>{{0x200, 0x300, true}, {0x300, 0x400, false}, {0x400, 0x600, true}}));
    EXPECT_EQ(plan({{0x210, 0x220}}), (std::vector<Planned>{{0x210, 0x220, true}}));
}

TEST_F(WindowPlanning, PromisesThatTouchAreOne) {
    map(0, 0x1000);
    EXPECT_EQ(plan({{0x200, 0x300}, {0x300, 0x500}}), plan({{0x200, 0x500}}));
}

TEST_F(WindowPlanning, OnlyPrivateMemoryHasWindows) {
    map(0, 0x100, true, false);
    map(0x100, 0x200);
    EXPECT_EQ(plan({{0, 0x1000}}), (std::vector<Planned>{{0x100, 0x200, true}}));
}

// Or each pass would cut the memory in another way than the last one did.
TEST_F(WindowPlanning, IsTheSameOnceTheWindowsAreThere) {
    map(0, 0x480);
    map(0x480, 0x800);
    map(0x800, 0x900, false);
    for (const auto& promised :
         {std::vector<AddressRange>{{0, 0x1000}}, std::vector<AddressRange>{{0x200, 0x380}, {0x420, 0x700}}}) {
        own_.clear();
        const std::vector<Planned> first = plan(promised);
        split();
        EXPECT_EQ(plan(promised), first);
        split();
        EXPECT_EQ(plan(promised), first);
        mappings_ = {
            {{0, 0x480}, true, true, true}, {{0x480, 0x800}, true, true, true}, {{0x800, 0x900}, true, false, true}};
    }
}

TEST_F(WindowPlanning, TooManyWindowsBecomeLargerOnesAndThenFewer) {
    map(0, 0x1000);
    EXPECT_EQ(plan({{0, 0x1000}}, 16).size(), 16u);
    EXPECT_EQ(plan({{0, 0x1000}}, 15).size(), 8u);
    EXPECT_EQ(
        plan({{0, 0x1000}}, 7),
        (std::vector<Planned>{{0, 0x400, true}, {0x400, 0x800, false}, {0x800, 0xc00, true}, {0xc00, 0x1000, false}}));
    EXPECT_EQ(plan({{0, 0x1000}}, 2), (std::vector<Planned>{{0, 0x400, true}, {0x400, 0x800, false}}));
}

}  // namespace
}  // namespace damon::test
