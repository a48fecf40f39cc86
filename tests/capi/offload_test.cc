// Contexts whose monitor is the kernel's DAMON, through the C interface, on a fake kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "damon_c.h"
#include "os/syscalls.h"
#include "support/fake_kernel_damon.h"
#include "support/heap_fault.h"
#include "toy.h"

namespace damon::test {
namespace {

constexpr damon_addr_range kRange = {0, 64 * kPage};

// Quick windows over this process's toy addresses.
class OffloadedContext {
public:
    explicit OffloadedContext(int32_t ops = DAMON_OPS_KERNEL_FVADDR, size_t nr_targets = 1) : ctx_(damon_ctx_new()) {
        EXPECT_EQ(damon_ctx_set_ops(ctx_, ops), 0) << errmsg_of(ctx_);
        damon_attrs attrs = attrs_of(ctx_);
        attrs.sample_us = 100;
        attrs.aggr_us = 1'000;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
        for (size_t i = 0; i < nr_targets; ++i) EXPECT_EQ(damon_ctx_add_target(ctx_, target_of({kRange})), 0);
    }
    ~OffloadedContext() { damon_ctx_free(ctx_); }
    OffloadedContext(const OffloadedContext&) = delete;
    OffloadedContext& operator=(const OffloadedContext&) = delete;

    operator damon_ctx*() const { return ctx_; }
    int start() { return damon_start(&ctx_, 1, 0); }
    int stop() { return damon_stop(&ctx_, 1); }
    void expect_refused(int result, int error, const std::string& named) const {
        EXPECT_EQ(result, error) << errmsg_of(ctx_);
        EXPECT_NE(errmsg_of(ctx_).find(named), std::string::npos) << errmsg_of(ctx_);
    }
    void wait_for_end() const {
        while (damon_is_running(ctx_) == 1) {
            uint64_t seq = 0;
            snapshot_of(ctx_, &seq);
            (void)damon_snapshot_wait(ctx_, seq, 10);
        }
    }

private:
    damon_ctx* ctx_;
};

class Offload : public testing::Test {
protected:
    Offload() { kernel_.set_regions({kHot, kCold}); }
    void TearDown() override {
        EXPECT_EQ(kernel_.content("nr_kdamonds"), "0");
        EXPECT_EQ(damon_nr_running_ctxs(), 0);
    }
    bool commanded(const std::string& command) const {
        const std::vector<std::string> commands = kernel_.commands();
        return std::find(commands.begin(), commands.end(), command) != commands.end();
    }

    static constexpr RegionInfo kHot = {.start = 0, .end = 16 * kPage, .nr_accesses = 9, .age = 3};
    static constexpr RegionInfo kCold = {.start = 16 * kPage, .end = 64 * kPage, .nr_accesses = 0, .age = 30};
    FakeKernelDamon kernel_;
};

TEST_F(Offload, SnapshotsAreWhatTheKernelFound) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_NE(kernel_.content("0/pid"), "-1");
    EXPECT_EQ(kernel_.committed("operations"), "fvaddr");
    EXPECT_EQ(kernel_.committed("targets/0/pid_target"), std::to_string(getpid()));
    pass_windows(context, 2);
    const std::vector<damon_region_info> regions = snapshot_of(context);
    ASSERT_EQ(regions.size(), 2u);
    EXPECT_EQ(regions[0],
              (damon_region_info{kHot.start, kHot.end, regions[0].age_us, regions[0].idle_us, 0, 9, 3, 0, 0, 0}));
    EXPECT_EQ(regions[1],
              (damon_region_info{kCold.start, kCold.end, regions[1].age_us, regions[1].idle_us, 0, 0, 30, 0, 0, 0}));
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    ASSERT_EQ(damon_snapshot_read(context, nullptr, 0, &info), -ENOSPC);
    EXPECT_EQ(info.max_nr_accesses, 10u);
    EXPECT_EQ(info.aggr_us, 1'000u);
    EXPECT_EQ(context.stop(), 0);
    EXPECT_FALSE(kernel_.exists("0"));
    EXPECT_EQ(context.start(), 0) << "again: " << errmsg_of(context);
}

TEST_F(Offload, TargetsAreToldApart) {
    RegionInfo second = kHot;
    second.target_idx = 1;
    kernel_.set_regions({kHot, kCold, second});
    OffloadedContext context(DAMON_OPS_KERNEL_FVADDR, 2);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 1);
    const std::vector<damon_region_info> regions = snapshot_of(context);
    ASSERT_EQ(regions.size(), 3u);
    EXPECT_EQ(regions[1].target_idx, 0u);
    EXPECT_EQ(regions[2].target_idx, 1u);
}

TEST_F(Offload, PhysicalMemoryNeedsNoRanges) {
    OffloadedContext context(DAMON_OPS_KERNEL_PADDR, 0);
    ASSERT_EQ(damon_ctx_add_target(context, target_of({})), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("targets/0/regions/0/start"), "4096");
    EXPECT_EQ(kernel_.committed("targets/0/regions/0/end"), "1073741824");
}

TEST_F(Offload, LongListsOfPhysicalResourcesAreReadToTheirEnd) {
    std::string list;
    for (int i = 0; i < 2'000; ++i) list += "  e0000000-e00fffff : PCI Bus 0000:0" + std::to_string(i) + "\n";
    kernel_.put("proc/iomem", "00001000-0009fbff : System RAM\n" + list + "100000000-17fffffff : System RAM");
    OffloadedContext context(DAMON_OPS_KERNEL_PADDR, 0);
    ASSERT_EQ(damon_ctx_add_target(context, target_of({})), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("targets/0/regions/0/end"), std::to_string(0x180000000));
}

TEST_F(Offload, SettingsThatThisKernelDoesNotHaveAreNamed) {
    const FakeKernelDamon old({"pause", "core_filters", "ops_filters", "goal_tuner", "intervals_goal", "addr_unit",
                               "obsolete_target", "dests", "max_nr_snapshots"});
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << "the defaults are what it does anyway: " << errmsg_of(context);
    ASSERT_EQ(context.stop(), 0);
    ASSERT_EQ(damon_ctx_add_scheme(
                  context, scheme_of([](damos_params& p) { p.quota.goal_tuner = DAMOS_QUOTA_GOAL_TUNER_TEMPORAL; })),
              0);
    context.expect_refused(context.start(), -EOPNOTSUPP, "schemes/0/quotas/goal_tuner");
    EXPECT_EQ(old.content("nr_kdamonds"), "0");
    ASSERT_EQ(damon_ctx_remove_scheme(context, 0), 0);
    damon_attrs attrs = attrs_of(context);
    attrs.intervals_goal = {.access_bp = 400, .aggrs = 3, .min_sample_us = 100, .max_sample_us = 1'000};
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    context.expect_refused(context.start(), -EOPNOTSUPP, "intervals_goal/access_bp");
    EXPECT_EQ(old.content("nr_kdamonds"), "0");
}

TEST_F(Offload, AKernelThatDoesNotTellOfRegionsIsRefused) {
    const FakeKernelDamon old({"tried_regions"});
    OffloadedContext context;
    context.expect_refused(context.start(), -EOPNOTSUPP, "tried_regions");
    EXPECT_EQ(old.content("nr_kdamonds"), "0");
}

TEST_F(Offload, ValuesThatTheKernelRefusesAreNamed) {
    kernel_.refuse("contexts/0/schemes/0/action", -EINVAL);
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.action = DAMOS_COLLAPSE; })), 0);
    context.expect_refused(context.start(), -EINVAL, "schemes/0/action: the kernel's DAMON refuses \"collapse\"");
}

TEST_F(Offload, WhatTheKernelCannotDoIsRefusedAtOnce) {
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_set_drive(context, DAMON_DRIVE_MANUAL), 0);
    context.expect_refused(context.start(), -EINVAL, "drive is manual");
    ASSERT_EQ(damon_ctx_set_drive(context, DAMON_DRIVE_THREAD), 0);
    ASSERT_EQ(damon_ctx_set_min_region_sz(context, 16 * kPage), 0);
    context.expect_refused(context.start(), -EOPNOTSUPP, "min_region_sz");
    EXPECT_EQ(kernel_.nr_writes(), 0);
}

TEST_F(Offload, ASecondContextIsRefusedAndTheFirstGoesOn) {
    OffloadedContext first;
    OffloadedContext second;
    ASSERT_EQ(first.start(), 0) << errmsg_of(first);
    second.expect_refused(second.start(), -EBUSY, "another context");
    pass_windows(first, 1);
    ASSERT_EQ(first.stop(), 0);
    EXPECT_EQ(second.start(), 0) << errmsg_of(second);
}

TEST_F(Offload, CommitsReachTheKernelAndKeepItsRegions) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    OffloadedContext source(DAMON_OPS_KERNEL_FVADDR, 0);
    ASSERT_EQ(damon_ctx_add_target(source, target_of({})), 0);
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of([](damos_params& p) { p.action = DAMOS_PAGEOUT; })), 0);
    damon_attrs attrs = attrs_of(source);
    attrs.max_nr_regions = 77;
    ASSERT_EQ(damon_ctx_set_attrs(source, &attrs), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("monitoring_attrs/nr_regions/max"), "77");
    EXPECT_EQ(kernel_.committed("schemes/0/action"), "pageout");
    EXPECT_EQ(kernel_.committed("schemes/nr_schemes"), "2");
    EXPECT_EQ(kernel_.committed("targets/0/regions/nr_regions"), "0") << "none: the regions are kept";
    EXPECT_EQ(damon_ctx_nr_schemes(context), 1u);
    pass_windows(context, 1);
    EXPECT_EQ(snapshot_of(context).size(), 2u);
}

TEST_F(Offload, ARefusedCommitLeavesEverythingAsItWas) {
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    OffloadedContext source;
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of([](damos_params& p) { p.action = DAMOS_PAGEOUT; })), 0);
    for (const char* refused : {"contexts/0/schemes/1/action=pageout", "state=commit"}) {
        kernel_.refuse(refused, -EINVAL);
        EXPECT_EQ(damon_commit_ctx(context, source), -EINVAL) << refused;
        EXPECT_EQ(damon_ctx_nr_schemes(context), 1u);
        EXPECT_EQ(kernel_.committed("schemes/nr_schemes"), "2");
        EXPECT_EQ(kernel_.content("0/contexts/0/schemes/nr_schemes"), "2") << "the files say what runs";
    }
    pass_windows(context, 2);
    EXPECT_EQ(snapshot_of(context).size(), 2u);
}

TEST_F(Offload, ObsoleteTargetsGoOnce) {
    RegionInfo second = kHot;
    second.target_idx = 1;
    kernel_.set_regions({kHot, second});
    OffloadedContext context(DAMON_OPS_KERNEL_FVADDR, 2);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    OffloadedContext source(DAMON_OPS_KERNEL_FVADDR, 0);
    damon_target* gone = target_of({});
    ASSERT_EQ(damon_target_set_obsolete(gone, 1), 0);
    ASSERT_EQ(damon_ctx_add_target(source, gone), 0);
    ASSERT_EQ(damon_ctx_add_target(source, target_of({})), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("targets/0/obsolete_target"), "Y");
    EXPECT_EQ(damon_ctx_nr_targets(context), 1u);
    EXPECT_EQ(kernel_.content("0/contexts/0/targets/nr_targets"), "1") << "a later commit must not drop another one";
}

TEST_F(Offload, PausesWithAFileOfItsOwn) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 1);
    ASSERT_EQ(damon_set_pause(context, 1), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("pause"), "Y");
    EXPECT_EQ(damon_is_paused(context), 1);
    bool ran = false;
    EXPECT_EQ(on_worker(context, [&] { ran = true; }), 0);
    EXPECT_TRUE(ran);
    ASSERT_EQ(damon_set_pause(context, 0), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("pause"), "N");
    pass_windows(context, 1);
}

TEST_F(Offload, ACommitCarriesPause) {
    OffloadedContext context;
    OffloadedContext source;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(damon_set_pause(source, 1), 0);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
        EXPECT_EQ(kernel_.committed("pause"), "Y");
        EXPECT_EQ(damon_is_paused(context), 1);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
        EXPECT_EQ(kernel_.committed("pause"), "Y");
        ASSERT_EQ(damon_set_pause(source, 0), 0);
        ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
        EXPECT_EQ(kernel_.committed("pause"), "N");
        EXPECT_EQ(damon_is_paused(context), 0);
        pass_windows(context, 1);
    }
    ASSERT_EQ(damon_set_pause(source, 1), 0);
    ASSERT_EQ(on_worker(context, [&] { EXPECT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context); }), 0);
    EXPECT_EQ(kernel_.committed("pause"), "Y") << "at once: the kernel knows no step";
}

TEST_F(Offload, ARefusedCommitLeavesPauseAsItWas) {
    OffloadedContext context;
    OffloadedContext source;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 1);
    ASSERT_EQ(damon_set_pause(source, 1), 0);
    kernel_.refuse("contexts/0/pause", -EIO);
    context.expect_refused(damon_commit_ctx(context, source), -EIO, "pause");
    EXPECT_EQ(damon_is_paused(context), 0);
    pass_windows(context, 1);
}

TEST_F(Offload, AContextThatStartsPausedBeginsFrozen) {
    OffloadedContext context;
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(damon_is_paused(context), 1);
    EXPECT_EQ(kernel_.committed("pause"), "Y") << "when it was turned on, not a moment later";
    ASSERT_EQ(damon_set_pause(context, 0), 0);
    EXPECT_EQ(kernel_.committed("pause"), "N");
    pass_windows(context, 1);
}

TEST_F(Offload, AKernelThatCannotPauseSaysSo) {
    const FakeKernelDamon old({"pause"});
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    context.expect_refused(damon_set_pause(context, 1), -EOPNOTSUPP, "pause");
    EXPECT_EQ(damon_is_paused(context), 0);
    EXPECT_EQ(damon_set_pause(context, 0), 0);
    OffloadedContext source;
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    ASSERT_EQ(damon_set_pause(source, 1), 0);
    context.expect_refused(damon_commit_ctx(context, source), -EOPNOTSUPP, "pause");
    EXPECT_EQ(damon_is_paused(context), 0);
    pass_windows(context, 1);
    ASSERT_EQ(context.stop(), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0) << "how the next run begins";
    context.expect_refused(context.start(), -EOPNOTSUPP, "paused");
    EXPECT_EQ(old.content("nr_kdamonds"), "0");
}

TEST_F(Offload, APauseThatFailsIsReported) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    kernel_.refuse("contexts/0/pause", -EIO);
    context.expect_refused(damon_set_pause(context, 1), -EIO, "pause");
    EXPECT_EQ(damon_is_paused(context), 0);
    pass_windows(context, 1);
}

TEST_F(Offload, StatisticsGoOnOverCommitsAndRuns) {
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 3);
    const auto stat_of = [&](size_t scheme) {
        damos_stat stat;
        damos_stat_init(&stat);
        EXPECT_EQ(damon_ctx_get_scheme_stat(context, scheme, &stat), 0);
        return stat;
    };
    const damos_stat first = stat_of(0);
    EXPECT_GE(first.nr_snapshots, 3u);
    EXPECT_EQ(first.nr_tried, 2 * first.nr_snapshots);
    OffloadedContext source;
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
    ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
    ASSERT_EQ(damon_commit_ctx(context, source), 0) << errmsg_of(context);
    uint64_t seq_at_commit = 0;
    snapshot_of(context, &seq_at_commit);
    pass_windows(context, 1);
    const damos_stat second = stat_of(1);
    uint64_t seq_now = 0;
    snapshot_of(context, &seq_now);
    EXPECT_LE(second.nr_snapshots, seq_now - seq_at_commit + 1) << "began at its commit";
    const damos_stat before = stat_of(0);
    ASSERT_EQ(context.stop(), 0);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 1);
    EXPECT_GT(stat_of(0).nr_snapshots, before.nr_snapshots);
}

TEST_F(Offload, AWalkTellsOfEveryTriedRegionOnce) {
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([](damos_params& p) { p.pattern.max_nr_accesses = 0; })), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    std::vector<std::pair<size_t, damon_region_info>> walked;
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.data = &walked;
    control.walk_fn = [](void* data, damon_ctx*, const damon_region_info* region, size_t scheme, uint64_t passed) {
        static_cast<decltype(walked)*>(data)->push_back({scheme, *region});
        EXPECT_EQ(passed, region->end - region->start);
    };
    ASSERT_EQ(damos_walk(context, &control), 0) << errmsg_of(context);
    ASSERT_EQ(walked.size(), 3u);
    EXPECT_EQ(walked[0].first, 0u);
    EXPECT_EQ(walked[0].second.nr_accesses, 9u);
    EXPECT_EQ(walked[2].first, 1u);
    EXPECT_EQ(walked[2].second.start, kCold.start);
}

TEST_F(Offload, ACommitInAWalkIsDoneWhenTheWalkIs) {
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    OffloadedContext source;
    damos_walk_control control;
    damos_walk_control_init(&control);
    damon_ctx* const from = source;
    control.data = from;
    control.walk_fn = [](void* data, damon_ctx* ctx, const damon_region_info*, size_t, uint64_t) {
        EXPECT_EQ(damon_commit_ctx(ctx, static_cast<damon_ctx*>(data)), 0) << errmsg_of(ctx);
        EXPECT_EQ(damon_ctx_nr_schemes(ctx), 1u);
    };
    ASSERT_EQ(damos_walk(context, &control), 0) << errmsg_of(context);
    EXPECT_EQ(on_worker(context, [] {}), 0);
    EXPECT_EQ(damon_ctx_nr_schemes(context), 0u);
    EXPECT_EQ(kernel_.committed("schemes/nr_schemes"), "1");
}

TEST_F(Offload, AWalkWithoutSchemesIsCancelled) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) { FAIL(); };
    EXPECT_EQ(damos_walk(context, &control), -ECANCELED);
}

TEST_F(Offload, GoalsOfTheProgramReachTheKernelOnTheirOwn) {
    OffloadedContext context;
    damos* scheme = scheme_of([](damos_params& p) { p.quota.sz = 16 * kPage; });
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.target_value = 100;
    goal.current_value = 5;
    ASSERT_EQ(damos_add_quota_goal(scheme, &goal), 0);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("schemes/0/quotas/goals/0/current_value"), "5");
    pass_windows(context, 1);
    EXPECT_FALSE(commanded("commit_schemes_quota_goals"));
    ASSERT_EQ(damon_ctx_set_quota_goal_value(context, 0, 0, 60), 0);
    pass_windows(context, 2);
    EXPECT_EQ(kernel_.committed("schemes/0/quotas/goals/0/current_value"), "60");
    EXPECT_TRUE(commanded("commit_schemes_quota_goals"));
    EXPECT_FALSE(commanded("commit"));
    damos_stat stat;
    damos_stat_init(&stat);
    ASSERT_EQ(damon_ctx_get_scheme_stat(context, 0, &stat), 0);
    EXPECT_EQ(stat.esz, 16 * kPage);
}

TEST_F(Offload, TunedIntervalsAreShownAndSurviveAPause) {
    OffloadedContext context;
    damon_attrs attrs = attrs_of(context);
    attrs.intervals_goal = {.access_bp = 400, .aggrs = 3, .min_sample_us = 100, .max_sample_us = 1'000};
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
    kernel_.tune(200, 2'000);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 2);
    EXPECT_EQ(attrs_of(context).sample_us, 200u);
    EXPECT_EQ(attrs_of(context).aggr_us, 2'000u);
    ASSERT_EQ(damon_set_pause(context, 1), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("monitoring_attrs/intervals/sample_us"), "200") << "K-4";
}

TEST_F(Offload, AgesThatAreMeantAsTimeFollowTheTunedWindows) {
    OffloadedContext context(DAMON_OPS_KERNEL_PADDR);
    damon_reclaim_params reclaim;
    damon_reclaim_params_init(&reclaim);
    reclaim.autotune_monitoring_intervals = 1;
    reclaim.min_age_us = 1'000'000;
    ASSERT_EQ(damon_preset_reclaim(context, &reclaim), 0) << errmsg_of(context);
    kernel_.tune(10'000, 200'000);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(kernel_.committed("schemes/0/action"), "pageout");
    EXPECT_EQ(kernel_.committed("schemes/1/watermarks/metric"), "free_mem_rate");
    pass_windows(context, 2);
    EXPECT_EQ(kernel_.committed("schemes/0/access_pattern/age/min"), "5") << "was 10 of the untuned ones";
    EXPECT_EQ(kernel_.committed("monitoring_attrs/intervals/aggr_us"), "200000");
    EXPECT_EQ(kernel_.committed("targets/0/regions/nr_regions"), "0") << "the regions are kept";
}

TEST_F(Offload, EndsWithTheKernelsWorker) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 1);
    kernel_.kill_worker();
    while (damon_is_running(context) == 1) (void)on_worker(context, [] {});
    EXPECT_EQ(damon_kdamond_tid(context), 0);
    EXPECT_EQ(kernel_.content("nr_kdamonds"), "0") << "also before damon_stop()";
    EXPECT_EQ(context.stop(), 0);
}

TEST_F(Offload, EndsWithTheKernelsWorkerWhilePaused) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    kernel_.kill_worker();
    context.wait_for_end();
    EXPECT_EQ(kernel_.content("nr_kdamonds"), "0");
}

TEST_F(Offload, WhyThereAreNoSnapshotsIsTold) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    pass_windows(context, 1);
    kernel_.refuse("state=update_schemes_tried_regions", -ENOMEM);
    pass_windows(context, 2);
    EXPECT_NE(errmsg_of(context).find("does not report its regions (errno 12)"), std::string::npos)
        << errmsg_of(context);
}

TEST_F(Offload, RegionsAreCommittedNotSet) {
    OffloadedContext context;
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    int result = 0;
    ASSERT_EQ(on_worker(context, [&] { result = damon_target_set_regions(damon_ctx_target(context, 0), &kRange, 1); }),
              0);
    EXPECT_EQ(result, -EOPNOTSUPP) << errmsg_of(context);
}

TEST_F(Offload, AProcessThatIsNotThereIsNamed) {
    OffloadedContext context(DAMON_OPS_KERNEL_VADDR, 0);
    damon_target* target = target_of({});
    ASSERT_EQ(damon_target_set_pid(target, INT32_MAX), 0);  // above any limit
    ASSERT_EQ(damon_ctx_add_target(context, target), 0);
    context.expect_refused(context.start(), -ESRCH, "2147483647");
    EXPECT_EQ(kernel_.nr_writes(), 0);
    OffloadedContext running(DAMON_OPS_KERNEL_VADDR);
    ASSERT_EQ(running.start(), 0) << errmsg_of(running);
    running.expect_refused(damon_commit_ctx(running, context), -ESRCH, "2147483647");
    EXPECT_EQ(damon_is_running(running), 1);
}

TEST_F(Offload, EveryAllocationMayFail) {
    bool whole = false;
    for (uint64_t nth = 0; !whole; ++nth) {
        OffloadedContext context;
        OffloadedContext source(DAMON_OPS_KERNEL_FVADDR, 2);
        ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
        ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
        ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
        const HeapFault fault(nth);
        const int started = context.start();
        EXPECT_TRUE(started == 0 || started == -ENOMEM) << nth << ": " << errmsg_of(context);
        if (started == 0) {
            const int committed = damon_commit_ctx(context, source);
            EXPECT_TRUE(committed == 0 || committed == -ENOMEM) << nth << ": " << errmsg_of(context);
            EXPECT_EQ(damon_ctx_nr_schemes(context), committed == 0 ? 2u : 1u);
            EXPECT_EQ(kernel_.committed("schemes/nr_schemes"), committed == 0 ? "4" : "2") << nth;
            EXPECT_EQ(context.stop(), 0);
        }
        ASSERT_EQ(kernel_.content("nr_kdamonds"), "0") << nth;
        whole = !fault.hit();
    }
}

bool one_of(int result, std::initializer_list<int> allowed) {
    return std::find(allowed.begin(), allowed.end(), result) != allowed.end();
}

// False: an answer that is not documented. -ESRCH and -EAGAIN: the kernel's worker has just ended.
bool do_something(unsigned what, damon_ctx* ctx, damon_ctx* source, FakeKernelDamon& kernel) {
    damos_walk_control walk;
    switch (what % 9) {
        case 0:
        case 1:
            return one_of(damon_start(&ctx, 1, 0), {0, -EBUSY});
        case 2:
            return damon_stop(&ctx, 1) == 0;
        case 3:
            return one_of(damon_commit_ctx(ctx, source), {0, -ECANCELED, -ESRCH});
        case 4:
            return one_of(damon_set_pause(ctx, 1), {0, -ECANCELED, -ESRCH, -EAGAIN});
        case 5:
            return one_of(damon_set_pause(ctx, 0), {0, -ECANCELED});
        case 6:
            damos_walk_control_init(&walk);
            walk.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) {};
            return one_of(damos_walk(ctx, &walk), {0, -EBUSY, -ECANCELED});
        case 7:
            if (what % 7 == 0) kernel.kill_worker();
            return one_of(on_worker(ctx, [] {}), {0, -ECANCELED});
        default:
            return one_of(damon_snapshot_wait(ctx, 0, 1), {0, -ETIMEDOUT, -ECANCELED});
    }
}

TEST_F(Offload, AStormOfFourThreadsLeavesTheKernelAsItWas) {
    OffloadedContext context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1'500);
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed) {
        threads.emplace_back([&, seed] {
            OffloadedContext source;
            for (unsigned i = 0; i < seed; ++i) EXPECT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
            std::minstd_rand random(seed + 1);
            for (uint64_t nr = 0; std::chrono::steady_clock::now() < until; ++nr) {
                const auto what = static_cast<unsigned>(random() >> 8);
                EXPECT_TRUE(do_something(what, context, source, kernel_))
                    << "thread " << seed << ", action " << nr << ": " << what % 9 << ": " << errmsg_of(context);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(context.stop(), 0);
}

std::atomic<int> calls_until_failure{-1};

int fail_one(sys::Call call) {
    const bool ours = call == sys::Call::kOpen || call == sys::Call::kWrite || call == sys::Call::kRead ||
                      call == sys::Call::kFlock || call == sys::Call::kFstat;
    return ours && calls_until_failure.fetch_sub(1) == 0 ? EIO : 0;
}

// A whole life: begins, looks, is committed to, paused, resumed, stopped.
void live(OffloadedContext& context, OffloadedContext& source) {
    if (context.start() != 0) {
        EXPECT_NE(errmsg_of(context), "");
        return;
    }
    uint64_t seq = 0;
    (void)damon_snapshot_wait(context, 0, 50);
    snapshot_of(context, &seq);
    EXPECT_TRUE(damon_commit_ctx(context, source) == 0 || errmsg_of(context) != "");
    EXPECT_TRUE(damon_set_pause(context, 1) == 0 || errmsg_of(context) != "");
    EXPECT_TRUE(damon_set_pause(context, 0) == 0 || damon_is_running(context) == 0) << errmsg_of(context);
    (void)damon_snapshot_wait(context, seq, 50);
    EXPECT_EQ(context.stop(), 0);
}

TEST_F(Offload, WhateverFailsOnTheWayTheKernelsDamonIsGivenBack) {
    bool whole = false;
    for (int nth = 0; !whole; nth += nth < 40 ? 1 : 7) {  // most calls are alike: a file is written
        OffloadedContext context;
        OffloadedContext source;
        ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
        ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
        ASSERT_EQ(damon_ctx_add_scheme(source, scheme_of()), 0);
        calls_until_failure = nth;
        sys::set_fault_hook(fail_one);
        live(context, source);
        sys::set_fault_hook(nullptr);
        whole = calls_until_failure >= 0;
        ASSERT_EQ(kernel_.content("nr_kdamonds"), "0") << "call " << nth << ": " << errmsg_of(context);
    }
}

}  // namespace
}  // namespace damon::test
