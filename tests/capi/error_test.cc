// Every error that damon_c.h documents: the number, the words, and that nothing changed.
#include <cstring>

#include "toy.h"

namespace damon::test {
namespace {

// Runs `refused` and expects `error`, a message with `word` in it, and the context as it was.
void expect_refused(damon_ctx* ctx, int error, const char* word, const std::function<int()>& refused) {
    const Report before = report_of(ctx);
    const damon_ctx_stats stats = stats_of(ctx);
    EXPECT_EQ(refused(), error) << word;
    EXPECT_NE(errmsg_of(ctx).find(word), std::string::npos) << errmsg_of(ctx) << " should name " << word;
    EXPECT_TRUE(report_of(ctx) == before) << word;
    EXPECT_EQ(stats_of(ctx).nr_intervals, stats.nr_intervals);
}

TEST(Error, AskingHowManyRegionsThereAreLeavesTheMessageAsItWas) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    context.step(20);
    const damon_attrs attrs = quick_attrs();
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), -EBUSY);
    const std::string before = errmsg_of(context);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    EXPECT_EQ(damon_snapshot_read(context, nullptr, 0, &info), -ENOSPC);
    EXPECT_GT(info.nr_regions, 1u);
    EXPECT_EQ(damon_live_read(context, nullptr, 0, &info), -ENOSPC);
    EXPECT_EQ(errmsg_of(context), before);
    damon_region_info region;
    EXPECT_EQ(damon_snapshot_read(context, &region, 1, &info), -ENOSPC);
    EXPECT_NE(errmsg_of(context), before) << "room for too few is a failure";
}

TEST(Error, AttrsThatAreWrongAreRefusedByNameO2O3) {
    for (const bool running : {false, true}) {
        Context context(true);
        if (running) {
            ASSERT_EQ(context.start(), 0);
            context.step(8);
        }
        const auto refused = [&](int error, const char* word, const std::function<void(damon_attrs&)>& change) {
            damon_attrs attrs = quick_attrs();
            change(attrs);
            const auto set = [&] {
                int result = 1;
                if (!running) return damon_ctx_set_attrs(context, &attrs);
                EXPECT_EQ(on_worker(context, [&] { result = damon_ctx_set_attrs(context, &attrs); }), 0);
                return result;
            };
            expect_refused(context, error, word, set);
        };
        refused(-EINVAL, "2", [](damon_attrs& a) { a.min_nr_regions = 2; });
        refused(-EINVAL, "101", [](damon_attrs& a) { a.min_nr_regions = 101; });
        refused(-EINVAL, "5001", [](damon_attrs& a) { a.sample_us = 5001; });
        refused(-EINVAL, "900", [](damon_attrs& a) { a.intervals_goal = {400, 3, 1000, 900}; });
        refused(-EINVAL, "2000", [](damon_attrs& a) { a.intervals_goal = {400, 3, 2000, 3000}; });
        refused(-EINVAL, "size 0", [](damon_attrs& a) { a.size = 0; });
        refused(-EINVAL, "size 21", [](damon_attrs& a) { a.size = 21; });
        refused(-EINVAL, "size 20", [](damon_attrs& a) { a.size = 20; });
        refused(-E2BIG, "size 1000000", [](damon_attrs& a) { a.size = 1'000'000; });
    }
}

TEST(Error, TuningIsAcceptedWhereItIsOff) {
    Context context;
    damon_attrs attrs = quick_attrs();
    attrs.intervals_goal = {1, 0, 9, 3};
    EXPECT_EQ(damon_ctx_set_attrs(context, &attrs), 0);
}

// A structure with a tail of a later release.
template <typename T>
struct Larger {
    T known;
    uint64_t tail[2];
};

template <typename T>
Larger<T> larger(const T& known, uint64_t tail) {
    Larger<T> structure{known, {0, tail}};
    structure.known.size = sizeof structure;
    return structure;
}

TEST(Error, LargerStructuresArePassedWhereTheirTailIsZero) {
    Context context;
    for (const uint64_t tail : {uint64_t{0}, uint64_t{1} << 63}) {
        const int expected = tail == 0 ? 0 : -E2BIG;
        auto attrs = larger(quick_attrs(), tail);
        EXPECT_EQ(damon_ctx_set_attrs(context, &attrs.known), expected);
        EXPECT_EQ(damon_ctx_get_attrs(context, &attrs.known), expected);
        damon_ctx_stats stats;
        damon_ctx_stats_init(&stats);
        auto larger_stats = larger(stats, tail);
        EXPECT_EQ(damon_ctx_get_stats(context, &larger_stats.known), expected);
        EXPECT_EQ(larger_stats.known.size, sizeof larger_stats) << "the caller's size stays";
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        auto larger_info = larger(info, tail);
        EXPECT_EQ(damon_snapshot_read(context, nullptr, 0, &larger_info.known), expected);
        damos_params params;
        damos_params_init(&params);
        auto larger_params = larger(params, tail);
        damos* scheme = damos_new(&larger_params.known);
        EXPECT_EQ(scheme != nullptr, tail == 0);
        damos_free(scheme);
        damon_operations ops = context.ops().table();
        auto larger_ops = larger(ops, tail);
        EXPECT_EQ(damon_ctx_set_custom_ops(context, &larger_ops.known, &context.ops()), expected);
        damon_access_check_info check;
        damon_access_check_info_init(&check);
        auto larger_check = larger(check, tail);
        EXPECT_EQ(damon_access_check_probe(DAMON_ACCESS_CHECK_REPORT, &larger_check.known), expected);
    }
    EXPECT_NE(errmsg_of(context).find("damon_operations"), std::string::npos) << errmsg_of(context);
}

TEST(Error, SmallerStructuresOfAnOlderReleaseGetTheDefaults) {
    Context context;
    damon_attrs attrs = quick_attrs();
    memset(&attrs.intervals_goal, 0xff, sizeof attrs.intervals_goal);  // beyond what this caller has
    attrs.size = offsetof(damon_attrs, intervals_goal);
    ASSERT_EQ(damon_ctx_set_attrs(context, &attrs), 0) << errmsg_of(context);
    EXPECT_EQ(attrs_of(context).intervals_goal.aggrs, 0u);
    EXPECT_EQ(attrs_of(context).aggr_us, 5000u);
    attrs.sample_us = 0;
    ASSERT_EQ(damon_ctx_get_attrs(context, &attrs), 0);
    EXPECT_EQ(attrs.sample_us, 1000u);
    EXPECT_EQ(attrs.intervals_goal.aggrs, UINT64_MAX) << "written beyond the caller's structure";
    damos_params params;
    damos_params_init(&params);
    params.quota.sz = 1;
    params.size = offsetof(damos_params, apply_interval_us);
    damos* scheme = damos_new(&params);
    ASSERT_NE(scheme, nullptr);
    EXPECT_EQ(damon_ctx_add_scheme(context, scheme), 0);
    damos_stat stat;
    damos_stat_init(&stat);
    stat.size = 16;
    stat.sz_tried = 77;
    EXPECT_EQ(damon_ctx_get_scheme_stat(context, 0, &stat), 0);
    EXPECT_EQ(stat.sz_tried, 77u);
    damos_walk_control walk;
    damos_walk_control_init(&walk);
    walk.size = 24;
    walk.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) {};
    walk.canceled = 5;
    EXPECT_EQ(damos_walk(context, &walk), -EINVAL) << "its answer would lie outside";
    EXPECT_EQ(walk.canceled, 5);
}

TEST(Error, SettersOfAContextNameTheWrongValue) {
    Context context(true);
    expect_refused(context, -EINVAL, "77", [&] { return damon_ctx_set_ops(context, 77); });
    expect_refused(context, -EINVAL, "16", [&] { return damon_ctx_set_ops(context, DAMON_OPS_CUSTOM); });
    expect_refused(context, -EINVAL, "4095", [&] { return damon_ctx_set_min_region_sz(context, 4095); });
    expect_refused(context, -EINVAL, "0", [&] { return damon_ctx_set_min_region_sz(context, 0); });
    expect_refused(context, -EINVAL, "addr_unit", [&] { return damon_ctx_set_addr_unit(context, 0); });
    expect_refused(context, -EINVAL, "2", [&] { return damon_ctx_set_drive(context, 2); });
    expect_refused(context, -EINVAL, "9", [&] { return damon_ctx_set_access_check(context, 9); });
    expect_refused(context, -EINVAL, "-1", [&] { return damon_ctx_set_access_check(context, -1); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_ctx_set_attrs(context, nullptr); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_ctx_get_attrs(context, nullptr); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_ctx_get_stats(context, nullptr); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_ctx_set_custom_ops(context, nullptr, nullptr); });
    damon_operations ops = context.ops().table();
    ops.flags = 0x10;
    expect_refused(context, -EINVAL, "0x10", [&] { return damon_ctx_set_custom_ops(context, &ops, nullptr); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_ctx_add_target(context, nullptr); });
    expect_refused(context, -EINVAL, "this context",
                   [&] { return damon_ctx_add_target(context, damon_ctx_target(context, 0)); });
    expect_refused(context, -EINVAL, "7", [&] { return damon_ctx_remove_target(context, 7); });
    expect_refused(context, -EINVAL, "7", [&] { return damon_ctx_remove_scheme(context, 7); });
    expect_refused(context, -EINVAL, "7", [&] {
        damos_stat stat;
        damos_stat_init(&stat);
        return damon_ctx_get_scheme_stat(context, 7, &stat);
    });
    expect_refused(context, -EINVAL, "scheme 3", [&] { return damon_ctx_set_quota_goal_value(context, 3, 0, 1); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_snapshot_read(context, nullptr, 1, nullptr); });
    expect_refused(context, -EINVAL, "step", [&] { return damon_step(context, 0); });
    EXPECT_EQ(damon_ctx_target(context, 7), nullptr);
    EXPECT_EQ(damon_ctx_scheme(context, 7), nullptr);
}

TEST(Error, RangesOfTargetsAreCheckedM8) {
    Context context(true);
    damon_target* const target = damon_ctx_target(context, 0);
    const auto refused = [&](const char* word, std::vector<damon_addr_range> ranges) {
        expect_refused(context, -EINVAL, word,
                       [&] { return damon_target_set_regions(target, ranges.data(), ranges.size()); });
    };
    refused("0x1000", {{0x1000, 0x1000}});
    refused("0x2000", {{0x2000, 0x1000}});
    refused("range 1", {{0x2000, 0x3000}, {0x1000, 0x2000}});
    refused("range 1", {{0x2000, 0x4000}, {0x3000, 0x5000}});
    expect_refused(context, -EINVAL, "NULL", [&] { return damon_target_set_regions(target, nullptr, 1); });
    expect_refused(context, -EINVAL, "-3", [&] { return damon_target_set_pid(target, -3); });
    expect_refused(context, -EINVAL, "5", [&] { return damon_target_set_obsolete(target, 5); });
    EXPECT_EQ(damon_target_set_regions(nullptr, nullptr, 0), -EINVAL);
    EXPECT_EQ(damon_target_set_pid(nullptr, 0), -EINVAL);
    EXPECT_EQ(damon_target_set_obsolete(nullptr, 0), -EINVAL);
    const damon_addr_range touching[] = {{0x1000, 0x2000}, {0x2000, 0x3000}};
    EXPECT_EQ(damon_target_set_regions(target, touching, 2), 0);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(live_regions_of(context).front().start, 0x1000u);
    EXPECT_EQ(live_regions_of(context).back().end, 0x3000u);
}

TEST(Error, FiltersGoalsAndDestinationsAreChecked) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    damos* const scheme = damon_ctx_scheme(context, 0);
    damos_filter filter;
    damos_filter_init(&filter);
    filter.type = 8;
    expect_refused(context, -EINVAL, "8", [&] { return damos_add_filter(scheme, &filter); });
    filter.type = DAMOS_FILTER_ADDR;
    filter.addr_start = filter.addr_end = 0x5000;
    expect_refused(context, -EINVAL, "0x5000", [&] { return damos_add_filter(scheme, &filter); });
    filter.type = DAMOS_FILTER_HUGEPAGE_SIZE;
    filter.min_bytes = 8192;
    expect_refused(context, -EINVAL, "8192", [&] { return damos_add_filter(scheme, &filter); });
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    expect_refused(context, -EINVAL, "target_value", [&] { return damos_add_quota_goal(scheme, &goal); });
    goal.target_value = 1;
    goal.metric = 10;
    expect_refused(context, -EINVAL, "10", [&] { return damos_add_quota_goal(scheme, &goal); });
    const damos_migrate_dest dests[] = {{0, 0}, {1, 0}};
    expect_refused(context, -EINVAL, "2", [&] { return damos_set_migrate_dests(scheme, dests, 2); });
    expect_refused(context, -EINVAL, "NULL", [&] { return damos_set_migrate_dests(scheme, nullptr, 2); });
    EXPECT_EQ(damos_set_migrate_dests(scheme, nullptr, 0), 0);
    EXPECT_EQ(damos_add_filter(nullptr, &filter), -EINVAL);
    EXPECT_EQ(damos_add_quota_goal(nullptr, &goal), -EINVAL);
    EXPECT_EQ(damos_set_migrate_dests(nullptr, dests, 2), -EINVAL);
    EXPECT_EQ(damos_set_params(nullptr, nullptr), -EINVAL);
    goal.metric = DAMOS_QUOTA_NODE_MEM_USED_BP;
    goal.nid = 0;
    ASSERT_EQ(damos_add_quota_goal(scheme, &goal), 0);
    expect_refused(context, -EINVAL, "metric 2", [&] { return damon_ctx_set_quota_goal_value(context, 0, 0, 5); });
    EXPECT_EQ(damos_new(nullptr), nullptr);
    damos* const wrong = scheme_of([](damos_params& p) { p.action = 12; });
    expect_refused(context, -EINVAL, "12", [&] { return damon_ctx_add_scheme(context, wrong); });
    damos* const callback = scheme_of([](damos_params& p) { p.action = DAMOS_CALLBACK; });
    expect_refused(context, -EINVAL, "action_fn", [&] { return damon_ctx_add_scheme(context, callback); });
    damos_free(wrong);
    damos_free(callback);
}

TEST(Error, ARunningContextRefusesEverySetter) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    context.step(7);
    damon_target* const target = damon_ctx_target(context, 0);
    damos* const scheme = damon_ctx_scheme(context, 0);
    damon_target* const spare_target = target_of({{1, 2}});
    damos* const spare_scheme = scheme_of();
    const damon_attrs attrs = quick_attrs();
    const damon_operations ops = context.ops().table();
    const damon_addr_range range = {0x1000, 0x2000};
    damos_params params;
    damos_params_init(&params);
    damos_filter filter;
    damos_filter_init(&filter);
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.target_value = 1;
    const std::vector<std::function<int()>> elsewhere = {
        [&] { return damon_ctx_set_attrs(context, &attrs); },
        [&] { return damon_target_set_regions(target, &range, 1); },
    };
    const std::vector<std::function<int()>> everywhere = {
        [&] { return damon_ctx_set_ops(context, DAMON_OPS_VADDR); },
        [&] { return damon_ctx_set_custom_ops(context, &ops, nullptr); },
        [&] { return damon_ctx_set_min_region_sz(context, 8192); },
        [&] { return damon_ctx_set_addr_unit(context, 2); },
        [&] { return damon_ctx_set_seed(context, 7); },
        [&] { return damon_ctx_set_drive(context, DAMON_DRIVE_THREAD); },
        [&] { return damon_ctx_set_access_check(context, DAMON_ACCESS_CHECK_AUTO); },
        [&] { return damon_target_set_pid(target, 1); },
        [&] { return damon_target_set_obsolete(target, 1); },
        [&] { return damon_ctx_add_target(context, spare_target); },
        [&] { return damon_ctx_remove_target(context, 0); },
        [&] { return damon_ctx_add_scheme(context, spare_scheme); },
        [&] { return damon_ctx_remove_scheme(context, 0); },
        [&] { return damos_set_params(scheme, &params); },
        [&] { return damos_add_filter(scheme, &filter); },
        [&] { return damos_add_quota_goal(scheme, &goal); },
        [&] { return damos_set_migrate_dests(scheme, nullptr, 0); },
        [&] {
            damon_ctx* group[] = {context};
            return damon_start(group, 1, 0);
        },
    };
    for (const auto& setter : elsewhere) expect_refused(context, -EBUSY, "run", setter);
    for (const auto& setter : everywhere) expect_refused(context, -EBUSY, "run", setter);
    for (size_t i = 0; i + 1 < everywhere.size(); ++i) {
        EXPECT_EQ(on_worker(context, [&] { EXPECT_EQ(everywhere[i](), -EBUSY) << i << ", on the worker"; }), 0);
    }
    Context threaded;
    ASSERT_EQ(threaded.start(), 0);
    std::vector<damon_region_info> regions(100);
    EXPECT_EQ(damon_live_read(threaded, regions.data(), 100, nullptr), -EBUSY);
    EXPECT_NE(errmsg_of(threaded).find("damon_call"), std::string::npos);
    damon_target_free(spare_target);
    damos_free(spare_scheme);
    damon_target_free(target);  // left alone: it belongs to the context
    damos_free(scheme);
    context.step(7);
}

TEST(Error, EveryHandleMayBeNull) {
    const damon_attrs attrs = quick_attrs();
    damon_call_control call;
    damon_call_control_init(&call);
    damos_walk_control walk;
    damos_walk_control_init(&walk);
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    damos_stat stat;
    damos_stat_init(&stat);
    damon_access_report report;
    damon_access_report_init(&report);
    damon_ctx* group[] = {nullptr};
    char text[8];
    for (const int result : {damon_ctx_errmsg(nullptr, text, 8),
                             damon_ctx_set_attrs(nullptr, &attrs),
                             damon_ctx_set_ops(nullptr, 0),
                             damon_ctx_set_min_region_sz(nullptr, 4096),
                             damon_ctx_set_addr_unit(nullptr, 1),
                             damon_ctx_set_seed(nullptr, 1),
                             damon_ctx_set_drive(nullptr, 0),
                             damon_ctx_get_stats(nullptr, &stats),
                             damon_ctx_add_target(nullptr, nullptr),
                             damon_ctx_remove_target(nullptr, 0),
                             damon_ctx_add_scheme(nullptr, nullptr),
                             damon_ctx_remove_scheme(nullptr, 0),
                             damon_ctx_get_scheme_stat(nullptr, 0, &stat),
                             damon_ctx_set_quota_goal_value(nullptr, 0, 0, 0),
                             damon_start(group, 1, 0),
                             damon_stop(group, 1),
                             damon_start(nullptr, 1, 0),
                             damon_stop(nullptr, 1),
                             damon_is_running(nullptr),
                             damon_step(nullptr, 0),
                             damon_call(nullptr, &call),
                             damon_call_cancel(nullptr, 1),
                             damon_commit_ctx(nullptr, nullptr),
                             damon_set_pause(nullptr, 0),
                             damon_is_paused(nullptr),
                             damos_walk(nullptr, &walk),
                             damon_snapshot_read(nullptr, nullptr, 0, nullptr),
                             damon_snapshot_wait(nullptr, 0, 0),
                             damon_live_read(nullptr, nullptr, 0, nullptr),
                             damon_report_access(nullptr, &report),
                             damon_access_check_probe(-1, nullptr)}) {
        EXPECT_EQ(result, -EINVAL);
    }
    EXPECT_EQ(damon_ctx_nr_targets(nullptr), 0u);
    EXPECT_EQ(damon_ctx_nr_schemes(nullptr), 0u);
    EXPECT_EQ(damon_ctx_target(nullptr, 0), nullptr);
    EXPECT_EQ(damon_ctx_scheme(nullptr, 0), nullptr);
    EXPECT_EQ(damon_kdamond_tid(nullptr), 0);
    damon_ctx_free(nullptr);
    damon_target_free(nullptr);
    damos_free(nullptr);
    damon_attrs_init(nullptr);
    damos_params_init(nullptr);
    damon_call_control_init(nullptr);
}

TEST(Error, CallsAndWalksAreChecked) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    damon_call_control call;
    damon_call_control_init(&call);
    EXPECT_EQ(damon_call(context, &call), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("fn"), std::string::npos);
    call.fn = [](void*) { return 0; };
    call.flags = 6;
    EXPECT_EQ(damon_call(context, &call), -EINVAL);
    EXPECT_NE(errmsg_of(context).find("0x6"), std::string::npos);
    call.flags = 0;
    call.size = sizeof call - 8;
    EXPECT_EQ(damon_call(context, &call), -EINVAL);
    EXPECT_EQ(damon_call(context, nullptr), -EINVAL);
    damos_walk_control walk;
    damos_walk_control_init(&walk);
    EXPECT_EQ(damos_walk(context, &walk), -EINVAL);
    EXPECT_EQ(damos_walk(context, nullptr), -EINVAL);
    EXPECT_EQ(damon_is_running(context), 1);
}

TEST(Error, TheMessageIsCutLikeSnprintf) {
    Context context;
    EXPECT_EQ(damon_ctx_errmsg(context, nullptr, 0), 0);
    EXPECT_EQ(damon_ctx_errmsg(context, nullptr, 1), -EINVAL);
    ASSERT_EQ(damon_ctx_set_drive(context, 2), -EINVAL);
    const std::string whole = errmsg_of(context);
    char text[6] = "?????";
    EXPECT_EQ(damon_ctx_errmsg(context, text, 6), static_cast<int>(whole.size()));
    EXPECT_EQ(text, whole.substr(0, 5));
    EXPECT_EQ(damon_ctx_errmsg(context, nullptr, 0), static_cast<int>(whole.size()));
    ASSERT_EQ(damon_ctx_set_drive(context, 0), 0);
    EXPECT_EQ(errmsg_of(context), whole) << "a success keeps the last failure";
    EXPECT_EQ(whole.find('\n'), std::string::npos);
    EXPECT_NE(whole.back(), '.');
}

TEST(Error, ASnapshotThatDoesNotFitSaysHowManyThereAre) {
    Context context(true);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    EXPECT_EQ(damon_snapshot_read(context, nullptr, 0, &info), 0);
    EXPECT_EQ(info.seq, 0u);
    ASSERT_EQ(context.start(), 0);
    EXPECT_EQ(damon_snapshot_wait(context, 0, 0), -ETIMEDOUT);
    context.step(5);
    EXPECT_EQ(damon_snapshot_wait(context, 0, 0), 0);
    damon_region_info regions[64];
    memset(regions, 0x5a, sizeof regions);
    EXPECT_EQ(damon_snapshot_read(context, regions, 1, &info), -ENOSPC);
    EXPECT_EQ(regions[0].start, 0x5a5a5a5a5a5a5a5au) << "nothing was written";
    EXPECT_EQ(info.seq, 1u);
    EXPECT_GT(info.nr_regions, 1u);
    EXPECT_EQ(info.max_nr_accesses, 5u);
    EXPECT_EQ(damon_snapshot_read(context, regions, info.nr_regions, &info), static_cast<int>(info.nr_regions));
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_snapshot_read(context, regions, 64, &info), static_cast<int>(info.nr_regions)) << "also stopped";
    EXPECT_EQ(damon_live_read(context, regions, 64, &info), 0);
    EXPECT_EQ(damon_snapshot_wait(context, 1, -1), -ECANCELED);
    EXPECT_EQ(damon_snapshot_wait(context, 0, -1), 0);
}

TEST(Error, OnlyDeclaredMemoryIsGivenBack) {
    alignas(kPage) static char own[2 * kPage];
    EXPECT_EQ(damon_shared_unmap(own, sizeof own), -EINVAL);
    EXPECT_EQ(damon_shared_unmap(own + 1, kPage), -EINVAL);
    EXPECT_EQ(damon_shared_unmap(nullptr, kPage), -EINVAL);
    EXPECT_EQ(damon_shared_unmap(own, 0), -EINVAL);
    EXPECT_EQ(damon_shared_withdraw(own, sizeof own), -ENOENT);
    EXPECT_EQ(damon_shared_withdraw(own + 1, kPage), -ENOENT);
    EXPECT_EQ(damon_shared_withdraw(own, 0), -ENOENT);
    EXPECT_EQ(damon_shared_declare(own, sizeof own), -EINVAL);
}

}  // namespace
}  // namespace damon::test
