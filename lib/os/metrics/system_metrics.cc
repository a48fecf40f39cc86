#include "os/metrics/system_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "base/arithmetic.h"
#include "os/metrics/cgroup.h"
#include "os/metrics_text.h"
#include "os/syscalls.h"

namespace damon {

void SystemMetrics::close() {
    for (Open& place : open_) {
        place.content.close();
        place.file = File::kNone;
    }
}

int SystemMetrics::open(File file, int32_t nid, uint64_t memcg_id) {
    char path[256];
    switch (file) {
        case File::kNone:
            return -ENOENT;
        case File::kMeminfo:
            snprintf(path, sizeof path, "%s/proc/meminfo", root_);
            break;
        case File::kPressure:
            snprintf(path, sizeof path, "%s/proc/pressure/memory", root_);
            break;
        case File::kNodeMeminfo:
            snprintf(path, sizeof path, "%s/sys/devices/system/node/node%d/meminfo", root_, nid);
            break;
        case File::kGroup: {
            snprintf(path, sizeof path, "%s/sys/fs/cgroup", root_);
            const ScopedFile directory(open_cgroup(path, memcg_id));
            return directory.fd() < 0 ? directory.fd() : sys::open_read_at(directory.fd(), "memory.numa_stat");
        }
    }
    return sys::open_read(path);
}

SystemMetrics::Open& SystemMetrics::place_of(File file, int32_t nid, uint64_t memcg_id) {
    for (Open& place : open_) {
        if (place.file == file && place.nid == nid && place.memcg_id == memcg_id) return place;
    }
    Open& place = open_[next_++ % kMaxOpen];
    place.content.close();
    place.file = file;
    place.nid = nid;
    place.memcg_id = memcg_id;
    return place;
}

// Bytes of text; 0: it cannot be read. A file that went away (a group that was removed) is looked for again next time.
size_t SystemMetrics::read(File file, int32_t nid, uint64_t memcg_id, char* text) {
    Open& place = place_of(file, nid, memcg_id);
    if (!place.content.is_ours() && place.content.adopt(open(file, nid, memcg_id)) != 0) return 0;
    size_t filled = 0;
    while (filled < kMaxText) {
        const ssize_t got = sys::pread(place.content.number(), text + filled, kMaxText - filled, filled);
        if (got == 0) break;
        if (got < 0) {
            place.content.close();
            return 0;
        }
        filled += static_cast<size_t>(got);
    }
    return filled;
}

// Where this system knows no nodes, node 0 is all of it.
bool SystemMetrics::node_total(int32_t nid, uint64_t& total, uint64_t& free) {
    if (nid < 0) return false;
    char text[kMaxText];
    size_t length = read(File::kNodeMeminfo, nid, 0, text);
    if (length == 0 && nid == 0) length = read(File::kMeminfo, -1, 0, text);
    return meminfo_value({text, length}, "MemTotal", total) && meminfo_value({text, length}, "MemFree", free);
}

bool SystemMetrics::measure_node(MetricQuery& query) {
    uint64_t total = 0;
    uint64_t free = 0;
    uint64_t used_bp = 0;
    if (node_total(query.nid, total, free)) {
        used_bp = total == 0 || total < free ? kBp : mul_div(total - free, kBp, total);
        query.answer = total == 0 || total < free ? 0 : mul_div(free, kBp, total);
    } else {
        query.answer = kBp;
    }
    if (query.metric == QuotaMetric::kNodeMemUsedBp) query.answer = used_bp;
    return true;
}

bool SystemMetrics::measure_group(MetricQuery& query) {
    uint64_t total_kb = 0;
    uint64_t free_kb = 0;
    uint64_t used = 0;
    uint64_t used_bp = 0;
    char text[kMaxText];
    if (node_total(query.nid, total_kb, free_kb)) {
        const size_t length = read(File::kGroup, -1, query.memcg_id, text);
        if (cgroup_node_bytes({text, length}, query.nid, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), used)) {
            const uint64_t used_kb = used / 1024;
            used_bp = total_kb == 0 || total_kb < used_kb ? kBp : mul_div(used_kb, kBp, total_kb);
        }
    }
    query.answer = query.metric == QuotaMetric::kNodeMemcgUsedBp ? used_bp : kBp - used_bp;
    return true;
}

bool SystemMetrics::measure_lists(MetricQuery& query) {
    char text[kMaxText];
    uint64_t active = 0;
    uint64_t inactive = 0;
    const size_t length = read(File::kMeminfo, -1, 0, text);
    if (!meminfo_value({text, length}, "Active", active) || !meminfo_value({text, length}, "Inactive", inactive)) {
        return false;
    }
    const uint64_t part = query.metric == QuotaMetric::kActiveMemBp ? active : inactive;
    query.answer = mul_div(part, kBp, std::max<uint64_t>(active + inactive, 1));
    return true;
}

bool SystemMetrics::measure_pressure(MetricQuery& query) {
    char text[kMaxText];
    return some_pressure_total({text, read(File::kPressure, -1, 0, text)}, query.answer);
}

bool SystemMetrics::measure_own_group(MetricQuery& query) {
    MemcgRoom room;
    const int error = own_memcg_room(root_, room);
    // The limit was lifted, or the process moved, since the start: all is free.
    if (error == -ENODATA) query.answer = kBp;
    if (error == 0) query.answer = mul_div(room.free, kBp, room.limit);
    return error == 0 || error == -ENODATA;
}

bool SystemMetrics::measure_one(MetricQuery& query) {
    switch (query.metric) {
        case QuotaMetric::kSomeMemPsiUs:
            return measure_pressure(query);
        case QuotaMetric::kNodeMemUsedBp:
        case QuotaMetric::kNodeMemFreeBp:
            return measure_node(query);
        case QuotaMetric::kNodeMemcgUsedBp:
        case QuotaMetric::kNodeMemcgFreeBp:
            return measure_group(query);
        case QuotaMetric::kActiveMemBp:
        case QuotaMetric::kInactiveMemBp:
            return measure_lists(query);
        case QuotaMetric::kOwnMemcgFreeBp:
            return measure_own_group(query);
        case QuotaMetric::kUserInput:
        case QuotaMetric::kNodeEligibleMemBp:
            break;  // the user's; of physical memory
    }
    return false;
}

void SystemMetrics::measure(std::span<MetricQuery> queries) {
    for (MetricQuery& query : queries) query.answered = measure_one(query);
}

int32_t SystemMetrics::free_memory_permil() {
    char text[kMaxText];
    uint64_t total = 0;
    uint64_t free = 0;
    const size_t length = read(File::kMeminfo, -1, 0, text);
    if (!meminfo_value({text, length}, "MemTotal", total) || !meminfo_value({text, length}, "MemFree", free)) return -1;
    if (total == 0 || total < free) return -1;
    return static_cast<int32_t>(mul_div(free, 1'000, total));
}

int32_t SystemMetrics::own_memcg_permil() {
    MemcgRoom room;
    const int error = own_memcg_room(root_, room);
    if (error == -ENODATA) return 1'000;
    if (error != 0) return -1;
    return static_cast<int32_t>(mul_div(room.free, 1'000, room.limit));
}

bool SystemMetrics::group_exists(uint64_t memcg_id) const {
    char path[256];
    snprintf(path, sizeof path, "%s/sys/fs/cgroup", root_);
    return ScopedFile(open_cgroup(path, memcg_id)).fd() >= 0;
}

Status SystemMetrics::validate_goal(const QuotaGoal& goal, size_t scheme_idx, size_t goal_idx) {
    MemcgRoom room;
    MetricQuery query;
    const QuotaMetric metric = goal.metric;
    if (metric == QuotaMetric::kSomeMemPsiUs && !measure_pressure(query)) {
        return Status::fail(-EOPNOTSUPP,
                            "schemes[%zu].goals[%zu].metric is DAMOS_QUOTA_SOME_MEM_PSI_US: "
                            "/proc/pressure/memory cannot be read (a kernel without PSI, or started with psi=0)",
                            scheme_idx, goal_idx);
    }
    if (metric == QuotaMetric::kOwnMemcgFreeBp && own_memcg_room(root_, room) != 0) {
        return Status::fail(-EOPNOTSUPP,
                            "schemes[%zu].goals[%zu].metric is DAMOS_QUOTA_OWN_MEMCG_FREE_BP: no limit is set on "
                            "this process's memory group",
                            scheme_idx, goal_idx);
    }
    // Without its node, or its group, a goal reads as met for ever.
    uint64_t total = 0;
    uint64_t free = 0;
    const bool of_node = metric >= QuotaMetric::kNodeMemUsedBp && metric <= QuotaMetric::kNodeMemcgFreeBp;
    if (of_node && !node_total(goal.nid, total, free)) {
        return Status::fail(-EINVAL,
                            "schemes[%zu].goals[%zu].nid is %d: this machine has no such node; its nodes are "
                            "counted from 0",
                            scheme_idx, goal_idx, goal.nid);
    }
    const bool of_group = metric == QuotaMetric::kNodeMemcgUsedBp || metric == QuotaMetric::kNodeMemcgFreeBp;
    if (of_group && !group_exists(goal.memcg_id)) {
        return Status::fail(-EINVAL,
                            "schemes[%zu].goals[%zu].memcg_id is %" PRIu64
                            ": no memory group has this inode number below /sys/fs/cgroup",
                            scheme_idx, goal_idx, goal.memcg_id);
    }
    return {};
}

Status SystemMetrics::validate_destinations(const SchemeParams& scheme, size_t scheme_idx) {
    const bool migrates = scheme.action == DamosAction::kMigrateHot || scheme.action == DamosAction::kMigrateCold;
    uint64_t total = 0;
    uint64_t free = 0;
    if (!migrates) return {};
    if (scheme.migrate_dests.empty() && !node_total(scheme.target_nid, total, free)) {
        return Status::fail(
            -EINVAL, "schemes[%zu].target_nid is %d: this machine has no such node; its nodes are counted from 0",
            scheme_idx, scheme.target_nid);
    }
    for (size_t i = 0; i < scheme.migrate_dests.size(); ++i) {
        const MigrateDest& dest = scheme.migrate_dests[i];
        if (dest.weight == 0 || node_total(static_cast<int32_t>(dest.nid), total, free)) continue;
        return Status::fail(-EINVAL,
                            "schemes[%zu].migrate_dests[%zu].nid is %u: this machine has no such node; its nodes are "
                            "counted from 0",
                            scheme_idx, i, dest.nid);
    }
    return {};
}

// A filter that allows a group alone which is not there.
Status SystemMetrics::validate_groups(const SchemeParams& scheme, size_t scheme_idx) const {
    for (size_t i = 0; i < scheme.ops_filters.size(); ++i) {
        const DamosFilter& filter = scheme.ops_filters[i];
        const bool allows_it = filter.type == FilterType::kMemcg && filter.matching && filter.allow;
        if (!allows_it || group_exists(filter.memcg_id)) continue;
        return Status::fail(-EINVAL,
                            "schemes[%zu].ops_filters[%zu].memcg_id is %" PRIu64
                            ": no memory group has this inode number below /sys/fs/cgroup",
                            scheme_idx, i, filter.memcg_id);
    }
    return {};
}

Status SystemMetrics::validate(const Params& params) {
    MemcgRoom room;
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const SchemeParams& scheme = params.schemes[i];
        if (scheme.wmarks.metric == WatermarkMetric::kOwnMemcgFreeRate && own_memcg_room(root_, room) != 0) {
            return Status::fail(
                -EOPNOTSUPP,
                "schemes[%zu].wmarks.metric is DAMOS_WMARK_OWN_MEMCG_FREE_RATE: no limit is set on this "
                "process's memory group; DAMOS_WMARK_FREE_MEM_RATE follows the whole machine",
                i);
        }
        Status status = validate_destinations(scheme, i);
        if (status.ok()) status = validate_groups(scheme, i);
        for (size_t j = 0; status.ok() && j < scheme.goals.size(); ++j) status = validate_goal(scheme.goals[j], i, j);
        if (!status.ok()) return status;
    }
    return {};
}

}  // namespace damon
