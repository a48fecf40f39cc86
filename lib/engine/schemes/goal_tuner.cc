#include "engine/schemes/goal_tuner.h"

#include <algorithm>

#include "engine/monitor/feedback.h"

namespace damon {
namespace {

// At most so much less quota in the next window, where the goal comes near or is passed.
constexpr uint64_t kSharpestCut = 4;

// Goals with another key are other goals: what was learned of the old ones says nothing of them. Values do not count.
uint64_t key_of(const SchemeParams& scheme) {
    uint64_t key = 0xcbf29ce484222325;
    const auto mix = [&key](uint64_t value) { key = (key ^ value) * 0x100000001b3; };
    mix(static_cast<uint64_t>(scheme.quota.goal_tuner));
    for (const QuotaGoal& goal : scheme.goals) {
        mix(static_cast<uint64_t>(goal.metric));
        mix(goal.target_value);
        mix(static_cast<uint64_t>(goal.nid));
        mix(goal.memcg_id);
    }
    return key;
}

bool measures_rates(const SchemeParams& scheme) {
    return std::any_of(scheme.goals.begin(), scheme.goals.end(),
                       [](const QuotaGoal& goal) { return goal.metric == QuotaMetric::kSomeMemPsiUs; });
}

uint64_t temporal_esz_bp(const QuotaParams& quota, uint64_t score) {
    if (score >= kBp) return 0;
    return quota.sz != 0 ? saturating_mul(quota.sz, kBp) : kU64Max;
}

// The score went as the quota did: what it measures lasts no longer than the work, like pressure.
bool fell_with_the_quota(uint64_t score, const WindowEnd& end, const TunerMemory& memory) {
    return memory.charged_sz != 0 && end.charged_sz <= memory.charged_sz / 4 && memory.score >= kBp / 2 &&
           score <= memory.score / 2;
}

// Below the goal, and rising: the same work again would add as much again. Half of the way is aimed at.
uint64_t approach(uint64_t esz_bp, uint64_t fed, uint64_t score, const TunerMemory& memory) {
    const uint64_t aimed = mul_div(esz_bp, (kBp - score) / 2, score - memory.score);
    return std::min(fed, std::max(aimed, esz_bp / kSharpestCut));
}

// Below the goal, and not rising: so much more as made it rise when it last did, but at most twice as much.
uint64_t make_up(uint64_t esz_bp, uint64_t fed, uint64_t score, const WindowEnd& end, uint64_t min_region_sz,
                 const TunerMemory& memory) {
    if (memory.gain == 0) return fed;
    const uint64_t missing = saturating_add((kBp - score) / 2, memory.score - score);
    const uint64_t aimed_sz = saturating_add(end.charged_sz, mul_div(missing, memory.gain_sz, memory.gain));
    const uint64_t most = saturating_add(saturating_mul(2, esz_bp), saturating_mul(min_region_sz, kBp));
    return std::max(fed, std::min(saturating_mul(aimed_sz, kBp), most));
}

uint64_t consist_esz_bp(uint64_t esz_bp, uint64_t score, const WindowEnd& end, uint64_t min_region_sz,
                        TunerMemory& memory) {
    const uint64_t fed = next_feedback_input(esz_bp, score);
    if (memory.score == TunerMemory::kUnknown || memory.follows_rate) return fed;
    if (fell_with_the_quota(score, end, memory)) {
        memory.follows_rate = true;
        return mul_div(saturating_mul(memory.charged_sz, kBp), kBp, memory.score);
    }
    const bool rising = score > memory.score;
    if (score >= kBp) return rising ? esz_bp / kSharpestCut : fed;
    if (rising && end.charged_sz != 0) {
        memory.gain = score - memory.score;
        memory.gain_sz = end.charged_sz;
    }
    const uint64_t next =
        rising ? approach(esz_bp, fed, score, memory) : make_up(esz_bp, fed, score, end, min_region_sz, memory);
    return end.full ? next : std::min(next, esz_bp);
}

// S-41. `held`: nothing was left to be done, or the other limits of the quota allow no more.
void count_stuck(uint64_t score, bool held, TunerMemory& memory) {
    if (score >= kBp || !held || memory.score == TunerMemory::kUnknown) {
        memory.nr_stuck = 0;
        return;
    }
    const bool got_on = memory.nr_stuck != 0 && score > saturating_add(memory.stuck_score, memory.stuck_score / 16);
    if (memory.nr_stuck == 0 || got_on) {
        memory.stuck_score = score;
        memory.nr_stuck = 0;
    }
    memory.nr_stuck = std::min(memory.nr_stuck + 1, TunerMemory::kStuckWindows);
}

}  // namespace

uint64_t tune_esz_bp(const SchemeParams& scheme, uint64_t esz_bp, GoalsScore score, const WindowEnd& end,
                     uint64_t min_region_sz, TunerMemory& memory) {
    const bool temporal = scheme.quota.goal_tuner == GoalTuner::kTemporal;
    if (const uint64_t key = key_of(scheme); key != memory.goals_key) {
        memory = {};
        memory.goals_key = key;
    }
    memory.follows_rate |= measures_rates(scheme);
    if (!end.known) memory.score = TunerMemory::kUnknown;
    if (!score.measured) {
        memory.score = TunerMemory::kUnknown;
        memory.nr_stuck = 0;
        return temporal ? esz_bp : std::max(esz_bp, kBp);
    }
    const bool capped = end.known && esz_bp / kBp > end.esz;
    uint64_t next = 0;
    if (temporal) {
        next = temporal_esz_bp(scheme.quota, score.score);
    } else {
        const uint64_t allowed = capped ? saturating_mul(end.esz, kBp) : esz_bp;
        next = std::max(consist_esz_bp(std::max(allowed, kBp), score.score, end, min_region_sz, memory), kBp);
    }
    count_stuck(score.score, !end.full || capped || temporal, memory);
    memory.score = score.score;
    memory.charged_sz = end.charged_sz;
    return next;
}

}  // namespace damon
