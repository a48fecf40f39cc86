// What an apply pass works on: the engine's members, lent for one call, and what every part of the pass does with them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/monitor/cadence.h"
#include "engine/monitor/moving_sum.h"
#include "engine/monitor/pass_evidence.h"
#include "engine/monitor/region_info.h"
#include "engine/monitor/region_list.h"
#include "engine/schemes/scheme_state.h"
#include "model/action.h"
#include "model/attrs.h"
#include "model/ops_traits.h"
#include "model/scheme.h"
#include "model/snapshot.h"

namespace damon {

struct ApplyContext {
    RegionList& regions;
    std::span<const SchemeParams> schemes;
    std::span<SchemeState> states;  // parallel to schemes
    const Attrs& attrs;
    const Cadence& cadence;
    const OpsTraits& traits;
    uint64_t min_region_sz;
    const PassEvidence& passes;
    MovingWindow window{attrs, cadence};  // the same for a whole pass

    // What the deadline of the scheme counts in.
    uint64_t ticks_for(uint32_t scheme_idx) const { return damon::ticks_for(schemes[scheme_idx], cadence); }
};

// One region and one scheme.
struct ApplyCursor {
    uint32_t target = 0;
    uint32_t scheme = 0;
    size_t region = 0;  // of the target
    bool operator==(const ApplyCursor&) const = default;
};

// The region as schemes see it. Where only attributes are monitored (P-4) nobody tries to see accesses, and a region is
// not held back for it (P-5).
inline RegionInfo region_under(const ApplyContext& context, const ApplyCursor& cursor) {
    RegionInfo info = describe_region(context.regions.at(cursor.target, cursor.region), cursor.target, context.window);
    if (context.cadence.latched_attributes_only) {
        info.flags = 0;
    } else if (!context.passes.empty()) {
        add_pass_evidence(context.passes, context.attrs.aggr_us, info);
    }
    return info;
}

// Runs the core filters on the region under the cursor, whose range is `range`, cutting it where an address filter ends
// inside (S-34): the cursor stays on the left part. Out of region capacity counts as rejected.
struct FilterVerdict {
    bool accepted = false;
    bool by_filter = false;  // a filter decided, not the layer's default (S-31)
    bool cut = false;
};
FilterVerdict run_core_filters(const ApplyContext& context, const ApplyCursor& cursor, AddressRange range);

// Whether the scheme's regions are ranked: a quota is set and the ops have scores (S-2, S-26 (4)).
bool is_ranked(const ApplyContext& context, uint32_t scheme_idx);

// For ops whose scores the engine computes itself.
uint32_t builtin_score(const ApplyContext& context, uint32_t scheme_idx, const RegionInfo& region);

// To apply the scheme under the cursor to `region`, the one under it.
ActionRequest make_request(const ApplyContext& context, const ApplyCursor& cursor, const RegionInfo& region,
                           bool by_filter);

}  // namespace damon
