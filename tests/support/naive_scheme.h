// The state of one scheme of the naive engine (rules 1.6 and 1.7).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "model/scheme.h"

namespace damon::test {

// Where the next charge window goes on (S-24).
struct NaiveResumePoint {
    size_t target_idx = 0;
    uint64_t addr = 0;
    bool operator==(const NaiveResumePoint&) const = default;
};

struct NaiveScheme {
    SchemeParams params;
    size_t index = 0;
    SchemeStats stats;
    uint64_t next_apply = 0;
    bool activated = true;
    bool core_default_reject = false;
    bool ops_default_reject = false;
    bool core_filters_allowed = false;

    uint64_t esz = 0;
    uint64_t esz_bp = 0;
    // S-40, S-41. What the tuner knows is about these goals.
    std::optional<GoalTuner> tuned_by;
    std::vector<QuotaGoal> tuned_goals;
    std::optional<uint64_t> last_score;
    uint64_t charged_before = 0;                        // u'
    std::optional<std::pair<uint64_t, uint64_t>> gain;  // by how much the score rose, after what charge
    bool rate = false;
    std::vector<uint64_t> stuck_scores;  // of the windows in a row that S-41 counts
    // Of the window that ended: its charge, its esz and whether it was full.
    struct Ended {
        uint64_t charge;
        uint64_t esz;
        bool full;
    };
    std::optional<Ended> ended;
    bool goal_met = false;  // Q-78, as of the window's beginning
    uint64_t total_charged_sz = 0;
    uint64_t total_charged_ns = 0;
    uint64_t charged_sz = 0;
    std::optional<uint64_t> charged_from;
    std::optional<NaiveResumePoint> resume;
    uint32_t min_score = 0;
    std::vector<std::optional<uint64_t>> pressure_totals;  // by goal; unknown after every commit

    // Within one apply pass: up to where this scheme has acted on the present target (I-9).
    uint64_t acted_until = 0;

    bool goal_out_of_reach() const { return stuck_scores.size() >= 8; }
    bool quota_is_set() const;                         // O-7
    bool quota_is_full(uint64_t min_region_sz) const;  // S-22
    void charge(uint64_t size, uint64_t applied);      // S-23
    void add_history(uint64_t size, uint64_t ns);
    void set_filter_defaults();                        // S-33
};

// One action that the naive engine asks for.
struct NaiveRequest {
    size_t target_idx = 0;
    size_t scheme_idx = 0;
    AddressRange range;
    uint32_t nr_accesses = 0;  // moving sum
    uint32_t age = 0;
    uint64_t age_us = 0;
    uint32_t region_flags = 0;
    bool core_filters_allowed = false;
    bool ops_default_reject = false;
    int spare = 0;  // 1: memory that cannot be looked at; 2: also memory whose reads cannot be seen
    bool operator==(const NaiveRequest&) const = default;
};

// S-27: the next input of a control loop whose last input scored `score` (10000: as wanted).
uint64_t naive_feed(uint64_t last, uint64_t score);

// S-36: how hot a region is, 0 to 99.
uint32_t naive_hot_score(uint32_t moving_sum, uint64_t age_us, uint64_t max_nr_accesses, const QuotaParams& weights);

}  // namespace damon::test
