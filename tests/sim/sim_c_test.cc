// The simulator through damon_c.h: what a policy's author would write.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "damon_c.h"
#include "support/heap_fault.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

using Sim = std::unique_ptr<damon_sim, void (*)(damon_sim*)>;
using Context = std::unique_ptr<damon_ctx, void (*)(damon_ctx*)>;

Sim new_sim() { return {damon_sim_new(nullptr), damon_sim_free}; }

int add_range(const Sim& sim, uint64_t start, uint64_t end, uint32_t target_idx = 0) {
    damon_sim_range range;
    damon_sim_range_init(&range);
    range.start = start;
    range.end = end;
    range.target_idx = target_idx;
    return damon_sim_add_range(sim.get(), &range);
}

int add_constant(const Sim& sim, uint64_t start, uint64_t end) {
    damon_sim_pattern pattern;
    damon_sim_pattern_init(&pattern);
    pattern.start = start;
    pattern.end = end;
    return damon_sim_add_pattern(sim.get(), &pattern);
}

std::string message_of(const Sim& sim) {
    char text[200] = "";
    EXPECT_GE(damon_sim_errmsg(sim.get(), text, sizeof text), 0);
    return text;
}

damon_sim_stat stat_of(const Sim& sim) {
    damon_sim_stat stat;
    damon_sim_stat_init(&stat);
    EXPECT_EQ(damon_sim_get_stat(sim.get(), &stat), 0);
    return stat;
}

damon_sim_query query_at(uint64_t at_us) {
    damon_sim_query query;
    damon_sim_query_init(&query);
    query.at_us = at_us;
    return query;
}

// A manually driven context with one target on the simulator.
Context new_context(const Sim& sim) {
    Context ctx{damon_ctx_new(), damon_ctx_free};
    EXPECT_EQ(damon_ctx_set_sim(ctx.get(), sim.get()), 0);
    EXPECT_EQ(damon_ctx_set_drive(ctx.get(), DAMON_DRIVE_MANUAL), 0);
    EXPECT_EQ(damon_ctx_set_seed(ctx.get(), 1), 0);
    EXPECT_EQ(damon_ctx_add_target(ctx.get(), damon_target_new()), 0);
    return ctx;
}

int start(const Context& ctx) {
    damon_ctx* list[] = {ctx.get()};
    return damon_start(list, 1, 0);
}

void step_until(const Context& ctx, uint64_t from_us, uint64_t until_us) {
    for (uint64_t now_us = from_us + 5'000; now_us <= until_us; now_us += 5'000) {
        ASSERT_EQ(damon_step(ctx.get(), now_us), 0) << now_us;
    }
}

TEST(SimC, FindsWhatIsHotInVirtualTime) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, 256 * kMiB), 0);
    ASSERT_EQ(add_constant(sim, 64 * kMiB, 90 * kMiB), 0);
    const Context ctx = new_context(sim);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 0, 4'000'000);
    std::vector<damon_region_info> regions(1'000);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    const int nr_regions = damon_snapshot_read(ctx.get(), regions.data(), regions.size(), &info);
    ASSERT_GT(nr_regions, 0);
    EXPECT_EQ(info.seq, 40u);
    EXPECT_EQ(info.time_ns, 4'000'000'000u);
    damon_sim_accuracy accuracy;
    damon_sim_accuracy_init(&accuracy);
    const damon_sim_query query = query_at(3'999'999);
    ASSERT_EQ(damon_sim_compare(sim.get(), &query, regions.data(), static_cast<size_t>(nr_regions),
                                info.max_nr_accesses / 2, &accuracy),
              0);
    EXPECT_EQ(accuracy.hot_bytes, 26 * kMiB);
    EXPECT_GE(accuracy.f1_bp, 9'700u);
    EXPECT_GE(accuracy.precision_bp, 9'500u);
    EXPECT_GE(accuracy.recall_bp, 9'500u);
    EXPECT_EQ(stat_of(sim).now_us, 4'000'000u);
}

TEST(SimC, SchemesActOnSimulatedMemory) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, 256 * kMiB), 0);
    ASSERT_EQ(add_constant(sim, 64 * kMiB, 90 * kMiB), 0);
    const Context ctx = new_context(sim);
    damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.pattern.min_age = 10;
    ASSERT_EQ(damon_ctx_add_scheme(ctx.get(), damos_new(&params)), 0);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 0, 30'000'000);
    const damon_sim_stat stat = stat_of(sim);
    EXPECT_LE(stat.resident_bytes, 30 * kMiB);
    EXPECT_GE(stat.resident_bytes, 26 * kMiB);
    EXPECT_LE(stat.refault_bytes, 4 * kMiB);
    damos_stat scheme;
    damos_stat_init(&scheme);
    ASSERT_EQ(damon_ctx_get_scheme_stat(ctx.get(), 0, &scheme), 0);
    EXPECT_EQ(scheme.sz_applied, stat.paged_out_bytes);
    EXPECT_EQ(stat.action_ns, stat.paged_out_bytes / 4096 * 2'000);
}

TEST(SimC, WaitsAtTheWatermarksInVirtualTime) {
    damon_sim_params params;
    damon_sim_params_init(&params);
    params.node_bytes[0] = 1'024 * kMiB;
    const Sim sim{damon_sim_new(&params), damon_sim_free};
    ASSERT_EQ(add_range(sim, 0, 512 * kMiB), 0);  // at first half of the memory is free
    const Context ctx = new_context(sim);
    damos_params scheme;
    damos_params_init(&scheme);
    scheme.action = DAMOS_PAGEOUT;
    scheme.wmarks.metric = DAMOS_WMARK_FREE_MEM_RATE;
    scheme.wmarks.high = 400;
    scheme.wmarks.mid = 300;
    scheme.wmarks.low = 100;
    scheme.wmarks.interval_us = 1'000'000;
    ASSERT_EQ(damon_ctx_add_scheme(ctx.get(), damos_new(&scheme)), 0);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 0, 5'000'000);
    EXPECT_EQ(stat_of(sim).paged_out_bytes, 0u);
    ASSERT_EQ(add_range(sim, 1'024 * kMiB, 1'280 * kMiB), 0);  // now a quarter is
    step_until(ctx, 5'000'000, 10'000'000);
    EXPECT_GT(stat_of(sim).paged_out_bytes, 0u);
}

TEST(SimC, TheContextEndsWithItsLastProgram) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, kMiB), 0);
    ASSERT_EQ(damon_sim_set_target_end(sim.get(), 0, 1'000'000), 0);
    EXPECT_EQ(damon_sim_set_target_end(sim.get(), 1, 1), -EINVAL);
    const Context ctx = new_context(sim);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 0, 995'000);
    EXPECT_EQ(damon_step(ctx.get(), 1'000'000), -ECANCELED);
    EXPECT_EQ(damon_is_running(ctx.get()), 0);
}

TEST(SimC, TimeStandsStillWhilePaused) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, kMiB), 0);
    ASSERT_EQ(add_constant(sim, 0, kMiB), 0);
    const Context ctx = new_context(sim);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 0, 500'000);
    damon_snapshot_info before;
    damon_snapshot_info_init(&before);
    damon_snapshot_read(ctx.get(), nullptr, 0, &before);
    ASSERT_EQ(damon_set_pause(ctx.get(), 1), 0);
    step_until(ctx, 500'000, 2'000'000);
    damon_snapshot_info after;
    damon_snapshot_info_init(&after);
    damon_snapshot_read(ctx.get(), nullptr, 0, &after);
    EXPECT_EQ(after.seq, before.seq);
    EXPECT_EQ(stat_of(sim).now_us, 2'000'000u);  // the world goes on
}

TEST(SimC, OneSimulatorServesOneRunAtATime) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, kMiB), 0);
    const Context first = new_context(sim);
    const Context second = new_context(sim);
    ASSERT_EQ(start(first), 0);
    EXPECT_EQ(start(second), -EBUSY);
    damon_ctx* list[] = {first.get()};
    ASSERT_EQ(damon_stop(list, 1), 0);
    EXPECT_EQ(start(second), 0);
    EXPECT_EQ(damon_ctx_set_sim(second.get(), sim.get()), -EBUSY);
}

TEST(SimC, HotRangesAreTheTruth) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, 16 * kMiB), 0);
    damon_sim_pattern zigzag;
    damon_sim_pattern_init(&zigzag);
    zigzag.kind = DAMON_SIM_ZIGZAG;
    zigzag.end = 16 * kMiB;
    zigzag.nr_regions = 4;
    zigzag.step_us = 1'000'000;
    ASSERT_EQ(damon_sim_add_pattern(sim.get(), &zigzag), 0);
    ASSERT_EQ(add_constant(sim, 0, kMiB), 0);
    damon_addr_range ranges[2];
    size_t count = 0;
    damon_sim_query query = query_at(2'500'000);
    ASSERT_EQ(damon_sim_hot_ranges(sim.get(), &query, ranges, 2, &count), 2);
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(ranges[0].end, kMiB);
    EXPECT_EQ(ranges[1].start, 8 * kMiB);
    EXPECT_EQ(ranges[1].end, 12 * kMiB);
    ranges[0].end = 7;
    EXPECT_EQ(damon_sim_hot_ranges(sim.get(), &query, ranges, 1, &count), -ENOSPC);
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(ranges[0].end, 7u);
    uint64_t rate = 0;
    EXPECT_EQ(damon_sim_rate(sim.get(), &query, 9 * kMiB, &rate), 0);
    EXPECT_EQ(rate, 1'000'000u);
    EXPECT_EQ(damon_sim_rate(sim.get(), &query, 16 * kMiB, &rate), -ENOENT);
    query = query_at(0);
    EXPECT_EQ(damon_sim_rate(sim.get(), &query, 0, &rate), 0);
    EXPECT_EQ(rate, 2'000'000u);
    query.min_rate_millihz = 2'000'000;
    EXPECT_EQ(damon_sim_hot_ranges(sim.get(), &query, ranges, 2, nullptr), 1);
    EXPECT_EQ(ranges[0].end, kMiB);
}

TEST(SimC, WrongInputIsRefusedInWords) {
    const Sim sim = new_sim();
    EXPECT_EQ(damon_sim_errmsg(sim.get(), nullptr, 0), 0);
    EXPECT_EQ(add_range(sim, 1, kMiB), -EINVAL);
    EXPECT_NE(message_of(sim).find("range"), std::string::npos) << message_of(sim);
    EXPECT_EQ(add_constant(sim, 0, kMiB), -EINVAL);
    EXPECT_NE(message_of(sim).find("pattern range"), std::string::npos) << message_of(sim);
    damon_sim_params params;
    damon_sim_params_init(&params);
    params.page_size = 5'000;
    EXPECT_EQ(damon_sim_new(&params), nullptr);
    damon_sim_params_init(&params);
    params.nr_nodes = 9;
    EXPECT_EQ(damon_sim_new(&params), nullptr);
}

TEST(SimC, AGoalOfANodeThatTheMachineDoesNotHaveIsRefusedByName) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, kMiB), 0);
    const Context ctx = new_context(sim);
    damos_params params;
    damos_params_init(&params);
    damos* scheme = damos_new(&params);
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.metric = DAMOS_QUOTA_NODE_MEM_FREE_BP;
    goal.target_value = 5'000;
    ASSERT_EQ(damos_add_quota_goal(scheme, &goal), 0);
    ASSERT_EQ(damon_ctx_add_scheme(ctx.get(), scheme), 0);
    EXPECT_EQ(start(ctx), -EINVAL);
    char text[256];
    damon_ctx_errmsg(ctx.get(), text, sizeof text);
    EXPECT_NE(strstr(text, "schemes[0].goals[0].nid is -1"), nullptr) << text;
}

TEST(SimC, NullsAreAnswered) {
    damon_sim_free(nullptr);
    damon_sim_params_init(nullptr);
    damon_sim_range_init(nullptr);
    damon_sim_pattern_init(nullptr);
    damon_sim_stat_init(nullptr);
    damon_sim_query_init(nullptr);
    damon_sim_accuracy_init(nullptr);
    EXPECT_EQ(damon_sim_errmsg(nullptr, nullptr, 0), -EINVAL);
    EXPECT_EQ(damon_sim_add_range(nullptr, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_add_pattern(nullptr, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_set_target_end(nullptr, 0, 0), -EINVAL);
    EXPECT_EQ(damon_ctx_set_sim(nullptr, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_get_stat(nullptr, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_rate(nullptr, nullptr, 0, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_hot_ranges(nullptr, nullptr, nullptr, 0, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_compare(nullptr, nullptr, nullptr, 0, 0, nullptr), -EINVAL);
    const Sim sim = new_sim();
    const damon_sim_query query = query_at(0);
    EXPECT_EQ(damon_sim_add_range(sim.get(), nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_add_pattern(sim.get(), nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_get_stat(sim.get(), nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_rate(sim.get(), &query, 0, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_hot_ranges(sim.get(), &query, nullptr, 1, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_compare(sim.get(), &query, nullptr, 1, 0, nullptr), -EINVAL);
    EXPECT_EQ(damon_sim_hot_ranges(sim.get(), &query, nullptr, 0, nullptr), 0);
}

TEST(SimC, OlderAndNewerStructuresAreUnderstood) {
    const Sim sim = new_sim();
    struct {
        damon_sim_range range;
        uint64_t tail;
    } newer{};
    damon_sim_range_init(&newer.range);
    newer.range.end = kMiB;
    newer.range.size = sizeof newer;
    newer.tail = 1;
    EXPECT_EQ(damon_sim_add_range(sim.get(), &newer.range), -E2BIG);
    newer.tail = 0;
    EXPECT_EQ(damon_sim_add_range(sim.get(), &newer.range), 0);
    // An older caller's structure ends before resident_bp: its default holds.
    damon_sim_range older;
    damon_sim_range_init(&older);
    older.start = 2 * kMiB;
    older.end = 3 * kMiB;
    older.size = offsetof(damon_sim_range, resident_bp);
    older.resident_bp = 77;
    EXPECT_EQ(damon_sim_add_range(sim.get(), &older), 0);
    EXPECT_EQ(stat_of(sim).resident_bytes, 2 * kMiB);
    damon_sim_stat small;
    memset(&small, 0xff, sizeof small);
    small.size = offsetof(damon_sim_stat, active_bytes);
    EXPECT_EQ(damon_sim_get_stat(sim.get(), &small), 0);
    EXPECT_EQ(small.resident_bytes, 2 * kMiB);
    EXPECT_EQ(small.active_bytes, UINT64_MAX);  // beyond its size: not written
}

TEST(SimC, EqualSeedsGiveEqualRuns) {
    std::vector<damon_region_info> regions[3];
    for (int run = 0; run < 3; ++run) {
        damon_sim_params params;
        damon_sim_params_init(&params);
        params.seed = run == 2 ? 7 : 3;
        const Sim sim{damon_sim_new(&params), damon_sim_free};
        ASSERT_EQ(add_range(sim, 0, 64 * kMiB), 0);
        damon_sim_pattern pattern;
        damon_sim_pattern_init(&pattern);
        pattern.end = 30 * kMiB;
        pattern.rate_millihz = 100'000;
        ASSERT_EQ(damon_sim_add_pattern(sim.get(), &pattern), 0);
        const Context ctx = new_context(sim);
        ASSERT_EQ(start(ctx), 0);
        step_until(ctx, 0, 2'000'000);
        regions[run].resize(1'000);
        const int count = damon_snapshot_read(ctx.get(), regions[run].data(), 1'000, nullptr);
        ASSERT_GT(count, 0);
        regions[run].resize(static_cast<size_t>(count));
    }
    const auto equal = [](const std::vector<damon_region_info>& a, const std::vector<damon_region_info>& b) {
        return a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
    };
    EXPECT_TRUE(equal(regions[0], regions[1]));
    EXPECT_FALSE(equal(regions[0], regions[2]));
}

damon_state_info state_of(const Context& ctx) {
    damon_state_info info;
    damon_state_info_init(&info);
    EXPECT_EQ(damon_ctx_get_state(ctx.get(), &info), 0);
    return info;
}

// 100 regions at 10 us each every 5 ms would be 20 % of a CPU.
TEST(SimC, SamplesThatHaveAPriceAreHeldToTheLimitInVirtualTime) {
    for (const uint64_t limit_permil : {0u, 10u, 40u}) {
        damon_sim_params params;
        damon_sim_params_init(&params);
        params.sample_ns = 10'000;
        params.batch_ns = 1'000;
        const Sim sim{damon_sim_new(&params), damon_sim_free};
        ASSERT_EQ(add_range(sim, 0, 64 * kMiB), 0);
        const Context ctx = new_context(sim);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.min_nr_regions = 90;
        attrs.max_nr_regions = 100;
        attrs.survey_bp = 0;
        attrs.max_overhead_permil = limit_permil;
        ASSERT_EQ(damon_ctx_set_attrs(ctx.get(), &attrs), 0);
        ASSERT_EQ(start(ctx), 0);
        step_until(ctx, 0, 20'000'000);
        damon_ctx_stats before;
        damon_ctx_stats_init(&before);
        ASSERT_EQ(damon_ctx_get_stats(ctx.get(), &before), 0);
        step_until(ctx, 20'000'000, 120'000'000);
        damon_ctx_stats after;
        damon_ctx_stats_init(&after);
        ASSERT_EQ(damon_ctx_get_stats(ctx.get(), &after), 0);
        const uint64_t cost_ns = (after.nr_samples - before.nr_samples) * params.sample_ns;
        const damon_state_info state = state_of(ctx);
        if (limit_permil == 0) {
            EXPECT_GE(cost_ns, 15'000'000'000u);
            EXPECT_EQ(state.state, DAMON_STATE_SAMPLING);
            continue;
        }
        EXPECT_NEAR(static_cast<double>(cost_ns), 1e8 * static_cast<double>(limit_permil),
                    5e6 * static_cast<double>(limit_permil));
        EXPECT_EQ(state.state, DAMON_STATE_LIMITED) << state.reason;
        EXPECT_NEAR(static_cast<double>(state.cost_permil), static_cast<double>(limit_permil), 2.0);
        // Five looks a window at least, of 90 to 100 samples each: 4.5 to 5 ms, which take as long as the limit says.
        const uint64_t five_looks_us = 4'500'000 / limit_permil;
        EXPECT_GE(state.window_us, std::max<uint64_t>(five_looks_us, 100'000) * 9 / 10);
        EXPECT_LE(state.window_us, std::max<uint64_t>(five_looks_us, 100'000) * 13 / 10) << "the looks give way first";
        EXPECT_NE(strstr(state.reason, "looked in 5 of its 20 intervals"), nullptr) << state.reason;
    }
}

TEST(SimC, GoalsThatAreOutOfReachAreTold_S41_M39) {
    const Sim sim = new_sim();
    ASSERT_EQ(add_range(sim, 0, 100 * kMiB), 0);
    ASSERT_EQ(add_constant(sim, 30 * kMiB, 31 * kMiB), 0);  // 1 % is hot
    const Context ctx = new_context(sim);
    damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.pattern.max_nr_accesses = 0;
    params.quota.reset_interval_ms = 1'000;
    damos* scheme = damos_new(&params);
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.target_value = 10'000;
    goal.current_value = 5'000;
    ASSERT_EQ(damos_add_quota_goal(scheme, &goal), 0);
    ASSERT_EQ(damon_ctx_add_scheme(ctx.get(), scheme), 0);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.intervals_goal.access_bp = 400;
    attrs.intervals_goal.aggrs = 3;
    attrs.intervals_goal.min_sample_us = 5'000;
    attrs.intervals_goal.max_sample_us = 10'000'000;
    ASSERT_EQ(damon_ctx_set_attrs(ctx.get(), &attrs), 0);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 0, 120'000'000);
    EXPECT_NE(strstr(state_of(ctx).reason, "intervals_goal.access_bp is out of reach"), nullptr)
        << state_of(ctx).reason;
    ASSERT_EQ(damon_ctx_get_attrs(ctx.get(), &attrs), 0);
    EXPECT_LE(attrs.sample_us, 100'000u) << "the baseline ends at 10 s";

    ASSERT_EQ(damon_stop(std::vector<damon_ctx*>{ctx.get()}.data(), 1), 0);
    attrs.intervals_goal.aggrs = 0;
    attrs.sample_us = 5'000;
    attrs.aggr_us = 100'000;
    ASSERT_EQ(damon_ctx_set_attrs(ctx.get(), &attrs), 0);
    ASSERT_EQ(start(ctx), 0);
    step_until(ctx, 120'000'000, 180'000'000);
    EXPECT_NE(strstr(state_of(ctx).reason, "the goals of schemes[0] are out of reach: 5000 bp of them"), nullptr)
        << state_of(ctx).reason;
}

TEST(SimC, OutOfMemoryIsAnError) {
    for (uint64_t fail_at = 0;; ++fail_at) {
        const HeapFault fault(fail_at);
        const Sim sim = new_sim();
        if (sim == nullptr) {
            EXPECT_TRUE(fault.hit());
            continue;
        }
        const int mapped = add_range(sim, 0, kMiB);
        const int added = mapped == 0 ? add_constant(sim, 0, kMiB) : mapped;
        if (!fault.hit()) {
            EXPECT_EQ(added, 0);
            break;
        }
        EXPECT_EQ(added, -ENOMEM) << fail_at;
    }
}

}  // namespace
}  // namespace damon::test
