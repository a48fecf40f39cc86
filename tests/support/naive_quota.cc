// Quotas, goals and scores of the naive engine (5.4 to 5.6, 5.8).
#include <algorithm>
#include <bit>
#include <iterator>

#include "base/arithmetic.h"
#include "support/naive_engine.h"

namespace damon::test {

uint64_t naive_feed(uint64_t last, uint64_t score) {
    if (score == 10'000) return last;
    if (score >= 20'000) return 10'000;
    const uint64_t distance = absolute_difference(score, 10'000);
    const uint64_t change = last < kU64Max / distance ? last * distance / 10'000 : last / 10'000 * distance;
    return score > 10'000 ? std::max<uint64_t>(last - change, 10'000) : saturating_add(last, change);
}

uint32_t naive_hot_score(uint32_t moving_sum, uint64_t age_us, uint64_t max_nr_accesses, const QuotaParams& weights) {
    const uint64_t frequency = mul_div(moving_sum, 100, max_nr_accesses);
    const uint32_t seconds = saturate_u32(age_us / 1'000'000);
    int64_t level = std::bit_width(seconds);
    if (frequency == 0) level = -level;
    const uint64_t age_part = static_cast<uint64_t>(level + 32) * 100 / 32 / 2;
    const uint64_t weight = uint64_t{weights.weight_nr_accesses} + weights.weight_age;
    if (weight == 0) return 0;
    using Wide = unsigned __int128;
    const Wide sum = Wide{weights.weight_nr_accesses} * frequency + Wide{weights.weight_age} * age_part;
    return static_cast<uint32_t>(std::min<Wide>(sum / weight * 99 / 100, 99));
}

// --- the quota of one scheme ---------------------------------------------------------------------------------------

bool NaiveScheme::quota_is_set() const {
    return esz != 0 || params.quota.sz != 0 || params.quota.ms != 0 || !params.goals.empty();
}

bool NaiveScheme::quota_is_full(uint64_t min_region_sz) const {
    return quota_is_set() && (charged_sz >= esz || esz - charged_sz < min_region_sz);
}

void NaiveScheme::charge(uint64_t size, uint64_t applied) {
    const QuotaParams& quota = params.quota;
    if (quota.fail_charge_denom == 0 || applied > size) {
        charged_sz = saturating_add(charged_sz, size);
        return;
    }
    const uint64_t failed = mul_div(size - applied, quota.fail_charge_num, quota.fail_charge_denom);
    charged_sz = saturating_add(charged_sz, saturating_add(applied, failed));
}

void NaiveScheme::add_history(uint64_t size, uint64_t ns) {
    total_charged_sz = saturating_add(total_charged_sz, size);
    total_charged_ns = saturating_add(total_charged_ns, ns);
    if (std::max(total_charged_sz, total_charged_ns) < uint64_t{1} << 63) return;
    total_charged_sz /= 2;
    total_charged_ns /= 2;
}

// --- windows (S-26)
// ----------------------------------------------------------------------------------------------------

void NaiveEngine::adjust_quota(NaiveScheme& scheme, uint64_t now_us, const NaiveWorld& world) {
    // A quota that comes back later finds no window, as one that was never there.
    if (!scheme.quota_is_set()) {
        scheme.charged_from.reset();
        return;
    }
    scheme.ended.reset();
    if (!scheme.charged_from) {
        open_window(scheme, now_us, world);
    } else {  // not in the pass that opened the first window
        const uint64_t from = *scheme.charged_from;
        const uint64_t length = saturating_mul(scheme.params.quota.reset_interval_ms, 1'000);
        if (now_us < from || now_us - from >= length) {
            if (scheme.quota_is_full(min_region_sz_) && !scheme.goal_met) ++scheme.stats.qt_exceeds;
            scheme.ended = {scheme.charged_sz, scheme.esz, scheme.quota_is_full(min_region_sz_)};
            open_window(scheme, now_us, world);
        }
    }
    if (traits_.score != ScoreSource::kNone) rank_regions(scheme, world);
}

void NaiveEngine::open_window(NaiveScheme& scheme, uint64_t now_us, const NaiveWorld& world) {
    scheme.charged_from = now_us;
    // In the first window, too: what was charged without a quota is history, not a part of what it may do (I-9).
    scheme.add_history(scheme.charged_sz, 0);
    scheme.charged_sz = 0;
    scheme.goal_met = false;
    scheme.esz = effective_quota(scheme, world);
}

// S-26a.
uint64_t NaiveEngine::effective_quota(NaiveScheme& scheme, const NaiveWorld& world) const {
    const QuotaParams& quota = scheme.params.quota;
    if (quota.ms == 0 && scheme.params.goals.empty()) return quota.sz;
    uint64_t esz = kU64Max;
    if (!scheme.params.goals.empty()) {
        run_tuner(scheme, world);
        esz = scheme.esz_bp / 10'000;
    }
    if (quota.ms != 0) {
        const uint64_t per_ms = scheme.total_charged_ns == 0
                                    ? uint64_t{4096} * 1024
                                    : mul_div(scheme.total_charged_sz, 1'000'000, scheme.total_charged_ns);
        esz = std::min(esz, std::max(saturating_mul(per_ms, quota.ms), min_region_sz_));
    }
    return quota.sz == 0 ? esz : std::min(esz, quota.sz);
}

// --- goals (S-28)
// --------------------------------------------------------------------------------------------------------

void NaiveEngine::run_tuner(NaiveScheme& scheme, const NaiveWorld& world) const {
    // Beyond the rules: a goal that cannot be measured takes no part; where none can, the quota stays.
    std::optional<uint64_t> measured_score;
    for (size_t i = 0; i < scheme.params.goals.size(); ++i) {
        const std::optional<uint64_t> value = goal_value(scheme, i, world);
        if (!value) continue;
        const uint64_t goal_score = mul_div(*value, 10'000, scheme.params.goals[i].target_value);
        measured_score = std::max(measured_score.value_or(0), goal_score);
    }
    scheme.goal_met = measured_score.has_value() && *measured_score >= 10'000;
    forget_other_goals(scheme);
    if (!scheme.ended) scheme.last_score.reset();
    const QuotaParams& quota = scheme.params.quota;
    const bool temporal = quota.goal_tuner == GoalTuner::kTemporal;
    if (!measured_score) {
        scheme.last_score.reset();
        scheme.stuck_scores.clear();
        if (!temporal) scheme.esz_bp = std::max<uint64_t>(scheme.esz_bp, 10'000);
        return;
    }
    const uint64_t score = *measured_score;
    const uint64_t before = scheme.esz_bp;
    if (!temporal) {
        scheme.esz_bp = std::max<uint64_t>(consist(scheme, score), 10'000);
    } else if (score >= 10'000) {
        scheme.esz_bp = 0;
    } else {
        scheme.esz_bp = quota.sz != 0 && quota.sz <= kU64Max / 10'000 ? quota.sz * 10'000 : kU64Max;
    }
    // S-41.
    const bool counts =
        score < 10'000 && scheme.last_score && (temporal || !scheme.ended->full || scheme.ended->esz < before / 10'000);
    std::vector<uint64_t>& stuck = scheme.stuck_scores;
    if (!counts || (!stuck.empty() && score > saturating_add(stuck.front(), stuck.front() / 16))) stuck.clear();
    if (counts && stuck.size() < 8) stuck.push_back(score);
    scheme.last_score = score;
    scheme.charged_before = scheme.ended ? scheme.ended->charge : 0;
}

void NaiveEngine::forget_other_goals(NaiveScheme& scheme) const {
    std::vector<QuotaGoal> goals(scheme.params.goals.begin(), scheme.params.goals.end());
    for (QuotaGoal& goal : goals) goal.current_value = 0;
    if (scheme.tuned_by == scheme.params.quota.goal_tuner && scheme.tuned_goals == goals) return;
    scheme.tuned_by = scheme.params.quota.goal_tuner;
    scheme.tuned_goals = std::move(goals);
    scheme.last_score.reset();
    scheme.charged_before = 0;
    scheme.gain.reset();
    scheme.rate = false;
    scheme.stuck_scores.clear();
}

// S-40, clause by clause.
uint64_t NaiveEngine::consist(NaiveScheme& scheme, uint64_t s) const {
    constexpr uint64_t c = 10'000;
    uint64_t e = scheme.esz_bp;
    if (scheme.ended && scheme.ended->esz < e / c) e = saturating_mul(scheme.ended->esz, c);
    e = std::max(e, c);
    const uint64_t f = naive_feed(e, s);
    for (const QuotaGoal& goal : scheme.params.goals) scheme.rate |= goal.metric == QuotaMetric::kSomeMemPsiUs;
    if (!scheme.last_score || scheme.rate) return f;
    const uint64_t s0 = *scheme.last_score;
    const uint64_t u = scheme.ended->charge;
    const uint64_t u0 = scheme.charged_before;
    if (u0 != 0 && u <= u0 / 4 && s0 >= c / 2 && s <= s0 / 2) {
        scheme.rate = true;
        return mul_div(saturating_mul(u0, c), c, s0);
    }
    if (s >= c) return s > s0 ? e / 4 : f;
    uint64_t next = f;
    if (s > s0) {
        if (u != 0) scheme.gain = {s - s0, u};
        next = std::min(f, std::max(mul_div(e, (c - s) / 2, s - s0), e / 4));
    } else if (scheme.gain) {
        const auto [p, v] = *scheme.gain;
        const uint64_t sized = saturating_add(u, mul_div((c - s) / 2 + s0 - s, v, p));
        const uint64_t most = saturating_add(saturating_mul(e, 2), saturating_mul(min_region_sz_, c));
        next = std::max(f, std::min(saturating_mul(sized, c), most));
    }
    return scheme.ended->full ? next : std::min(next, e);
}

std::optional<uint64_t> NaiveEngine::goal_value(NaiveScheme& scheme, size_t goal_idx, const NaiveWorld& world) const {
    const QuotaGoal& goal = scheme.params.goals[goal_idx];
    if (goal.metric == QuotaMetric::kUserInput) return goal.current_value;
    MetricQuery query;
    query.metric = goal.metric;
    query.nid = goal.nid;
    query.memcg_id = goal.memcg_id;
    query.scheme_idx = static_cast<uint32_t>(scheme.index);
    query.goal_idx = static_cast<uint32_t>(goal_idx);
    const std::optional<uint64_t> answer = world.measure(query);
    if (!answer || goal.metric != QuotaMetric::kSomeMemPsiUs) return answer;

    std::optional<uint64_t>& total = scheme.pressure_totals[goal_idx];
    const std::optional<uint64_t> before = total;
    total = answer;
    if (before) return *answer - *before;
    const bool temporal = scheme.params.quota.goal_tuner == GoalTuner::kTemporal;
    return !temporal || scheme.esz == 0 ? goal.target_value : 0;
}

// --- ranking (S-26 5 and 6)
// ------------------------------------------------------------------------------------------------

void NaiveEngine::rank_regions(NaiveScheme& scheme, const NaiveWorld& world) {
    std::array<unsigned __int128, 100> histogram{};
    uint32_t highest = 0;
    for (size_t i = 0; i < targets_.size(); ++i) {
        NaiveRegions& regions = targets_[i].regions;
        for (auto region = regions.begin(); region != regions.end(); ++region) {
            if (!matches_pattern(scheme, *region) || reads_unseen(scheme, *region)) continue;
            if (core_filters_reject(i, scheme, region)) continue;
            const uint32_t score = score_for(request_for(i, scheme, *region), scheme, world);
            histogram[score] += region->size();
            highest = std::max(highest, score);
        }
    }
    unsigned __int128 sum = 0;
    uint32_t score = highest;
    for (;; --score) {
        sum += histogram[score];
        if (sum >= scheme.esz || score == 0) break;
    }
    scheme.min_score = score;
}

}  // namespace damon::test
