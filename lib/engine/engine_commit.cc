// Parameters of the engine: checks, first use, and changes of a running engine. Both uses build the
// next engine beside the present one and swap them at the end, so that no failure leaves a trace (A-16, I-13).
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <utility>

#include "engine/capacity.h"
#include "engine/engine.h"
#include "engine/monitor/set_regions.h"
#include "engine/monitor/validation.h"
#include "engine/schemes/scheme_commit.h"
#include "engine/schemes/scheme_validation.h"

namespace damon {
namespace {

Status no_memory(const Params& params) {
    return Status::fail(-ENOMEM, "no memory for max_nr_regions %" PRIu64 ", %zu targets and %zu schemes",
                        params.attrs.max_nr_regions, params.targets.size(), params.schemes.size());
}

// whether the counters of slot `slot` mean something else than before.
bool probe_changed(std::span<const ProbeParams> before, std::span<const ProbeParams> after, size_t slot) {
    const bool was = slot < before.size();
    const bool is = slot < after.size();
    return was != is || (was && !(before[slot].filters == after[slot].filters));
}

}  // namespace

Status Engine::validate(const Params& params, const OpsTraits& traits) {
    if (Status status = validate_probes(params, traits); !status.ok()) return status;
    for (uint32_t i = 0; i < params.schemes.size(); ++i) {
        if (Status status = validate_scheme(params.schemes[i], i, traits); !status.ok()) return status;
        if (Status status = validate_reach(params.schemes[i], i, params.attrs); !status.ok()) return status;
    }
    if (Status status = validate_targets(params); !status.ok()) return status;
    if (Status status = validate_survey(params.attrs, traits); !status.ok()) return status;
    if (Status status = validate_passes(params, traits); !status.ok()) return status;
    return validate_attrs(params.attrs);
}

Status Engine::prepare(const Params& params, const OpsTraits& traits) {
    if (Status status = validate(params, traits); !status.ok()) return status;
    if (Status status = check_obsolete_targets(params, 0); !status.ok()) return status;
    Engine next;
    next.traits_ = traits;
    if (!next.params_.copy_from(params) || !next.regions_.resize_targets(params.targets.size()) ||
        !next.reserve_regions(region_capacity_for(params)) ||
        !carry_over_schemes(schemes_.span(), next.params_.schemes.span(), params.attrs, Cadence{}, next.schemes_) ||
        !next.walk_.reserve(next.params_.schemes.span()) || !next.prepare_survey()) {
        return no_memory(params);
    }
    for (TargetParams& target : next.params_.targets) coalesce_ranges(target.ranges);
    for (SchemeParams& scheme : next.params_.schemes) scheme.derive_age(params.attrs.aggr_us);
    next.weights_ = ProbeWeights(next.params_.probes.span());
    next.aggr_samples_ = params.attrs.aggr_samples();
    *this = std::move(next);
    return {};
}

Status Engine::give_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges) {
    DAMON_CHECK(target_idx < params_.targets.size());
    Vector<AddressRange> given;
    if (!given.reserve(ranges.size())) {
        return Status::fail(-ENOMEM, "target %" PRIu32 ": no memory for %zu ranges", target_idx, ranges.size());
    }
    for (const AddressRange& range : ranges) {
        [[maybe_unused]] const bool pushed = given.push_back(range);
        DAMON_CHECK(pushed);
    }
    coalesce_ranges(given);
    const Status status = set_target_ranges(target_idx, given.span(), params_.min_region_sz);
    if (!status.ok()) return status;
    params_.targets[target_idx].ranges.swap(given);
    return status;
}

void Engine::forget_scheme(size_t scheme_idx) {
    walk_.cancel(apply_context());
    if (scheme_idx < schemes_.size()) schemes_.erase(scheme_idx, scheme_idx + 1);
    if (scheme_idx < params_.schemes.size()) params_.schemes.erase(scheme_idx, scheme_idx + 1);
}

Status Engine::commit(const Params& params, const OpsTraits& traits, Vector<uint8_t>* new_targets) {
    if (Status status = validate(params, traits); !status.ok()) return status;
    if (Status status = check_obsolete_targets(params, params_.targets.size()); !status.ok()) return status;
    Engine next;
    Vector<uint8_t> marks;
    if (!next.copy_from(*this)) return no_memory(params);
    if (Status status = next.adopt(params, traits, marks); !status.ok()) return status;
    *this = std::move(next);
    if (new_targets != nullptr) new_targets->swap(marks);
    DAMON_CHECK(is_valid());
    return {};
}

Status Engine::adopt(const Params& params, const OpsTraits& traits, Vector<uint8_t>& new_targets) {
    walk_.cancel(apply_context());
    Params next;
    Vector<SchemeState> states;
    if (!next.copy_from(params) ||
        !carry_over_schemes(schemes_.span(), next.schemes.span(), params_.attrs, cadence_, states) ||
        !walk_.reserve(next.schemes.span()) || !adopt_targets(next.targets, states.span(), new_targets)) {
        return no_memory(params);
    }
    next.attrs = params_.attrs;
    Params before = std::exchange(params_, std::move(next));
    schemes_.swap(states);
    traits_ = traits;
    planned_ = false;
    if (Status status = adopt_ranges(new_targets.span()); !status.ok()) return status;
    if (Status status = keep_given_ranges(before.targets.span()); !status.ok()) return status;
    if (before.min_region_sz < params_.min_region_sz) {
        for (size_t target = 0; target < regions_.nr_targets(); ++target) {
            refit_regions(regions_, target, params_.min_region_sz);
        }
    }
    aggr_samples_ = params.attrs.aggr_samples();
    change_attrs(params.attrs);
    if (before.attrs.intervals_goal.aggrs == 0 && params.attrs.intervals_goal.aggrs != 0) {
        cadence_.begin_intervals_tune(params_.attrs, aggr_samples_);
    }
    adopt_probes(before.probes.span());
    // Targets may have new numbers.
    if (!(before.targets == params_.targets)) survey_.forget();
    return reserve_regions(region_capacity_for(params_)) && prepare_survey() ? Status{} : no_memory(params);
}

bool Engine::adopt_targets(Vector<TargetParams>& targets, std::span<SchemeState> schemes,
                           Vector<uint8_t>& new_targets) {
    if (!new_targets.resize(targets.size())) return false;
    for (size_t i = 0; i < targets.size(); ++i) {
        new_targets[i] = i >= params_.targets.size() || targets[i].pid != params_.targets[i].pid;
    }
    for (size_t i = params_.targets.size(); i-- > 0;) {
        if (i < targets.size() && !targets[i].obsolete) continue;
        regions_.erase_target(i);
        params_.targets.erase(i, i + 1);  // those that last have their new numbers
        for (SchemeState& scheme : schemes) forget_target(static_cast<uint32_t>(i), scheme);
        if (i >= targets.size()) continue;
        targets.erase(i, i + 1);
        new_targets.erase(i, i + 1);
    }
    return regions_.resize_targets(targets.size());
}

Status Engine::adopt_ranges(std::span<uint8_t> new_targets) {
    for (uint32_t target = 0; target < params_.targets.size(); ++target) {
        Vector<AddressRange>& given = params_.targets[target].ranges;
        coalesce_ranges(given);
        if (!given.empty()) {
            if (Status status = set_ranges(target, given.span(), params_.min_region_sz); !status.ok()) return status;
        }
        new_targets[target] &= regions_.nr_regions_of(target) == 0;
    }
    return {};
}

// without ranges in the source a target stays where it is, also at the next update.
Status Engine::keep_given_ranges(std::span<TargetParams> before) {
    for (size_t i = 0; i < std::min(before.size(), params_.targets.size()); ++i) {
        if (!params_.targets[i].ranges.empty()) continue;
        // They were checked with the granularity of their day; a coarser one may make neighbours of them one.
        if (!check_ranges(before[i].ranges.span(), params_.min_region_sz).ok()) {
            align_ranges(before[i].ranges, params_.min_region_sz);
        }
        if (Status status = check_ranges(before[i].ranges.span(), params_.min_region_sz); !status.ok()) {
            return Status::fail(status.error(), "target %zu: %s", i, status.text());
        }
        params_.targets[i].ranges.swap(before[i].ranges);
    }
    return {};
}

void Engine::adopt_probes(std::span<const ProbeParams> before) {
    const std::span<const ProbeParams> after = params_.probes.span();
    for (size_t slot = 0; slot < kMaxProbes; ++slot) {
        if (!probe_changed(before, after, slot)) continue;
        for (Region& region : regions_.all()) region.probe_hits[slot] = region.last_probe_hits[slot] = 0;
    }
    weights_ = ProbeWeights(after);
}

bool Engine::copy_from(const Engine& other) {
    if (this == &other) return true;
    Engine copy;
    if (!copy.params_.copy_from(other.params_) || !copy.regions_.copy_from(other.regions_) ||
        !copy.samples_.copy_from(other.samples_) || !copy.probe_hits_.copy_from(other.probe_hits_) ||
        !copy.schemes_.copy_from(other.schemes_) || !copy.walk_.copy_from(other.walk_) ||
        !copy.survey_.copy_from(other.survey_) || !copy.passes_.copy_from(other.passes_)) {
        return false;
    }
    copy.traits_ = other.traits_;
    if (!copy.reserve_regions(other.regions_.capacity())) return false;
    copy.weights_ = other.weights_;
    copy.aggr_samples_ = other.aggr_samples_;
    copy.streams_ = other.streams_;
    copy.cadence_ = other.cadence_;
    copy.thinning_ = other.thinning_;
    copy.size_limit_ = other.size_limit_;
    copy.split_memory_ = other.split_memory_;
    copy.tuner_ = other.tuner_;
    copy.planned_ = other.planned_;
    copy.pass_window_ = other.pass_window_;
    *this = std::move(copy);
    return true;
}

}  // namespace damon
