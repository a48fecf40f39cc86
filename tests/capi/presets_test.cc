// The presets of section 7, in virtual time on the simulator, and what they set up.
#include <array>

#include "toy.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kSecond = 1'000'000;

// A simulated program of 1 GiB, the first `hot_mib` of it in use, on a machine of 2 GiB.
class Simulated {
public:
    explicit Simulated(uint64_t hot_mib, uint64_t machine_mib = 2048, uint32_t range_flags = 0) {
        damon_sim_params machine;
        damon_sim_params_init(&machine);
        machine.node_bytes[0] = machine_mib * kMiB;
        sim_ = damon_sim_new(&machine);
        damon_sim_range range;
        damon_sim_range_init(&range);
        range.end = 1024 * kMiB;
        range.flags = range_flags;
        EXPECT_EQ(damon_sim_add_range(sim_, &range), 0);
        touch(0, hot_mib, 1'000'000);
        EXPECT_EQ(damon_ctx_set_sim(ctx_, sim_), 0);
        EXPECT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx_, damon_target_new()), 0);
    }
    ~Simulated() {
        damon_ctx_free(ctx_);
        damon_sim_free(sim_);
    }
    operator damon_ctx*() { return ctx_; }
    // Each page so many times in 1,000 s, all the time.
    void touch(uint64_t start_mib, uint64_t end_mib, uint64_t rate_millihz) {
        damon_sim_pattern pattern;
        damon_sim_pattern_init(&pattern);
        pattern.kind = DAMON_SIM_CONSTANT;
        pattern.start = start_mib * kMiB;
        pattern.end = end_mib * kMiB;
        pattern.rate_millihz = rate_millihz;
        EXPECT_EQ(damon_sim_add_pattern(sim_, &pattern), 0);
    }
    int start() { return damon_start(&ctx_, 1, 0); }
    void run_for(uint64_t us) {
        for (const uint64_t until = now_us_ + us; now_us_ < until;) {
            damon_attrs attrs = attrs_of(ctx_);
            ASSERT_EQ(damon_step(ctx_, now_us_ += attrs.sample_us), 0) << errmsg_of(ctx_);
        }
    }
    damon_sim_stat stat() {
        damon_sim_stat stat;
        damon_sim_stat_init(&stat);
        EXPECT_EQ(damon_sim_get_stat(sim_, &stat), 0);
        return stat;
    }
    damos_stat scheme(size_t idx) {
        damos_stat stat;
        damos_stat_init(&stat);
        EXPECT_EQ(damon_ctx_get_scheme_stat(ctx_, idx, &stat), 0);
        return stat;
    }

private:
    damon_sim* sim_;
    damon_ctx* ctx_ = damon_ctx_new();
    uint64_t now_us_ = 0;
};

// What is only read looks cold there.
TEST(PresetReclaim, LeavesMemoryWhoseReadsAreUnseenAloneUnlessToldOtherwise) {
    for (const uint32_t allowed : {0u, 1u}) {
        Simulated program(128, 2048, DAMON_SIM_RANGE_WRITES_ONLY);
        damon_reclaim_params params;
        damon_reclaim_params_init(&params);
        params.min_age_us = 5 * kSecond;
        params.quota_ms = 100;
        params.wmarks_high = 1000;
        params.wmarks_mid = 1000;
        params.allow_unseen_reads = allowed;
        ASSERT_EQ(damon_preset_reclaim(program, &params), 0) << errmsg_of(program);
        ASSERT_EQ(program.start(), 0) << errmsg_of(program);
        program.run_for(20 * kSecond);
        EXPECT_EQ(program.scheme(0).nr_tried != 0, allowed != 0);
        EXPECT_EQ(program.stat().paged_out_bytes != 0, allowed != 0);
    }
}

TEST(PresetLruSort, DeprioritisesMemoryWhoseReadsAreUnseenOnlyIfTold) {
    for (const uint32_t allowed : {0u, 1u}) {
        Simulated program(128, 2048, DAMON_SIM_RANGE_WRITES_ONLY);
        damon_lru_sort_params params;
        damon_lru_sort_params_init(&params);
        params.cold_min_age_us = 5 * kSecond;
        params.wmarks_high = 1000;
        params.wmarks_mid = 1000;
        params.allow_unseen_reads = allowed;
        ASSERT_EQ(damon_preset_lru_sort(program, &params), 0) << errmsg_of(program);
        ASSERT_EQ(program.start(), 0) << errmsg_of(program);
        program.run_for(20 * kSecond);
        EXPECT_NE(program.scheme(0).nr_tried, 0u);
        EXPECT_EQ(program.scheme(1).nr_tried != 0, allowed != 0);
    }
}

TEST(PresetReclaim, PagesOutWhatWasIdleForMinAgeR4) {
    Simulated program(128);
    damon_reclaim_params params;
    damon_reclaim_params_init(&params);
    params.min_age_us = 20 * kSecond;
    params.quota_ms = 100;
    params.wmarks_high = 1000;
    params.wmarks_mid = 1000;
    ASSERT_EQ(damon_preset_reclaim(program, &params), 0) << errmsg_of(program);
    ASSERT_EQ(program.start(), 0) << errmsg_of(program);
    program.run_for(19 * kSecond);
    EXPECT_EQ(program.stat().paged_out_bytes, 0u);
    program.run_for(60 * kSecond);
    const damon_sim_stat stat = program.stat();
    EXPECT_GE(stat.paged_out_bytes, 850 * kMiB);
    EXPECT_GE(stat.resident_bytes, 128 * kMiB);
}

TEST(PresetReclaim, DefaultsAreThoseOfTheRulesR2) {
    damon_reclaim_params params;
    damon_reclaim_params_init(&params);
    EXPECT_EQ(params.min_age_us, 120'000'000u);
    EXPECT_EQ(params.quota_ms, 10u);
    EXPECT_EQ(params.quota_sz, 134'217'728u);
    EXPECT_EQ(params.quota_reset_interval_ms, 1000u);
    EXPECT_EQ(params.wmarks_interval_us, 5'000'000u);
    EXPECT_EQ((std::array{params.wmarks_high, params.wmarks_mid, params.wmarks_low}), (std::array{500u, 400u, 200u}));
    damon_lru_sort_params sort;
    damon_lru_sort_params_init(&sort);
    EXPECT_EQ(sort.hot_thres_access_freq, 500u);
    EXPECT_EQ(sort.cold_min_age_us, 120'000'000u);
    EXPECT_EQ((std::array{sort.wmarks_high, sort.wmarks_mid, sort.wmarks_low}), (std::array{200u, 150u, 50u}));
}

TEST(PresetReclaim, WaitsWhileMemoryIsPlenty) {
    Simulated program(128, 16384);
    damon_reclaim_params params;
    damon_reclaim_params_init(&params);
    params.min_age_us = kSecond;
    ASSERT_EQ(damon_preset_reclaim(program, &params), 0);
    ASSERT_EQ(program.start(), 0);
    program.run_for(60 * kSecond);
    EXPECT_EQ(program.stat().paged_out_bytes, 0u);
    EXPECT_EQ(program.scheme(0).active, 0u);
}

// with tuned intervals a window is longer, and 30 s stay 30 s.
TEST(PresetReclaim, TuningDoesNotStretchTheAge) {
    Simulated program(1);
    program.touch(1, 256, 1000);  // longer intervals show more of this
    damon_reclaim_params params;
    damon_reclaim_params_init(&params);
    params.min_age_us = 30 * kSecond;
    params.quota_ms = 0;
    params.quota_sz = 0;
    params.wmarks_high = 1000;
    params.wmarks_mid = 1000;
    params.autotune_monitoring_intervals = 1;
    ASSERT_EQ(damon_preset_reclaim(program, &params), 0);
    ASSERT_EQ(program.start(), 0);
    program.run_for(29 * kSecond);
    EXPECT_EQ(program.stat().paged_out_bytes, 0u);
    EXPECT_GT(attrs_of(program).aggr_us, 100'000u);
    program.run_for(600 * kSecond);
    EXPECT_GE(program.stat().paged_out_bytes, 700 * kMiB);
}

TEST(PresetLruSort, CountsHotAndSortsColdR5) {
    Simulated program(128);
    damon_lru_sort_params params;
    damon_lru_sort_params_init(&params);
    params.cold_min_age_us = 5 * kSecond;
    params.wmarks_high = 1000;
    params.wmarks_mid = 1000;
    params.quota_ms = 1000;
    ASSERT_EQ(damon_preset_lru_sort(program, &params), 0);
    ASSERT_EQ(damon_ctx_nr_schemes(program), 2u);
    ASSERT_EQ(program.start(), 0) << errmsg_of(program);
    program.run_for(30 * kSecond);
    EXPECT_GE(program.scheme(0).sz_applied, 120 * kMiB);
    EXPECT_GE(program.scheme(1).sz_applied, 800 * kMiB);
    const damon_sim_stat stat = program.stat();
    EXPECT_LE(stat.active_bytes, 200 * kMiB);
    EXPECT_GE(stat.active_bytes, 100 * kMiB);
}

TEST(PresetLruSort, OnVirtualAddressesHotMemoryIsOnlyCounted) {
    damon_ctx* ctx = damon_ctx_new();
    ASSERT_EQ(damon_ctx_add_target(ctx, damon_target_new()), 0);
    ASSERT_EQ(damon_preset_lru_sort(ctx, nullptr), 0);
    EXPECT_EQ(damon_start(&ctx, 1, 0), 0) << errmsg_of(ctx);
    EXPECT_EQ(damon_preset_lru_sort(ctx, nullptr), -EBUSY);
    EXPECT_EQ(damon_stop(&ctx, 1), 0);
    damon_ctx_free(ctx);
}

TEST(Presets, RefuseWrongParametersAndChangeNothing) {
    damon_ctx* ctx = damon_ctx_new();
    const damon_attrs before = attrs_of(ctx);
    damon_reclaim_params reclaim;
    damon_reclaim_params_init(&reclaim);
    reclaim.aggr_us = 0;
    EXPECT_EQ(damon_preset_reclaim(ctx, &reclaim), -EINVAL);
    reclaim.aggr_us = 100'000;
    reclaim.min_nr_regions = 2;
    EXPECT_EQ(damon_preset_reclaim(ctx, &reclaim), -EINVAL);
    EXPECT_NE(errmsg_of(ctx).find("min_nr_regions 2"), std::string::npos) << errmsg_of(ctx);
    damon_lru_sort_params sort;
    damon_lru_sort_params_init(&sort);
    sort.active_mem_bp = 10'001;
    EXPECT_EQ(damon_preset_lru_sort(ctx, &sort), -EINVAL);
    EXPECT_EQ(damon_preset_lru_sort(nullptr, nullptr), -EINVAL);
    EXPECT_EQ(damon_ctx_nr_schemes(ctx), 0u);
    EXPECT_EQ(attrs_of(ctx).min_nr_regions, before.min_nr_regions);
    damon_ctx_free(ctx);
}

TEST(PresetStat, TellsBandwidthAndIdleTimeR6) {
    Simulated program(512);
    ASSERT_EQ(damon_preset_stat(program), 0);
    damon_stat_result result;
    damon_stat_result_init(&result);
    ASSERT_EQ(damon_stat_read(program, &result), 0);
    EXPECT_EQ(result.seq, 0u);
    ASSERT_EQ(program.start(), 0);
    program.run_for(60 * kSecond);
    ASSERT_EQ(damon_stat_read(program, &result), 0);
    EXPECT_GT(result.seq, 0u);
    EXPECT_EQ(result.known_bytes, 1024 * kMiB);
    EXPECT_EQ(result.unknown_bytes, 0u);
    // Half of the memory is in use, in each sample.
    EXPECT_LT(result.memory_idle_ms[25], 0);
    EXPECT_GT(result.memory_idle_ms[75], 1000);
    const uint64_t each_sample = 512 * kMiB * kSecond / attrs_of(program).sample_us;
    EXPECT_GE(result.bandwidth, each_sample * 8 / 10);
    EXPECT_LE(result.bandwidth, each_sample * 12 / 10);
}

}  // namespace
}  // namespace damon::test
