// Ranges that are removed while a worker touches memory.
#include "kdamond/exchange/added_ranges.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace damon {
namespace {

TEST(AddedRangesOfAWorker, RemovalWaitsForWhoTouchesMemoryAndNotOnTheWorkerItself) {
    AddedRanges ranges;
    ASSERT_EQ(ranges.add({0x1000, 0x3000}, 0), 0);
    ASSERT_EQ(ranges.add({0x5000, 0x6000}, 0), 0);
    std::atomic<bool> removed{false};
    std::thread thread;
    {
        const AddedRanges::Touch touch(ranges, true);
        thread = std::thread([&] {
            uint32_t flags = 0;
            EXPECT_EQ(ranges.remove({0x1000, 0x3000}, false, flags), 0);
            removed = true;
        });
        for (int ms = 0; ranges.contains(0x1000) && ms < 60'000; ++ms) usleep(1000);  // it has come to where it waits
        usleep(50'000);                                                               // and would return
        EXPECT_FALSE(removed);
        uint32_t flags = 0;
        EXPECT_EQ(ranges.remove({0x5000, 0x6000}, true, flags), 0);
    }
    thread.join();
    EXPECT_TRUE(removed);
}

}  // namespace
}  // namespace damon
