#include "engine/engine.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>

#include "engine/capacity.h"
#include "engine/monitor/conversion.h"
#include "engine/monitor/merging.h"
#include "engine/monitor/moving_sum.h"
#include "engine/monitor/sampling.h"
#include "engine/monitor/set_regions.h"
#include "engine/monitor/tuning.h"

namespace damon {

const Params& Engine::params() const { return params_; }

void Engine::start(uint64_t seed) {
    streams_ = RandomStreams(seed);
    split_memory_ = {};
    tuner_ = {};
    planned_ = false;
    survey_.start(seed);
    for (uint32_t target = 0; target < params_.targets.size(); ++target) {
        const std::span<const AddressRange> given = params_.targets[target].ranges.span();
        if (given.empty()) continue;
        regions_.erase_all_of(target);
        set_regions(regions_, target, given, params_.min_region_sz);
    }
    passes_.clear();
    cadence_.start(params_.attrs);
    thinning_ = {};
    for (size_t i = 0; i < schemes_.size(); ++i) {
        start_scheme(params_.schemes[i], params_.attrs, ticks_for(params_.schemes[i], cadence_), schemes_[i]);
    }
    size_limit_ = cut_to_size_limit(regions_, {params_.attrs.least_nr_regions(), params_.min_region_sz});
    DAMON_CHECK(is_valid());
}

void Engine::stop() {
    walk_.cancel(apply_context());
    planned_ = false;
    for (size_t target = 0; target < regions_.nr_targets(); ++target) {
        regions_.erase_all_of(target);
        regions_.set_target_valid(target, true);
    }
    // A resume point goes with its target's regions.
    for (SchemeState& scheme : schemes_) scheme.quota.resume = {};
}

bool Engine::reserve_regions(size_t capacity) {
    const bool probing = traits_.has_probes && !params_.probes.empty();
    return samples_.reserve(capacity) && (!probing || probe_hits_.reserve(capacity)) && regions_.reserve(capacity);
}

Status Engine::set_ranges(uint32_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity) {
    // The ranges that start() installs keep their room.
    size_t wanted = slots_for_ranges(regions_, target_idx, ranges.size());
    for (const TargetParams& target : params_.targets) wanted = saturating_add(wanted, target.ranges.size());
    if (wanted > regions_.nr_free() &&
        !reserve_regions(saturating_add(saturating_add(regions_.nr_regions(), wanted), region_capacity_for(params_)))) {
        return Status::fail(-ENOMEM, "target %" PRIu32 ": no memory for %zu ranges", target_idx, ranges.size());
    }
    set_regions(regions_, target_idx, ranges, granularity);
    return {};
}

Status Engine::set_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity) {
    DAMON_CHECK(target_idx < regions_.nr_targets());
    if (Status status = check_ranges(ranges, granularity); !status.ok()) {
        return Status::fail(status.error(), "target %" PRIu32 ": %s", target_idx, status.text());
    }
    if (Status status = set_ranges(target_idx, ranges, granularity); !status.ok()) return status;
    walk_.cancel(apply_context());
    planned_ = false;
    DAMON_CHECK(is_valid());
    return {};
}

void Engine::set_target_valid(uint32_t target_idx, bool valid) { regions_.set_target_valid(target_idx, valid); }

std::span<Sample> Engine::plan(uint64_t wait_us) {
    if (planned_) {
        forget_answers(samples_.span());
    } else {
        cadence_.latch(params_.attrs, weights_.attributes_only());
        // Probes look in every interval.
        thinning_.decide(weights_.nr_probes() == 0 ? wait_us : 0, params_.attrs, cadence_);
        const bool probing = traits_.has_probes && weights_.nr_probes() != 0;
        const size_t nr_hits = probing ? regions_.nr_regions() : 0;
        planned_ = samples_.resize(regions_.nr_regions()) && probe_hits_.resize(nr_hits);
        DAMON_CHECK(planned_);
        if (!planned_) return {};
        if (thinning_.passes_over()) {
            // The samples are nobody's.
        } else if (surveys() && survey_.spreads_samples(regions_.nr_regions())) {
            survey_.draw_samples(regions_, samples_.span(), cadence_.passed_sample_intervals);
        } else {
            draw_samples(regions_, samples_.span(), streams_.sampling);
        }
    }
    std::fill(probe_hits_.begin(), probe_hits_.end(), uint8_t{0});
    return looks() ? samples_.span() : std::span<Sample>{};
}

uint64_t Engine::sleep_us() const { return cadence_.latched_sample_us; }
std::span<Sample> Engine::samples() { return planned_ ? samples_.span() : std::span<Sample>{}; }
std::span<uint8_t> Engine::probe_hits() { return planned_ ? probe_hits_.span() : std::span<uint8_t>{}; }

Due Engine::record_samples(uint64_t elapsed_us) {
    cadence_.pass(elapsed_us);
    uint64_t highest_score = 0;
    if (planned_) {
        const std::span<Region> regions = regions_.all();
        const std::span<const Sample> asked = looks() ? samples_.span() : std::span<Sample>{};
        if (!asked.empty()) count_answers(regions, asked, thinning_.weight());
        if (surveys()) survey_.follow(asked, regions, elapsed_us);
        if (!probe_hits_.empty()) {
            const uint64_t highest_sum = count_probe_hits(regions, probe_hits_.span(), weights_);
            if (cadence_.latched_attributes_only) highest_score = highest_sum;
        }
    }
    if (planned_) thinning_.pass();
    planned_ = false;
    const Due due{.aggregation = cadence_.aggregation_due(), .update = cadence_.ops_update_due()};
    if (due.aggregation) {
        const uint32_t highest_count = settle_answers(regions_.all());
        end_window(cadence_.latched_attributes_only ? highest_score : highest_count);
    }
    return due;
}

void Engine::end_window(uint64_t highest_score) {
    const Attrs& attrs = params_.attrs;
    const uint64_t cap = weights_.attributes_only() ? saturating_mul(attrs.aggr_samples(), weights_.sum())
                                                    : static_cast<uint32_t>(attrs.aggr_samples());
    age_and_merge(regions_, weights_,
                  {.threshold = highest_score / 10,
                   .threshold_cap = cap,
                   .max_region_bytes = size_limit_,
                   .max_nr_regions = attrs.max_nr_regions,
                   .window_us = cadence_.ageing_us(attrs),
                   .passes = passes_.empty() ? nullptr : &passes_});
    size_limit_ = cut_to_size_limit(regions_, {attrs.least_nr_regions(), params_.min_region_sz});
    DAMON_CHECK(is_valid());
}

bool Engine::finish() {
    if (cadence_.aggregation_due()) {
        if (params_.attrs.intervals_goal.aggrs != 0 && cadence_.intervals_tune_due()) tune_intervals();
        cadence_.advance_aggregation(params_.attrs);
        cadence_.restart_window();
        survey_.end_window(regions_,
                           {params_.attrs.max_nr_regions, params_.min_region_sz, params_.attrs.aggr_samples()});
        reset_window(regions_.all());
        split_at_random();
        DAMON_CHECK(is_valid());
    }
    if (!cadence_.ops_update_due()) return false;
    cadence_.advance_ops_update(params_.attrs);
    return true;
}

void Engine::split_at_random() {
    const auto spares = [](const void* survey, uint32_t target_idx, const Region& region) {
        return static_cast<const Survey*>(survey)->keeps_whole(target_idx, region);
    };
    Spared spared;
    if (survey_.active()) spared = {&survey_, spares};
    split_regions(regions_, {params_.attrs.max_nr_regions, params_.min_region_sz}, split_memory_, streams_.splitting,
                  spared);
}

std::span<Span> Engine::spans_to_arm() {
    return planned_ && surveys() ? survey_.arm(cadence_.latched_sample_us) : std::span<Span>{};
}

// Also where surveys were turned off meanwhile: what is armed has an end.
std::span<Span> Engine::spans_to_look_at() { return survey_.look(); }

bool Engine::prepare_survey() {
    const uint64_t share_bp = params_.attrs.survey_share_bp(traits_.span_page_bytes != 0);
    return survey_.prepare(params_.attrs, share_bp, traits_.span_page_bytes);
}

void Engine::tune_intervals() {
    // The window is complete: its counts are converted, not dropped (M-32 (0)).
    cadence_.next_aggregation = cadence_.latched_aggregation;
    cadence_.advance_intervals_tune(params_.attrs, aggr_samples_);
    const uint64_t score = intervals_score(regions_, weights_, params_.attrs, aggr_samples_);
    const TunedIntervals tuned = tuner_.next(score, params_.attrs, aggr_samples_);
    Attrs attrs = params_.attrs;
    attrs.sample_us = tuned.sample_us;
    attrs.aggr_us = tuned.aggr_us;
    change_attrs(attrs);
}

void Engine::change_attrs(const Attrs& attrs) {
    const Attrs before = params_.attrs;
    const bool aggregating = cadence_.aggregating();
    cadence_.change_attrs(before, attrs);
    if (before.sample_us != attrs.sample_us || before.aggr_us != attrs.aggr_us) thinning_.restart_window();
    if (before.sample_us != attrs.sample_us || before.aggr_us != attrs.aggr_us) {
        convert_results(regions_.all(), {before, attrs, aggregating, weights_.nr_probes()});
    }
    params_.attrs = attrs;
    survey_.set_window(attrs);
    for (size_t i = 0; i < schemes_.size(); ++i) {
        params_.schemes[i].derive_age(attrs.aggr_us);
        reschedule_scheme(params_.schemes[i], before, attrs, ticks_for(params_.schemes[i], cadence_), schemes_[i]);
    }
}

}  // namespace damon
