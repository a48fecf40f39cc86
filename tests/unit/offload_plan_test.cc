// From parameters to files of the kernel's DAMON, and the words of both.
#include "ops/offload/offload_plan.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "ops/offload/offload_text.h"

namespace damon::test {
namespace {

constexpr uint64_t kPage = 4096;

bool toy_group(uint64_t memcg_id, char* path, size_t bytes) {
    if (memcg_id != 7) return false;
    snprintf(path, bytes, "/toys/seven");
    return true;
}

PlanFacts toy_facts() {
    PlanFacts facts;
    facts.own_pid = 99;
    facts.memcg_path = toy_group;
    return facts;
}

Params params_of(size_t nr_targets, OpsId ops = OpsId::kKernelVaddr) {
    Params params;
    params.ops_id = ops;
    EXPECT_TRUE(params.targets.resize(nr_targets));
    for (size_t i = 0; i < nr_targets; ++i) params.targets[i].pid = static_cast<int32_t>(100 + i);
    return params;
}

SchemeParams& add_scheme(Params& params) {
    EXPECT_TRUE(params.schemes.push_back(SchemeParams()));
    return params.schemes.back();
}

// What every file has in the end, by its path below contexts/0/.
class Files {
public:
    Files(const Params& params, const PlanFacts& facts = toy_facts()) { add(plan_context(params, facts, plan_)); }

    std::string operator[](const std::string& path) const {
        const auto found = texts_.find(path);
        return found == texts_.end() ? "not written" : found->second;
    }
    bool may_lack(const std::string& path) const { return lacking_.count(path) != 0; }
    bool has(const std::string& part) const {
        for (const auto& [path, text] : texts_) {
            if (path.find(part) != std::string::npos) return true;
        }
        return false;
    }

private:
    void add(const Status& status) {
        EXPECT_TRUE(status.ok()) << status.text();
        for (size_t i = 0; i < plan_.size(); ++i) {
            const std::string path = plan_[i].path;
            EXPECT_EQ(path.compare(0, strlen(kContextFolder), kContextFolder), 0) << path;
            const std::string name = path.substr(strlen(kContextFolder));
            texts_[name] = plan_[i].text;
            if (plan_[i].may_lack) lacking_[name] = true;
        }
    }

    WritePlan plan_;
    std::map<std::string, std::string> texts_;
    std::map<std::string, bool> lacking_;
};

void expect_refused(const Status& status, int error, const std::string& named) {
    EXPECT_EQ(status.error(), error) << status.text();
    EXPECT_NE(std::string(status.text()).find(named), std::string::npos) << status.text();
}

TEST(OffloadPlan, AttributesGoToFilesOfTheSameName) {
    Params params = params_of(1);
    params.attrs = {.sample_us = 1,
                    .aggr_us = 20,
                    .ops_update_us = 300,
                    .min_nr_regions = 4,
                    .max_nr_regions = 50,
                    .intervals_goal = {.access_bp = 6, .aggrs = 7, .min_sample_us = 1, .max_sample_us = 9}};
    const Files files(params);
    EXPECT_EQ(files["operations"], "vaddr");
    EXPECT_EQ(files["monitoring_attrs/intervals/sample_us"], "1");
    EXPECT_EQ(files["monitoring_attrs/intervals/aggr_us"], "20");
    EXPECT_EQ(files["monitoring_attrs/intervals/update_us"], "300");
    EXPECT_EQ(files["monitoring_attrs/intervals/intervals_goal/access_bp"], "6");
    EXPECT_EQ(files["monitoring_attrs/intervals/intervals_goal/aggrs"], "7");
    EXPECT_EQ(files["monitoring_attrs/intervals/intervals_goal/min_sample_us"], "1");
    EXPECT_EQ(files["monitoring_attrs/intervals/intervals_goal/max_sample_us"], "9");
    EXPECT_EQ(files["monitoring_attrs/nr_regions/min"], "4");
    EXPECT_EQ(files["monitoring_attrs/nr_regions/max"], "50");
}

TEST(OffloadPlan, WhatIsNotUsedNeedsNoFile) {
    const Files files(params_of(1));
    for (const char* path : {"pause", "addr_unit", "monitoring_attrs/intervals/intervals_goal/aggrs",
                             "targets/0/obsolete_target", "schemes/0/quotas/goal_tuner", "schemes/0/apply_interval_us",
                             "schemes/0/stats/max_nr_snapshots", "schemes/0/quotas/goals/nr_goals"}) {
        EXPECT_TRUE(files.may_lack(path)) << path;
    }
    EXPECT_FALSE(files.may_lack("monitoring_attrs/intervals/sample_us"));
    Params params = params_of(1);
    params.attrs.intervals_goal = {.access_bp = 1, .aggrs = 1, .min_sample_us = 0, .max_sample_us = 1'000'000};
    EXPECT_FALSE(Files(params).may_lack("monitoring_attrs/intervals/intervals_goal/aggrs"));
}

TEST(OffloadPlan, TheDefaultUpdateIntervalIsTheKernelsOwn) {
    Params params = params_of(1);
    EXPECT_EQ(Files(params)["monitoring_attrs/intervals/update_us"], "60000000");
    params.attrs.ops_update_us = 2'000'000;
    EXPECT_EQ(Files(params)["monitoring_attrs/intervals/update_us"], "2000000");
}

// the kernel's vaddr would leave them at its first update.
TEST(OffloadPlan, VirtualTargetsWithRangesAreTheKernelsFvaddr) {
    Params params = params_of(1, OpsId::kKernelVaddr);
    ASSERT_TRUE(params.targets[0].ranges.push_back(AddressRange{16, 32}));
    EXPECT_EQ(Files(params)["operations"], "fvaddr");
    params.targets[0].ranges.clear();
    EXPECT_EQ(Files(params)["operations"], "vaddr");
    PlanFacts facts;
    facts.given = true;  // a commit without ranges keeps those that were given
    WritePlan plan;
    ASSERT_TRUE(plan_context(params, facts, plan).ok());
    EXPECT_STREQ(plan[0].text, "fvaddr");
}

TEST(OffloadPlan, TargetsNameTheirProcessAndTheirRanges) {
    Params params = params_of(2, OpsId::kKernelFvaddr);
    params.targets[0].pid = 0;
    ASSERT_TRUE(params.targets[1].ranges.push_back(AddressRange{16, 32}));
    ASSERT_TRUE(params.targets[1].ranges.push_back(AddressRange{64, 128}));
    const Files files(params);
    EXPECT_EQ(files["operations"], "fvaddr");
    EXPECT_EQ(files["targets/nr_targets"], "2");
    EXPECT_EQ(files["targets/0/pid_target"], "99") << "0 is this process";
    EXPECT_EQ(files["targets/0/regions/nr_regions"], "0");
    EXPECT_EQ(files["targets/1/pid_target"], "101");
    EXPECT_EQ(files["targets/1/regions/nr_regions"], "2");
    EXPECT_EQ(files["targets/1/regions/1/start"], "64");
    EXPECT_EQ(files["targets/1/regions/1/end"], "128");
}

TEST(OffloadPlan, PhysicalMemoryIsAllOfItWhereNoRangeIsGiven) {
    Params params = params_of(1, OpsId::kKernelPaddr);
    params.addr_unit = 16;
    PlanFacts facts = toy_facts();
    facts.physical = {0x1000, 0x40000};
    const Files files(params, facts);
    EXPECT_EQ(files["operations"], "paddr");
    EXPECT_EQ(files["addr_unit"], "16");
    EXPECT_EQ(files["targets/0/pid_target"], "not written");
    EXPECT_EQ(files["targets/0/regions/nr_regions"], "1");
    EXPECT_EQ(files["targets/0/regions/0/start"], "256");
    EXPECT_EQ(files["targets/0/regions/0/end"], "16384");
    facts.running = true;
    EXPECT_EQ(Files(params, facts)["targets/0/regions/nr_regions"], "0") << "a commit keeps the regions";
    WritePlan plan;
    expect_refused(plan_context(params, toy_facts(), plan), -EINVAL, "no ranges");
}

TEST(OffloadPlan, ASchemeGoesToFilesOfTheSameName) {
    Params params = params_of(1);
    SchemeParams& scheme = add_scheme(params);
    scheme.action = DamosAction::kPageout;
    scheme.pattern = {.min_sz = 1, .max_sz = 2, .min_nr_accesses = 3, .max_nr_accesses = 4, .min_age = 5, .max_age = 6};
    scheme.apply_interval_us = 7;
    scheme.target_nid = 8;
    scheme.max_nr_snapshots = 9;
    scheme.quota.ms = 10;
    scheme.quota.sz = 11;
    scheme.quota.reset_interval_ms = 12;
    scheme.quota.goal_tuner = GoalTuner::kTemporal;
    scheme.quota.fail_charge_num = 13;
    scheme.quota.fail_charge_denom = 14;
    scheme.quota.weight_sz = 15;
    scheme.quota.weight_nr_accesses = 16;
    scheme.quota.weight_age = 17;
    scheme.wmarks = {.metric = WatermarkMetric::kFreeMemRate, .high = 18, .mid = 19, .low = 20, .interval_us = 21};
    ASSERT_TRUE(scheme.migrate_dests.push_back(MigrateDest{22, 23}));
    const Files files(params);
    const std::map<std::string, std::string> expected = {
        {"action", "pageout"},
        {"access_pattern/sz/min", "1"},
        {"access_pattern/sz/max", "2"},
        {"access_pattern/nr_accesses/min", "3"},
        {"access_pattern/nr_accesses/max", "4"},
        {"access_pattern/age/min", "5"},
        {"access_pattern/age/max", "6"},
        {"apply_interval_us", "7"},
        {"target_nid", "8"},
        {"stats/max_nr_snapshots", "9"},
        {"quotas/ms", "10"},
        {"quotas/bytes", "11"},
        {"quotas/reset_interval_ms", "12"},
        {"quotas/goal_tuner", "temporal"},
        {"quotas/fail_charge_num", "13"},
        {"quotas/fail_charge_denom", "14"},
        {"quotas/weights/sz_permil", "15"},
        {"quotas/weights/nr_accesses_permil", "16"},
        {"quotas/weights/age_permil", "17"},
        {"watermarks/metric", "free_mem_rate"},
        {"watermarks/high", "18"},
        {"watermarks/mid", "19"},
        {"watermarks/low", "20"},
        {"watermarks/interval_us", "21"},
        {"dests/nr_dests", "1"},
        {"dests/0/id", "22"},
        {"dests/0/weight", "23"},
    };
    for (const auto& [path, text] : expected) {
        EXPECT_EQ(files["schemes/0/" + path], text) << path;
        EXPECT_FALSE(files.may_lack("schemes/0/" + path) && text != "0") << path;
    }
}

TEST(OffloadPlan, GoalsAndFiltersCarryTheirArguments) {
    Params params = params_of(1);
    SchemeParams& scheme = add_scheme(params);
    QuotaGoal goal;
    goal.metric = QuotaMetric::kNodeMemcgUsedBp;
    goal.nid = 1;
    goal.memcg_id = 7;
    goal.target_value = 50;
    ASSERT_TRUE(scheme.goals.push_back(goal));
    DamosFilter filter;
    filter.type = FilterType::kAddr;
    filter.matching = filter.allow = true;
    filter.range = {4096, 8192};
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    filter = {};
    filter.type = FilterType::kHugepageSize;
    filter.range = {1, 2};
    ASSERT_TRUE(scheme.ops_filters.push_back(filter));
    filter = {};
    filter.type = FilterType::kMemcg;
    filter.memcg_id = 7;
    ASSERT_TRUE(scheme.ops_filters.push_back(filter));
    const Files files(params);
    EXPECT_EQ(files["schemes/0/quotas/goals/0/target_metric"], "node_memcg_used_bp");
    EXPECT_EQ(files["schemes/0/quotas/goals/0/nid"], "1");
    EXPECT_EQ(files["schemes/0/quotas/goals/0/path"], "/toys/seven");
    EXPECT_EQ(files["schemes/0/quotas/goals/0/target_value"], "50");
    EXPECT_EQ(files["schemes/0/core_filters/nr_filters"], "1");
    EXPECT_EQ(files["schemes/0/core_filters/0/type"], "addr");
    EXPECT_EQ(files["schemes/0/core_filters/0/matching"], "Y");
    EXPECT_EQ(files["schemes/0/core_filters/0/allow"], "Y");
    EXPECT_EQ(files["schemes/0/core_filters/0/addr_end"], "8192");
    EXPECT_EQ(files["schemes/0/ops_filters/0/type"], "hugepage_size");
    EXPECT_EQ(files["schemes/0/ops_filters/0/max"], "2");
    EXPECT_EQ(files["schemes/0/ops_filters/1/memcg_path"], "/toys/seven");
    EXPECT_FALSE(files.has("schemes/0/filters/"));
}

TEST(OffloadPlan, KernelsWithOneListOfFiltersGetCoreFiltersFirst) {
    Params params = params_of(1);
    SchemeParams& scheme = add_scheme(params);
    DamosFilter filter;
    ASSERT_TRUE(scheme.ops_filters.push_back(filter));
    filter.type = FilterType::kTarget;
    ASSERT_TRUE(scheme.core_filters.push_back(filter));
    PlanFacts facts = toy_facts();
    facts.layered_filters = false;
    const Files files(params, facts);
    EXPECT_EQ(files["schemes/0/filters/nr_filters"], "2");
    EXPECT_EQ(files["schemes/0/filters/0/type"], "target");
    EXPECT_EQ(files["schemes/0/filters/1/type"], "anon");
    EXPECT_FALSE(files.has("core_filters"));
}

TEST(OffloadPlan, TheLibrarysOwnSchemeSeesEverythingAndDoesNothing) {
    Params params = params_of(1);
    add_scheme(params);
    const Files files(params);
    EXPECT_EQ(files["schemes/nr_schemes"], "2");
    EXPECT_EQ(files["schemes/1/action"], "stat");
    EXPECT_EQ(files["schemes/1/access_pattern/sz/min"], "0");
    EXPECT_EQ(files["schemes/1/access_pattern/sz/max"], "18446744073709551615");
    EXPECT_EQ(files["schemes/1/access_pattern/nr_accesses/max"], "4294967295");
    EXPECT_EQ(files["schemes/1/access_pattern/age/max"], "4294967295");
    EXPECT_EQ(files["schemes/1/core_filters/nr_filters"], "0");
}

TEST(OffloadPlan, WithSeveralTargetsEachHasASchemeThatRejectsTheOthers) {
    Params params = params_of(3);
    params.targets[1].obsolete = true;
    const Files files(params);
    EXPECT_EQ(files["targets/nr_targets"], "3");
    EXPECT_EQ(files["targets/1/obsolete_target"], "Y");
    EXPECT_EQ(files["schemes/nr_schemes"], "2") << "the obsolete one is gone by then";
    EXPECT_EQ(files["schemes/1/core_filters/0/type"], "target");
    EXPECT_EQ(files["schemes/1/core_filters/0/damon_target_idx"], "1");
    EXPECT_EQ(files["schemes/1/core_filters/0/matching"], "N");
    EXPECT_EQ(files["schemes/1/core_filters/0/allow"], "N");
}

TEST(OffloadPlan, TheOwnSchemeSleepsWhereAllOthersDo) {
    Params params = params_of(1);
    const Watermarks wmarks{.metric = WatermarkMetric::kFreeMemRate, .high = 3, .mid = 2, .low = 1, .interval_us = 4};
    add_scheme(params).wmarks = wmarks;
    EXPECT_EQ(Files(params)["schemes/1/watermarks/metric"], "free_mem_rate");
    EXPECT_EQ(Files(params)["schemes/1/watermarks/high"], "3");
    add_scheme(params);
    EXPECT_EQ(Files(params)["schemes/2/watermarks/metric"], "none");
}

TEST(OffloadPlan, APauseLeavesTheRegionsAlone) {
    Params params = params_of(2, OpsId::kKernelFvaddr);
    ASSERT_TRUE(params.targets[1].ranges.push_back(AddressRange{16, 32}));
    WritePlan plan;
    plan_pause(params, true, plan);
    ASSERT_EQ(plan.size(), 3u);
    EXPECT_STREQ(plan[0].path, "contexts/0/pause");
    EXPECT_STREQ(plan[0].text, "Y");
    EXPECT_STREQ(plan[2].path, "contexts/0/targets/1/regions/nr_regions");
    EXPECT_STREQ(plan[2].text, "0");
}

TEST(OffloadPlan, AgesGivenAsTimeBecomeWindows) {
    Params params = params_of(1);
    add_scheme(params).min_age_us = 1'000'000;
    EXPECT_EQ(Files(params)["schemes/0/access_pattern/age/min"], "10");
    add_scheme(params);
    WritePlan plan;
    EXPECT_TRUE(plan_ages(params, 500'000, plan));
    ASSERT_EQ(plan.size(), 1u);
    EXPECT_STREQ(plan[0].path, "contexts/0/schemes/0/access_pattern/age/min");
    EXPECT_STREQ(plan[0].text, "2");
    plan.clear();
    EXPECT_FALSE(plan_ages(params_of(1), 500'000, plan));
    EXPECT_EQ(plan.size(), 0u);
}

TEST(OffloadPlan, ProbesCarryTheirFilters) {
    Params params = params_of(1, OpsId::kKernelPaddr);
    ASSERT_TRUE(params.targets[0].ranges.push_back(AddressRange{16, 32}));
    EXPECT_TRUE(Files(params).may_lack("monitoring_attrs/probes/nr_probes"));
    ASSERT_TRUE(params.probes.resize(2));
    params.probes[1].weight = 3;
    ProbeFilter filter;
    filter.allow = true;
    ASSERT_TRUE(params.probes[1].filters.push_back(filter));
    filter.type = ProbeFilterType::kMemcg;
    filter.matching = true;
    filter.memcg_id = 7;
    ASSERT_TRUE(params.probes[1].filters.push_back(filter));
    EXPECT_TRUE(check_kernel_params(params, kPage).ok());
    const Files files(params);
    const std::string probes = "monitoring_attrs/probes/";
    EXPECT_EQ(files[probes + "nr_probes"], "2");
    EXPECT_EQ(files[probes + "0/filters/nr_filters"], "0");
    EXPECT_EQ(files[probes + "1/weight"], "3");
    EXPECT_EQ(files[probes + "1/filters/0/type"], "anon");
    EXPECT_EQ(files[probes + "1/filters/0/matching"], "N");
    EXPECT_EQ(files[probes + "1/filters/0/allow"], "Y");
    EXPECT_EQ(files[probes + "1/filters/1/type"], "memcg");
    EXPECT_EQ(files[probes + "1/filters/1/path"], "/toys/seven");
    params.probes[1].filters[1].memcg_id = 8;
    WritePlan plan;
    expect_refused(plan_context(params, toy_facts(), plan), -ENOENT, "probes[1]");
    params.probes[1].filters[1].type = ProbeFilterType::kHugepageSize;
    expect_refused(check_kernel_params(params, kPage), -EOPNOTSUPP, "probes[1]");
}

TEST(OffloadPlan, WhatNoKernelHasIsNamed) {
    const auto check = [](const Params& params) { return check_kernel_params(params, kPage); };
    EXPECT_TRUE(check(params_of(2)).ok());
    Params params = params_of(1);
    params.min_region_sz = 2 * kPage;
    expect_refused(check(params), -EOPNOTSUPP, "min_region_sz is 8192");
    params = params_of(1, OpsId::kKernelPaddr);
    params.addr_unit = 16;
    expect_refused(check(params), -EOPNOTSUPP, "256");
    params.min_region_sz = 256;
    EXPECT_TRUE(check(params).ok()) << "O-1";
    params = params_of(1);
    params.access_check = 2;
    expect_refused(check(params), -EOPNOTSUPP, "access check 2");
    params = params_of(1);
    ASSERT_TRUE(params.probes.push_back(ProbeParams()));
    expect_refused(check(params), -EOPNOTSUPP, "1 probes");
    expect_refused(check(params_of(2, OpsId::kKernelPaddr)), -EINVAL, "2 targets");
    params = params_of(1);
    add_scheme(params).action = DamosAction::kCallback;
    expect_refused(check(params), -EOPNOTSUPP, "schemes[0].action");
    params = params_of(1);
    QuotaGoal goal;
    goal.metric = QuotaMetric::kNodeEligibleMemBp;
    ASSERT_TRUE(add_scheme(params).goals.push_back(goal));
    expect_refused(check(params), -EINVAL, "node_eligible_mem_bp");
}

TEST(OffloadPlan, AGroupThatIsNotThereIsNamed) {
    Params params = params_of(1);
    DamosFilter filter;
    filter.type = FilterType::kMemcg;
    filter.memcg_id = 8;
    ASSERT_TRUE(add_scheme(params).ops_filters.push_back(filter));
    WritePlan plan;
    expect_refused(plan_context(params, toy_facts(), plan), -ENOENT, "memcg_id 8");
}

TEST(KernelText, EveryActionAndMetricOfTheRulesHasItsWord) {
    for (int32_t i = 0; i < kNrDamosActions - 1; ++i) {
        EXPECT_NE(kernel_word(static_cast<DamosAction>(i)), nullptr) << i;
    }
    EXPECT_EQ(kernel_word(DamosAction::kCallback), nullptr);
    EXPECT_STREQ(kernel_word(DamosAction::kMigrateCold), "migrate_cold");
    for (int32_t i = 0; i < kNrQuotaMetrics - 1; ++i) {
        EXPECT_NE(kernel_word(static_cast<QuotaMetric>(i)), nullptr) << i;
    }
    EXPECT_EQ(kernel_word(QuotaMetric::kOwnMemcgFreeBp), nullptr) << "the library's own";
    EXPECT_STREQ(kernel_word(QuotaMetric::kInactiveMemBp), "inactive_mem_bp");
    for (int32_t i = 0; i < kNrFilterTypes; ++i) EXPECT_NE(kernel_word(static_cast<FilterType>(i)), nullptr) << i;
    EXPECT_STREQ(kernel_word(FilterType::kTarget), "target");
    EXPECT_EQ(kernel_word(OpsId::kVaddr), nullptr);
}

TEST(KernelText, NumbersAreDigitsAlone) {
    uint64_t value = 0;
    EXPECT_TRUE(parse_number("18446744073709551615", value));
    EXPECT_EQ(value, UINT64_MAX);
    for (const char* wrong : {"", "-1", "1 ", "0x1", "18446744073709551616", "on"}) {
        EXPECT_FALSE(parse_number(wrong, value)) << wrong;
    }
}

TEST(KernelText, PhysicalMemoryIsFromTheFirstToTheLastByteOfRam) {
    AddressRange range;
    for (const char* other :
         {"00000000-00000fff : Reserved", "00000000-00000000 : System RAM", "  4d200000-4e36f05f : System RAM",
          "00001000-00002000", "00001000 : System RAM", "garbage", ""}) {
        add_system_ram(other, range);
        EXPECT_TRUE(range.empty()) << other;
    }
    add_system_ram("00100000-7ffdffff : System RAM", range);
    EXPECT_EQ(range, (AddressRange{0x100000, 0x7ffe0000}));
    add_system_ram("00001000-0009fbff : System RAM", range);
    EXPECT_EQ(range, (AddressRange{0x1000, 0x7ffe0000}));
}

}  // namespace
}  // namespace damon::test
