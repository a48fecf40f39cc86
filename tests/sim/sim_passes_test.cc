// Passes over accessed bits in virtual time, through the worker and the C interface: memory whose reads samples cannot
// see, and memory that they cannot look at.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "damon_c.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kStart = 0x7f0000000000;

// 1 GiB of which 100 MiB from `hot` on are read 200 times a second, and nothing else.
class SimPasses : public testing::TestWithParam<uint32_t> {
protected:
    static constexpr uint64_t kHot = kStart + 300 * kMiB;
    static constexpr uint64_t kHotEnd = kHot + 100 * kMiB;

    void SetUp() override {
        damon_sim_params params;
        damon_sim_params_init(&params);
        sim_ = damon_sim_new(&params);
        ASSERT_NE(sim_, nullptr);
        damon_sim_range range;
        damon_sim_range_init(&range);
        range.start = kStart;
        range.end = kStart + 1024 * kMiB;
        range.flags = GetParam();
        ASSERT_EQ(damon_sim_add_range(sim_, &range), 0);
        damon_sim_pattern pattern;
        damon_sim_pattern_init(&pattern);
        pattern.start = kHot;
        pattern.end = kHotEnd;
        pattern.rate_millihz = 200'000;
        pattern.writes_bp = 0;
        ASSERT_EQ(damon_sim_add_pattern(sim_, &pattern), 0);
        ctx_ = damon_ctx_new();
        ASSERT_EQ(damon_ctx_set_sim(ctx_, sim_), 0);
        ASSERT_EQ(damon_ctx_add_target(ctx_, damon_target_new()), 0);
    }
    void TearDown() override {
        damon_ctx_free(ctx_);
        damon_sim_free(sim_);
    }
    void start(uint64_t referenced_us) {
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.referenced_us = referenced_us;
        ASSERT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
        ASSERT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        ASSERT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
        ASSERT_EQ(damon_start(&ctx_, 1, 0), 0);
    }
    void run(uint64_t us) {
        for (const uint64_t end = now_us_ + us; now_us_ < end;) ASSERT_EQ(damon_step(ctx_, now_us_ += 5'000), 0);
    }
    // Bytes that a scheme for cold memory would be applied to, in the hot part and outside of it.
    void count_cold(uint64_t& hot, uint64_t& cold, uint64_t least_idle_us) {
        std::vector<damon_region_info> regions(2'000);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        ASSERT_GT(nr, 0);
        hot = cold = 0;
        for (int i = 0; i < nr; ++i) {
            const damon_region_info& region = regions[static_cast<size_t>(i)];
            const bool seen = (region.flags & DAMON_REGION_REFERENCED) != 0 || region.flags == 0;
            if (!seen || region.nr_accesses != 0 || region.idle_us < least_idle_us) continue;
            const uint64_t first = std::max(region.start, kHot);
            const uint64_t last = std::min(region.end, kHotEnd);
            const uint64_t inside = first < last ? last - first : 0;
            hot += inside;
            cold += region.end - region.start - inside;
        }
    }

    damon_sim* sim_ = nullptr;
    damon_ctx* ctx_ = nullptr;
    uint64_t now_us_ = 0;
};

TEST_P(SimPasses, WhatIsOnlyReadIsNeverCold) {
    start(1'000'000);
    uint64_t hot = 0;
    uint64_t cold = 0;
    for (int second = 0; second < 10; ++second) {
        run(1'000'000);
        count_cold(hot, cold, 300'000);
        EXPECT_EQ(hot, 0u) << second;
    }
    EXPECT_GE(cold, 924 * kMiB * 95 / 100);
    count_cold(hot, cold, 20'000'000);
    EXPECT_EQ(cold, 0u) << "longer than it was watched";
}

TEST_P(SimPasses, WithoutThemNothingIsKnownOfReads) {
    start(0);
    uint64_t hot = 1;
    uint64_t cold = 1;
    run(3'000'000);
    count_cold(hot, cold, 300'000);
    EXPECT_EQ(hot + cold, 0u);
}

INSTANTIATE_TEST_SUITE_P(Memory, SimPasses,
                         testing::Values<uint32_t>(DAMON_SIM_RANGE_WRITES_ONLY, DAMON_SIM_RANGE_OPAQUE));

}  // namespace
}  // namespace damon::test
