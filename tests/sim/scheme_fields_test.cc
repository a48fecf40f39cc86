// Every field of a scheme, through damon_c.h: changing it alone changes what the scheme does. A field that the library
// ignored would fail its row. What the simulator does not have (groups of processes, sizes of huge pages) is shown on
// real memory, in tests/linux; watermarks that rise and fall, in tests/unit.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <vector>

#include "damon_c.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kStart = 64 * kMiB;
constexpr uint64_t kEnd = 128 * kMiB;

// A scheme and what hangs on it.
struct Setting {
    Setting() {
        damos_params_init(&params);
        damos_filter_init(&filter);
        damos_quota_goal_init(&goal);
        damon_sim_params_init(&machine);
        machine.nr_nodes = 3;
        for (int nid = 0; nid < 3; ++nid) machine.node_bytes[nid] = 128 * kMiB;
    }
    damos_params params;
    bool has_filter = false;
    damos_filter filter;
    bool has_goal = false;
    damos_quota_goal goal;
    std::vector<damos_migrate_dest> destinations;
    damon_sim_params machine;
    uint64_t returned = ~uint64_t{0};  // most bytes that the callback says it dealt with
};

struct Behaviour {
    std::vector<uint64_t> numbers;
    std::vector<uint64_t> handled;  // regions that the callback was given
    std::vector<uint64_t> ages;     // and what was learned, with the ages that actions reset
    bool operator==(const Behaviour&) const = default;
};

struct Log {
    Behaviour* behaviour;
    uint64_t returned;
};

uint64_t handle(void* data, damon_ctx*, const damon_region_info* region, size_t) {
    const auto* log = static_cast<const Log*>(data);
    log->behaviour->handled.push_back(region->start);
    log->behaviour->handled.push_back(region->end);
    return std::min(log->returned, region->end - region->start);
}

// A part of it is always hot, a part is accessed about every other interval, the rest is cold.
void add_memory(damon_sim* sim) {
    damon_sim_range range;
    damon_sim_range_init(&range);
    range.start = kStart;
    range.end = kEnd;
    ASSERT_EQ(damon_sim_add_range(sim, &range), 0);
    damon_sim_pattern pattern;
    damon_sim_pattern_init(&pattern);
    pattern.start = kStart + 16 * kMiB;
    pattern.end = kStart + 24 * kMiB;
    ASSERT_EQ(damon_sim_add_pattern(sim, &pattern), 0);
    pattern.start = kStart + 40 * kMiB;
    pattern.end = kStart + 48 * kMiB;
    pattern.rate_millihz = 140'000;
    ASSERT_EQ(damon_sim_add_pattern(sim, &pattern), 0);
}

// Three seconds of virtual time.
Behaviour run(const Setting& setting) {
    Behaviour behaviour;
    Log log{&behaviour, setting.returned};
    const std::unique_ptr<damon_sim, void (*)(damon_sim*)> sim{damon_sim_new(&setting.machine), damon_sim_free};
    add_memory(sim.get());
    const std::unique_ptr<damon_ctx, void (*)(damon_ctx*)> ctx{damon_ctx_new(), damon_ctx_free};
    EXPECT_EQ(damon_ctx_set_sim(ctx.get(), sim.get()), 0);
    EXPECT_EQ(damon_ctx_set_drive(ctx.get(), DAMON_DRIVE_MANUAL), 0);
    EXPECT_EQ(damon_ctx_set_seed(ctx.get(), 1), 0);
    EXPECT_EQ(damon_ctx_add_target(ctx.get(), damon_target_new()), 0);
    damos_params params = setting.params;
    if (params.action == DAMOS_CALLBACK && params.action_fn == nullptr) params.action_fn = handle;
    if (params.action_data == nullptr) params.action_data = &log;
    damos* scheme = damos_new(&params);
    EXPECT_NE(scheme, nullptr);
    if (setting.has_filter) {
        EXPECT_EQ(damos_add_filter(scheme, &setting.filter), 0);
    }
    if (setting.has_goal) {
        EXPECT_EQ(damos_add_quota_goal(scheme, &setting.goal), 0);
    }
    if (!setting.destinations.empty()) {
        EXPECT_EQ(damos_set_migrate_dests(scheme, setting.destinations.data(), setting.destinations.size()), 0);
    }
    EXPECT_EQ(damon_ctx_add_scheme(ctx.get(), scheme), 0);
    damon_ctx* list[] = {ctx.get()};
    EXPECT_EQ(damon_start(list, 1, 0), 0);
    for (uint64_t now_us = 5'000; now_us <= 3'000'000; now_us += 5'000) EXPECT_EQ(damon_step(ctx.get(), now_us), 0);
    damos_stat stat;
    damos_stat_init(&stat);
    EXPECT_EQ(damon_ctx_get_scheme_stat(ctx.get(), 0, &stat), 0);
    damon_sim_stat memory;
    damon_sim_stat_init(&memory);
    EXPECT_EQ(damon_sim_get_stat(sim.get(), &memory), 0);
    behaviour.numbers = {stat.nr_tried,
                         stat.sz_tried,
                         stat.nr_applied,
                         stat.sz_applied,
                         stat.qt_exceeds,
                         stat.nr_snapshots,
                         stat.esz,
                         stat.active,
                         memory.resident_bytes,
                         memory.swapped_bytes,
                         memory.huge_bytes,
                         memory.node_used_bytes[0],
                         memory.node_used_bytes[1],
                         memory.node_used_bytes[2]};
    std::vector<damon_region_info> regions(1'000);
    const int nr_regions = damon_snapshot_read(ctx.get(), regions.data(), regions.size(), nullptr);
    for (int i = 0; i < nr_regions; ++i) {
        behaviour.ages.push_back(regions[i].start);
        behaviour.ages.push_back(regions[i].age);
    }
    return behaviour;
}

struct Row {
    const char* field;
    std::function<void(Setting&)> base;    // what both runs have
    std::function<void(Setting&)> change;  // the field, alone
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.field; }

void nothing(Setting&) {}

// No action that makes regions young again.
void counting(Setting& s) { s.params.action = DAMOS_STAT; }

// A mebibyte every 100 ms.
void small_quota(Setting& s) {
    s.params.quota.sz = kMiB;
    s.params.quota.reset_interval_ms = 100;
}

void by_age(Setting& s) {
    small_quota(s);
    s.params.action = DAMOS_LRU_PRIO;
    s.params.quota.weight_nr_accesses = 0;
    s.params.quota.weight_age = 1;
}

void by_rate(Setting& s) {
    by_age(s);
    s.params.quota.weight_nr_accesses = 1;
    s.params.quota.weight_age = 0;
}

// What was tried and not done is charged a tenth.
void failing(Setting& s) {
    small_quota(s);
    s.returned = 0;
    s.params.quota.fail_charge_num = 1;
    s.params.quota.fail_charge_denom = 10;
}

void with_goal(Setting& s) {
    s.params.quota.sz = 8 * kMiB;
    s.params.quota.reset_interval_ms = 100;
    s.has_goal = true;
    s.goal.metric = DAMOS_QUOTA_USER_INPUT;
    s.goal.target_value = 1'000;
    s.goal.current_value = 900;
}

// Half of the first node is free: 833 permil of all.
void with_watermarks(Setting& s) {
    s.params.wmarks.metric = DAMOS_WMARK_FREE_MEM_RATE;
    s.params.wmarks.high = 1'000;
    s.params.wmarks.mid = 999;
    s.params.wmarks.low = 1;
    s.params.wmarks.interval_us = 400'000;
}

void asleep(Setting& s) {
    with_watermarks(s);
    s.params.wmarks.high = s.params.wmarks.mid = s.params.wmarks.low = 0;
}

void by_address(Setting& s) {
    s.has_filter = true;
    s.filter.type = DAMOS_FILTER_ADDR;
    s.filter.matching = 1;
    s.filter.addr_start = kStart + 8 * kMiB;
    s.filter.addr_end = kStart + 32 * kMiB;
}

void moving(Setting& s) {
    s.params.action = DAMOS_MIGRATE_HOT;
    s.params.pattern.min_nr_accesses = 1;
    s.params.target_nid = 1;
}

void spreading(Setting& s) {
    moving(s);
    s.params.target_nid = -1;
    s.destinations = {{1, 1}, {2, 1}};
}

#define PARAM(field, base, value)                                 \
    Row {                                                         \
#field, base, [](Setting & s) { s.params.field = value; } \
    }

const Row kRows[] = {
    PARAM(action, nothing, DAMOS_PAGEOUT),
    PARAM(pattern.min_sz, nothing, 4 * kMiB),
    PARAM(pattern.max_sz, nothing, 4 * kMiB),
    PARAM(pattern.min_nr_accesses, nothing, 1),
    PARAM(pattern.max_nr_accesses, nothing, 0),
    PARAM(pattern.min_age, nothing, 5),
    PARAM(pattern.max_age, counting, 5),
    PARAM(apply_interval_us, nothing, 20'000),
    PARAM(quota.sz, small_quota, 2 * kMiB),
    PARAM(quota.reset_interval_ms, small_quota, 700),
    PARAM(quota.weight_nr_accesses, by_age, 100),
    PARAM(quota.weight_age, by_rate, 100),
    PARAM(quota.goal_tuner, with_goal, DAMOS_QUOTA_GOAL_TUNER_TEMPORAL),
    PARAM(quota.fail_charge_num, failing, 5),
    PARAM(quota.fail_charge_denom, failing, 100),
    PARAM(wmarks.metric, asleep, DAMOS_WMARK_NONE),
    PARAM(wmarks.low, with_watermarks, 999),
    PARAM(max_nr_snapshots, nothing, 3),
    PARAM(min_age_us, nothing, 500'000),
    PARAM(target_nid, moving, 2),
    {"quota.ms",
     [](Setting& s) {
         s.params.action = DAMOS_PAGEOUT;
         s.params.quota.reset_interval_ms = 100;
         s.machine.action_ns[DAMOS_PAGEOUT] = 10'000;
     },
     [](Setting& s) { s.params.quota.ms = 1; }},
    {"wmarks.high", with_watermarks, [](Setting& s) { s.params.wmarks.high = s.params.wmarks.mid = 2; }},
    {"action_fn", nothing,
     [](Setting& s) {
         s.params.action_fn = [](void*, damon_ctx*, const damon_region_info*, size_t) { return uint64_t{4096}; };
     }},
    {"filter.type", by_address, [](Setting& s) { s.filter.type = DAMOS_FILTER_TARGET; }},
    {"filter.matching", by_address, [](Setting& s) { s.filter.matching = 0; }},
    {"filter.allow", by_address, [](Setting& s) { s.filter.allow = 1; }},
    {"filter.addr_start", by_address, [](Setting& s) { s.filter.addr_start -= 4 * kMiB; }},
    {"filter.addr_end", by_address, [](Setting& s) { s.filter.addr_end += 4 * kMiB; }},
    {"filter.target_idx",
     [](Setting& s) {
         by_address(s);
         s.filter.type = DAMOS_FILTER_TARGET;
     },
     [](Setting& s) { s.filter.target_idx = 1; }},
    {"goal.target_value", with_goal, [](Setting& s) { s.goal.target_value = 800; }},
    {"goal.current_value", with_goal, [](Setting& s) { s.goal.current_value = 1'100; }},
    {"goal.metric", with_goal,
     [](Setting& s) {
         s.goal.metric = DAMOS_QUOTA_NODE_MEM_FREE_BP;
         s.goal.nid = 0;
     }},
    {"goal.nid",
     [](Setting& s) {
         with_goal(s);
         s.goal.metric = DAMOS_QUOTA_NODE_MEM_USED_BP;
         s.goal.nid = 0;
         s.goal.target_value = 9'000;  // half of node 0 is used, and nothing of node 1
     },
     [](Setting& s) { s.goal.nid = 1; }},
    {"migrate_dest.nid", spreading, [](Setting& s) { s.destinations[1].nid = 0; }},
    {"migrate_dest.weight", spreading, [](Setting& s) { s.destinations[1].weight = 3; }},
};

class SchemeField : public testing::TestWithParam<Row> {};

TEST_P(SchemeField, ChangesWhatTheSchemeDoes) {
    Setting before;
    before.params.action = DAMOS_CALLBACK;
    GetParam().base(before);
    Setting after = before;
    GetParam().change(after);
    const Behaviour was = run(before);
    EXPECT_TRUE(run(before) == was) << "the comparison would be worth nothing";
    EXPECT_FALSE(run(after) == was);
}

INSTANTIATE_TEST_SUITE_P(All, SchemeField, testing::ValuesIn(kRows), [](const auto& row) {
    std::string name = row.param.field;
    for (char& letter : name) {
        if (letter == '.') letter = '_';
    }
    return name;
});

// the one field that nothing uses.
TEST(SchemeFields, TheWeightOfTheSizeIsTheOneWithoutEffect) {
    Setting before;
    before.params.action = DAMOS_CALLBACK;
    by_age(before);
    Setting after = before;
    after.params.quota.weight_sz = 100;
    EXPECT_TRUE(run(after) == run(before));
}

}  // namespace
}  // namespace damon::test
