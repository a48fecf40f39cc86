// The parts of Engine that only look.
#include <algorithm>

#include "engine/engine.h"
#include "engine/monitor/moving_sum.h"
#include "engine/monitor/region_info.h"
#include "engine/monitor/validation.h"

namespace damon {

size_t Engine::nr_regions() const { return regions_.nr_regions(); }
size_t Engine::nr_targets() const { return regions_.nr_targets(); }
uint64_t Engine::passed_sample_intervals() const { return cadence_.passed_sample_intervals; }
const Cadence& Engine::cadence() const { return cadence_; }
const RegionList& Engine::regions() const { return regions_; }
size_t Engine::region_capacity() const { return regions_.capacity(); }
size_t Engine::nr_schemes() const { return schemes_.size(); }
const SchemeState& Engine::scheme(size_t scheme_idx) const { return schemes_[scheme_idx]; }

MovingWindow Engine::moving_window() const { return {params_.attrs, cadence_, thinning_.nr_passed_over()}; }

uint32_t Engine::moving_sum(const Region& region) const {
    return moving_window().sum(scaled_accesses(region), region.last_nr_accesses);
}

size_t Engine::read_regions(std::span<RegionInfo> out, bool moving) const {
    const MovingWindow window = moving_window();
    size_t written = 0;
    for (uint32_t target = 0; target < regions_.nr_targets(); ++target) {
        const size_t fitting = std::min(regions_.nr_regions_of(target), out.size() - written);
        for (size_t index = 0; index < fitting; ++index) {
            const Region& region = regions_.at(target, index);
            out[written] = describe_region(region, target, window);
            if (!moving) out[written].nr_accesses = scaled_accesses(region);
            if (!passes_.empty()) add_pass_evidence(passes_, params_.attrs.aggr_us, out[written]);
            ++written;
        }
    }
    return written;
}

size_t Engine::read_probe_hits(std::span<ProbeHits> out) const {
    size_t written = 0;
    for (size_t target = 0; target < regions_.nr_targets(); ++target) {
        const size_t fitting = std::min(regions_.nr_regions_of(target), out.size() - written);
        for (size_t index = 0; index < fitting; ++index) {
            std::ranges::copy(regions_.at(target, index).probe_hits, out[written++].hits);
        }
    }
    return written;
}

size_t Engine::reserved_bytes() const {
    return regions_.capacity() * sizeof(Region) + samples_.capacity() * sizeof(Sample) + probe_hits_.capacity();
}

bool Engine::operator==(const Engine& other) const {
    if (planned_ != other.planned_) return false;
    if (planned_ && !(samples_ == other.samples_ && probe_hits_ == other.probe_hits_)) return false;
    return params_ == other.params_ && traits_ == other.traits_ && aggr_samples_ == other.aggr_samples_ &&
           streams_ == other.streams_ && cadence_ == other.cadence_ && thinning_ == other.thinning_ &&
           regions_ == other.regions_ && size_limit_ == other.size_limit_ && split_memory_ == other.split_memory_ &&
           tuner_ == other.tuner_ && schemes_ == other.schemes_ && walk_ == other.walk_ && survey_ == other.survey_ &&
           passes_ == other.passes_;
}

bool Engine::is_valid() const {
    const Attrs& attrs = params_.attrs;
    if (!regions_.is_valid()) return false;
    if (regions_.nr_targets() != params_.targets.size() || schemes_.size() != params_.schemes.size()) return false;
    if (planned_ && samples_.size() != regions_.nr_regions()) return false;
    if (samples_.capacity() < regions_.capacity()) return false;
    if (!(weights_ == ProbeWeights(params_.probes.span()))) return false;
    if (params_.targets.empty() && regions_.capacity() == 0) return true;  // nothing was prepared yet
    if (!validate_attrs(attrs).ok()) return false;
    // Deadlines lie at most one period ahead (I-8, L-2).
    if (!cadence_.aggregating()) return true;
    return cadence_.next_aggregation - cadence_.passed_sample_intervals <= period_ticks(attrs.aggr_us, attrs);
}

}  // namespace damon
