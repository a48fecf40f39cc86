#include "engine/monitor/tuning.h"

#include <algorithm>

#include "base/arithmetic.h"
#include "engine/monitor/feedback.h"

namespace damon {
namespace {

using Wide = unsigned __int128;

Wide wide_product(Wide a, Wide b) {
    Wide product = 0;
    return __builtin_mul_overflow(a, b, &product) ? ~Wide{0} : product;
}

// The last answer of the feedback loop is taken as 100,000,000, that is 10,000 in bp of the present interval.
constexpr uint64_t kNeutralInput = 100'000'000;

// So many times longer intervals show more accesses, if there are any: counts of a few are noisy.
constexpr uint64_t kEnoughToShow = 8;

}  // namespace

uint64_t intervals_score(const RegionList& regions, const ProbeWeights& weights, const Attrs& attrs,
                         uint64_t aggr_samples) {
    Wide total_size = 0;
    Wide seen = 0;
    bool in_vain = false;
    for (size_t target = 0; target < regions.nr_targets(); ++target) {
        for (size_t index = 0; index < regions.nr_regions_of(target); ++index) {
            const Region& region = regions.at(target, index);
            if (looked_at_in_vain(region)) {
                in_vain = true;
                continue;
            }
            total_size += region.size();
            seen += Wide{region.size()} * weights.score(region);
        }
    }
    if (total_size == 0 && in_vain) return kBp;
    if (weights.attributes_only()) seen /= weights.sum();
    const Wide possible = wide_product(total_size, aggr_samples);
    const Wide goal = std::max<Wide>(wide_product(possible, attrs.intervals_goal.access_bp) / kBp, 1);
    const Wide score = wide_product(seen, kBp) / goal;
    return score > kU64Max ? kU64Max : static_cast<uint64_t>(score);
}

TunedIntervals next_intervals(uint64_t score, const Attrs& attrs, uint64_t aggr_samples) {
    const IntervalsGoal& goal = attrs.intervals_goal;
    uint64_t factor_bp = next_feedback_input(kNeutralInput, score) / kBp;
    // Steps down are at most half, steps up at most double (M-33).
    if (factor_bp <= kBp) factor_bp = kBp / 2 + factor_bp / 2;
    if (factor_bp == kBp || attrs.sample_us == 0) return {attrs.sample_us, attrs.aggr_us};
    const uint64_t wanted_us = std::max<uint64_t>(mul_div(attrs.sample_us, factor_bp, kBp), 1);
    const uint64_t sample_us = std::max(goal.min_sample_us, std::min(goal.max_sample_us, wanted_us));
    return {sample_us, saturating_mul(sample_us, aggr_samples)};
}

TunedIntervals IntervalsTuner::next(uint64_t score, const Attrs& attrs, uint64_t aggr_samples) {
    const IntervalsGoal& goal = attrs.intervals_goal;
    if (goal != goal_ || attrs.sample_us != sample_us_) {
        *this = {};
        goal_ = goal;
    }
    TunedIntervals tuned;
    if (score != 0 && score < kBp) {
        tuned = below_goal(score, attrs, aggr_samples);
    } else {
        base_sample_us_ = 0;
        saturated_ = false;
        tuned = next_intervals(score, attrs, aggr_samples);
    }
    score_ = score;
    sample_us_ = tuned.sample_us;
    out_of_reach_ = saturated_ || (score <= kBp - kBp / 16 && attrs.sample_us >= goal.max_sample_us) ||
                    (score >= kBp + kBp / 16 && attrs.sample_us <= goal.min_sample_us);
    return tuned;
}

TunedIntervals IntervalsTuner::below_goal(uint64_t score, const Attrs& attrs, uint64_t aggr_samples) {
    const uint64_t step = std::min(base_score_, kBp - base_score_) / 4;
    if (base_sample_us_ == 0 || score > base_score_ + step || score < base_score_ / 2) {
        base_sample_us_ = attrs.sample_us;
        base_score_ = score;
        saturated_ = false;
    } else if (!saturated_ && attrs.sample_us / kEnoughToShow >= base_sample_us_) {
        saturated_ = true;
        return {base_sample_us_, saturating_mul(base_sample_us_, aggr_samples)};
    }
    if (saturated_) return {attrs.sample_us, attrs.aggr_us};
    return next_intervals(score, attrs, aggr_samples);
}

}  // namespace damon
