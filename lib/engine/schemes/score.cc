#include "engine/schemes/score.h"

#include <algorithm>
#include <bit>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr int kMaxAgeLog = 32;

// 0 to 100, 50 for a region that just changed: the logarithm of the age in seconds, counted downwards for memory that
// is not accessed (S-36).
uint64_t age_subscore(const ScoreInput& input, uint64_t frequency) {
    const uint32_t seconds = saturate_u32(input.age_us / 1'000'000);
    const int log = std::min(static_cast<int>(std::bit_width(seconds)), kMaxAgeLog);
    const int signed_log = frequency == 0 ? -log : log;
    return static_cast<uint64_t>(signed_log + kMaxAgeLog) * 100 / kMaxAgeLog / 2;
}

}  // namespace

uint32_t hot_score(const ScoreInput& input, const QuotaParams& quota) {
    const uint64_t weights = uint64_t{quota.weight_nr_accesses} + quota.weight_age;
    if (weights == 0) return 0;
    const uint64_t frequency = mul_div(input.nr_accesses, 100, input.max_nr_accesses);
    const auto sum = static_cast<unsigned __int128>(quota.weight_nr_accesses) * frequency +
                     static_cast<unsigned __int128>(quota.weight_age) * age_subscore(input, frequency);
    // A moving sum may exceed N after a change of intervals; the clamp is for it.
    const auto hotness = sum / weights * kMaxScore / 100;
    return hotness > kMaxScore ? kMaxScore : static_cast<uint32_t>(hotness);
}

uint32_t cold_score(const ScoreInput& input, const QuotaParams& quota) { return kMaxScore - hot_score(input, quota); }

uint32_t action_score(ScoreSource source, DamosAction action, const ScoreInput& input, const QuotaParams& quota) {
    switch (action) {
        case DamosAction::kPageout:
        case DamosAction::kMigrateCold:
            return cold_score(input, quota);
        case DamosAction::kMigrateHot:
            return hot_score(input, quota);
        case DamosAction::kLruPrio:
            return source == ScoreSource::kPhysical ? hot_score(input, quota) : kMaxScore;
        case DamosAction::kLruDeprio:
            return source == ScoreSource::kPhysical ? cold_score(input, quota) : kMaxScore;
        case DamosAction::kWillneed:
        case DamosAction::kCold:
        case DamosAction::kHugepage:
        case DamosAction::kNohugepage:
        case DamosAction::kCollapse:
        case DamosAction::kStat:
        case DamosAction::kCallback:
            break;
    }
    return kMaxScore;
}

}  // namespace damon
