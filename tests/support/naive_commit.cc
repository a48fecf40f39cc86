// Parameters of the naive engine: checks, start and stop, commits, changes of attributes.
#include <algorithm>
#include <bit>
#include <iterator>
#include <stdexcept>

#include "base/arithmetic.h"
#include "support/naive_engine.h"

namespace damon::test {
namespace {

template <typename T>
T deep_copy(const T& value) {
    T copy;
    if (!copy.copy_from(value)) throw std::bad_alloc();
    return copy;
}

bool acceptable_attrs(const Attrs& attrs) {
    const IntervalsGoal& goal = attrs.intervals_goal;
    if (goal.aggrs != 0) {
        if (goal.access_bp < 1 || goal.access_bp > 10'000) return false;
        if (goal.min_sample_us > goal.max_sample_us) return false;
        if (attrs.sample_us < goal.min_sample_us || attrs.sample_us > goal.max_sample_us) return false;
    }
    return attrs.max_nr_regions <= 1u << 30 && attrs.min_nr_regions >= 3 &&
           attrs.min_nr_regions <= attrs.max_nr_regions && attrs.sample_us <= attrs.aggr_us;
}

bool acceptable_probes(const Params& params, const OpsTraits& traits) {
    if (params.probes.size() > kMaxProbes) return false;
    uint64_t sum = 0;
    for (const ProbeParams& probe : params.probes) {
        sum = saturating_add(sum, saturating_mul(probe.weight, params.attrs.max_nr_accesses()));
    }
    if (sum == 0) return true;
    return traits.has_probes && params.attrs.aggr_samples() <= 255 && sum <= kU32Max;
}

template <typename Enum>
bool known(Enum value, int32_t count) {
    return static_cast<int32_t>(value) >= 0 && static_cast<int32_t>(value) < count;
}

bool acceptable_filters(const SchemeParams& scheme) {
    for (const DamosFilter& filter : scheme.core_filters) {
        if (!known(filter.type, kNrFilterTypes) || !filter.core()) return false;
        if (filter.type == FilterType::kAddr && filter.range.start > filter.range.end) return false;  // O-9
    }
    for (const DamosFilter& filter : scheme.ops_filters) {
        if (!known(filter.type, kNrFilterTypes) || filter.core()) return false;
        if (filter.type == FilterType::kHugepageSize && filter.range.start > filter.range.end) return false;
    }
    return true;
}

bool acceptable_scheme(const SchemeParams& scheme, const OpsTraits& traits, const Attrs& attrs) {
    if (!known(scheme.action, kNrDamosActions) || !known(scheme.quota.goal_tuner, kNrGoalTuners)) return false;
    if (scheme.action == DamosAction::kCallback && scheme.callback_id == nullptr) return false;
    if (!known(scheme.wmarks.metric, kNrWatermarkMetrics)) return false;
    const Watermarks& marks = scheme.wmarks;
    const bool ordered = marks.low <= marks.mid && marks.mid <= marks.high && marks.high <= 1'000;
    if (marks.metric != WatermarkMetric::kNone && !ordered) return false;
    const AccessPattern& pattern = scheme.pattern;
    if (pattern.min_sz > pattern.max_sz || pattern.min_nr_accesses > pattern.max_nr_accesses) return false;
    if (scheme.min_age_us == 0 && pattern.min_age > pattern.max_age) return false;
    if (pattern.min_nr_accesses > attrs.max_nr_accesses()) return false;
    uint64_t weights = 0;
    for (const MigrateDest& dest : scheme.migrate_dests) weights += dest.weight;
    if (!scheme.migrate_dests.empty() && weights == 0) return false;
    for (const QuotaGoal& goal : scheme.goals) {
        if (!known(goal.metric, kNrQuotaMetrics) || goal.target_value == 0) return false;
        const bool share = goal.metric != QuotaMetric::kUserInput && goal.metric != QuotaMetric::kSomeMemPsiUs;
        if (share && goal.target_value > 10'000) return false;
        if (goal.metric == QuotaMetric::kNodeEligibleMemBp && traits.has_subject) return false;
    }
    return acceptable_filters(scheme);
}

// A-20: regions of the source of a commit are joined where they touch.
std::vector<AddressRange> coalesced(std::span<const AddressRange> ranges) {
    std::vector<AddressRange> joined;
    for (const AddressRange range : ranges) {
        if (!joined.empty() && joined.back().end == range.start) {
            joined.back().end = range.end;
        } else {
            joined.push_back(range);
        }
    }
    return joined;
}

// a timer keeps the time that has elapsed of its period, in microseconds, and what was due stays due. No deadline
// lies further ahead than one new period.
uint64_t carried(uint64_t tick, uint64_t deadline, uint64_t old_period_us, uint64_t new_period_us, const Attrs& old,
                 const Attrs& next) {
    if (tick_reached(tick, deadline)) return deadline;
    const uint64_t remaining_us = (deadline - tick) * old.divisor_us();
    const uint64_t elapsed_us = old_period_us > remaining_us ? old_period_us - remaining_us : 0;
    return tick + (new_period_us > elapsed_us ? new_period_us - elapsed_us : 0) / next.divisor_us();
}

// M-30.
uint64_t converted(uint64_t count, const Attrs& old, const Attrs& next) {
    return mul_div(mul_div(count, 10'000, old.max_nr_accesses()), next.max_nr_accesses(), 10'000);
}

}  // namespace

bool NaiveEngine::acceptable(const Params& params, const OpsTraits& traits) {
    if (!std::has_single_bit(params.min_region_sz) || !acceptable_attrs(params.attrs)) return false;
    if (!acceptable_probes(params, traits)) return false;
    for (const SchemeParams& scheme : params.schemes) {
        if (!acceptable_scheme(scheme, traits, params.attrs)) return false;
    }
    for (const TargetParams& target : params.targets) {
        if (target.obsolete) continue;
        if (!naive_ranges_fit(coalesced(target.ranges.span()), params.min_region_sz)) return false;
    }
    return true;
}

// --- runs --------------------------------------------------------------------------------------------------------

void NaiveEngine::prepare(const Params& params, const OpsTraits& traits) {
    attrs_ = params.attrs;
    passes_.clear();
    aggr_samples_ = attrs_.aggr_samples();
    min_region_sz_ = params.min_region_sz;
    traits_ = traits;
    targets_.clear();
    for (const TargetParams& target : params.targets) {
        NaiveTarget added;
        added.params = deep_copy(target);
        targets_.push_back(std::move(added));
    }
    schemes_.resize(std::min(schemes_.size(), params.schemes.size()));
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        if (i == schemes_.size()) schemes_.emplace_back().index = i;
        commit_scheme(schemes_[i], params.schemes[i], true);
    }
    probes_.clear();
    for (const ProbeParams& probe : params.probes) probes_.push_back(deep_copy(probe));
}

void NaiveEngine::start(const NaiveStreams& streams) {
    streams_ = streams;
    passes_.clear();
    tick_ = clock_ = 0;
    past_clock_us_ = 0;
    window_us_ = longest_us_ = 0;
    since_look_ = 0;
    passing_over_ = false;
    latched_sleep_us_ = attrs_.sample_us;
    remembered_count_ = 0;
    rotation_ = 0;
    next_aggregation_ = attrs_.aggr_samples();
    next_update_ = attrs_.ops_update_us / attrs_.divisor_us();
    next_tune_ = aggr_samples_ * attrs_.intervals_goal.aggrs;
    tuned_.reset();
    interval_goal_out_of_reach_ = false;
    for (NaiveScheme& scheme : schemes_) {
        scheme.next_apply = apply_interval_us(scheme) / attrs_.divisor_us();
        scheme.set_filter_defaults();
    }
    for (NaiveTarget& target : targets_) {
        target.valid = true;  // nobody has asked yet
        if (!target.params.ranges.empty()) {
            naive_set_regions(target.regions, coalesced(target.params.ranges.span()), min_region_sz_);
        }
    }
    size_limit_ = cut_to_minimum_count();
}

// L-17. A resume point at a target that goes is forgotten.
void NaiveEngine::stop() {
    for (NaiveTarget& target : targets_) target.regions.clear();
    for (NaiveScheme& scheme : schemes_) scheme.resume.reset();
}

bool NaiveEngine::set_target_ranges(size_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity) {
    return naive_set_regions(targets_.at(target_idx).regions, ranges, granularity);
}

// --- commit (A-18 to A-22) -----------------------------------------------------------------------------------------

// Statistics, charge state, deadline and `activated` of a scheme stay.
void NaiveEngine::commit_scheme(NaiveScheme& scheme, const SchemeParams& params, bool stopped) {
    // a deadline that another count applies to from now on stays as far ahead (or behind) as it is.
    if (!stopped) scheme.next_apply += now_of(params) - now_of(scheme.params);
    scheme.params = deep_copy(params);
    scheme.pressure_totals.assign(params.goals.size(), std::nullopt);
    scheme.set_filter_defaults();
    // Without watermarks no evaluation would ever wake a scheme that Q-31 keeps asleep.
    if (params.wmarks.metric == WatermarkMetric::kNone) scheme.activated = true;
    const QuotaParams& quota = params.quota;
    if (quota.ms == 0 && quota.sz == 0 && params.goals.empty()) scheme.esz = 0;
}

// ranges that stay are as they were, or fit a coarser granularity.
std::vector<AddressRange> NaiveEngine::kept_ranges(std::span<const AddressRange> given, uint64_t granularity) {
    std::vector<AddressRange> kept = coalesced(given);
    if (naive_ranges_fit(kept, granularity)) return kept;
    std::vector<AddressRange> fitted;
    for (const AddressRange& range : kept) {
        const uint64_t below = range.end % granularity;
        const AddressRange outer{range.start - range.start % granularity,
                                 below == 0 ? range.end : range.end - below + granularity};
        if (!fitted.empty() && outer.start <= fitted.back().end) {
            fitted.back().end = std::max(fitted.back().end, outer.end);
        } else {
            fitted.push_back(outer);
        }
    }
    return fitted;
}

void NaiveEngine::commit_targets(const Params& params, std::vector<bool>* new_targets) {
    std::vector<NaiveTarget> kept;
    std::vector<bool> marks;
    std::vector<std::optional<size_t>> moved(targets_.size());
    for (size_t i = 0; i < params.targets.size(); ++i) {
        const TargetParams& source = params.targets[i];
        if (source.obsolete) continue;
        NaiveTarget target;
        const bool changed = i >= targets_.size() || targets_[i].params.pid != source.pid;
        if (i < targets_.size()) {
            target.regions = std::move(targets_[i].regions);
            target.valid = targets_[i].valid;
            moved[i] = kept.size();
        }
        target.params = deep_copy(source);
        // a source without ranges leaves those of the target.
        if (source.ranges.empty() && i < targets_.size()) {
            for (const AddressRange& range : kept_ranges(targets_[i].params.ranges.span(), params.min_region_sz)) {
                if (!target.params.ranges.push_back(range)) throw std::bad_alloc();
            }
        }
        target.params.pid = source.pid;
        if (!source.ranges.empty()) {
            naive_set_regions(target.regions, coalesced(source.ranges.span()), params.min_region_sz);
        }
        marks.push_back(changed && target.regions.empty());
        kept.push_back(std::move(target));
    }
    targets_ = std::move(kept);
    for (NaiveScheme& scheme : schemes_) {
        if (!scheme.resume) continue;
        const size_t old_idx = scheme.resume->target_idx;
        if (moved[old_idx]) {
            scheme.resume->target_idx = *moved[old_idx];
        } else {
            scheme.resume.reset();
        }
    }
    if (new_targets != nullptr) *new_targets = marks;
}

// a slot that another probe now owns starts at zero.
void NaiveEngine::commit_probes(const Params& params) {
    for (size_t i = 0; i < kMaxProbes; ++i) {
        const bool was = i < probes_.size();
        const bool is = i < params.probes.size();
        if (was == is && (!was || probes_[i].filters == params.probes[i].filters)) continue;
        for (NaiveTarget& target : targets_) {
            for (NaiveRegion& region : target.regions) region.probe_hits[i] = region.last_probe_hits[i] = 0;
        }
    }
    probes_.clear();
    for (const ProbeParams& probe : params.probes) probes_.push_back(deep_copy(probe));
}

// Q-39, I-3: kept regions follow a coarser granularity. Coverage grows outwards, a bound between neighbours moves down,
// and regions that vanish leave their memory to a neighbour.
void NaiveEngine::refit_regions(uint64_t granularity) {
    for (NaiveTarget& target : targets_) {
        NaiveRegions fitted;
        for (auto region = target.regions.begin(); region != target.regions.end(); ++region) {
            const auto next = std::next(region);
            const bool touches = next != target.regions.end() && next->start == region->end;
            NaiveRegion moved = *region;
            moved.start = align_down(region->start, granularity);
            moved.end = touches ? align_down(region->end, granularity) : align_up(region->end, granularity);
            if (moved.end == 0 && !touches) moved.end = region->end;  // 2^64 is no address
            if (!fitted.empty()) moved.start = std::max(moved.start, fitted.back().end);
            if (moved.start < moved.end) fitted.push_back(moved);
        }
        target.regions = fitted;
    }
}

bool NaiveEngine::commits(const Params& params, const OpsTraits& traits) const {
    if (!acceptable(params, traits)) return false;
    for (size_t i = targets_.size(); i < params.targets.size(); ++i) {
        if (params.targets[i].obsolete) return false;
    }
    for (size_t i = 0; i < std::min(targets_.size(), params.targets.size()); ++i) {
        if (params.targets[i].obsolete || !params.targets[i].ranges.empty()) continue;
        if (!naive_ranges_fit(kept_ranges(targets_[i].params.ranges.span(), params.min_region_sz),
                              params.min_region_sz)) {
            return false;
        }
    }
    return true;
}

bool NaiveEngine::commit(const Params& params, const OpsTraits& traits, std::vector<bool>* new_targets) {
    if (!commits(params, traits)) return false;
    schemes_.resize(std::min(schemes_.size(), params.schemes.size()));
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const bool added = i == schemes_.size();
        if (added) schemes_.emplace_back().index = i;
        commit_scheme(schemes_[i], params.schemes[i], added);
        if (added)
            schemes_[i].next_apply = now_of(schemes_[i].params) + apply_interval_us(schemes_[i]) / attrs_.divisor_us();
    }
    traits_ = traits;
    commit_targets(params, new_targets);
    if (!(attrs_ == params.attrs)) set_attrs(params.attrs, true);
    commit_probes(params);
    if (min_region_sz_ < params.min_region_sz) refit_regions(params.min_region_sz);
    min_region_sz_ = params.min_region_sz;
    return true;
}

// --- attributes (M-29, M-30 with)
// ----------------------------------------------------------------

void NaiveEngine::set_attrs(const Attrs& next, bool from_caller) {
    const Attrs old = attrs_;
    const bool aggregating = !tick_reached(tick_, next_aggregation_);
    if (from_caller) aggr_samples_ = next.aggr_samples();
    const bool restarts = old.sample_us != next.sample_us || old.aggr_us != next.aggr_us;
    if (restarts) {
        if (aggregating) window_us_ = longest_us_ = 0;
        past_clock_us_ = 0;
        since_look_ = 0;
        next_aggregation_ = tick_ + next.aggr_samples();
        convert_results(next, aggregating);
    }
    next_update_ = carried(clock_, next_update_, old.ops_update_us, next.ops_update_us, old, next);
    for (NaiveScheme& scheme : schemes_) {
        if (!restarts) break;
        const uint64_t own_us = scheme.params.apply_interval_us;
        if (own_us != 0) {
            scheme.next_apply = carried(clock_, scheme.next_apply, own_us, own_us, old, next);
        } else {  // it follows the window
            scheme.next_apply = tick_ + next.aggr_samples();
        }
    }
    if (old.intervals_goal.aggrs == 0 && next.intervals_goal.aggrs != 0) {
        next_tune_ = clock_ + aggr_samples_ * next.intervals_goal.aggrs;
    }
    attrs_ = next;
}

void NaiveEngine::convert_results(const Attrs& next, bool aggregating) {
    const Attrs& old = attrs_;
    if (old.sample_us == 0 || old.aggr_us == 0 || next.sample_us == 0 || next.aggr_us == 0) return;
    for (NaiveTarget& target : targets_) {
        for (NaiveRegion& region : target.regions) {
            const auto current = [&](uint64_t count) { return aggregating ? 0 : converted(count, old, next); };
            region.last_nr_accesses = saturate_u32(converted(region.last_nr_accesses, old, next));
            region.nr_accesses = saturate_u32(current(region.nr_accesses));
            for (size_t i = 0; i < probes_.size(); ++i) {
                region.last_probe_hits[i] = saturate_u8(converted(region.last_probe_hits[i], old, next));
                region.probe_hits[i] = saturate_u8(current(region.probe_hits[i]));
            }
            region.age = saturate_u32(mul_div(region.age, old.aggr_us, next.aggr_us));
            if (!aggregating) continue;
            region.evidence = region.reason = 0;
            region.answered = region.unanswered = 0;
        }
    }
}

}  // namespace damon::test
