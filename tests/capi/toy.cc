#include "toy.h"

namespace damon::test {
namespace {

using Where = ToyOps::Where;

ToyOps& ops_of(void* priv) { return *static_cast<ToyOps*>(priv); }

int init(void* priv, damon_ctx* ctx) {
    ++ops_of(priv).nr_inits;
    ops_of(priv).happened(Where::kInit, ctx);
    return ops_of(priv).init_result;
}

void update(void* priv, damon_ctx* ctx) {
    ++ops_of(priv).nr_updates;
    ops_of(priv).happened(Where::kUpdate, ctx);
}

void prepare(void* priv, const damon_sample*, size_t nr) {
    ops_of(priv).nr_prepared += nr;
    ops_of(priv).happened(Where::kPrepare, nullptr);
}

void check(void* priv, damon_sample* samples, size_t nr) {
    ToyOps& ops = ops_of(priv);
    for (size_t i = 0; i < nr; ++i) {
        const bool hot = samples[i].addr >= ops.hot_start && samples[i].addr < ops.hot_end;
        samples[i].seen = hot ? DAMON_SEEN_YES : DAMON_SEEN_NO;
    }
    ops.nr_checked += nr;
    ops.happened(Where::kCheck, nullptr);
}

int score(void* priv, damon_ctx* ctx, const damon_region_info* r, size_t) {
    ops_of(priv).happened(Where::kScore, ctx);
    return r->nr_accesses > 0 ? 99 : 0;
}

uint64_t apply(void* priv, damon_ctx* ctx, const damon_region_info* r, size_t, uint64_t* passed) {
    *passed += r->end - r->start;
    ops_of(priv).happened(Where::kApply, ctx);
    return r->end - r->start;
}

int valid(void* priv, size_t) {
    ops_of(priv).happened(Where::kValid, nullptr);
    return ops_of(priv).valid ? 1 : 0;
}

void disarm(void* priv) {
    ++ops_of(priv).nr_disarms;
    ops_of(priv).happened(Where::kDisarm, nullptr);
}

void cleanup(void* priv) {
    ++ops_of(priv).nr_cleanups;
    ops_of(priv).happened(Where::kCleanup, nullptr);
}

}  // namespace

damon_operations ToyOps::table() {
    damon_operations ops;
    damon_operations_init(&ops);
    ops.init = test::init;
    ops.update = update;
    ops.prepare_access_checks = prepare;
    ops.check_accesses = check;
    ops.get_scheme_score = score;
    ops.apply_scheme = apply;
    ops.disarm = disarm;
    ops.cleanup = cleanup;
    return ops;
}

damon_attrs quick_attrs() {
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = 1000;
    attrs.aggr_us = 5000;
    attrs.max_nr_regions = 100;
    attrs.max_overhead_permil = 0;  // sanitizers and busy machines make workers dear
    return attrs;
}

Context::Context(bool manual) : ctx_(damon_ctx_new()) {
    const damon_attrs attrs = quick_attrs();
    EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
    use_ops(false);
    EXPECT_EQ(damon_ctx_set_min_region_sz(ctx_, kPage), 0);
    EXPECT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
    EXPECT_EQ(damon_ctx_set_drive(ctx_, manual ? DAMON_DRIVE_MANUAL : DAMON_DRIVE_THREAD), 0);
    EXPECT_EQ(damon_ctx_add_target(ctx_, target_of({kToyRange})), 0);
}

void Context::use_ops(bool with_target_valid) {
    damon_operations ops = ops_.table();
    if (with_target_valid) ops.target_valid = valid;
    EXPECT_EQ(damon_ctx_set_custom_ops(ctx_, &ops, &ops_), 0);
}

int Context::step(int nr, uint64_t us) {
    int result = 0;
    for (int i = 0; i < nr && result == 0; ++i) result = damon_step(ctx_, now_us_ += us);
    return result;
}

damon_target* target_of(std::vector<damon_addr_range> ranges) {
    damon_target* target = damon_target_new();
    EXPECT_EQ(damon_target_set_regions(target, ranges.data(), ranges.size()), 0);
    return target;
}

damos* scheme_of(const std::function<void(damos_params&)>& change) {
    damos_params params;
    damos_params_init(&params);
    if (change) change(params);
    return damos_new(&params);
}

Report report_of(damon_ctx* ctx) {
    Report report;
    report.snapshot = snapshot_of(ctx, &report.seq);
    report.live = live_regions_of(ctx);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    damon_live_read(ctx, nullptr, 0, &info);
    report.passed_sample_intervals = info.passed_sample_intervals;
    const damon_attrs attrs = attrs_of(ctx);
    report.attrs = {attrs.sample_us,      attrs.aggr_us,        attrs.ops_update_us,
                    attrs.min_nr_regions, attrs.max_nr_regions, attrs.intervals_goal.aggrs};
    for (size_t i = 0; i < damon_ctx_nr_targets(ctx); ++i) report.targets.push_back(damon_ctx_target(ctx, i));
    for (size_t i = 0; i < damon_ctx_nr_schemes(ctx); ++i) {
        report.schemes.push_back(damon_ctx_scheme(ctx, i));
        damos_stat stat;
        damos_stat_init(&stat);
        EXPECT_EQ(damon_ctx_get_scheme_stat(ctx, i, &stat), 0);
        for (const uint64_t value : {stat.nr_tried, stat.sz_tried, stat.nr_applied, stat.sz_applied, stat.esz}) {
            report.scheme_stats.push_back(value);
        }
    }
    report.paused = damon_is_paused(ctx);
    report.running = damon_is_running(ctx);
    return report;
}

std::vector<damon_region_info> snapshot_of(damon_ctx* ctx, uint64_t* seq) {
    std::vector<damon_region_info> regions(4096);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    const int nr = damon_snapshot_read(ctx, regions.data(), regions.size(), &info);
    EXPECT_GE(nr, 0);
    if (seq != nullptr) *seq = info.seq;
    regions.resize(nr < 0 ? 0 : static_cast<size_t>(nr));
    return regions;
}

std::vector<damon_region_info> live_regions_of(damon_ctx* ctx) {
    std::vector<damon_region_info> regions(4096);
    const int nr = damon_live_read(ctx, regions.data(), regions.size(), nullptr);
    EXPECT_GE(nr, 0) << errmsg_of(ctx);
    regions.resize(nr < 0 ? 0 : static_cast<size_t>(nr));
    return regions;
}

damon_ctx_stats stats_of(damon_ctx* ctx) {
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    EXPECT_EQ(damon_ctx_get_stats(ctx, &stats), 0);
    return stats;
}

damon_attrs attrs_of(damon_ctx* ctx) {
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    EXPECT_EQ(damon_ctx_get_attrs(ctx, &attrs), 0);
    return attrs;
}

std::string errmsg_of(damon_ctx* ctx) {
    char text[512] = "";
    damon_ctx_errmsg(ctx, text, sizeof text);
    return text;
}

int on_worker(damon_ctx* ctx, std::function<void()> body) {
    damon_call_control control;
    damon_call_control_init(&control);
    control.data = &body;
    control.fn = [](void* data) {
        (*static_cast<std::function<void()>*>(data))();
        return 0;
    };
    return damon_call(ctx, &control);
}

void pass_windows(damon_ctx* ctx, uint64_t nr) {
    uint64_t seq = 0;
    snapshot_of(ctx, &seq);
    ASSERT_EQ(damon_snapshot_wait(ctx, seq + nr - 1, -1), 0);
}

}  // namespace damon::test
