// What the engine has learned, given away and taken over.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/capacity.h"
#include "engine/engine.h"
#include "engine/monitor/conversion.h"
#include "engine/monitor/moving_sum.h"
#include "engine/monitor/restoring.h"
#include "engine/monitor/sampling.h"

namespace damon {
namespace {

SavedRegion saved_region(const Region& region, const MovingWindow& window, uint64_t max_nr_accesses) {
    SavedRegion saved;
    saved.range = region.range;
    saved.age_us = region.age_us;
    saved.idle_us = region.nr_accesses != 0 ? 0 : region.idle_us;
    const uint64_t sum = window.sum(scaled_accesses(region), region.last_nr_accesses);
    saved.nr_accesses = static_cast<uint32_t>(std::min(sum, max_nr_accesses));
    saved.age = region.age;
    saved.evidence = window.evidence(region);
    saved.unknown_reason = window.unknown_reason(region);
    for (unsigned i = 0; i < kMaxProbes; ++i) {
        saved.probe_hits[i] = window.sum(region.probe_hits[i], region.last_probe_hits[i]);
    }
    return saved;
}

SavedScheme saved_scheme(const SchemeParams& params, const SchemeState& state, uint64_t now_us) {
    const QuotaState& quota = state.quota;
    SavedScheme saved;
    saved.action = params.action;
    saved.stats = state.stats;
    saved.esz = quota.esz;
    saved.esz_bp = quota.esz_bp;
    saved.charged_sz = quota.charged_sz;
    saved.window_us = now_us > quota.charged_from_us ? now_us - quota.charged_from_us : 0;
    saved.total_charged_sz = quota.total_charged_sz;
    saved.total_charged_ns = quota.total_charged_ns;
    saved.resume_addr = quota.resume.addr;
    saved.resume_target = quota.resume.target_idx;
    saved.min_score = quota.min_score;
    saved.window_open = quota.window_open;
    saved.resumes = quota.resume.set;
    return saved;
}

void take_over_scheme(const SavedScheme& saved, uint64_t now_us, SchemeState& state) {
    QuotaState& quota = state.quota;
    state.stats = saved.stats;
    quota.esz = saved.esz;
    quota.esz_bp = saved.esz_bp;
    quota.charged_sz = saved.charged_sz;
    quota.charged_from_us = now_us > saved.window_us ? now_us - saved.window_us : 0;
    quota.total_charged_sz = saved.total_charged_sz;
    quota.total_charged_ns = saved.total_charged_ns;
    quota.min_score = saved.min_score;
    quota.window_open = saved.window_open;
    quota.resume = {saved.resume_addr, saved.resume_target, saved.resumes};
    if (!saved.resumes) quota.resume = {};
}

}  // namespace

bool Engine::save(uint64_t now_us, SavedContext& out) const {
    SavedContext saved;
    saved.sample_us = params_.attrs.sample_us;
    saved.aggr_us = params_.attrs.aggr_us;
    saved.addr_unit = params_.addr_unit;
    saved.nr_probes = weights_.nr_probes();
    const MovingWindow window = moving_window();
    if (!saved.targets.resize(regions_.nr_targets()) || !saved.schemes.resize(schemes_.size())) return false;
    for (size_t target = 0; target < regions_.nr_targets(); ++target) {
        SavedTarget& to = saved.targets[target];
        const Vector<AddressRange>& given = params_.targets[target].ranges;
        to.place = given.empty() ? SavedPlace::kByAddress : SavedPlace::kByPosition;
        if (!to.ranges.copy_from(given) || !to.regions.reserve(regions_.nr_regions_of(target))) return false;
        for (size_t i = 0; i < regions_.nr_regions_of(target); ++i) {
            const Region& region = regions_.at(target, i);
            if (!to.regions.push_back(saved_region(region, window, params_.attrs.max_nr_accesses()))) return false;
        }
    }
    for (size_t i = 0; i < schemes_.size(); ++i) {
        saved.schemes[i] = saved_scheme(params_.schemes[i], schemes_[i], now_us);
    }
    out = std::move(saved);
    return true;
}

Status Engine::restore(const SavedContext& saved, uint64_t now_us) {
    Engine next;
    if (!next.copy_from(*this) || !next.take_over(saved, now_us)) {
        return Status::fail(-ENOMEM, "no memory for what was saved of %zu targets", saved.targets.size());
    }
    *this = std::move(next);
    DAMON_CHECK(is_valid());
    return {};
}

bool Engine::take_over(const SavedContext& saved, uint64_t now_us) {
    walk_.cancel(apply_context());
    planned_ = false;
    survey_.forget();
    for (size_t target = 0; target < std::min(saved.targets.size(), regions_.nr_targets()); ++target) {
        Vector<Region> regions;
        const std::span<const SavedRegion> known = saved.targets[target].regions.span();
        if (!fit_saved(regions_, target, known, params_.min_region_sz, regions)) return false;
        // Room for its cuts stays.
        const size_t nr_others = regions_.nr_regions() - regions_.nr_regions_of(target);
        if (!reserve_regions(nr_others + regions.size() + region_capacity_for(params_))) return false;
        regions_.erase_all_of(target);
        for (size_t i = 0; i < regions.size(); ++i) {
            if (!regions_.insert(target, i, regions[i].range)) return false;
            regions_.at(target, i) = regions[i];
        }
    }
    join_down_to(regions_, params_.attrs.max_nr_regions);
    begin_window_after(saved);
    for (size_t i = 0; i < std::min(saved.schemes.size(), schemes_.size()); ++i) {
        if (saved.schemes[i].action == params_.schemes[i].action) {
            take_over_scheme(saved.schemes[i], now_us, schemes_[i]);
        }
    }
    size_limit_ = cut_to_size_limit(regions_, {params_.attrs.min_nr_regions, params_.min_region_sz});
    return true;
}

// The counts become those of the window that is over. One that had begun begins anew, since its samples are gone.
void Engine::begin_window_after(const SavedContext& saved) {
    const bool in_window = cadence_.aggregating();
    for (Region& region : regions_.all()) {
        region.last_nr_accesses = region.nr_accesses;
        if (saved.nr_probes != weights_.nr_probes()) std::ranges::fill(region.probe_hits, uint8_t{0});
        std::ranges::copy(region.probe_hits, region.last_probe_hits);
        region.last_evidence = region.evidence;
        region.last_unknown_reason = region.unknown_reason;
    }
    Attrs before = params_.attrs;
    before.sample_us = saved.sample_us;
    before.aggr_us = saved.aggr_us;
    if (before.sample_us != params_.attrs.sample_us || before.aggr_us != params_.attrs.aggr_us) {
        convert_results(regions_.all(), {before, params_.attrs, false, weights_.nr_probes()});
    }
    if (!in_window) return;
    reset_window(regions_.all());
    cadence_.next_aggregation = cadence_.passed_sample_intervals + period_ticks(params_.attrs.aggr_us, params_.attrs);
    cadence_.restart_window();
    thinning_.restart_window();
    for (size_t i = 0; i < schemes_.size(); ++i) {
        const SchemeParams& scheme = params_.schemes[i];
        if (scheme.apply_interval_us != 0) continue;
        schemes_[i].next_apply_sis = ticks_for(scheme, cadence_) + apply_interval_ticks(scheme, params_.attrs);
    }
}

}  // namespace damon
