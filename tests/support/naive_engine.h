// A second engine, written only from the rules and for clarity alone: linked lists, plain loops, callbacks where the
// library's engine is a resumable state machine. It is the oracle of the differential tests and of the fuzzers.
// Not fast, may throw, shares with the library nothing but the parameter structs, base arithmetic and Random.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "model/action.h"
#include "model/metrics.h"
#include "model/ops_traits.h"
#include "model/params.h"
#include "model/pass_window.h"
#include "model/sample.h"
#include "support/naive_regions.h"
#include "support/naive_scheme.h"

namespace damon::test {

struct NaiveTarget {
    NaiveRegions regions;
    TargetParams params;
    bool valid = true;
};

struct NaiveView {
    uint32_t nr_accesses = 0;  // moving sum
    uint32_t age = 0;
    uint64_t age_us = 0;
    uint64_t idle_us = 0;
    uint32_t flags = 0;  // RegionFlags
    Unknown reason = Unknown::kNone;
};

// Thrown by NaiveWorld::apply: the pass is over, because regions or schemes are about to change.
struct PassCancelled {};

// What an apply pass needs from outside. Every member must be set.
struct NaiveWorld {
    std::function<Outcome(const NaiveRequest&)> apply;
    std::function<uint32_t(const NaiveRequest&)> score;  // ScoreSource::kAsk
    std::function<std::optional<uint64_t>(const MetricQuery&)> measure;
};

// The two streams of random numbers of one run.
struct NaiveStreams {
    Random sampling;
    Random splitting;
};

class NaiveEngine {
public:
    // --- parameters (naive_commit.cc) --------------------------------------------------------------------------

    // O-2, O-3, O-8, P-8, M-8 and the fixes of section 10: whether start and commit accept the parameters.
    static bool acceptable(const Params& params, const OpsTraits& traits);

    void prepare(const Params& params, const OpsTraits& traits);
    void start(const NaiveStreams& streams);
    void stop();
    // False where the rules refuse, and then nothing changed. Marks in `new_targets` (may be null) as Engine::commit.
    bool commit(const Params& params, const OpsTraits& traits, std::vector<bool>* new_targets);
    bool commits(const Params& params, const OpsTraits& traits) const;  // what it would say
    bool set_target_ranges(size_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity);
    void set_target_valid(size_t target_idx, bool valid) { targets_[target_idx].valid = valid; }
    void set_goal_value(size_t scheme_idx, size_t goal_idx, uint64_t value) {
        schemes_[scheme_idx].params.goals[goal_idx].current_value = value;
    }
    // Where the rules say "allocation failure": no split happens at this many regions.
    void set_region_capacity(size_t capacity) { region_capacity_ = capacity; }

    // --- one sampling interval (naive_engine.cc) ---------------------------------------------------------------

    // L-3, M-12: one sample per region, in order.
    // M-40: `wait_us` is how long the limit has the next look wait; none where it passes the interval over.
    std::vector<Sample> plan(uint64_t wait_us = 0);
    // L-7, L-8. `hits` (bit i of a byte: probe i) is read where probes exist.
    // The interval took `elapsed_us`.
    void record_samples(const std::vector<Sample>& samples, const std::vector<uint8_t>& hits, uint64_t elapsed_us);
    // L-11. False: no scheme was due. A pass that is cancelled serves the schemes that were due, but is no snapshot.
    bool apply(uint64_t now_us, const NaiveWorld& world);
    // L-12, L-13. True: coverage is due.
    bool finish();

    bool aggregation_due() const { return tick_reached(tick_, latched_aggregation_); }
    uint64_t sleep_us() const { return latched_sleep_us_; }

    // L-22, S-29; `free_permil` < 0: not known.
    uint64_t watermark_wait_us(int32_t free_permil);

    // --- reading -----------------------------------------------------------------------------------------------

    const std::vector<NaiveTarget>& targets() const { return targets_; }
    std::vector<NaiveTarget>& targets() { return targets_; }  // for tests that set the scene
    const std::vector<NaiveScheme>& schemes() const { return schemes_; }
    const Attrs& attrs() const { return attrs_; }
    size_t nr_regions() const;
    uint64_t tick() const { return tick_; }
    uint64_t clock() const { return clock_; }
    uint64_t window_us() const { return window_us_; }
    uint64_t next_aggregation() const { return next_aggregation_; }
    uint64_t next_update() const { return next_update_; }
    uint64_t next_tune() const { return next_tune_; }
    bool interval_goal_out_of_reach() const { return interval_goal_out_of_reach_; }
    uint64_t size_limit() const { return size_limit_; }
    bool attributes_only() const;
    uint32_t moving_sum(const NaiveRegion& region) const;  // M-14
    // A region as readers see it, by samples and passes (M-37).
    NaiveView view(const NaiveRegion& region) const;

    // --- passes over accessed bits (naive_passes.cc) -------------------------------------------------------------

    void take_passes(std::span<const PassWindow> windows);

private:
    // RegionFlags: beyond the rules, what is known of the samples that the moving sum stands for.
    uint32_t region_flags(const NaiveRegion& region) const;
    Unknown unknown_reason(const NaiveRegion& region) const;
    uint64_t idle_us(const NaiveRegion& region) const;
    const PassWindow* pass_at(uint64_t address) const;
    bool passes_alike_around(uint64_t address) const;
    std::optional<uint64_t> passes_idle_us(uint64_t start, uint64_t end, Unknown* why) const;
    void cut_at_passes(NaiveRegions& regions);
    using RegionIterator = NaiveRegions::iterator;

    // Monitoring: naive_engine.cc.
    uint64_t previous_window_bp() const;  // M-14
    uint64_t total_size_limit() const;    // M-22 before aligning
    uint64_t cut_to_minimum_count();      // M-22
    uint64_t score_of(uint32_t nr_accesses, const std::array<uint8_t, 4>& hits) const;
    uint64_t highest_score() const;
    void count_sample(NaiveRegion& region, const Sample& sample, uint8_t hits);
    void settle_window();
    void pass_time(uint64_t elapsed_us);
    uint64_t trusted_window_us() const;
    void merge_window(uint64_t max_score);
    void merge_target(NaiveRegions& regions, uint64_t threshold, bool ageing, bool last_pass);
    void age(NaiveRegion& region, uint64_t threshold) const;
    void reset_window();
    void split_window();
    void split_randomly(NaiveRegions& regions, RegionIterator region);
    void tune();
    std::optional<uint64_t> tuned_sample_us(uint64_t score);

    // Changing attributes: naive_commit.cc.
    void set_attrs(const Attrs& next, bool from_caller);
    void convert_results(const Attrs& next, bool aggregating);
    void commit_scheme(NaiveScheme& scheme, const SchemeParams& params, bool stopped);
    static std::vector<AddressRange> kept_ranges(std::span<const AddressRange> given, uint64_t granularity);
    void commit_targets(const Params& params, std::vector<bool>* new_targets);
    void commit_probes(const Params& params);
    void refit_regions(uint64_t granularity);

    // Schemes: naive_damos.cc.
    uint64_t apply_interval_us(const NaiveScheme& scheme) const;
    uint64_t now_of(const SchemeParams& scheme) const;
    bool due(const NaiveScheme& scheme) const;
    NaiveView view_of_schemes(const NaiveRegion& region) const;
    bool matches_pattern(const NaiveScheme& scheme, const NaiveRegion& region) const;
    int spares(const NaiveScheme& scheme, const NaiveRegion& region) const;
    bool reads_unseen(const NaiveScheme& scheme, const NaiveRegion& region) const;
    NaiveRequest request_for(size_t target_idx, const NaiveScheme& scheme, const NaiveRegion& region) const;
    uint32_t score_for(const NaiveRequest& request, const NaiveScheme& scheme, const NaiveWorld& world) const;
    bool may_act(size_t target_idx, const NaiveScheme& scheme, const NaiveRegion& region,
                 const NaiveWorld& world) const;
    bool split_at(NaiveRegions& regions, RegionIterator region, uint64_t left_size);
    bool core_filters_reject(size_t target_idx, NaiveScheme& scheme, RegionIterator region);
    bool skip_charged(size_t target_idx, NaiveScheme& scheme, RegionIterator region);
    void act(size_t target_idx, NaiveScheme& scheme, RegionIterator region, const NaiveWorld& world);
    void visit(size_t target_idx, RegionIterator region, const NaiveWorld& world);
    bool visit_all(const NaiveWorld& world);
    RegionIterator merge_after_apply(NaiveRegions& regions, RegionIterator region, uint64_t size_limit) const;
    bool nothing_follows(size_t target_idx, RegionIterator region);

    // Quotas: naive_quota.cc.
    void adjust_quota(NaiveScheme& scheme, uint64_t now_us, const NaiveWorld& world);
    void open_window(NaiveScheme& scheme, uint64_t now_us, const NaiveWorld& world);
    uint64_t effective_quota(NaiveScheme& scheme, const NaiveWorld& world) const;
    void run_tuner(NaiveScheme& scheme, const NaiveWorld& world) const;
    void forget_other_goals(NaiveScheme& scheme) const;
    uint64_t consist(NaiveScheme& scheme, uint64_t s) const;
    std::optional<uint64_t> goal_value(NaiveScheme& scheme, size_t goal_idx, const NaiveWorld& world) const;
    void rank_regions(NaiveScheme& scheme, const NaiveWorld& world);

    Attrs attrs_;
    uint64_t aggr_samples_ = 0;
    uint64_t min_region_sz_ = 4096;
    OpsTraits traits_;
    std::vector<NaiveTarget> targets_;
    std::vector<NaiveScheme> schemes_;
    std::vector<ProbeParams> probes_;
    std::vector<PassWindow> passes_;
    size_t region_capacity_ = SIZE_MAX;

    uint64_t tick_ = 0;
    // sampling intervals that the clock has passed, what lies between it and the last of them, and how long this
    // window is so far, in all and in its longest interval.
    uint64_t clock_ = 0;
    int64_t past_clock_us_ = 0;
    uint64_t window_us_ = 0;
    uint64_t longest_us_ = 0;
    uint64_t next_aggregation_ = 0;
    uint64_t next_update_ = 0;
    uint64_t next_tune_ = 0;
    // M-39: what the latest tuning left, and the base.
    struct Tuned {
        IntervalsGoal goal;
        uint64_t sample_us = 0;
        std::optional<std::pair<uint64_t, uint64_t>> base;  // sample interval, score
        bool at_base = false;
    };
    std::optional<Tuned> tuned_;
    bool interval_goal_out_of_reach_ = false;
    uint64_t latched_aggregation_ = 0;
    uint64_t latched_update_ = 0;
    uint64_t latched_sleep_us_ = 0;
    uint64_t since_look_ = 0;  // M-40: intervals without a look since the latest one of this window
    bool passing_over_ = false;
    bool latched_attributes_only_ = false;
    uint64_t size_limit_ = 0;  // L
    uint64_t remembered_count_ = 0;
    uint64_t rotation_ = 0;
    NaiveStreams streams_;
};

}  // namespace damon::test
