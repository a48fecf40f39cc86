// The apply pass of the naive engine (5.1, 5.3, 5.4, 5.7).
#include <algorithm>
#include <iterator>

#include "base/arithmetic.h"
#include "model/snapshot.h"
#include "support/naive_engine.h"

namespace damon::test {

void NaiveScheme::set_filter_defaults() {
    ops_default_reject = !params.ops_filters.empty() && params.ops_filters.back().allow;
    core_default_reject =
        params.ops_filters.empty() && !params.core_filters.empty() && params.core_filters.back().allow;
}

uint64_t NaiveEngine::apply_interval_us(const NaiveScheme& scheme) const {
    return scheme.params.apply_interval_us == 0 ? attrs_.aggr_us : scheme.params.apply_interval_us;
}

// an interval that is given as time goes by the clock, that of the windows by windows.
uint64_t NaiveEngine::now_of(const SchemeParams& scheme) const {
    return scheme.apply_interval_us == 0 ? tick_ : clock_;
}

bool NaiveEngine::due(const NaiveScheme& scheme) const {
    return tick_reached(now_of(scheme.params), scheme.next_apply);
}

// --- which regions (S-1, S-2) --------------------------------------------------------------------------------------

// P-4: where nobody asks for accesses, that they are unknown is no reason to leave memory alone.
NaiveView NaiveEngine::view_of_schemes(const NaiveRegion& region) const {
    if (!latched_attributes_only_) return view(region);
    NaiveView plain;
    plain.nr_accesses = moving_sum(region);
    plain.age = region.age;
    plain.age_us = region.age_us;
    return plain;
}

// Beyond the rules: memory that nobody could look at is no candidate for anything but counting, and huge pages for
// being split.
bool NaiveEngine::matches_pattern(const NaiveScheme& scheme, const NaiveRegion& region) const {
    const NaiveView seen = view_of_schemes(region);
    const bool unknown = (seen.flags & kRegionUnknown) != 0;
    const bool to_split = scheme.params.action == DamosAction::kNohugepage && seen.reason == Unknown::kHugePage;
    if (unknown && scheme.params.action != DamosAction::kStat && !to_split) return false;
    const AccessPattern& pattern = scheme.params.pattern;
    const uint32_t accesses = seen.nr_accesses;
    return pattern.min_sz <= region.size() && region.size() <= pattern.max_sz && pattern.min_nr_accesses <= accesses &&
           accesses <= pattern.max_nr_accesses && seen.age <= pattern.max_age &&
           (scheme.params.min_age_us != 0 ? seen.age_us >= scheme.params.min_age_us : seen.age >= pattern.min_age);
}

// S-38: what an action that is for unused memory must leave alone.
int NaiveEngine::spares(const NaiveScheme& scheme, const NaiveRegion& region) const {
    if ((view_of_schemes(region).flags & kRegionReferenced) != 0) return 0;  // M-37
    switch (scheme.params.action) {
        case DamosAction::kPageout:
        case DamosAction::kCold:
        case DamosAction::kLruDeprio:
        case DamosAction::kMigrateCold:
            if (latched_attributes_only_) return 0;
            return scheme.params.flags == 0 ? 2 : 1;
        default:
            return 0;
    }
}

bool NaiveEngine::reads_unseen(const NaiveScheme& scheme, const NaiveRegion& region) const {
    return spares(scheme, region) == 2 && (view_of_schemes(region).flags & kRegionWritesOnly) != 0;
}

NaiveRequest NaiveEngine::request_for(size_t target_idx, const NaiveScheme& scheme, const NaiveRegion& region) const {
    NaiveRequest request;
    request.target_idx = target_idx;
    request.scheme_idx = scheme.index;
    request.range = {region.start, region.end};
    const NaiveView seen = view_of_schemes(region);
    request.nr_accesses = seen.nr_accesses;
    request.age = seen.age;
    request.age_us = seen.age_us;
    request.region_flags = seen.flags;
    request.core_filters_allowed = scheme.core_filters_allowed;
    request.ops_default_reject = scheme.ops_default_reject;
    request.spare = spares(scheme, region);
    return request;
}

// The table of 5.2: unsupported actions of a back-end rank 99 like those without an order.
uint32_t NaiveEngine::score_for(const NaiveRequest& request, const NaiveScheme& scheme, const NaiveWorld& world) const {
    if (traits_.score == ScoreSource::kAsk) return std::min<uint32_t>(world.score(request), 99);
    const uint32_t hot =
        naive_hot_score(request.nr_accesses, request.age_us, attrs_.max_nr_accesses(), scheme.params.quota);
    const bool physical = traits_.score == ScoreSource::kPhysical;
    switch (scheme.params.action) {
        case DamosAction::kPageout:
        case DamosAction::kMigrateCold:
            return 99 - hot;
        case DamosAction::kMigrateHot:
            return hot;
        case DamosAction::kLruPrio:
            return physical ? hot : 99;
        case DamosAction::kLruDeprio:
            return physical ? 99 - hot : 99;
        default:
            return 99;
    }
}

bool NaiveEngine::may_act(size_t target_idx, const NaiveScheme& scheme, const NaiveRegion& region,
                          const NaiveWorld& world) const {
    if (!matches_pattern(scheme, region)) return false;
    if (!traits_.obeys_unseen_rule && reads_unseen(scheme, region)) return false;
    if (!scheme.quota_is_set() || traits_.score == ScoreSource::kNone) return true;
    return score_for(request_for(target_idx, scheme, region), scheme, world) >= scheme.min_score;
}

// --- filters (S-30 to S-35) ------------------------------------------------------------------------------------------

bool NaiveEngine::split_at(NaiveRegions& regions, RegionIterator region, uint64_t left_size) {
    if (nr_regions() >= region_capacity_) return false;
    naive_split(regions, region, left_size);
    return true;
}

bool NaiveEngine::core_filters_reject(size_t target_idx, NaiveScheme& scheme, RegionIterator region) {
    NaiveRegions& regions = targets_[target_idx].regions;
    scheme.core_filters_allowed = false;
    for (const DamosFilter& filter : scheme.params.core_filters) {
        bool holds = false;
        if (filter.type == FilterType::kTarget) {
            holds = filter.target_idx == target_idx;
        } else {
            const AddressRange range{align_down(filter.range.start, min_region_sz_),
                                     align_down(filter.range.end, min_region_sz_)};
            if (range.start <= region->start && region->end <= range.end) {
                holds = true;
            } else if (region->end <= range.start || range.end <= region->start) {
                holds = false;
            } else if (region->start < range.start) {
                if (!split_at(regions, region, range.start - region->start)) return true;
                holds = false;
            } else {
                if (!split_at(regions, region, range.end - region->start)) return true;
                holds = true;
            }
        }
        if (holds == filter.matching) {
            scheme.core_filters_allowed = filter.allow;
            return !filter.allow;
        }
    }
    return scheme.core_default_reject;
}

// --- charge windows that go on (S-24)
// ----------------------------------------------------------------------------------

bool NaiveEngine::skip_charged(size_t target_idx, NaiveScheme& scheme, RegionIterator region) {
    if (!scheme.resume) return false;
    if (scheme.resume->target_idx != target_idx) return true;
    NaiveRegions& regions = targets_[target_idx].regions;
    const uint64_t addr = scheme.resume->addr;
    bool skip = false;
    if (addr != 0 && region->end <= addr) {
        skip = true;
    } else if (addr != 0 && region->start < addr) {
        skip = true;
        uint64_t charged = align_down(addr - region->start, min_region_sz_);
        if (charged == 0 && region->size() > min_region_sz_) charged = min_region_sz_;
        // What is left starts the window, also where the point itself lay inside a smallest region.
        if (charged != 0 && split_at(regions, region, charged)) scheme.resume->addr = region->end;
    }
    if (std::next(region) == regions.end()) scheme.resume.reset();
    return skip;
}

// nothing that a window could resume at.
bool NaiveEngine::nothing_follows(size_t target_idx, RegionIterator region) {
    if (std::next(region) != targets_[target_idx].regions.end()) return false;
    for (size_t i = target_idx + 1; i < targets_.size(); ++i) {
        if (targets_[i].valid && !targets_[i].regions.empty()) return false;
    }
    return true;
}

// --- one pass (S-10 to S-20)
// ---------------------------------------------------------------------------------------------

void NaiveEngine::act(size_t target_idx, NaiveScheme& scheme, RegionIterator region, const NaiveWorld& world) {
    NaiveRegions& regions = targets_[target_idx].regions;
    uint64_t size = region->size();
    Outcome outcome;
    bool failed_split = false;
    bool nothing_tried = false;
    bool stays_as_old = false;
    if (traits_.has_apply) {
        if (core_filters_reject(target_idx, scheme, region)) return;  // before the quota: Q-64
        size = region->size();
        if (scheme.quota_is_set() && scheme.charged_sz + size > scheme.esz) {
            size = align_down(scheme.esz - scheme.charged_sz, min_region_sz_);
            failed_split = size == 0 || !split_at(regions, region, size);
        }
        if (!failed_split) {
            outcome = world.apply(request_for(target_idx, scheme, *region));
            nothing_tried = outcome.spared >= size && outcome.spared != 0;
            stays_as_old = outcome.unseen >= size && outcome.unseen != 0;
            size -= std::min(size, outcome.spared);
        }
        if (!failed_split && !nothing_tried) {
            scheme.add_history(0, outcome.elapsed_ns);
            scheme.charge(size, outcome.applied);
            if (scheme.quota_is_full(min_region_sz_) && !nothing_follows(target_idx, region)) {
                scheme.resume = NaiveResumePoint{target_idx, region->end};
            }
        }
    }
    if (!failed_split) {
        scheme.acted_until = region->end;
        if (scheme.params.action != DamosAction::kStat && !stays_as_old) region->age_us = region->age = 0;
    }
    if (nothing_tried) return;
    ++scheme.stats.nr_tried;
    scheme.stats.sz_tried = saturating_add(scheme.stats.sz_tried, size);
    scheme.stats.nr_applied += outcome.applied != 0;
    scheme.stats.sz_applied = saturating_add(scheme.stats.sz_applied, outcome.applied);
    scheme.stats.sz_ops_filter_passed = saturating_add(scheme.stats.sz_ops_filter_passed, outcome.filter_passed);
}

// S-12 for one region and every scheme.
void NaiveEngine::visit(size_t target_idx, RegionIterator region, const NaiveWorld& world) {
    for (NaiveScheme& scheme : schemes_) {
        if (!due(scheme) || !scheme.activated || scheme.quota_is_full(min_region_sz_)) continue;
        if (skip_charged(target_idx, scheme, region)) continue;
        if (scheme.params.max_nr_snapshots != 0 && scheme.params.max_nr_snapshots <= scheme.stats.nr_snapshots)
            continue;
        if (region->start < scheme.acted_until) continue;  // I-9
        if (may_act(target_idx, scheme, *region, world)) act(target_idx, scheme, region, world);
    }
}

// S-19 with Q-56; beyond the rules, memory that was looked at does not join memory that was not. Returns the region
// that the walk goes on after.
NaiveEngine::RegionIterator NaiveEngine::merge_after_apply(NaiveRegions& regions, RegionIterator region,
                                                           uint64_t size_limit) const {
    if (region == regions.begin()) return region;
    const auto previous = std::prev(region);
    const unsigned answered_differ =
        ((previous->evidence ^ region->evidence) | (previous->last_evidence ^ region->last_evidence)) & 1u;
    const bool alike = previous->end == region->start && previous->age == region->age &&
                       previous->last_nr_accesses == region->last_nr_accesses &&
                       previous->nr_accesses == region->nr_accesses && previous->probe_hits == region->probe_hits &&
                       previous->last_probe_hits == region->last_probe_hits && answered_differ == 0 &&
                       previous->unanswered == region->unanswered && passes_alike_around(region->start);
    if (!alike || region->end - previous->start > size_limit) return region;
    return naive_merge_left(regions, region);
}

bool NaiveEngine::apply(uint64_t now_us, const NaiveWorld& world) {
    bool any = false;
    for (NaiveScheme& scheme : schemes_) {
        if (!due(scheme) || !scheme.activated) continue;
        any = true;
        adjust_quota(scheme, now_us, world);
    }
    if (!any) return false;

    bool is_snapshot = false;
    try {
        is_snapshot = visit_all(world);
    } catch (const PassCancelled&) {
    }
    for (NaiveScheme& scheme : schemes_) {
        if (!due(scheme)) continue;
        const uint64_t most = scheme.params.max_nr_snapshots;
        const bool below_limit = most == 0 || scheme.stats.nr_snapshots < most;
        if (is_snapshot && scheme.activated && below_limit) ++scheme.stats.nr_snapshots;
        scheme.next_apply = now_of(scheme.params) + apply_interval_us(scheme) / attrs_.divisor_us();
    }
    return true;
}

// S-11. False: there was no region to see.
bool NaiveEngine::visit_all(const NaiveWorld& world) {
    bool saw_a_region = false;
    const uint64_t size_limit = total_size_limit();
    for (size_t i = 0; i < targets_.size(); ++i) {
        NaiveRegions& regions = targets_[i].regions;
        // A target that lost its last region is like one that is not valid: nothing there could end the skipping.
        const bool gone = !targets_[i].valid || regions.empty();
        for (NaiveScheme& scheme : schemes_) {
            scheme.acted_until = 0;
            if (gone && scheme.resume && scheme.resume->target_idx == i) scheme.resume.reset();
        }
        if (!targets_[i].valid) continue;
        for (auto region = regions.begin(); region != regions.end(); ++region) {
            saw_a_region = true;
            visit(i, region, world);
            region = merge_after_apply(regions, region, size_limit);
        }
    }
    return saw_a_region;
}

// --- watermarks (S-29, L-22)
// ---------------------------------------------------------------------------------------------

uint64_t NaiveEngine::watermark_wait_us(int32_t free_permil) {
    uint64_t wait = schemes_.empty() ? 0 : kU64Max;
    for (NaiveScheme& scheme : schemes_) {
        const Watermarks& marks = scheme.params.wmarks;
        uint64_t own = 0;
        if (marks.metric == WatermarkMetric::kFreeMemRate && free_permil < 0 && !scheme.activated) {
            own = marks.interval_us;
        } else if (marks.metric == WatermarkMetric::kFreeMemRate && free_permil >= 0) {
            const auto value = static_cast<uint32_t>(free_permil);
            if (value > marks.high || value < marks.low) {
                scheme.activated = false;
            } else if (scheme.activated || value < marks.mid) {
                scheme.activated = true;
            }
            if (!scheme.activated) own = marks.interval_us;
        }
        wait = std::min(wait, own);
    }
    return wait;
}

}  // namespace damon::test
