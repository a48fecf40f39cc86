// The texts of /proc and /sys that goals and watermarks are measured from, and the files as a whole (S-28, S-29).
#include "os/metrics_text.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/heap.h"
#include "os/metrics/cgroup.h"
#include "os/metrics/system_metrics.h"

namespace damon {
namespace {

constexpr const char* kMeminfo =
    "MemTotal:       1000000 kB\nMemFree:         250000 kB\nMemAvailable:    900000 kB\n"
    "Active:          300000 kB\nInactive:        100000 kB\nActive(anon):      1 kB\nInactive(anon):  2 kB\n";

TEST(MeminfoText, NamesAreWholeWords) {
    uint64_t value = 0;
    ASSERT_TRUE(meminfo_value(kMeminfo, "MemFree", value));
    EXPECT_EQ(value, 250'000u);
    ASSERT_TRUE(meminfo_value(kMeminfo, "Active", value));
    EXPECT_EQ(value, 300'000u);
    ASSERT_TRUE(meminfo_value(kMeminfo, "Inactive", value));
    EXPECT_EQ(value, 100'000u);
    ASSERT_TRUE(meminfo_value("Node 3 MemTotal:  77 kB\nNode 3 MemFree: 5 kB\n", "MemFree", value));
    EXPECT_EQ(value, 5u);
    EXPECT_FALSE(meminfo_value(kMeminfo, "Free", value));
    EXPECT_FALSE(meminfo_value(kMeminfo, "SwapTotal", value));
    EXPECT_FALSE(meminfo_value("MemTotal: many kB\n", "MemTotal", value));
    EXPECT_FALSE(meminfo_value("MemTotal: 99999999999999999999 kB\n", "MemTotal", value));
    EXPECT_FALSE(meminfo_value("", "MemTotal", value));
}

TEST(PressureText, TotalOfSomeNotOfFull) {
    uint64_t total = 0;
    ASSERT_TRUE(
        some_pressure_total("some avg10=0.00 avg60=1.20 avg300=0.05 total=123456\n"
                            "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n",
                            total));
    EXPECT_EQ(total, 123'456u);
    EXPECT_FALSE(some_pressure_total("full avg10=0.00 total=99\n", total));
    EXPECT_FALSE(some_pressure_total("some avg10=0.00\n", total));
    EXPECT_FALSE(some_pressure_total("", total));
}

TEST(CgroupText, Version2SumsTheListsOfANode) {
    const char* text =
        "anon N0=1 N1=2\nfile N0=4 N1=8\nshmem N0=16 N1=32\n"
        "inactive_anon N0=1000 N1=10000\nactive_anon N0=200 N1=20000\n"
        "inactive_file N0=30 N1=30000\nactive_file N0=4 N1=40000\nunevictable N0=0 N1=50000\nslab N0=9 N1=9\n";
    uint64_t bytes = 0;
    ASSERT_TRUE(cgroup_node_bytes(text, 0, 4096, bytes));
    EXPECT_EQ(bytes, 1234u);
    ASSERT_TRUE(cgroup_node_bytes(text, 1, 4096, bytes));
    EXPECT_EQ(bytes, 150'000u);
    ASSERT_TRUE(cgroup_node_bytes(text, 2, 4096, bytes));
    EXPECT_EQ(bytes, 0u);
}

TEST(CgroupText, Version1CountsPagesWithAllGroupsBelow) {
    uint64_t bytes = 0;
    ASSERT_TRUE(
        cgroup_node_bytes("total=6 N0=4 N1=2\nfile=1 N0=1 N1=0\nhierarchical_total=60 N0=40 N1=20\n", 1, 4096, bytes));
    EXPECT_EQ(bytes, 20u * 4096);
    ASSERT_TRUE(cgroup_node_bytes("total=6 N0=4 N1=2\nfile=1 N0=1 N1=0\n", 0, 16384, bytes));
    EXPECT_EQ(bytes, 4u * 16384);
    EXPECT_FALSE(cgroup_node_bytes("", 0, 4096, bytes));
    EXPECT_FALSE(cgroup_node_bytes("nothing of the kind\n", 0, 4096, bytes));
}

TEST(CgroupText, PathOfTheGroupThatMemoryIsChargedTo) {
    bool in_v1 = true;
    EXPECT_EQ(memory_cgroup_path("0::/user.slice/app\n", in_v1), "/user.slice/app");
    EXPECT_FALSE(in_v1);
    EXPECT_EQ(memory_cgroup_path("5:cpu,cpuacct:/a\n4:memory:/b/c\n0::/d\n", in_v1), "/b/c");
    EXPECT_TRUE(in_v1);
    EXPECT_EQ(memory_cgroup_path("7:hugetlb,memory:/x:y\n", in_v1), "/x:y");
    EXPECT_EQ(memory_cgroup_path("5:cpu:/a\n", in_v1), "");
    EXPECT_EQ(memory_cgroup_path("nonsense", in_v1), "");
}

// A system of files in a folder of its own.
class SystemFiles : public testing::Test {
protected:
    SystemFiles() : root_(testing::TempDir() + "damon_metrics_" + std::to_string(getpid())) {
        write("proc/meminfo", kMeminfo);
        write("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=500\n");
        write("sys/devices/system/node/node1/meminfo", "Node 1 MemTotal: 4000 kB\nNode 1 MemFree: 1000 kB\n");
        write("sys/fs/cgroup/a/b/memory.numa_stat", "inactive_anon N1=409600\nactive_anon N1=0\n");
        metrics_.emplace(root_.c_str());
    }
    ~SystemFiles() override { std::filesystem::remove_all(root_); }

    void write(const std::string& name, const std::string& text) {
        const std::filesystem::path path = root_ + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        FILE* file = fopen(path.c_str(), "we");
        ASSERT_NE(file, nullptr);
        fputs(text.c_str(), file);
        fclose(file);
    }
    uint64_t inode(const std::string& name) {
        struct stat facts;
        EXPECT_EQ(stat((root_ + "/" + name).c_str(), &facts), 0);
        return facts.st_ino;
    }
    void write_group(const std::string& group, const char* name, uint64_t bytes) {
        write("sys/fs/cgroup" + group + "/" + name, std::to_string(bytes) + "\n");
    }
    std::string refusal(const std::function<void(SchemeParams&)>& change) {
        Params params;
        EXPECT_TRUE(params.schemes.resize(1));
        change(params.schemes[0]);
        const Status status = metrics_->validate(params);
        EXPECT_EQ(status.error(), status.ok() ? 0 : -EOPNOTSUPP);
        return status.text();
    }
    uint64_t measure(QuotaMetric metric, int32_t nid = -1, uint64_t memcg_id = 0) {
        MetricQuery query;
        query.metric = metric;
        query.nid = nid;
        query.memcg_id = memcg_id;
        metrics_->measure({&query, 1});
        return query.answered ? query.answer : kUnanswered;
    }

    static constexpr uint64_t kUnanswered = UINT64_MAX;
    std::string root_;
    std::optional<SystemMetrics> metrics_;
};

TEST_F(SystemFiles, MeasureWhatGoalsAskForS28) {
    EXPECT_EQ(measure(QuotaMetric::kSomeMemPsiUs), 500u);
    EXPECT_EQ(measure(QuotaMetric::kActiveMemBp), 7'500u);
    EXPECT_EQ(measure(QuotaMetric::kInactiveMemBp), 2'500u);
    EXPECT_EQ(measure(QuotaMetric::kNodeMemUsedBp, 1), 7'500u);
    EXPECT_EQ(measure(QuotaMetric::kNodeMemFreeBp, 1), 2'500u);
    EXPECT_EQ(measure(QuotaMetric::kUserInput), kUnanswered);
    EXPECT_EQ(measure(QuotaMetric::kNodeEligibleMemBp, 1), kUnanswered);
}

TEST_F(SystemFiles, NodesThatDoNotExistCountAsUnusedS28) {
    for (const int32_t nid : {-1, 7}) {
        EXPECT_EQ(measure(QuotaMetric::kNodeMemUsedBp, nid), 0u);
        EXPECT_EQ(measure(QuotaMetric::kNodeMemFreeBp, nid), 10'000u);
        EXPECT_EQ(measure(QuotaMetric::kNodeMemcgUsedBp, nid, inode("sys/fs/cgroup/a/b")), 0u);
    }
    // Where no nodes are known at all, node 0 is the system.
    EXPECT_EQ(measure(QuotaMetric::kNodeMemUsedBp, 0), 7'500u);
}

// Or a goal with the nid that damos_quota_goal_init() leaves would read as met for ever, and say nothing.
TEST_F(SystemFiles, AGoalOfANodeThatDoesNotExistIsRefusedByName) {
    for (const int32_t nid : {-1, 7, 1}) {
        Params params;
        ASSERT_TRUE(params.schemes.resize(1));
        QuotaGoal goal;
        goal.metric = QuotaMetric::kNodeMemFreeBp;
        goal.nid = nid;
        goal.target_value = 5'000;
        ASSERT_TRUE(params.schemes[0].goals.push_back(goal));
        const Status status = metrics_->validate(params);
        EXPECT_EQ(status.error(), nid == 1 ? 0 : -EINVAL);
        const std::string named = "schemes[0].goals[0].nid is " + std::to_string(nid);
        EXPECT_EQ(std::string(status.text()).find(named) == 0, nid != 1) << status.text();
    }
}

TEST_F(SystemFiles, ANodeWithoutMemoryCountsAsUsedS28) {
    write("sys/devices/system/node/node2/meminfo", "Node 2 MemTotal: 0 kB\nNode 2 MemFree: 0 kB\n");
    EXPECT_EQ(measure(QuotaMetric::kNodeMemUsedBp, 2), 10'000u);
    EXPECT_EQ(measure(QuotaMetric::kNodeMemFreeBp, 2), 0u);
}

TEST_F(SystemFiles, GroupsAreFoundByTheirInode) {
    const uint64_t group = inode("sys/fs/cgroup/a/b");
    EXPECT_EQ(measure(QuotaMetric::kNodeMemcgUsedBp, 1, group), 1'000u);  // 400 of 4,000 kB
    EXPECT_EQ(measure(QuotaMetric::kNodeMemcgFreeBp, 1, group), 9'000u);
    EXPECT_EQ(measure(QuotaMetric::kNodeMemcgUsedBp, 1, inode("sys/fs/cgroup/a")), 0u);  // no memory controller
    EXPECT_EQ(measure(QuotaMetric::kNodeMemcgUsedBp, 1, 1), 0u);
    EXPECT_EQ(measure(QuotaMetric::kNodeMemcgFreeBp, 1, 1), 10'000u);
}

TEST_F(SystemFiles, AreReadAnewEachTimeAndTakeNoMemory) {
    EXPECT_EQ(metrics_->free_memory_permil(), 250);
    const size_t before = heap_bytes_in_use();
    write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\n");
    EXPECT_EQ(metrics_->free_memory_permil(), 1);
    EXPECT_EQ(measure(QuotaMetric::kActiveMemBp), kUnanswered);
    EXPECT_EQ(heap_bytes_in_use(), before);
    write("proc/meminfo", "");
    EXPECT_LT(metrics_->free_memory_permil(), 0);
}

TEST_F(SystemFiles, ThatAreMissingLeaveQueriesUnanswered) {
    SystemMetrics none("/nonexistent");
    MetricQuery query;
    query.metric = QuotaMetric::kSomeMemPsiUs;
    none.measure({&query, 1});
    EXPECT_FALSE(query.answered);
    EXPECT_LT(none.free_memory_permil(), 0);
}

TEST_F(SystemFiles, OwnGroupOfVersion2HasTheTightestOfNestedLimits) {
    write("proc/self/cgroup", "0::/outer/inner\n");
    write_group("/outer", "memory.current", 900);
    write_group("/outer", "memory.max", 1'000);
    write_group("/outer/inner", "memory.current", 300);
    write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
    EXPECT_EQ(metrics_->own_memcg_permil(), 100);
    write_group("/outer/inner", "memory.high", 320);
    EXPECT_EQ(metrics_->own_memcg_permil(), 62) << "high limits too";
    EXPECT_EQ(measure(QuotaMetric::kOwnMemcgFreeBp), 625u);
    write_group("/outer/inner", "memory.current", 999);
    EXPECT_EQ(metrics_->own_memcg_permil(), 0) << "above the limit nothing is free";
}

TEST_F(SystemFiles, OwnGroupOfVersion1IsReadBelowItsController) {
    write("proc/self/cgroup", "4:memory:/a/b\n0::/elsewhere\n");
    write_group("/memory", "memory.usage_in_bytes", 5);
    write_group("/memory", "memory.limit_in_bytes", 9'223'372'036'854'771'712u);
    write_group("/memory/a/b", "memory.usage_in_bytes", 250);
    write_group("/memory/a/b", "memory.limit_in_bytes", 1'000);
    EXPECT_EQ(metrics_->own_memcg_permil(), 750);
    // As a container sees it whose group is mounted as the top.
    std::filesystem::remove_all(root_ + "/sys/fs/cgroup/memory/a");
    write_group("/memory", "memory.limit_in_bytes", 10);
    EXPECT_EQ(metrics_->own_memcg_permil(), 500);
}

// The limit may be lifted, or the process moved to another group, while watermarks and goals follow it.
TEST_F(SystemFiles, AnOwnGroupWithoutALimitHasAllFree) {
    EXPECT_LT(metrics_->own_memcg_permil(), 0) << "no group is told";
    EXPECT_EQ(measure(QuotaMetric::kOwnMemcgFreeBp), kUnanswered);
    write("proc/self/cgroup", "0::/outer\n");
    write_group("/outer", "memory.current", 900);
    write("sys/fs/cgroup/outer/memory.max", "max\n");
    EXPECT_EQ(metrics_->own_memcg_permil(), 1'000);
    EXPECT_EQ(measure(QuotaMetric::kOwnMemcgFreeBp), 10'000u);
    std::filesystem::remove_all(root_ + "/sys/fs/cgroup/outer");
    EXPECT_LT(metrics_->own_memcg_permil(), 0) << "cannot be read";
    EXPECT_EQ(measure(QuotaMetric::kOwnMemcgFreeBp), kUnanswered);
}

TEST_F(SystemFiles, WhatCannotBeMeasuredIsRefusedWithTheFieldsName) {
    const auto goal = [](QuotaMetric metric) {
        return [metric](SchemeParams& scheme) {
            EXPECT_TRUE(scheme.goals.push_back(QuotaGoal{.metric = metric, .target_value = 1}));
        };
    };
    const auto watermarks = [](SchemeParams& scheme) { scheme.wmarks.metric = WatermarkMetric::kOwnMemcgFreeRate; };
    EXPECT_EQ(refusal(goal(QuotaMetric::kSomeMemPsiUs)), "");
    EXPECT_NE(refusal(goal(QuotaMetric::kOwnMemcgFreeBp)).find("schemes[0].goals[0].metric is DAMOS_QUOTA_OWN"),
              std::string::npos);
    EXPECT_NE(refusal(watermarks).find("schemes[0].wmarks.metric is DAMOS_WMARK_OWN_MEMCG_FREE_RATE: no limit"),
              std::string::npos);
    write("proc/self/cgroup", "0::/outer\n");
    write_group("/outer", "memory.current", 900);
    write_group("/outer", "memory.max", 1'000);
    EXPECT_EQ(refusal(goal(QuotaMetric::kOwnMemcgFreeBp)), "");
    EXPECT_EQ(refusal(watermarks), "");
    std::filesystem::remove_all(root_ + "/proc/pressure");
    metrics_->close();
    EXPECT_NE(refusal(goal(QuotaMetric::kSomeMemPsiUs)).find("schemes[0].goals[0].metric is DAMOS_QUOTA_SOME_MEM_PSI"),
              std::string::npos);
}

TEST(SystemMetrics, OfThisMachineAreWithinTheirBounds) {
    SystemMetrics metrics;
    const int32_t free = metrics.free_memory_permil();
    EXPECT_GE(free, 0);
    EXPECT_LE(free, 1000);
    MetricQuery queries[2];
    queries[0].metric = QuotaMetric::kActiveMemBp;
    queries[1].metric = QuotaMetric::kInactiveMemBp;
    metrics.measure(queries);
    ASSERT_TRUE(queries[0].answered && queries[1].answered);
    EXPECT_LE(queries[0].answer + queries[1].answer, 10'000u);
    EXPECT_GE(queries[0].answer + queries[1].answer, 9'000u);
}

}  // namespace
}  // namespace damon
