// How many regions memory is taken for before a run, so that none is taken during it.
#pragma once

#include <cstddef>

#include "base/arithmetic.h"
#include "model/params.h"

namespace damon {

// Regions that a run with these parameters may have at once.
//
// Merging leaves at most max_nr_regions where neighbours are alike. Where it does not, every pair of neighbours is
// larger than L together, so that there are two for each of min_nr_regions and each given range; cutting to L (M-22)
// adds min_nr_regions again, and the random splits stay below max_nr_regions (I-5). Twice max_nr_regions, which is
// at least min_nr_regions, covers both with room for the cuts of schemes; min_nr_regions and the given ranges come on
// top. The slack is for tiny limits: three ranges a target (M-2), holes that coverage updates fill, and for each
// scheme its quota and resume cuts and both ends of its address filters, in every target, before they are merged again.
// Where even that runs out, a cut does not happen: the rules' allocation failure.
inline size_t region_capacity_for(const Params& params) {
    constexpr uint64_t kSlack = 64;
    constexpr uint64_t kSlackPerTarget = 8;
    uint64_t cuts_per_target = kSlackPerTarget;
    for (const SchemeParams& scheme : params.schemes) cuts_per_target += 2 + 2 * scheme.core_filters.size();
    uint64_t capacity = saturating_mul(2, params.attrs.max_nr_regions);
    capacity = saturating_add(capacity, params.attrs.min_nr_regions);
    capacity = saturating_add(capacity, saturating_mul(cuts_per_target, params.targets.size()));
    for (const TargetParams& target : params.targets) capacity = saturating_add(capacity, target.ranges.size());
    return saturating_add(capacity, kSlack);
}

}  // namespace damon
