// What a context has learned, as bytes, and taken over by another one.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "damon_c.h"
#include "support/heap_fault.h"
#include "toy.h"

namespace damon::test {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr uint64_t kMoved = uint64_t{1} << 40;  // where the memory lies later
constexpr uint64_t kHotPages = 64;

Bytes saved_of(damon_ctx* ctx) {
    const int64_t needed = damon_ctx_save(ctx, nullptr, 0);
    EXPECT_GT(needed, 0) << errmsg_of(ctx);
    if (needed <= 0) return {};
    Bytes bytes(static_cast<size_t>(needed) + 4096);  // a running context may have more of them by now
    const int64_t size = damon_ctx_save(ctx, bytes.data(), bytes.size());
    EXPECT_GT(size, 0) << errmsg_of(ctx);
    bytes.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return bytes;
}

int restored(damon_ctx* ctx, const Bytes& bytes) { return damon_ctx_restore(ctx, bytes.data(), bytes.size()); }

void set_ranges(damon_ctx* ctx, std::vector<damon_addr_range> ranges) {
    ASSERT_EQ(damon_target_set_regions(damon_ctx_target(ctx, 0), ranges.data(), ranges.size()), 0);
}

void access_first_pages_of(Context& ctx, uint64_t start) {
    ctx.ops().hot_start = start;
    ctx.ops().hot_end = start + kHotPages * kPage;
}

// Ran for 40 windows over the toy range, of which the first 64 pages are hot.
void learn(Context& ctx) {
    access_first_pages_of(ctx, kToyRange.start);
    ASSERT_EQ(ctx.start(), 0) << errmsg_of(ctx);
    ASSERT_EQ(ctx.step(200), 0);
}

damon_addr_range moved_range(uint64_t nr_pages = 256) { return {kMoved, kMoved + nr_pages * kPage}; }

// Of the regions with an age of `age` or more: bytes that are accessed always, and never.
struct Learned {
    uint64_t hot = 0;
    uint64_t cold = 0;
};
Learned learned_by(const std::vector<damon_region_info>& regions, uint32_t age, uint32_t max_nr_accesses = 5) {
    Learned learned;
    for (const damon_region_info& region : regions) {
        if (region.age < age) continue;
        if (region.nr_accesses == max_nr_accesses) learned.hot += region.end - region.start;
        if (region.nr_accesses == 0) learned.cold += region.end - region.start;
    }
    return learned;
}

void expect_learned(const std::vector<damon_region_info>& regions, uint32_t age) {
    const Learned learned = learned_by(regions, age);
    EXPECT_GE(learned.hot, kHotPages * kPage * 9 / 10);
    EXPECT_LE(learned.hot, kHotPages * kPage);
    EXPECT_GE(learned.cold, (256 - kHotPages) * kPage * 9 / 10);
}

TEST(Saving, TheFirstWindowOfAnotherContextHasTheRegionsAndAgesWhereverTheMemoryLiesNow) {
    Context first(true);
    learn(first);
    expect_learned(snapshot_of(first), 10);
    const Bytes bytes = saved_of(first);

    Context second(true);
    set_ranges(second, {moved_range()});
    access_first_pages_of(second, kMoved);
    ASSERT_EQ(restored(second, bytes), 0) << errmsg_of(second);
    ASSERT_EQ(second.start(), 0) << errmsg_of(second);
    ASSERT_EQ(second.step(5), 0);
    expect_learned(snapshot_of(second), 10);
    for (const damon_region_info& region : snapshot_of(second)) EXPECT_GE(region.start, kMoved);

    Context without(true);  // the control: nothing restored
    set_ranges(without, {moved_range()});
    access_first_pages_of(without, kMoved);
    ASSERT_EQ(without.start(), 0);
    ASSERT_EQ(without.step(5), 0);
    EXPECT_EQ(learned_by(snapshot_of(without), 2).cold, 0u);
}

TEST(Saving, AStoppedContextStillKnowsAndItsNextStartAloneBeginsWithWhatIsRestored) {
    Context ctx(true);
    learn(ctx);
    ASSERT_EQ(ctx.stop(), 0);
    const Bytes bytes = saved_of(ctx);
    ASSERT_EQ(restored(ctx, bytes), 0) << errmsg_of(ctx);
    EXPECT_EQ(saved_of(ctx), bytes);
    ASSERT_EQ(ctx.start(), 0) << errmsg_of(ctx);
    EXPECT_GT(learned_by(live_regions_of(ctx), 10, 0).cold, 0u);
    ASSERT_EQ(ctx.stop(), 0);
    ASSERT_EQ(ctx.start(), 0) << errmsg_of(ctx);
    for (const damon_region_info& region : live_regions_of(ctx)) EXPECT_EQ(region.age, 0u);
}

TEST(Saving, ARunningContextIsSavedAndRestoredByItsWorker) {
    Context first;
    access_first_pages_of(first, kToyRange.start);
    ASSERT_EQ(first.start(), 0);
    pass_windows(first, 40);
    const Bytes bytes = saved_of(first);
    ASSERT_EQ(damon_set_pause(first, 1), 0);
    const Bytes paused = saved_of(first);
    EXPECT_EQ(saved_of(first), paused);

    Context second;
    set_ranges(second, {moved_range()});
    access_first_pages_of(second, kMoved);
    ASSERT_EQ(second.start(), 0);
    pass_windows(second, 1);
    ASSERT_EQ(on_worker(second,
                        [&] {
                            ASSERT_EQ(restored(second, bytes), 0) << errmsg_of(second);
                            // Counts of this window are none yet.
                            EXPECT_GT(learned_by(live_regions_of(second), 10, 0).cold, 128 * kPage);
                        }),
              0);
    ASSERT_EQ(restored(second, paused), 0) << errmsg_of(second);
    pass_windows(second, 1);
    const Learned learned = learned_by(snapshot_of(second), 10);
    EXPECT_GT(learned.cold, 128 * kPage);
}

TEST(Saving, RangesGoByPositionAlsoWhereTheyTouchedOrHaveOtherSizes) {
    const uint64_t start = kToyRange.start;
    Context first(true);
    set_ranges(first, {{start, start + 64 * kPage}, {start + 64 * kPage, kToyRange.end}});
    learn(first);
    const Bytes bytes = saved_of(first);
    Context second(true);
    set_ranges(second, {{kMoved, kMoved + 64 * kPage}, {2 * kMoved, 2 * kMoved + 400 * kPage}});
    ASSERT_EQ(restored(second, bytes), 0) << errmsg_of(second);
    access_first_pages_of(second, kMoved);
    ASSERT_EQ(second.start(), 0);
    ASSERT_EQ(second.step(5), 0);
    expect_learned(snapshot_of(second), 10);
    uint64_t new_bytes = 0;
    for (const damon_region_info& region : snapshot_of(second)) {
        if (region.start >= 2 * kMoved + 192 * kPage) new_bytes += region.age <= 1 ? region.end - region.start : 0;
    }
    EXPECT_GE(new_bytes, 200 * kPage);  // what the second range gained
}

TEST(Saving, AddedRangesGoByPosition) {
    const auto ranges_of = [](damon_ctx* ctx, std::vector<uint64_t> starts) {
        ASSERT_EQ(damon_ctx_remove_target(ctx, 0), 0);
        for (const uint64_t start : starts) {
            ASSERT_EQ(damon_ctx_add_range(ctx, reinterpret_cast<const void*>(start), 64 * kPage, 0), 0);
        }
    };
    const uint64_t start = kToyRange.start;
    Context first(true);
    ranges_of(first, {start, start + 64 * kPage, start + 200 * kPage});
    learn(first);
    const Bytes bytes = saved_of(first);
    Context second(true);
    ranges_of(second, {kMoved, 2 * kMoved});
    EXPECT_EQ(restored(second, bytes), -EINVAL);
    EXPECT_NE(errmsg_of(second).find("target 0 has 2 ranges, and 3 were saved"), std::string::npos);
    ASSERT_EQ(damon_ctx_add_range(second, reinterpret_cast<const void*>(3 * kMoved), 64 * kPage, 0), 0);
    ASSERT_EQ(restored(second, bytes), 0) << errmsg_of(second);
    access_first_pages_of(second, kMoved);
    ASSERT_EQ(second.start(), 0) << errmsg_of(second);
    ASSERT_EQ(second.step(5), 0);
    uint64_t hot = 0;
    uint64_t cold = 0;
    for (const damon_region_info& region : snapshot_of(second)) {
        if (region.age < 10) continue;
        (region.start < 2 * kMoved ? hot : cold) += region.end - region.start;
    }
    EXPECT_GE(hot, 58 * kPage);
    EXPECT_GE(cold, 116 * kPage);
}

TEST(Saving, StatisticsAndQuotasOfSchemesGoOn) {
    const auto scheme = [](int32_t action) {
        return scheme_of([action](damos_params& params) {
            params.action = action;
            params.quota.sz = 16 * kPage;
            params.quota.reset_interval_ms = 1'000'000;
        });
    };
    Context first(true);
    ASSERT_EQ(damon_ctx_add_scheme(first, scheme(DAMOS_STAT)), 0);
    learn(first);
    const Bytes bytes = saved_of(first);
    const auto before = report_of(first).scheme_stats;
    ASSERT_GT(before[2], 0u);

    Context second(true);
    EXPECT_EQ(restored(second, bytes), -EINVAL);
    EXPECT_EQ(errmsg_of(second), "1 schemes were saved; the context has 0, and must have as many");
    ASSERT_EQ(damon_ctx_add_scheme(second, scheme(DAMOS_PAGEOUT)), 0);
    EXPECT_EQ(restored(second, bytes), -EINVAL);
    EXPECT_NE(errmsg_of(second).find("scheme 0: action"), std::string::npos);
    ASSERT_EQ(damon_ctx_remove_scheme(second, 0), 0);
    ASSERT_EQ(damon_ctx_add_scheme(second, scheme(DAMOS_STAT)), 0);
    ASSERT_EQ(restored(second, bytes), 0) << errmsg_of(second);
    ASSERT_EQ(second.start(), 0);
    EXPECT_EQ(report_of(second).scheme_stats, before);
    ASSERT_EQ(second.step(20), 0);
    EXPECT_EQ(report_of(second).scheme_stats[3], before[3]);  // the window's quota is used up
}

TEST(Saving, DamagedOrForeignBytesAreRefusedAndChangeNothing) {
    Context first(true);
    learn(first);
    const Bytes bytes = saved_of(first);
    Context second(true);
    ASSERT_EQ(second.start(), 0);
    ASSERT_EQ(second.step(50), 0);
    const Report before = report_of(second);
    const auto refused = [&](const Bytes& lie, const char* why) {
        EXPECT_EQ(restored(second, lie), -EINVAL);
        EXPECT_NE(errmsg_of(second).find(why), std::string::npos) << errmsg_of(second);
        EXPECT_EQ(report_of(second), before);
    };
    Bytes damaged = bytes;
    damaged[damaged.size() / 2] ^= 0x10;
    refused(damaged, "damaged: their checksum is");
    refused(Bytes(bytes.begin(), bytes.begin() + 100), "100 of them");
    refused(Bytes(300, 'x'), "damon_ctx_save() did not write them");
    EXPECT_EQ(damon_ctx_restore(second, nullptr, 0), -EINVAL);
    EXPECT_EQ(damon_ctx_restore(nullptr, bytes.data(), bytes.size()), -EINVAL);
    EXPECT_EQ(restored(second, bytes), 0) << errmsg_of(second);
    EXPECT_NE(report_of(second), before);
}

TEST(Saving, EveryAllocationMayFailAndChangesNothing) {
    Context ctx(true);
    learn(ctx);
    const Bytes bytes = saved_of(ctx);
    for (const bool running : {true, false}) {
        SCOPED_TRACE(running ? "running" : "stopped");
        ASSERT_EQ(ctx.step(50), 0);  // to know something else
        ASSERT_EQ(running ? 0 : ctx.stop(), 0);
        const Bytes before = saved_of(ctx);
        const Report report = report_of(ctx);
        int error = -ENOMEM;
        for (uint64_t fail_at = 0; error != 0; ++fail_at) {
            {
                const HeapFault fault(fail_at);
                const int64_t size = damon_ctx_save(ctx, nullptr, 0);
                EXPECT_EQ(size, fault.hit() ? -ENOMEM : static_cast<int64_t>(before.size())) << fail_at;
            }
            const HeapFault fault(fail_at);
            error = restored(ctx, bytes);
            if (error == 0) break;
            ASSERT_EQ(error, -ENOMEM) << errmsg_of(ctx);
            EXPECT_EQ(report_of(ctx), report);
            EXPECT_EQ(saved_of(ctx), before);
        }
        EXPECT_NE(saved_of(ctx), before);
    }
}

TEST(Saving, SaysWhatItNeedsAndWritesNothingWhereThatDoesNotFit) {
    Context ctx(true);
    EXPECT_EQ(damon_ctx_save(ctx, nullptr, 0), -EINVAL);
    EXPECT_NE(errmsg_of(ctx).find("nothing was learned yet"), std::string::npos);
    learn(ctx);
    const int64_t needed = damon_ctx_save(ctx, nullptr, 0);
    Bytes bytes(static_cast<size_t>(needed), 0xee);
    EXPECT_EQ(damon_ctx_save(ctx, bytes.data(), 0), needed);
    EXPECT_EQ(damon_ctx_save(ctx, bytes.data(), bytes.size() - 1), -ENOSPC);
    EXPECT_EQ(bytes, Bytes(bytes.size(), 0xee));
    EXPECT_EQ(damon_ctx_save(ctx, nullptr, 8), -EINVAL);
    EXPECT_EQ(damon_ctx_save(nullptr, bytes.data(), bytes.size()), -EINVAL);
    EXPECT_EQ(damon_ctx_save(ctx, bytes.data(), bytes.size()), needed);
}

TEST(Saving, ATargetThatFollowsMappingsGoesByMapping) {
    Context first(true);
    learn(first);
    damon_ctx* ctx = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(ctx, damon_target_new()), 0);
    EXPECT_EQ(restored(ctx, saved_of(first)), -EINVAL);
    EXPECT_NE(errmsg_of(ctx).find("was saved with ranges, and must be restored so"), std::string::npos);
    ASSERT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg_of(ctx);
    ASSERT_EQ(damon_snapshot_wait(ctx, 0, 60'000), 0) << errmsg_of(ctx);
    const Bytes saved = saved_of(ctx);
    EXPECT_EQ(restored(ctx, saved), 0) << errmsg_of(ctx);
    ASSERT_EQ(damon_stop(&ctx, 1), 0);
    EXPECT_EQ(restored(ctx, saved_of(ctx)), 0) << errmsg_of(ctx);
    damon_ctx_free(ctx);
    damon_ctx* other = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(other, damon_target_new()), 0);
    EXPECT_EQ(restored(other, saved), 0) << errmsg_of(other);
    ASSERT_EQ(damon_start(&other, 1, 0), 0) << errmsg_of(other);
    ASSERT_EQ(damon_snapshot_wait(other, 0, 60'000), 0) << errmsg_of(other);
    damon_ctx_free(other);
}

uint64_t covered_bytes(damon_ctx* ctx, const char* start, size_t size) {
    const auto begin = reinterpret_cast<uint64_t>(start);
    uint64_t covered = 0;
    for (const damon_region_info& region : snapshot_of(ctx)) {
        const uint64_t from = std::max(region.start, begin);
        const uint64_t to = std::min(region.end, begin + size);
        if (from < to) covered += to - from;
    }
    return covered;
}

// A context of the whole process that reads the mappings once a minute, after its first window.
damon_ctx* started_whole_process() {
    damon_ctx* ctx = damon_ctx_new();
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.ops_update_us = 60'000'000;
    EXPECT_EQ(damon_ctx_set_attrs(ctx, &attrs), 0) << errmsg_of(ctx);
    EXPECT_EQ(damon_ctx_add_target(ctx, damon_target_new()), 0);
    EXPECT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg_of(ctx);
    EXPECT_EQ(damon_snapshot_wait(ctx, 0, 60'000), 0) << errmsg_of(ctx);
    return ctx;
}

// The program has its data back, and the next update is a minute away.
TEST(Saving, WhatWasKnownOfAMappingGoesToOneThatCameAfterTheLastUpdate) {
    constexpr size_t kBytes = size_t{32} << 20;
    const auto mapped = [] {
        void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        EXPECT_NE(memory, MAP_FAILED);
        return static_cast<char*>(memory);
    };
    char* memory = mapped();
    damon_ctx* first = started_whole_process();
    EXPECT_EQ(covered_bytes(first, memory, kBytes), kBytes);
    const Bytes saved = saved_of(first);
    damon_ctx_free(first);
    ASSERT_EQ(munmap(memory, kBytes), 0);

    damon_ctx* second = started_whole_process();
    memory = mapped();
    ASSERT_EQ(restored(second, saved), 0) << errmsg_of(second);
    uint64_t seq = 0;
    snapshot_of(second, &seq);
    ASSERT_EQ(damon_snapshot_wait(second, seq, 60'000), 0) << errmsg_of(second);
    EXPECT_EQ(covered_bytes(second, memory, kBytes), kBytes);
    damon_ctx_free(second);
    munmap(memory, kBytes);
}

// 64 MiB of simulated memory, of which 16 MiB are always accessed; its target has no ranges.
struct Simulated {
    Simulated() {
        damon_sim_range range;
        damon_sim_range_init(&range);
        range.end = 64 << 20;
        EXPECT_EQ(damon_sim_add_range(sim, &range), 0);
        damon_sim_pattern pattern;
        damon_sim_pattern_init(&pattern);
        pattern.start = 20 << 20;
        pattern.end = 36 << 20;
        EXPECT_EQ(damon_sim_add_pattern(sim, &pattern), 0);
        EXPECT_EQ(damon_ctx_set_sim(ctx, sim), 0);
        EXPECT_EQ(damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx, 1), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx, damon_target_new()), 0);
    }
    ~Simulated() {
        damon_ctx_free(ctx);
        damon_sim_free(sim);
    }
    void run(uint64_t nr_windows) {
        ASSERT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg_of(ctx);
        for (uint64_t i = 1; i <= 20 * nr_windows; ++i) ASSERT_EQ(damon_step(ctx, 5'000 * i), 0);
    }
    damon_sim* sim = damon_sim_new(nullptr);
    damon_ctx* ctx = damon_ctx_new();
};

TEST(Saving, WhereAddressesMeanTheSameTargetsWithoutRangesGoByAddress) {
    Simulated first;
    first.run(40);
    const Bytes bytes = saved_of(first.ctx);
    Simulated second;
    ASSERT_EQ(restored(second.ctx, bytes), 0) << errmsg_of(second.ctx);
    second.run(1);
    const Learned learned = learned_by(snapshot_of(second.ctx), 10, 20);
    EXPECT_GE(learned.hot, uint64_t{12} << 20);
    EXPECT_LE(learned.hot, uint64_t{16} << 20);
    EXPECT_GE(learned.cold, uint64_t{36} << 20);
    Context toy;
    EXPECT_EQ(restored(toy, bytes), -EINVAL);
    EXPECT_EQ(errmsg_of(toy), "target 0: was saved without ranges, and must be restored so; it is now one with ranges");
}

TEST(Saving, CallbacksThatUseTheRegionsMaySaveAndMayNotRestore) {
    Context ctx(true);
    learn(ctx);
    const Bytes bytes = saved_of(ctx);
    int64_t saved = 0;
    int error = 0;
    ctx.ops().hook = [&](ToyOps::Where where, damon_ctx*) {
        if (where != ToyOps::Where::kCheck) return;
        saved = damon_ctx_save(ctx, nullptr, 0);
        error = restored(ctx, bytes);
    };
    ASSERT_EQ(ctx.step(), 0);
    ctx.ops().hook = nullptr;
    EXPECT_GT(saved, 0);
    EXPECT_EQ(error, -EBUSY);
    EXPECT_NE(errmsg_of(ctx).find("nothing is restored in"), std::string::npos);
}

TEST(Saving, ThreadsThatSaveWhileARunStartsAndEndsGetBytesOrAReason) {
    Context ctx;
    access_first_pages_of(ctx, kToyRange.start);
    ASSERT_EQ(ctx.start(), 0);
    pass_windows(ctx, 2);
    std::atomic<bool> done{false};
    std::atomic<int> nr_saved{0};
    std::thread saver([&] {
        Bytes bytes(1 << 16);
        while (!done) {
            const int64_t size = damon_ctx_save(ctx, bytes.data(), bytes.size());
            EXPECT_GT(size, 0) << errmsg_of(ctx);
            nr_saved += 1;
        }
    });
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(ctx.stop(), 0);
        EXPECT_EQ(ctx.start(), 0) << errmsg_of(ctx);
        pass_windows(ctx, 1);
    }
    done = true;
    saver.join();
    EXPECT_GT(nr_saved, 0);
}

}  // namespace
}  // namespace damon::test
