// The engine as the mirror of a monitor elsewhere.
#include <algorithm>

#include "engine/engine.h"

namespace damon {

bool Engine::mirror(const Observation& seen) {
    walk_.cancel(apply_context());
    planned_ = false;
    if (seen.regions.size() > regions_.capacity() && !reserve_regions(2 * seen.regions.size())) return false;
    for (size_t target = 0; target < regions_.nr_targets(); ++target) regions_.erase_all_of(target);
    for (size_t i = 0; i < seen.regions.size(); ++i) {
        const RegionInfo& info = seen.regions[i];
        if (info.target_idx >= regions_.nr_targets() || info.start >= info.end) continue;
        const size_t index = regions_.nr_regions_of(info.target_idx);
        // What others report is not to be relied on (I-1).
        if (index > 0 && info.start < regions_.at(info.target_idx, index - 1).range.end) continue;
        if (!regions_.insert(info.target_idx, index, {info.start, info.end})) return false;
        Region& region = regions_.at(info.target_idx, index);
        region.nr_accesses = region.last_nr_accesses = info.nr_accesses;
        region.age = info.age;
        region.age_us = saturating_mul(info.age, seen.aggr_us);
        region.idle_us = info.nr_accesses != 0 ? 0 : saturating_add(region.age_us, seen.aggr_us);
        if (i < seen.hits.size()) std::ranges::copy(seen.hits[i].hits, region.probe_hits);
        region.evidence = region.last_evidence = kEvidenceAnswered;
    }
    Attrs attrs = params_.attrs;
    attrs.sample_us = seen.sample_us;
    attrs.aggr_us = seen.aggr_us;
    // Not change_attrs: the counts are those of the new intervals already.
    cadence_.change_attrs(params_.attrs, attrs);
    params_.attrs = attrs;
    cadence_.window_us = seen.aggr_us;
    for (SchemeParams& scheme : params_.schemes) scheme.derive_age(attrs.aggr_us);
    for (size_t i = 0; i < schemes_.size() && i < seen.schemes.size(); ++i) {
        schemes_[i].stats += seen.schemes[i].more;
        schemes_[i].quota.esz = seen.schemes[i].esz;
    }
    DAMON_CHECK(is_valid());
    return true;
}

}  // namespace damon
