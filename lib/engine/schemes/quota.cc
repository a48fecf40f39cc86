#include "engine/schemes/quota.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

// Units per millisecond that are believed in before anything was measured (S-26a).
constexpr uint64_t kThroughputWithoutHistory = 4096 * 1024;
constexpr uint64_t kHistoryLimit = uint64_t{1} << 63;

void halve_history_if_large(QuotaState& quota) {
    if (quota.total_charged_sz < kHistoryLimit && quota.total_charged_ns < kHistoryLimit) return;
    quota.total_charged_sz /= 2;
    quota.total_charged_ns /= 2;
}

uint64_t throughput_per_ms(const QuotaState& quota) {
    if (quota.total_charged_ns == 0) return kThroughputWithoutHistory;
    return mul_div(quota.total_charged_sz, 1'000'000, quota.total_charged_ns);
}

bool window_covers(const QuotaState& quota, uint64_t reset_interval_ms, uint64_t now_us) {
    return quota.charged_from_us <= now_us && now_us - quota.charged_from_us < saturating_mul(reset_interval_ms, 1'000);
}

}  // namespace

bool roll_quota_window(const SchemeParams& scheme, uint64_t now_us, uint64_t min_region_sz, QuotaState& quota,
                       uint64_t& qt_exceeds) {
    if (!quota_is_set(scheme)) {
        quota.esz = 0;
        quota.window_open = false;
        return false;
    }
    WindowEnd ended;
    if (quota.window_open) {
        if (window_covers(quota, scheme.quota.reset_interval_ms, now_us)) return false;
        ended = {quota.charged_sz, quota.esz, true, quota_is_full(quota, min_region_sz)};
        if (!quota.goal_met && ended.full) ++qt_exceeds;
    }
    quota.ended = ended;
    // What was charged while no quota was set is history too, not a charge on the first window (I-9).
    quota.total_charged_sz = saturating_add(quota.total_charged_sz, quota.charged_sz);
    halve_history_if_large(quota);
    quota.charged_sz = 0;
    quota.charged_from_us = now_us;
    quota.window_open = true;
    return true;
}

uint64_t effective_size(const SchemeParams& scheme, const QuotaState& quota, uint64_t min_region_sz) {
    const QuotaParams& params = scheme.quota;
    if (params.ms == 0 && scheme.goals.empty()) return params.sz;
    uint64_t esz = kU64Max;
    if (!scheme.goals.empty()) esz = quota.esz_bp / kBp;
    if (params.ms != 0) {
        esz = std::min(esz, std::max(saturating_mul(throughput_per_ms(quota), params.ms), min_region_sz));
    }
    if (params.sz != 0) esz = std::min(esz, params.sz);
    return esz;
}

uint64_t charge_of(const QuotaParams& params, uint64_t size, uint64_t applied) {
    if (params.fail_charge_denom == 0 || applied > size) return size;
    return saturating_add(applied, mul_div(size - applied, params.fail_charge_num, params.fail_charge_denom));
}

void charge_quota(const QuotaParams& params, uint64_t size, uint64_t applied, uint64_t elapsed_ns, QuotaState& quota) {
    quota.charged_sz = saturating_add(quota.charged_sz, charge_of(params, size, applied));
    quota.total_charged_ns = saturating_add(quota.total_charged_ns, elapsed_ns);
    halve_history_if_large(quota);
}

uint64_t size_within_quota(const QuotaState& quota, uint64_t size, uint64_t min_region_sz) {
    const uint64_t left = quota.esz > quota.charged_sz ? quota.esz - quota.charged_sz : 0;
    return size <= left ? size : align_down(left, min_region_sz);
}

ResumeSkip resume_skip(const ResumePoint& resume, AddressRange range, uint64_t min_region_sz) {
    if (resume.addr == 0 || resume.addr <= range.start) return {};
    if (range.end <= resume.addr) return {true, 0};
    const uint64_t done = align_down(resume.addr - range.start, min_region_sz);
    if (done != 0) return {true, done};
    // Less than one smallest region was done: skip one, else this window would do the same again.
    return {true, range.size() <= min_region_sz ? 0 : min_region_sz};
}

void ScoreHistogram::clear() { *this = {}; }

void ScoreHistogram::add(uint32_t score, uint64_t size) {
    score = std::min(score, kMaxScore);
    sizes_[score] = saturating_add(sizes_[score], size);
    highest_ = std::max(highest_, score);
}

uint32_t ScoreHistogram::min_score(uint64_t esz) const {
    uint64_t sum = 0;
    uint32_t score = highest_;
    while (true) {
        sum = saturating_add(sum, sizes_[score]);
        if (sum >= esz || score == 0) return score;
        --score;
    }
}

}  // namespace damon
