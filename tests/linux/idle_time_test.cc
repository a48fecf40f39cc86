// Time is time: what a context says of idleness is right under the default limit on its own cost, however much that
// stretches its windows.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "damon_c.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBytes = 64 << 20;
constexpr auto kBusy = std::chrono::seconds(3);
constexpr auto kIdle = std::chrono::seconds(20);

// Memory of its own, with a context that holds about `nr_regions`, all else as by default.
class Watch {
public:
    explicit Watch(uint64_t nr_regions)
        : memory_(static_cast<char*>(
              mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
        (void)madvise(memory_, kBytes, MADV_NOHUGEPAGE);
        write();
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.min_nr_regions = nr_regions;
        attrs.max_nr_regions = 2 * nr_regions;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
        const auto start = reinterpret_cast<uint64_t>(memory_);
        const damon_addr_range range = {start, start + kBytes};
        damon_target* target = damon_target_new();
        EXPECT_EQ(damon_target_set_regions(target, &range, 1), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx_, target), 0);
        EXPECT_EQ(damon_start(&ctx_, 1, 0), 0);
    }
    ~Watch() {
        damon_ctx_free(ctx_);
        munmap(memory_, kBytes);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Each page: a look sees no more than sample_us, and memory that is written to less often may be missed for a
    // while.
    void write() {
        for (uint64_t at = 0; at < kBytes; at += page_bytes()) memory_[at] = 1;
    }

    void expect_idle_since(Clock::time_point since) const {
        std::vector<damon_region_info> regions(8192);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const std::chrono::nanoseconds began = since.time_since_epoch();
        // A window that ends well after the last write; on a busy machine one may be late.
        int nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        for (int tries = 0; tries < 10 && static_cast<int64_t>(info.time_ns) < (began + kIdle / 8).count(); ++tries) {
            ASSERT_EQ(damon_snapshot_wait(ctx_, info.seq, 30'000), 0);
            nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        }
        ASSERT_GT(nr, 0);
        // As of the end of the snapshot's window.
        const double truth_us = (static_cast<double>(info.time_ns) - static_cast<double>(began.count())) / 1000;
        const double allowed_us = std::max(truth_us / 10, static_cast<double>(info.window_us));
        for (int i = 0; i < nr; ++i) {
            const auto idle_us = static_cast<double>(regions[static_cast<size_t>(i)].idle_us);
            ASSERT_LE(idle_us, truth_us + allowed_us) << nr << " regions, window of " << info.window_us << " us";
            ASSERT_GE(idle_us, truth_us - allowed_us) << nr << " regions, window of " << info.window_us << " us";
        }
    }

private:
    char* memory_;
    damon_ctx* ctx_ = damon_ctx_new();
};

TEST(IdleTime, IsRightWithTensHundredsAndThousandsOfRegions) {
    if (sanitized()) return declared_skip("sanitizer", "its worker costs several times as much");
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    std::vector<std::unique_ptr<Watch>> watches;
    // In an emulated machine, where a window of a thousand regions lasts minutes, the first ones alone.
    const bool emulated = getenv("DAMON_IN_VM") != nullptr;
    for (const uint64_t nr_regions : {10, 100, 1000}) {
        if (!emulated || nr_regions == 10) watches.push_back(std::make_unique<Watch>(nr_regions));
    }
    for (const auto until = Clock::now() + kBusy; Clock::now() < until;) {
        for (auto& watch : watches) watch->write();
    }
    const auto idle_since = Clock::now();
    std::this_thread::sleep_for(emulated ? kIdle / 4 : kIdle);
    for (const auto& watch : watches) watch->expect_idle_since(idle_since);
}

}  // namespace
}  // namespace damon::test
