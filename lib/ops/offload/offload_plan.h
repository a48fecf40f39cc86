// From the parameters of a context to the files of the kernel's DAMON: pure.
//
// The schemes of the context come first, at their own positions; behind them comes one scheme of the library's for each
// target, which does nothing (STAT) and matches everything, so that its tried regions are the target's regions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "model/params.h"
#include "ops/offload/write_plan.h"

namespace damon {

// What the plan depends on besides the parameters.
struct PlanFacts {
    int32_t own_pid = 0;          // of this process, for targets that name none
    bool layered_filters = true;  // schemes have core_filters/ and ops_filters/, not only filters/
    bool paused = false;
    bool given = false;       // targets were given ranges before, which a commit without ranges keeps
    bool running = false;     // a commit: targets without ranges keep the regions that they have
    AddressRange physical{};  // all memory, in bytes, for physical targets without ranges; empty: not known
    // The path of a memory cgroup below the root of its hierarchy, terminated. False: there is no such group.
    bool (*memcg_path)(uint64_t memcg_id, char* path, size_t bytes) = nullptr;
};

inline constexpr const char* kContextFolder = "contexts/0/";
inline constexpr size_t kFolderBytes = 96;

// Whether any target has ranges of its own.
bool gives_ranges(const Params& params);
// Targets that are there after a commit.
size_t nr_lasting_targets(const Params& params);
// The library's own schemes: at least one.
size_t nr_own_schemes(const Params& params);

// "contexts/0/schemes/N/".
void scheme_folder(size_t scheme_idx, char (&folder)[kFolderBytes]);

// Refuses what no kernel has a file for, naming the field. Without effect.
Status check_kernel_params(const Params& params, uint64_t page_bytes);

// All files, for a start and for a commit. -ENOMEM, or a field that cannot be expressed here and now.
Status plan_context(const Params& params, const PlanFacts& facts, WritePlan& plan);
// The schemes among them, with their number.
Status plan_schemes(const Params& params, const PlanFacts& facts, WritePlan& plan);
// The probes, with their number.
Status plan_probes(const Params& params, const PlanFacts& facts, WritePlan& plan);
// What freezes (or resumes) and leaves the learned regions alone: given ranges would be installed anew.
void plan_pause(const Params& params, bool pause, WritePlan& plan);

// The ages that are given as time, in windows of `aggr_us`. False: there are none, nothing was added.
bool plan_ages(const Params& params, uint64_t aggr_us, WritePlan& plan);

}  // namespace damon
