// The part of a plan that is about probes.
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "ops/offload/offload_plan.h"
#include "ops/offload/offload_text.h"

namespace damon {
namespace {

constexpr size_t kGroupPathBytes = 2048;
constexpr const char* kProbesFolder = "contexts/0/monitoring_attrs/probes/";

}  // namespace

Status plan_probes(const Params& params, const PlanFacts& facts, WritePlan& plan) {
    plan.number_or(kProbesFolder, "nr_probes", params.probes.size());
    for (size_t i = 0; i < params.probes.size(); ++i) {
        const ProbeParams& probe = params.probes[i];
        char folder[kFolderBytes];
        snprintf(folder, sizeof folder, "%s%zu/", kProbesFolder, i);
        plan.number_or(folder, "weight", probe.weight);
        snprintf(folder, sizeof folder, "%s%zu/filters/", kProbesFolder, i);
        plan.number(folder, "nr_filters", probe.filters.size());
        for (size_t j = 0; j < probe.filters.size(); ++j) {
            const ProbeFilter& filter = probe.filters[j];
            snprintf(folder, sizeof folder, "%s%zu/filters/%zu/", kProbesFolder, i, j);
            plan.text(folder, "type", kernel_word(filter.type));
            plan.text(folder, "matching", filter.matching ? "Y" : "N");
            plan.text(folder, "allow", filter.allow ? "Y" : "N");
            if (filter.type != ProbeFilterType::kMemcg) continue;
            char path[kGroupPathBytes];
            if (facts.memcg_path == nullptr || !facts.memcg_path(filter.memcg_id, path, sizeof path)) {
                return Status::fail(-ENOENT, "probes[%zu]: there is no memory cgroup with memcg_id %" PRIu64, i,
                                    filter.memcg_id);
            }
            plan.text(folder, "path", path);
        }
    }
    return {};
}

}  // namespace damon
