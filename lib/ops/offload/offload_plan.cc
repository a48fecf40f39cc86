#include "ops/offload/offload_plan.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "base/arithmetic.h"
#include "ops/offload/offload_text.h"
#include "ops/ops.h"

namespace damon {
namespace {

// What the kernel's DAMON has by default: it walks all mappings under their lock.
constexpr uint64_t kKernelUpdateUs = 60'000'000;

void plan_attrs(const Attrs& attrs, WritePlan& plan) {
    const char* intervals = "contexts/0/monitoring_attrs/intervals/";
    plan.number(intervals, "sample_us", attrs.sample_us);
    plan.number(intervals, "aggr_us", attrs.aggr_us);
    const bool is_default = attrs.ops_update_us == Attrs().ops_update_us;
    plan.number(intervals, "update_us", is_default ? kKernelUpdateUs : attrs.ops_update_us);
    const char* goal = "contexts/0/monitoring_attrs/intervals/intervals_goal/";
    plan.number_or(goal, "access_bp", attrs.intervals_goal.access_bp);
    plan.number_or(goal, "aggrs", attrs.intervals_goal.aggrs);
    plan.number_or(goal, "min_sample_us", attrs.intervals_goal.min_sample_us);
    plan.number_or(goal, "max_sample_us", attrs.intervals_goal.max_sample_us);
    const char* regions = "contexts/0/monitoring_attrs/nr_regions/";
    plan.number(regions, "min", attrs.min_nr_regions);
    plan.number(regions, "max", attrs.max_nr_regions);
}

struct RangePlace {
    size_t target_idx;
    size_t index;
};

void plan_range(RangePlace place, AddressRange range, WritePlan& plan) {
    char folder[kFolderBytes];
    snprintf(folder, sizeof folder, "%stargets/%zu/regions/%zu/", kContextFolder, place.target_idx, place.index);
    plan.number(folder, "start", range.start);
    plan.number(folder, "end", range.end);
}

Status plan_target(const Params& params, size_t target_idx, const PlanFacts& facts, WritePlan& plan) {
    const TargetParams& target = params.targets[target_idx];
    const bool physical = params.ops_id == OpsId::kKernelPaddr;
    char folder[kFolderBytes];
    snprintf(folder, sizeof folder, "%stargets/%zu/", kContextFolder, target_idx);
    if (!physical) {
        plan.number(folder, "pid_target", static_cast<uint64_t>(target.pid == 0 ? facts.own_pid : target.pid));
    }
    plan.flag(folder, "obsolete_target", target.obsolete);
    char regions[kFolderBytes];
    snprintf(regions, sizeof regions, "%stargets/%zu/regions/", kContextFolder, target_idx);
    if (physical && target.ranges.empty() && !facts.running) {
        if (facts.physical.empty()) {
            return Status::fail(-EINVAL, "target %zu has no ranges, and /proc/iomem lists no System RAM", target_idx);
        }
        plan.number(regions, "nr_regions", 1);
        plan_range({target_idx, 0}, {facts.physical.start / params.addr_unit, facts.physical.end / params.addr_unit},
                   plan);
        return {};
    }
    plan.number(regions, "nr_regions", target.ranges.size());
    for (size_t i = 0; i < target.ranges.size(); ++i) plan_range({target_idx, i}, target.ranges[i], plan);
    return {};
}

Status check_fields(const Params& params, uint64_t page_bytes) {
    const bool physical = params.ops_id == OpsId::kKernelPaddr;
    const uint64_t smallest = physical ? std::max<uint64_t>(page_bytes / params.addr_unit, 1) : page_bytes;
    if (params.min_region_sz != smallest) {
        return Status::fail(-EOPNOTSUPP,
                            "min_region_sz is %" PRIu64 ": the kernel's is fixed, %" PRIu64 " with these operations",
                            params.min_region_sz, smallest);
    }
    if (params.access_check != 0) {
        return Status::fail(
            -EOPNOTSUPP, "access check %d: none can be chosen where the kernel monitors, set DAMON_ACCESS_CHECK_AUTO",
            params.access_check);
    }
    if (physical && params.targets.size() > 1) {
        return Status::fail(-EINVAL, "%zu targets: physical memory is one target", params.targets.size());
    }
    return {};
}

// P-1: of the kernel's operations only those on physical memory evaluate probes.
Status check_probes(const Params& params) {
    if (!params.probes.empty() && params.ops_id != OpsId::kKernelPaddr) {
        return Status::fail(-EOPNOTSUPP, "%zu probes: the kernel's look at physical memory only, remove them",
                            params.probes.size());
    }
    for (size_t i = 0; i < params.probes.size(); ++i) {
        for (const ProbeFilter& filter : params.probes[i].filters) {
            if (kernel_word(filter.type) != nullptr) continue;
            return Status::fail(-EOPNOTSUPP, "probes[%zu]: the kernel's DAMON has no probe filter of type %d", i,
                                static_cast<int>(filter.type));
        }
    }
    return {};
}

}  // namespace

bool gives_ranges(const Params& params) {
    for (const TargetParams& target : params.targets) {
        if (!target.ranges.empty()) return true;
    }
    return false;
}

size_t nr_lasting_targets(const Params& params) {
    size_t nr = 0;
    for (const TargetParams& target : params.targets) nr += target.obsolete ? 0 : 1;
    return nr;
}

size_t nr_own_schemes(const Params& params) { return std::max<size_t>(nr_lasting_targets(params), 1); }

Status check_kernel_params(const Params& params, uint64_t page_bytes) {
    if (Status status = check_fields(params, page_bytes); !status.ok()) return status;
    if (Status status = check_probes(params); !status.ok()) return status;
    if (Status status = refuse_own_memcg(params, "the kernel's DAMON does not know it"); !status.ok()) return status;
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const SchemeParams& scheme = params.schemes[i];
        if (kernel_word(scheme.action) == nullptr) {
            return Status::fail(-EOPNOTSUPP,
                                "schemes[%zu].action is DAMOS_CALLBACK: the kernel cannot call the program", i);
        }
        for (const QuotaGoal& goal : scheme.goals) {
            if (goal.metric != QuotaMetric::kNodeEligibleMemBp || params.ops_id == OpsId::kKernelPaddr) continue;
            return Status::fail(-EINVAL, "schemes[%zu]: the goal node_eligible_mem_bp needs physical memory as target",
                                i);
        }
    }
    return {};
}

Status plan_context(const Params& params, const PlanFacts& facts, WritePlan& plan) {
    plan.clear();
    // The kernel's vaddr leaves given ranges at its first update.
    const bool fixed = params.ops_id == OpsId::kKernelVaddr && (facts.given || gives_ranges(params));
    plan.text(kContextFolder, "operations", kernel_word(fixed ? OpsId::kKernelFvaddr : params.ops_id));
    const bool physical = params.ops_id == OpsId::kKernelPaddr;
    plan.number_or(kContextFolder, "addr_unit", physical ? params.addr_unit : 1, 1);
    plan.flag(kContextFolder, "pause", facts.paused);
    plan_attrs(params.attrs, plan);
    if (Status status = plan_probes(params, facts, plan); !status.ok()) return status;
    plan.number("contexts/0/targets/", "nr_targets", params.targets.size());
    for (size_t i = 0; i < params.targets.size(); ++i) {
        if (Status status = plan_target(params, i, facts, plan); !status.ok()) return status;
    }
    if (Status status = plan_schemes(params, facts, plan); !status.ok()) return status;
    return plan.is_whole() ? Status() : Status::fail(-ENOMEM, "no memory for the texts to write");
}

void plan_pause(const Params& params, bool pause, WritePlan& plan) {
    plan.clear();
    plan.flag(kContextFolder, "pause", pause);
    for (size_t i = 0; i < params.targets.size(); ++i) {
        char regions[kFolderBytes];
        snprintf(regions, sizeof regions, "%stargets/%zu/regions/", kContextFolder, i);
        plan.number(regions, "nr_regions", 0);
    }
}

}  // namespace damon
