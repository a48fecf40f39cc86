// Contexts over toy addresses whose accesses a test decides. No test here sleeps: it waits for snapshots and calls.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "damon_c.h"

inline bool operator==(const damon_region_info& a, const damon_region_info& b) {
    return a.start == b.start && a.end == b.end && a.target_idx == b.target_idx && a.nr_accesses == b.nr_accesses &&
           a.age == b.age && a.flags == b.flags;
}

namespace damon::test {

inline constexpr uint64_t kPage = 4096;

// The custom operations: addresses of [hot_start, hot_end) are accessed in every interval, others never. Every member
// is called on the worker; a test may set `hook` before the start to run code of its own inside of a callback.
struct ToyOps {
    enum class Where { kInit, kUpdate, kPrepare, kCheck, kScore, kApply, kValid, kDisarm, kCleanup };

    std::atomic<uint64_t> hot_start{0};
    std::atomic<uint64_t> hot_end{0};
    std::atomic<bool> valid{true};
    std::atomic<int> init_result{0};
    std::atomic<uint64_t> nr_inits{0};
    std::atomic<uint64_t> nr_updates{0};
    std::atomic<uint64_t> nr_prepared{0};
    std::atomic<uint64_t> nr_checked{0};
    std::atomic<uint64_t> nr_disarms{0};
    std::atomic<uint64_t> nr_cleanups{0};
    std::function<void(Where, damon_ctx*)> hook;

    void happened(Where where, damon_ctx* ctx) {
        if (hook) hook(where, ctx);
    }
    damon_operations table();
};

// A context that is freed at the end of its scope. By default: ToyOps over [16, 16 + 256) pages, sampling every
// millisecond, a window of 5 samples, seed 1.
class Context {
public:
    explicit Context(bool manual = false);
    ~Context() { damon_ctx_free(ctx_); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    operator damon_ctx*() const { return ctx_; }
    ToyOps& ops() { return ops_; }
    // Gives up the handle: the caller frees it.
    damon_ctx* release() { return std::exchange(ctx_, nullptr); }

    int start(int exclusive = 0) { return damon_start(&ctx_, 1, exclusive); }
    int stop() { return damon_stop(&ctx_, 1); }
    // Manual drive: `nr` steps of `us` microseconds.
    int step(int nr = 1, uint64_t us = 1000);
    void use_ops(bool with_target_valid);

private:
    damon_ctx* ctx_;
    ToyOps ops_;
    uint64_t now_us_ = 0;
};

inline constexpr damon_addr_range kToyRange = {16 * kPage, (16 + 256) * kPage};

damon_target* target_of(std::vector<damon_addr_range> ranges);
damos* scheme_of(const std::function<void(damos_params&)>& change = {});
damon_attrs quick_attrs();

// What a context says of itself; two of them are equal where nothing changed.
struct Report {
    std::vector<damon_region_info> snapshot;
    std::vector<damon_region_info> live;
    uint64_t seq = 0;
    uint64_t passed_sample_intervals = 0;
    std::vector<uint64_t> attrs;
    std::vector<damon_target*> targets;
    std::vector<damos*> schemes;
    std::vector<uint64_t> scheme_stats;
    int paused = 0;
    int running = 0;
    bool operator==(const Report&) const = default;
};
// On the worker, stopped, or between manual steps.
Report report_of(damon_ctx* ctx);
std::vector<damon_region_info> snapshot_of(damon_ctx* ctx, uint64_t* seq = nullptr);
std::vector<damon_region_info> live_regions_of(damon_ctx* ctx);
damon_ctx_stats stats_of(damon_ctx* ctx);
damon_attrs attrs_of(damon_ctx* ctx);
std::string errmsg_of(damon_ctx* ctx);

// Runs `body` on the worker and waits for it; the result of damon_call.
int on_worker(damon_ctx* ctx, std::function<void()> body);
// Waits until `nr` more windows have ended.
void pass_windows(damon_ctx* ctx, uint64_t nr);

}  // namespace damon::test
