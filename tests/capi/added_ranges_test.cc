// Ranges that come and go while a context runs.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "damon_c.h"
#include "toy.h"

namespace damon::test {
namespace {

const char* at(uint64_t page) { return reinterpret_cast<const char*>(page * kPage); }

// Samples of ranges of 4 pages at every 10th page from 16 on, and beside them.
std::atomic<uint64_t> asked{0};
std::atomic<uint64_t> outside{0};

// A context over toy addresses whose ranges come by damon_ctx_add_range; driven by hand.
class Ranges {
public:
    explicit Ranges(uint64_t max_nr_regions = 1000) : ctx_(damon_ctx_new()), table_(ops_.table()) {
        table_.apply_scheme = nullptr;
        EXPECT_EQ(damon_ctx_set_custom_ops(ctx_, &table_, &ops_), 0);
        EXPECT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.sample_us = 1000;
        attrs.aggr_us = 5000;
        attrs.max_nr_regions = max_nr_regions;
        attrs.min_nr_regions = 3;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
    }
    ~Ranges() { damon_ctx_free(ctx_); }
    operator damon_ctx*() const { return ctx_; }
    ToyOps& ops() { return ops_; }

    int add(uint64_t page, uint64_t nr_pages, uint32_t flags = 0) {
        return damon_ctx_add_range(ctx_, at(page), nr_pages * kPage, flags);
    }
    int remove(uint64_t page, uint64_t nr_pages) { return damon_ctx_remove_range(ctx_, at(page), nr_pages * kPage); }
    void count_samples() {
        table_.check_accesses = [](void*, damon_sample* samples, size_t nr) {
            for (size_t i = 0; i < nr; ++i) {
                const uint64_t page = samples[i].addr / kPage;
                asked += 1;
                outside += page < 16 || (page - 16) % 10 >= 4;
                samples[i].seen = DAMON_SEEN_NO;
            }
        };
        ASSERT_EQ(damon_ctx_set_custom_ops(ctx_, &table_, &ops_), 0);
    }
    void start() { ASSERT_EQ(damon_start(&ctx_, 1, 0), 0); }
    void steps(int nr) {
        for (int i = 0; i < nr; ++i) ASSERT_EQ(damon_step(ctx_, now_us_ += 1000), 0);
    }
    std::vector<damon_region_info> snapshot() const {
        std::vector<damon_region_info> regions(4096);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        EXPECT_GE(nr, 0);
        regions.resize(nr < 0 ? 0 : static_cast<size_t>(nr));
        return regions;
    }
    // Pages that the last snapshot covers.
    uint64_t pages(uint64_t from = 0, uint64_t to = UINT64_MAX / kPage) const {
        uint64_t nr = 0;
        for (const damon_region_info& region : snapshot()) {
            const uint64_t start = std::max(region.start / kPage, from);
            const uint64_t end = std::min(region.end / kPage, to);
            if (start < end) nr += end - start;
        }
        return nr;
    }

private:
    ToyOps ops_;
    damon_ctx* ctx_;
    damon_operations table_;
    uint64_t now_us_ = 0;
};

TEST(AddedRanges, AContextWithoutATargetGetsOneByTheFirst) {
    Ranges context;
    EXPECT_EQ(damon_ctx_nr_targets(context), 0u);
    ASSERT_EQ(context.add(16, 64), 0);
    EXPECT_EQ(damon_ctx_nr_targets(context), 1u);
    context.start();
    context.steps(6);
    EXPECT_EQ(context.pages(), 64u);
}

TEST(AddedRanges, AreInTheNextSnapshotAndThoseRemovedAreNot) {
    Ranges context;
    ASSERT_EQ(context.add(16, 64), 0);
    context.start();
    context.steps(6);
    ASSERT_EQ(context.add(1000, 32), 0);
    context.steps(5);
    EXPECT_EQ(context.pages(), 96u);
    ASSERT_EQ(context.remove(16, 64), 0);
    context.steps(5);
    EXPECT_EQ(context.pages(), 32u);
    EXPECT_EQ(context.pages(16, 80), 0u);
}

TEST(AddedRanges, WithTheLastOneRemovedNothingIsWatchedAndTheContextRuns) {
    Ranges context;
    ASSERT_EQ(context.add(16, 64), 0);
    context.start();
    context.steps(6);
    ASSERT_EQ(context.remove(16, 64), 0);
    context.steps(12);
    EXPECT_EQ(damon_is_running(context), 1);
    EXPECT_EQ(context.pages(), 0u);
    ASSERT_EQ(context.add(32, 8), 0);
    context.steps(6);
    EXPECT_EQ(context.pages(), 8u);
}

TEST(AddedRanges, StayThroughCommitsAndStops) {
    Ranges context;
    ASSERT_EQ(context.add(16, 64), 0);
    context.start();
    context.steps(6);
    damon_ctx* source = damon_ctx_new();
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = 1000;
    attrs.aggr_us = 5000;
    ASSERT_EQ(damon_ctx_set_attrs(source, &attrs), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << "a source without targets";
    context.steps(6);
    EXPECT_EQ(context.pages(), 64u);
    damon_target* target = damon_target_new();
    const damon_addr_range other = {kPage * 5000, kPage * 6000};
    ASSERT_EQ(damon_target_set_regions(target, &other, 1), 0);
    ASSERT_EQ(damon_ctx_add_target(source, target), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0);
    context.steps(6);
    EXPECT_EQ(context.pages(), 64u);
    damon_ctx_free(source);
    damon_ctx* ctx = context;
    ASSERT_EQ(damon_stop(&ctx, 1), 0);
    ASSERT_EQ(context.add(200, 6), 0) << "also while stopped";
    context.start();
    context.steps(200);
    EXPECT_EQ(context.pages(), 70u);
}

TEST(AddedRanges, OfMoreThanHalfOfTheRegionsOneSpansNeighboursAndSamplesFallInside) {
    Ranges context(20);
    for (uint64_t i = 0; i < 100; ++i) ASSERT_EQ(context.add(16 + i * 10, 4), 0);
    outside = asked = 0;
    context.count_samples();
    context.start();
    context.steps(100);
    EXPECT_LE(context.snapshot().size(), 20u);
    EXPECT_GT(asked, 100u);
    EXPECT_EQ(outside, 0u);
}

TEST(AddedRanges, WhatIsWrongIsRefused) {
    Ranges context;
    ASSERT_EQ(context.add(16, 64), 0);
    EXPECT_EQ(context.add(20, 1), -EINVAL) << "overlaps";
    EXPECT_EQ(context.add(100, 0), -EINVAL);
    EXPECT_EQ(context.add(100, 1, 8), -EINVAL);
    EXPECT_EQ(context.add(100, 1, DAMON_RANGE_TRACKED), -EOPNOTSUPP);
    EXPECT_EQ(context.remove(16, 32), -ENOENT);
    EXPECT_EQ(context.remove(100, 1), -ENOENT);
    EXPECT_EQ(damon_ctx_add_range(nullptr, at(1), kPage, 0), -EINVAL);
    damon_ctx* follows = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(follows, damon_target_new()), 0);
    EXPECT_EQ(damon_ctx_add_range(follows, at(1), kPage, 0), -EINVAL) << "it never narrows";
    damon_ctx_free(follows);
}

// Two threads, a thousand ranges each, while the worker samples.
TEST(AddedRanges, ManyThreadsAddAndRemoveWhileTheContextRuns) {
    Ranges context;
    ASSERT_EQ(context.add(1, 1), 0);
    ASSERT_EQ(damon_ctx_set_drive(context, DAMON_DRIVE_THREAD), 0);
    context.start();
    std::vector<std::thread> threads;
    for (uint64_t number = 0; number < 2; ++number) {
        threads.emplace_back([&context, number] {
            const uint64_t first = 1000 + number * 1'000'000;
            for (uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(context.add(first + i * 8, 4), 0);
            for (uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(context.remove(first + i * 8, 4), 0);
        });
    }
    for (std::thread& thread : threads) thread.join();
    damon_ctx* ctx = context;
    ASSERT_EQ(damon_stop(&ctx, 1), 0);
}

// What a program declared itself is not withdrawn with what it said of the memory besides.
TEST(AnnotatedRanges, KeepADeclarationThatIsNotTheirs) {
    void* memory = damon_shared_map(16 * kPage);
    ASSERT_NE(memory, nullptr);
    damon_ctx* ctx = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(ctx, damon_target_new()), 0);
    EXPECT_EQ(damon_ctx_remove_range(ctx, memory, 16 * kPage), -ENOENT);
    ASSERT_EQ(damon_ctx_add_range(ctx, memory, 16 * kPage, DAMON_RANGE_STABLE), 0);
    EXPECT_EQ(damon_ctx_remove_range(ctx, memory, 16 * kPage), 0);
    EXPECT_EQ(damon_ctx_remove_range(ctx, memory, 16 * kPage), -ENOENT);
    damon_ctx_free(ctx);
    EXPECT_EQ(damon_shared_unmap(memory, 16 * kPage), 0);
}

}  // namespace
}  // namespace damon::test
