// A context with schemes on real memory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "damon_c.h"
#include "model/address_range.h"

namespace damon::test {

// Fixed virtual addresses of this process, driven by hand: a test touches what it wants touched between two steps.
class SchemeRun {
public:
    static constexpr uint64_t kSampleUs = 5'000;
    static constexpr int kSamplesPerWindow = 20;

    explicit SchemeRun(AddressRange range) {
        EXPECT_EQ(damon_ctx_set_ops(ctx_, DAMON_OPS_FVADDR), 0);
        EXPECT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
        damon_target* target = damon_target_new();
        const damon_addr_range given = {range.start, range.end};
        EXPECT_EQ(damon_target_set_regions(target, &given, 1), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx_, target), 0);
    }
    ~SchemeRun() { damon_ctx_free(ctx_); }
    SchemeRun(const SchemeRun&) = delete;
    SchemeRun& operator=(const SchemeRun&) = delete;
    operator damon_ctx*() { return ctx_; }

    damos* add(const std::function<void(damos_params&)>& change) {
        damos_params params;
        damos_params_init(&params);
        change(params);
        damos* scheme = damos_new(&params);
        EXPECT_EQ(damon_ctx_add_scheme(ctx_, scheme), 0);
        return scheme;
    }
    int start() { return damon_start(&ctx_, 1, 0); }
    // Each run begins at 0.
    void restart_clock() { now_us_ = 0; }
    void windows(int count, const std::function<void()>& touch) {
        for (int i = 0; i < count * kSamplesPerWindow; ++i) {
            touch();
            ASSERT_EQ(damon_step(ctx_, now_us_ += kSampleUs), 0);
        }
    }
    damos_stat stat() {
        damos_stat stat;
        damos_stat_init(&stat);
        EXPECT_EQ(damon_ctx_get_scheme_stat(ctx_, 0, &stat), 0);
        return stat;
    }
    damon_action_stats actions() {
        damon_action_stats stats;
        damon_action_stats_init(&stats);
        EXPECT_EQ(damon_ctx_get_action_stats(ctx_, &stats), 0);
        return stats;
    }
    std::string errmsg() {
        char text[256] = {};
        damon_ctx_errmsg(ctx_, text, sizeof text);
        return text;
    }

private:
    damon_ctx* ctx_ = damon_ctx_new();
    uint64_t now_us_ = 0;
};

}  // namespace damon::test
