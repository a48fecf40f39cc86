// The DAMON and DAMOS algorithm as a value: it decides and calls nobody. No clock, no thread, no system call, no
// callback; the same seed and the same inputs give the same regions. The worker (kdamond/) drives it.
//
// One sampling interval, in the order of rules L-3 to L-14:
//
//     samples = plan()                        where to look
//     ... arm, sleep, look ...                fills samples[i].seen
//     record_samples()                                  counts; T advances; merges at the end of a window
//     ... calls, commits, pause ...
//     if (apply_begin(now))                   schemes that are due
//         while (next_request(request))       one at a time: an outcome changes the next decision
//             complete(outcome)
//     ... publish where due().aggregation ...
//     finish()                                tune intervals, reset counters, split; says whether coverage is due
//
// Memory is reserved when parameters are set; plan, record_samples, the apply pass and finish never allocate. Where the
// rules speak of an allocation failure (M-22, S-13, S-34), it is the region capacity that is exhausted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/vector.h"
#include "engine/monitor/cadence.h"
#include "engine/monitor/pass_evidence.h"
#include "engine/monitor/probe_weights.h"
#include "engine/monitor/random_streams.h"
#include "engine/monitor/region.h"
#include "engine/monitor/region_list.h"
#include "engine/monitor/splitting.h"
#include "engine/monitor/thinning.h"
#include "engine/monitor/tuning.h"
#include "engine/schemes/apply_walk.h"
#include "engine/schemes/scheme_state.h"
#include "engine/survey/survey.h"
#include "model/action.h"
#include "model/metrics.h"
#include "model/observation.h"
#include "model/ops_traits.h"
#include "model/params.h"
#include "model/sample.h"
#include "model/saved_context.h"
#include "model/snapshot.h"

namespace damon {

struct Due {
    bool aggregation = false;  // this tick ends a window: counters are complete and merged, not yet reset
    bool update = false;       // coverage is due (L-13): the caller asks the ops and calls set_target_ranges
    bool operator==(const Due&) const = default;
};

class Engine {
public:
    // --- parameters -------------------------------------------------------------------------------------------

    // The complete parameter check of start and commit (O-2, O-3, O-8, P-8, power of two, ranges M-8, scheme fields).
    // The text names the field, its value and what would be right.
    static Status validate(const Params& params, const OpsTraits& traits);

    // Takes the parameters for the first run or for another one. Statistics and quota state of schemes that were
    // there before are kept by position; regions are not. Failure: nothing changed.
    Status prepare(const Params& params, const OpsTraits& traits);

    // Begins a run: T = 0, deadlines of 3.2, the given ranges of each target, M-22. Call set_target_ranges before it
    // for targets whose ranges the ops provide. `seed` starts both random streams (one for sampling, one for splits).
    void start(uint64_t seed);

    // Ends a run (L-17): regions go, parameters, statistics and quota state stay.
    void stop();

    // Changes a running engine (A-18 to A-23 with the fixes of section 10). All memory is taken before anything
    // changes; failure: bit-identical to before. `new_targets` (may be null) receives a mark for each target that the
    // ops must now cover because it is new, or another process's, and empty. Obsolete targets are gone
    // afterwards: params() has the targets as they are numbered from now on, and so have the marks.
    Status commit(const Params& params, const OpsTraits& traits, Vector<uint8_t>* new_targets);

    // Parameters as they are now, intervals as tuned; given ranges that touch have become one.
    const Params& params() const;

    // The user's ranges of a target change (before start, or in a run): they replace the given ones, and regions are
    // fitted to them as by set_target_ranges. Failure: nothing changed.
    Status give_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges);

    // Stopped: a scheme is removed with its statistics and quota state; those behind it move up.
    void forget_scheme(size_t scheme_idx);

    // set_regions of rules M-8 to M-11; `granularity` is a power of two. Before start, and at updates. More ranges than
    // fit take more memory, and region_capacity() grows. Failure: nothing changed.
    Status set_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity);

    // A target whose subject vanished is passed over by the schemes (S-11); its regions stay.
    void set_target_valid(uint32_t target_idx, bool valid);

    // --- one sampling interval --------------------------------------------------------------------------------

    // Latches this interval's deadlines (L-3) and draws one address per region (M-12), in region order. The span is
    // valid until record_samples, or until parameters or coverage change, which drops the samples. Empty in
    // attributes-only mode (P-4). Where a plan still stands, because it was never recorded, that one is given again
    // without its answers: an interval that a pause cut short is done over, and the random streams stay where they are.
    // `wait_us`: how long the limit on the monitor's cost has the next look wait. Empty also where that makes the
    // engine pass this interval over (M-40): nobody looks, and the samples of the next one stand for it.
    std::span<Sample> plan(uint64_t wait_us = 0);
    // Of the latest plan.
    bool passes_over() const { return thinning_.passes_over(); }
    // When an interval that is to end at `permitted_us` at the earliest may end, on the same clock: one that is passed
    // over ends in time, or where the next one will be looked in, so that that one need not be longer.
    uint64_t may_end_at(uint64_t permitted_us) const {
        if (!passes_over()) return permitted_us;
        return thinning_.waits_for_look() ? permitted_us - std::min(permitted_us, sleep_us()) : 0;
    }
    // The latched sampling interval to sleep, microseconds.
    uint64_t sleep_us() const;
    // While an interval that is passed over is waited out: time that has passed and does not end it; how long
    // until a scheme with an interval of its own, or an update, is due (2^64-1: never); whether an update has become
    // due.
    void wait(uint64_t elapsed_us) { cadence_.wait(elapsed_us); }
    uint64_t due_within_us() const;
    bool take_due_update();

    // The samples of the last plan, until record_samples: to be looked at, and to be probed.
    std::span<Sample> samples();
    // Where probes exist: bit i of hits[n] says that probe i hit at samples()[n]. All 0 after plan; empty where the
    // ops have no probes or none are set.
    std::span<uint8_t> probe_hits();

    // Around the interval too, where surveys are made: spans to be armed now, after plan; spans to be looked at now,
    // before record_samples, to be answered in place; and what both cost, with what they took from the program. Empty
    // where there are none.
    std::span<Span> spans_to_arm();
    std::span<Span> spans_to_look_at();
    void charge_survey(uint64_t cost_ns) { survey_.charge(cost_ns); }
    // What was armed is not looked at, or time has passed in between: surveys begin anew.
    void forget_survey() { survey_.forget(); }

    // T += 1, counts the answers, and at the end of a window merges and cuts to the minimum count (L-7, L-8). An answer
    // "unknown" is never an access. `elapsed_us` is how long the interval took, pauses left out: what is given in
    // microseconds goes by it. Without it the interval took the time that it was to take.
    Due record_samples(uint64_t elapsed_us);
    Due record_samples() { return record_samples(cadence_.nominal_us()); }

    // Quota windows are real time: `now_us` serves only them. False: no scheme is due (or there are none).
    bool apply_begin(uint64_t now_us);
    // Which measurements the goals of due schemes need in this pass; answer in place before the first next_request.
    // Usually empty. What cannot be answered takes no part.
    std::span<MetricQuery> metric_queries();
    bool next_request(ActionRequest& request);
    void complete(const Outcome& outcome);

    // Interval tuning, end of window, reset, split (L-12). Returns true where ops.update is due (L-13), and then its
    // deadline has been advanced.
    bool finish();

    // --- passes over accessed bits (engine_passes.cc) -----------------------------------------------------------

    // All that passes know by now, of all targets, in address order: it takes the place of what they knew before.
    // Regions are cut where it differs, as far as there is room (M-37). Not while a scheme is applied.
    void take_passes(std::span<const PassWindow> windows);

    // --- watermarks (L-22, S-29) ------------------------------------------------------------------------------

    bool needs_watermark(WatermarkMetric metric) const;
    // Evaluates every scheme; `free_permil` < 0: unknown. The wait in microseconds; 0: proceed.
    uint64_t watermark_wait_us(const WatermarkValues& values);

    // --- a monitor elsewhere (OpsTraits::offloaded), in place of everything from plan to finish ---------------

    // Shows what somebody else found as if it had been found here: regions with their counts and ages, intervals as
    // tuned, the schemes' progress. T stays 0. May take memory; false: out of it, some regions are missing.
    [[nodiscard]] bool mirror(const Observation& seen);

    // --- reading ----------------------------------------------------------------------------------------------

    size_t nr_regions() const;
    size_t nr_targets() const;
    uint64_t passed_sample_intervals() const;  // T
    const Cadence& cadence() const;
    const RegionList& regions() const;
    const Survey& survey() const { return survey_; }
    const IntervalsTuner& intervals_tuner() const { return tuner_; }
    // How long the window has been so far, at its end how long it was.
    uint64_t window_us() const { return cadence_.window_us; }
    // Moving sum of nr_accesses (M-14) of one region.
    uint32_t moving_sum(const Region& region) const;
    // All regions in order. `moving`: moving sums; else the raw counters, complete at the end of a window. Returns
    // the number written, at most out.size().
    size_t read_regions(std::span<RegionInfo> out, bool moving) const;
    // The raw counters of the probes, in the order of read_regions. Returns the number written.
    size_t read_probe_hits(std::span<ProbeHits> out) const;
    // Regions that there is memory for; reserved at prepare and commit, and only set_target_ranges adds to it.
    size_t region_capacity() const;
    // Bytes reserved for regions, samples and scratch.
    size_t reserved_bytes() const;

    size_t nr_schemes() const;
    const SchemeState& scheme(size_t scheme_idx) const;
    // user_input goals, also while running; on the worker.
    void set_goal_value(size_t scheme_idx, size_t goal_idx, uint64_t value);

    // --- what was learned (engine_saved.cc) -------------------------------------------------------------------

    // Regions with counts of a whole window, ages, and what schemes remember. Targets with given ranges by position,
    // the others by address. False: out of memory, `out` is as it was.
    [[nodiscard]] bool save(uint64_t now_us, SavedContext& out) const;
    // Takes it over, in a run: of each target what lies in the memory that it covers, in the place of its regions; of
    // each scheme that has the same action. The window begins anew. Failure: nothing changed.
    Status restore(const SavedContext& saved, uint64_t now_us);

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const Engine& other);
    bool operator==(const Engine& other) const;
    // Invariants I-1 to I-8; checked after every mutation in checked builds and by every simulation.
    bool is_valid() const;

private:
    [[nodiscard]] bool reserve_regions(size_t capacity);
    Status set_ranges(uint32_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity);
    void end_window(uint64_t highest_score);
    void tune_intervals();
    void change_attrs(const Attrs& attrs);
    [[nodiscard]] bool prepare_survey();
    MovingWindow moving_window() const;
    bool looks() const { return !cadence_.latched_attributes_only && !thinning_.passes_over(); }
    bool surveys() const { return survey_.active() && !cadence_.latched_attributes_only; }
    void split_at_random();
    ApplyContext apply_context();

    // The steps of a commit, on a copy of the engine that is thrown away where one fails; engine_commit.cc.
    Status adopt(const Params& params, const OpsTraits& traits, Vector<uint8_t>& new_targets);
    [[nodiscard]] bool adopt_targets(Vector<TargetParams>& targets, std::span<SchemeState> schemes,
                                     Vector<uint8_t>& new_targets);
    Status adopt_ranges(std::span<uint8_t> new_targets);
    Status keep_given_ranges(std::span<TargetParams> before);
    void adopt_probes(std::span<const ProbeParams> before);

    // The steps of restore, on a copy as well.
    [[nodiscard]] bool take_over(const SavedContext& saved, uint64_t now_us);
    void begin_window_after(const SavedContext& saved);

    Params params_;
    OpsTraits traits_;
    ProbeWeights weights_;       // of params_.probes
    uint64_t aggr_samples_ = 0;  // W as the user set it; tuning keeps it (I-12)

    RandomStreams streams_;
    Cadence cadence_;
    Thinning thinning_;
    RegionList regions_;
    // One for each region while planned_; afterwards nobody's, kept at its size.
    Vector<Sample> samples_;
    Vector<uint8_t> probe_hits_;
    bool planned_ = false;
    uint64_t size_limit_ = 0;  // L, as the latest M-22 returned it (M-17)
    SplitMemory split_memory_;
    IntervalsTuner tuner_;
    Survey survey_;
    PassEvidence passes_;

    Vector<SchemeState> schemes_;  // parallel to params_.schemes
    ApplyWalk walk_;
    MovingWindow pass_window_;  // of the latest pass, in which no tick passes and no attribute changes
};

}  // namespace damon
