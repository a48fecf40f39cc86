// Quotas: how much one scheme may do in a window of real time, and where the next window goes on (rules 1.7, 5.4, 5.5).
#pragma once

#include <cstdint>

#include "engine/schemes/goal_tuner.h"
#include "engine/schemes/score.h"
#include "model/address_range.h"
#include "model/scheme.h"

namespace damon {

// Where the next window resumes, so that a small quota goes round the address space (S-24, S-25).
struct ResumePoint {
    uint64_t addr = 0;
    uint32_t target_idx = 0;
    bool set = false;
    bool operator==(const ResumePoint&) const = default;
};

struct QuotaState {
    uint64_t esz = 0;     // effective size of the present window, core units
    uint64_t esz_bp = 0;  // what the goal tuner made of it, bp of a unit
    uint64_t charged_sz = 0;
    uint64_t charged_from_us = 0;  // start of the present window
    // Throughput history: both are halved before either can wrap.
    uint64_t total_charged_sz = 0;
    uint64_t total_charged_ns = 0;
    ResumePoint resume;
    uint32_t min_score = 0;    // lowest score that is acted on
    bool window_open = false;  // false: no window yet since the quota was set
    WindowEnd ended = {};      // how the window before this one went
    TunerMemory tuner = {};
    bool goal_met = false;  // the goals ask for nothing (more) in this window
    bool operator==(const QuotaState&) const = default;
};

// O-7. A left-over esz does not count.
inline bool quota_is_set(const SchemeParams& scheme) {
    return scheme.quota.sz != 0 || scheme.quota.ms != 0 || !scheme.goals.empty();
}

// S-22, for a quota that is set: less than one smallest region is left.
inline bool quota_is_full(const QuotaState& quota, uint64_t min_region_sz) {
    return quota.charged_sz >= quota.esz || quota.esz - quota.charged_sz < min_region_sz;
}

// S-26 (1) to (3) up to the computation of esz: closes the window that is over and opens the next. True: a window was
// opened and esz is to be computed. Windows that ended full are counted in `qt_exceeds`, but
// for those in which the goals were met: their quota is small because nothing is to be done. Where no quota is set,
// nothing of an older one stays in force.
bool roll_quota_window(const SchemeParams& scheme, uint64_t now_us, uint64_t min_region_sz, QuotaState& quota,
                       uint64_t& qt_exceeds);

// S-26a. quota.esz_bp is up to date where the scheme has goals.
uint64_t effective_size(const SchemeParams& scheme, const QuotaState& quota, uint64_t min_region_sz);

// S-23: `fail_charge` lets bytes that could not be dealt with cost less.
uint64_t charge_of(const QuotaParams& params, uint64_t size, uint64_t applied);

// Charges one action. `elapsed_ns` is the time that applying it took.
void charge_quota(const QuotaParams& params, uint64_t size, uint64_t applied, uint64_t elapsed_ns, QuotaState& quota);

// S-13 (a): how much of a region of `size` units fits in the quota, in whole smallest regions; `size` if all of it.
uint64_t size_within_quota(const QuotaState& quota, uint64_t size, uint64_t min_region_sz);

// S-24, for a resume point in this region's target.
struct ResumeSkip {
    bool skip = false;        // the region (or, with split_size, its left part) was dealt with in an earlier window
    uint64_t split_size = 0;  // not 0: cut the region after so many units and skip the left part
    bool operator==(const ResumeSkip&) const = default;
};
ResumeSkip resume_skip(const ResumePoint& resume, AddressRange range, uint64_t min_region_sz);

// How many units have each score; gives the lowest score that a quota can afford (S-26 (5), (6)).
class ScoreHistogram {
public:
    void clear();
    // Scores above 99 count as 99.
    void add(uint32_t score, uint64_t size);
    uint32_t min_score(uint64_t esz) const;
    bool operator==(const ScoreHistogram&) const = default;

private:
    uint64_t sizes_[kMaxScore + 1] = {};
    uint32_t highest_ = 0;
};

}  // namespace damon
