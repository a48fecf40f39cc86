// The part of a plan that is about schemes.
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "ops/offload/offload_plan.h"
#include "ops/offload/offload_text.h"

namespace damon {
namespace {

constexpr size_t kGroupPathBytes = 2048;

// Writes one scheme; remembers the first failure.
class SchemePlanner {
public:
    SchemePlanner(size_t scheme_idx, const PlanFacts& facts, WritePlan& plan)
        : scheme_idx_(scheme_idx), facts_(facts), plan_(plan) {}

    Status plan(const SchemeParams& scheme) {
        plan_.text(in(""), "action", kernel_word(scheme.action));
        plan_.number_or(in(""), "apply_interval_us", scheme.apply_interval_us);
        if (scheme.target_nid != -1) plan_.number(in(""), "target_nid", static_cast<uint64_t>(scheme.target_nid));
        plan_.number_or(in("stats/"), "max_nr_snapshots", scheme.max_nr_snapshots);
        pattern(scheme.pattern);
        quota(scheme);
        watermarks(scheme.wmarks);
        goals(scheme.goals.span());
        filters(scheme);
        dests(scheme.migrate_dests.span());
        return status_;
    }

private:
    // A folder of the scheme's; valid until the next call.
    const char* in(const char* folder) {
        snprintf(folder_, sizeof folder_, "%sschemes/%zu/%s", kContextFolder, scheme_idx_, folder);
        return folder_;
    }
    const char* in(const char* folder, size_t index) {
        snprintf(folder_, sizeof folder_, "%sschemes/%zu/%s%zu/", kContextFolder, scheme_idx_, folder, index);
        return folder_;
    }

    void bounds(const char* folder, uint64_t min, uint64_t max) {
        plan_.number(in(folder), "min", min);
        plan_.number(in(folder), "max", max);
    }

    void pattern(const AccessPattern& pattern) {
        bounds("access_pattern/sz/", pattern.min_sz, pattern.max_sz);
        bounds("access_pattern/nr_accesses/", pattern.min_nr_accesses, pattern.max_nr_accesses);
        bounds("access_pattern/age/", pattern.min_age, pattern.max_age);
    }

    void quota(const SchemeParams& scheme) {
        const QuotaParams& quota = scheme.quota;
        const char* folder = in("quotas/");
        plan_.number(folder, "ms", quota.ms);
        plan_.number(folder, "bytes", quota.sz);
        plan_.number(folder, "reset_interval_ms", quota.reset_interval_ms);
        plan_.text(folder, "goal_tuner", kernel_word(quota.goal_tuner), quota.goal_tuner == GoalTuner::kConsist);
        plan_.number_or(folder, "fail_charge_num", quota.fail_charge_num);
        plan_.number_or(folder, "fail_charge_denom", quota.fail_charge_denom);
        folder = in("quotas/weights/");
        plan_.number(folder, "sz_permil", quota.weight_sz);
        plan_.number(folder, "nr_accesses_permil", quota.weight_nr_accesses);
        plan_.number(folder, "age_permil", quota.weight_age);
    }

    void watermarks(const Watermarks& wmarks) {
        const char* folder = in("watermarks/");
        plan_.text(folder, "metric", kernel_word(wmarks.metric));
        plan_.number(folder, "interval_us", wmarks.interval_us);
        plan_.number(folder, "high", wmarks.high);
        plan_.number(folder, "mid", wmarks.mid);
        plan_.number(folder, "low", wmarks.low);
    }

    void goals(std::span<const QuotaGoal> goals) {
        plan_.number_or(in("quotas/goals/"), "nr_goals", goals.size());
        for (size_t i = 0; i < goals.size(); ++i) {
            const QuotaGoal& goal = goals[i];
            const char* folder = in("quotas/goals/", i);
            plan_.text(folder, "target_metric", kernel_word(goal.metric), goal.metric == QuotaMetric::kUserInput);
            plan_.number(folder, "target_value", goal.target_value);
            plan_.number(folder, "current_value", goal.current_value);
            if (goal.nid >= 0) plan_.number_or(folder, "nid", static_cast<uint64_t>(goal.nid));
            const bool of_group =
                goal.metric == QuotaMetric::kNodeMemcgUsedBp || goal.metric == QuotaMetric::kNodeMemcgFreeBp;
            if (of_group) group(folder, "path", goal.memcg_id);
        }
    }

    void filters(const SchemeParams& scheme) {
        const size_t nr_core = scheme.core_filters.size();
        const size_t nr_ops = scheme.ops_filters.size();
        if (facts_.layered_filters) {
            layer("core_filters/", scheme.core_filters.span(), 0);
            layer("ops_filters/", scheme.ops_filters.span(), 0);
        } else {
            // One list, in the order in which the layers are asked.
            plan_.number(in("filters/"), "nr_filters", nr_core + nr_ops);
            for (size_t i = 0; i < nr_core; ++i) filter(in("filters/", i), scheme.core_filters[i]);
            for (size_t i = 0; i < nr_ops; ++i) filter(in("filters/", nr_core + i), scheme.ops_filters[i]);
        }
    }

    void layer(const char* name, std::span<const DamosFilter> filters, size_t first) {
        plan_.number(in(name), "nr_filters", filters.size());
        for (size_t i = 0; i < filters.size(); ++i) filter(in(name, first + i), filters[i]);
    }

    void filter(const char* folder, const DamosFilter& filter) {
        plan_.text(folder, "type", kernel_word(filter.type));
        plan_.text(folder, "matching", filter.matching ? "Y" : "N");
        plan_.flag(folder, "allow", filter.allow);
        if (filter.type == FilterType::kMemcg) group(folder, "memcg_path", filter.memcg_id);
        if (filter.type == FilterType::kTarget) plan_.number(folder, "damon_target_idx", filter.target_idx);
        if (filter.type == FilterType::kAddr) {
            plan_.number(folder, "addr_start", filter.range.start);
            plan_.number(folder, "addr_end", filter.range.end);
        }
        if (filter.type == FilterType::kHugepageSize) {
            plan_.number(folder, "min", filter.range.start);
            plan_.number(folder, "max", filter.range.end);
        }
    }

    void group(const char* folder, const char* name, uint64_t memcg_id) {
        char path[kGroupPathBytes];
        if (facts_.memcg_path == nullptr || !facts_.memcg_path(memcg_id, path, sizeof path)) {
            status_ = Status::fail(-ENOENT, "schemes[%zu]: there is no memory cgroup with memcg_id %" PRIu64,
                                   scheme_idx_, memcg_id);
            return;
        }
        plan_.text(folder, name, path);
    }

    void dests(std::span<const MigrateDest> dests) {
        plan_.number_or(in("dests/"), "nr_dests", dests.size());
        for (size_t i = 0; i < dests.size(); ++i) {
            plan_.number(in("dests/", i), "id", dests[i].nid);
            plan_.number(in("dests/", i), "weight", dests[i].weight);
        }
    }

    const size_t scheme_idx_;
    const PlanFacts& facts_;
    WritePlan& plan_;
    Status status_;
    char folder_[kFolderBytes];
};

// The library's own schemes must not keep the monitor awake that all others let sleep (L-23).
Watermarks common_watermarks(std::span<const SchemeParams> schemes) {
    if (schemes.empty()) return {};
    for (const SchemeParams& scheme : schemes) {
        if (!(scheme.wmarks == schemes[0].wmarks)) return {};
    }
    return schemes[0].wmarks;
}

}  // namespace

void scheme_folder(size_t scheme_idx, char (&folder)[kFolderBytes]) {
    snprintf(folder, sizeof folder, "%sschemes/%zu/", kContextFolder, scheme_idx);
}

bool plan_ages(const Params& params, uint64_t aggr_us, WritePlan& plan) {
    bool any = false;
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        if (params.schemes[i].min_age_us == 0) continue;
        char folder[kFolderBytes];
        snprintf(folder, sizeof folder, "%sschemes/%zu/access_pattern/age/", kContextFolder, i);
        plan.number(folder, "min", params.schemes[i].min_age(aggr_us));
        any = true;
    }
    return any;
}

Status plan_schemes(const Params& params, const PlanFacts& facts, WritePlan& plan) {
    const size_t nr_given = params.schemes.size();
    const size_t nr_own = nr_own_schemes(params);
    plan.number("contexts/0/schemes/", "nr_schemes", nr_given + nr_own);
    for (size_t i = 0; i < nr_given; ++i) {
        SchemeParams scheme;
        if (!scheme.copy_from(params.schemes[i])) return Status::fail(-ENOMEM, "no memory for a scheme");
        scheme.derive_age(params.attrs.aggr_us);
        if (Status status = SchemePlanner(i, facts, plan).plan(scheme); !status.ok()) return status;
    }
    for (size_t i = 0; i < nr_own; ++i) {
        SchemeParams own;
        own.wmarks = common_watermarks(params.schemes.span());
        // Rejecting the others needs no "allow", which older kernels do not have.
        DamosFilter others;
        others.type = FilterType::kTarget;
        others.target_idx = static_cast<uint32_t>(i);
        if (nr_own > 1 && !own.core_filters.push_back(others)) return Status::fail(-ENOMEM, "no memory for a scheme");
        if (Status status = SchemePlanner(nr_given + i, facts, plan).plan(own); !status.ok()) return status;
    }
    return {};
}

}  // namespace damon
