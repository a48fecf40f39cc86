#include "support/naive_engine.h"

#include <algorithm>
#include <iterator>

#include "base/arithmetic.h"
#include "model/snapshot.h"

namespace damon::test {

using Wide = unsigned __int128;

namespace {

// M-36: samples were taken in this window, and fewer than one in four was answered.
bool looked_in_vain(const NaiveRegion& region) {
    const Wide asked = Wide{region.answered} + region.unanswered;
    if (asked != 0) return Wide{region.answered} * 4 < asked;
    return (region.evidence & 4) != 0 && (region.evidence & 1) == 0;
}

// M-36: what the count would be if the samples without an answer had been like the others.
uint32_t in_full(const NaiveRegion& region) {
    if (region.unanswered == 0 || region.answered == 0) return region.nr_accesses;
    const Wide share = Wide{region.nr_accesses} * (Wide{region.answered} + region.unanswered);
    return saturate_u32(static_cast<uint64_t>(share / region.answered));
}

}  // namespace

size_t NaiveEngine::nr_regions() const {
    size_t count = 0;
    for (const NaiveTarget& target : targets_) count += target.regions.size();
    return count;
}

// P-4: some probe has a weight.
bool NaiveEngine::attributes_only() const {
    return std::any_of(probes_.begin(), probes_.end(), [](const ProbeParams& probe) { return probe.weight != 0; });
}

uint64_t NaiveEngine::previous_window_bp() const {
    const uint64_t window = std::max<uint64_t>(attrs_.aggr_us, 1) / std::max<uint64_t>(attrs_.sample_us, 1);
    // M-40: nobody has looked since, so that the previous window stands for these intervals too.
    const uint64_t left = tick_reached(tick_, next_aggregation_) ? 0 : next_aggregation_ - tick_ + since_look_;
    return mul_div(left, 10'000, window);
}

uint32_t NaiveEngine::moving_sum(const NaiveRegion& region) const {
    const uint64_t bp = previous_window_bp();
    if (bp == 10'000) return region.last_nr_accesses;
    return saturate_u32(saturating_add(in_full(region), mul_div(region.last_nr_accesses, bp, 10'000)));
}

// A region of which nothing was seen is unknown; so is one of which nothing was seen in this window although somebody
// tried.
uint32_t NaiveEngine::region_flags(const NaiveRegion& region) const {
    constexpr uint8_t kAnswered = 1, kWrites = 2, kUnanswered = 4;
    const uint64_t bp = previous_window_bp();
    uint8_t evidence = bp == 10'000 ? uint8_t{0} : region.evidence;
    if (bp != 0) evidence |= region.last_evidence;
    uint32_t flags = 0;
    const bool unknown = (evidence & kAnswered) == 0 || looked_in_vain(region);
    if (unknown) flags |= kRegionUnknown;
    if (!unknown && (evidence & kUnanswered) != 0) flags |= kRegionPartial;
    if ((evidence & kWrites) != 0) flags |= kRegionWritesOnly;
    return flags;
}

uint64_t NaiveEngine::idle_us(const NaiveRegion& region) const {
    if ((region_flags(region) & kRegionUnknown) != 0) return kU64Max;
    return region.nr_accesses == 0 ? region.idle_us : 0;
}

// The reason that a reader is told: of this window if it has one, else of the part of the previous one that still
// counts.
Unknown NaiveEngine::unknown_reason(const NaiveRegion& region) const {
    const uint64_t bp = previous_window_bp();
    const bool this_counts = bp != 10'000;
    const bool last_counts = bp != 0;
    const bool sampled = (this_counts && region.evidence != 0) || (last_counts && region.last_evidence != 0);
    if (!sampled) return Unknown::kNotExamined;
    if (this_counts && region.reason != 0) return static_cast<Unknown>(region.reason);
    return static_cast<Unknown>(last_counts ? region.last_reason : 0);
}

// --- M-22 ------------------------------------------------------------------------------------------------------

uint64_t NaiveEngine::total_size_limit() const {
    Wide total = 0;
    for (const NaiveTarget& target : targets_) {
        for (const NaiveRegion& region : target.regions) total += region.size();
    }
    // nine tenths of the maximum, rounded down, are enough; and, from 10 on, what leaves 16, or (below 32) half.
    const Wide maximum = attrs_.max_nr_regions;
    Wide enough = maximum * 9 / 10;
    if (maximum >= 10 && maximum < 160) enough = maximum >= 32 ? maximum - 16 : maximum - maximum / 2;
    const Wide least = enough < attrs_.min_nr_regions ? enough : attrs_.min_nr_regions;
    return std::max(static_cast<uint64_t>(total / least), min_region_sz_);
}

uint64_t NaiveEngine::cut_to_minimum_count() {
    const uint64_t limit = align_up(total_size_limit(), min_region_sz_);
    for (NaiveTarget& target : targets_) {
        for (auto region = target.regions.begin(); region != target.regions.end(); ++region) {
            if (region->size() <= limit) continue;
            if (nr_regions() >= region_capacity_) return limit;
            naive_split(target.regions, region, limit);
        }
    }
    return limit;
}

// --- sampling ----------------------------------------------------------------------------------------------------

std::vector<Sample> NaiveEngine::plan(uint64_t wait_us) {
    latched_aggregation_ = next_aggregation_;
    latched_update_ = next_update_;
    latched_sleep_us_ = attrs_.sample_us;
    latched_attributes_only_ = attributes_only();
    std::vector<Sample> samples;
    // M-40: of each five-th of a window, one interval at least; the last interval of a window always.
    const bool can_wait = !tick_reached(tick_ + 1, next_aggregation_) && probes_.empty();
    passing_over_ = can_wait && wait_us > std::max<uint64_t>(attrs_.sample_us, 1) &&
                    5 * Wide{since_look_ + 2} <= attrs_.aggr_samples();
    if (passing_over_) return samples;
    for (size_t i = 0; i < targets_.size(); ++i) {
        for (const NaiveRegion& region : targets_[i].regions) {
            Sample sample;
            sample.addr = streams_.sampling.between(region.start, region.end);
            sample.region = {region.start, region.end};
            sample.target_idx = static_cast<uint32_t>(i);
            samples.push_back(sample);
        }
    }
    return samples;
}

void NaiveEngine::count_sample(NaiveRegion& region, const Sample& sample, uint8_t hits) {
    if (!latched_attributes_only_) {
        const auto stands_for = static_cast<uint32_t>(since_look_ + 1);
        if (sample.seen == Seen::kYes) region.nr_accesses += stands_for;
        if (sample.seen == Seen::kUnknown) {
            region.evidence |= 4;
            region.unanswered += stands_for;
            region.reason = static_cast<uint8_t>(sample.unknown == Unknown::kNone ? Unknown::kOther : sample.unknown);
        } else {
            region.answered += stands_for;
            region.evidence |= sample.writes_only ? 3 : 1;
        }
    }
    if (!traits_.has_probes) return;
    for (size_t i = 0; i < probes_.size(); ++i) {
        if ((hits >> i & 1) != 0 && region.probe_hits[i] < 255) ++region.probe_hits[i];  // saturates
    }
}

// to the nearest whole interval; what is left over or missing goes to the next one.
void NaiveEngine::pass_time(uint64_t elapsed_us) {
    const auto interval = static_cast<int64_t>(std::max<uint64_t>(latched_sleep_us_, 1));
    past_clock_us_ += static_cast<int64_t>(elapsed_us);
    const int64_t more = past_clock_us_ <= 0 ? 0 : past_clock_us_ / interval;
    clock_ += static_cast<uint64_t>(more);
    past_clock_us_ -= more * interval;
    // An odd interval has no middle: its larger part is the second one.
    if (past_clock_us_ >= interval - interval / 2) {
        ++clock_;
        past_clock_us_ -= interval;
    }
    window_us_ += elapsed_us;
    longest_us_ = std::max(longest_us_, elapsed_us);
}

// A window of which one interval took most is not believed beyond twice what was wanted, or what the others took.
uint64_t NaiveEngine::trusted_window_us() const {
    const uint64_t others = window_us_ - longest_us_;
    return std::min<uint64_t>(window_us_, saturating_mul(2, std::max(attrs_.aggr_us, others)));
}

void NaiveEngine::record_samples(const std::vector<Sample>& samples, const std::vector<uint8_t>& hits,
                                 uint64_t elapsed_us) {
    ++tick_;
    pass_time(elapsed_us);
    size_t next = 0;
    for (NaiveTarget& target : targets_) {
        for (NaiveRegion& region : target.regions) {
            if (passing_over_) continue;
            count_sample(region, samples.at(next), hits.empty() ? uint8_t{0} : hits.at(next));
            ++next;
        }
    }
    since_look_ = passing_over_ ? since_look_ + 1 : 0;
    if (!aggregation_due()) return;
    settle_window();
    merge_window(highest_score());
    size_limit_ = cut_to_minimum_count();
}

// M-36: from here on the counts are those of a window whose samples were all answered.
void NaiveEngine::settle_window() {
    for (NaiveTarget& target : targets_) {
        for (NaiveRegion& region : target.regions) {
            if (region.unanswered != 0 && looked_in_vain(region)) {
                region.nr_accesses = 0;
                region.evidence = 4;
            } else {
                region.nr_accesses = in_full(region);
            }
            region.answered = region.unanswered = 0;
        }
    }
}

// --- merge and ageing (M-17 to M-21) ---------------------------------------------------------------------------

uint64_t NaiveEngine::score_of(uint32_t nr_accesses, const std::array<uint8_t, 4>& hits) const {
    if (!attributes_only()) return nr_accesses;
    uint64_t sum = 0;
    for (size_t i = 0; i < probes_.size(); ++i) sum += uint64_t{probes_[i].weight} * hits[i];
    return sum;
}

uint64_t NaiveEngine::highest_score() const {
    uint64_t highest = 0;
    for (const NaiveTarget& target : targets_) {
        for (const NaiveRegion& region : target.regions) {
            highest = std::max(highest, score_of(region.nr_accesses, region.probe_hits));
        }
    }
    return highest;
}

void NaiveEngine::age(NaiveRegion& region, uint64_t threshold) const {
    if (looked_in_vain(region)) {  // M-36, M-37
        const std::optional<uint64_t> idle = passes_idle_us(region.start, region.end, nullptr);
        if (!idle.has_value()) return;
        region.age = *idle == 0 ? 0 : region.age + 1;
        region.age_us = *idle == 0 ? 0 : saturating_add(region.age_us, trusted_window_us());
        return;
    }
    const uint64_t score = score_of(region.nr_accesses, region.probe_hits);
    const uint64_t last = score_of(region.last_nr_accesses, region.last_probe_hits);
    if (absolute_difference(score, last) > threshold || (score == 0) != (last == 0)) {
        region.age = 0;
        region.age_us = 0;
    } else {
        ++region.age;
        region.age_us = saturating_add(region.age_us, trusted_window_us());
    }
    if ((region.evidence & 1) == 0) return;  // nobody asked for accesses
    region.idle_us = region.nr_accesses == 0 ? saturating_add(region.idle_us, trusted_window_us()) : 0;
}

void NaiveEngine::merge_target(NaiveRegions& regions, uint64_t threshold, bool ageing, bool last_pass) {
    for (auto region = regions.begin(); region != regions.end(); ++region) {
        if (ageing) age(*region, threshold);
        if (region == regions.begin()) continue;
        const auto previous = std::prev(region);
        const uint64_t difference = absolute_difference(score_of(previous->nr_accesses, previous->probe_hits),
                                                        score_of(region->nr_accesses, region->probe_hits));
        const bool strangers = looked_in_vain(*previous) != looked_in_vain(*region);  // M-36
        if (previous->end == region->start && difference <= threshold && (!strangers || last_pass) &&
            (passes_alike_around(region->start) || last_pass) &&
            Wide{previous->size()} + region->size() <= size_limit_) {
            region = naive_merge_left(regions, region);
        }
    }
}

void NaiveEngine::merge_window(uint64_t max_score) {
    uint64_t cap = static_cast<uint32_t>(attrs_.aggr_samples());
    if (attributes_only()) {
        uint64_t weights = 0;
        for (const ProbeParams& probe : probes_) weights += probe.weight;
        cap = saturating_mul(cap, weights);
    }
    uint64_t threshold = max_score / 10;
    for (bool first = true;; first = false) {
        for (NaiveTarget& target : targets_) merge_target(target.regions, threshold, first, threshold >= cap);
        if (nr_regions() <= attrs_.max_nr_regions || threshold >= cap) return;
        threshold = threshold < cap / 2 ? std::max<uint64_t>(1, 2 * threshold) : cap;
    }
}

// --- end of a window (M-23 to M-28) ------------------------------------------------------------------------------

void NaiveEngine::reset_window() {
    for (NaiveTarget& target : targets_) {
        for (NaiveRegion& region : target.regions) {
            const bool unseen = looked_in_vain(region);  // M-36: the window is passed over, as a pause is
            if (!unseen) region.last_nr_accesses = region.nr_accesses;
            region.last_probe_hits = region.probe_hits;  // probes see what access checks do not
            if (unseen) {
                const bool reads_missed = (region.last_evidence & 2) != 0;
                region.last_evidence = reads_missed ? 4 | 2 : 4;
            } else {
                region.last_evidence = region.evidence;
            }
            region.last_reason = region.reason;
            region.nr_accesses = 0;
            region.probe_hits = {};
            region.evidence = 0;
            region.answered = region.unanswered = 0;
            region.reason = 0;
        }
    }
}

// One attempt of M-25. The left part stays at `region`.
void NaiveEngine::split_randomly(NaiveRegions& regions, RegionIterator region) {
    const uint64_t tenths = streams_.splitting.between(1, 10);
    const uint64_t cut = align_down(mul_div(region->size(), tenths, 10), min_region_sz_);
    if (cut != 0 && cut < region->size() && nr_regions() < region_capacity_) naive_split(regions, region, cut);
}

void NaiveEngine::split_window() {
    const uint64_t count = nr_regions();
    const uint64_t most = attrs_.max_nr_regions;
    const bool unchanged = remembered_count_ == count;
    remembered_count_ = count;
    if (count >= most) return;

    const bool partial = count > most / 2;
    const int attempts = !partial && unchanged && count < most / 3 ? 2 : 1;
    const uint64_t step = partial ? most / (most - count) : 1;
    const uint64_t offset = partial ? rotation_++ % step : 0;
    uint64_t number = 0;
    for (NaiveTarget& target : targets_) {
        for (auto region = target.regions.begin(); region != target.regions.end();) {
            const auto next = std::next(region);  // parts that are split off here get no attempt of their own
            const bool chosen = number++ % step == offset;
            for (int i = 0; chosen && i < attempts; ++i) {
                const bool large = partial ? region->size() >= 2 * min_region_sz_ : region->size() > 2 * min_region_sz_;
                if (large) split_randomly(target.regions, region);
            }
            region = next;
        }
    }
}

// M-32 to M-34.
void NaiveEngine::tune() {
    next_aggregation_ = latched_aggregation_;
    do {
        next_tune_ += aggr_samples_ * attrs_.intervals_goal.aggrs;
    } while (tick_reached(clock_, next_tune_));
    uint64_t weights = 0;
    for (const ProbeParams& probe : probes_) weights += probe.weight;
    Wide possible = 0;
    Wide seen = 0;
    bool in_vain = false;
    for (const NaiveTarget& target : targets_) {
        for (const NaiveRegion& region : target.regions) {
            if (looked_in_vain(region)) {
                in_vain = true;
                continue;
            }
            possible += Wide{region.size()} * aggr_samples_;
            seen += Wide{region.size()} * score_of(region.nr_accesses, region.probe_hits);
        }
    }
    if (attributes_only()) seen /= weights;
    const Wide goal = std::max<Wide>(possible * attrs_.intervals_goal.access_bp / 10'000, 1);
    const Wide wide_score = seen * 10'000 / goal;
    uint64_t score = wide_score > kU64Max ? kU64Max : static_cast<uint64_t>(wide_score);
    if (possible == 0 && in_vain) score = 10'000;  // M-36
    const std::optional<uint64_t> sample_us = tuned_sample_us(score);
    tuned_->sample_us = sample_us.value_or(attrs_.sample_us);
    if (!sample_us) return;
    Attrs next = attrs_;
    next.sample_us = *sample_us;
    next.aggr_us = saturating_mul(next.sample_us, aggr_samples_);
    set_attrs(next, false);
}

// M-39, and M-32 (3), (4) where it says nothing else. Nothing: the intervals stay.
std::optional<uint64_t> NaiveEngine::tuned_sample_us(uint64_t score) {
    const IntervalsGoal& goal = attrs_.intervals_goal;
    if (!tuned_ || tuned_->goal != goal || tuned_->sample_us != attrs_.sample_us) {
        tuned_ = Tuned{};
        tuned_->goal = goal;
    }
    Tuned& tuned = *tuned_;
    interval_goal_out_of_reach_ = (score <= 9'375 && attrs_.sample_us >= goal.max_sample_us) ||
                                  (score >= 10'625 && attrs_.sample_us <= goal.min_sample_us);
    if (score == 0 || score >= 10'000) {
        tuned.base.reset();
        tuned.at_base = false;
    } else if (!tuned.base || score < tuned.base->second / 2 ||
               score > tuned.base->second + std::min(tuned.base->second, 10'000 - tuned.base->second) / 4) {
        tuned.base = {attrs_.sample_us, score};
        tuned.at_base = false;
    } else if (tuned.at_base || attrs_.sample_us >= 8 * tuned.base->first) {
        const bool there = tuned.at_base;
        tuned.at_base = interval_goal_out_of_reach_ = true;
        return there ? std::nullopt : std::optional<uint64_t>(tuned.base->first);
    }
    uint64_t factor_bp = naive_feed(100'000'000, score) / 10'000;
    if (factor_bp <= 10'000) factor_bp = 5'000 + factor_bp / 2;
    if (factor_bp == 10'000) return std::nullopt;
    return std::clamp(mul_div(attrs_.sample_us, factor_bp, 10'000), goal.min_sample_us, goal.max_sample_us);
}

bool NaiveEngine::finish() {
    if (aggregation_due()) {
        if (attrs_.intervals_goal.aggrs != 0 && tick_reached(clock_, next_tune_)) tune();
        window_us_ = longest_us_ = 0;
        next_aggregation_ = latched_aggregation_ + attrs_.aggr_samples();
        reset_window();
        split_window();
    }
    if (!tick_reached(clock_, latched_update_)) return false;
    const uint64_t period = attrs_.ops_update_us / attrs_.divisor_us();
    next_update_ = latched_update_ + period;
    while (period != 0 && tick_reached(clock_, next_update_)) next_update_ += period;
    return true;
}

}  // namespace damon::test
