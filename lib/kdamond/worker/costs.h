// What monitoring costs, and until when the limit (Attrs::max_overhead_permil) has it wait. The limit is on all of the
// monitor's own work: sampling with everything that belongs to it, what the program pays for accesses that are seen,
// surveys, passes over accessed bits, and reading the mappings.
#pragma once

#include <cstdint>

#include "kdamond/timing/overhead.h"
#include "kdamond/worker/progress.h"
#include "kdamond/worker/run.h"

namespace damon {

class Costs {
public:
    Costs(Run& run, Progress& progress) : run_(run), progress_(progress) {}

    // What a start costs, once, is not what the limit is on: it would delay the first window.
    void start();
    // After an interval that found `nr_seen` accesses.
    void charge_interval(uint64_t nr_seen);
    // The same in manual drive, by a simulator's prices: without any, no limit holds.
    void charge_model();
    // Measured, with what the program pays for the accesses that were seen; by the model where time is not real.
    void charge_survey(uint64_t model_ns, uint64_t nr_hits);
    // What the program pays for a pass over accessed bits.
    void charge_pass_of_program(uint64_t cost_ns);
    // Time that was not monitored earns nothing.
    void skip_rest() { overhead_.skip_to(run_.clock.now_ns()); }

    bool update_in_debt() const { return overhead_.in_debt(); }
    bool pass_in_debt() const { return overhead_.in_pass_debt(); }
    // When an interval may end: what was spent is paid back then.
    uint64_t permitted_us() const { return permitted_ns_ / 1000 + (permitted_ns_ % 1000 != 0); }
    // How long that is from now.
    uint64_t wait_us() const;

private:
    void charge_passes();

    Run& run_;
    Progress& progress_;
    Overhead overhead_;
    uint64_t permitted_ns_ = 0;
    uint64_t survey_cost_ns_ = 0;  // of this interval, for the limit
    // Up to where the meter was read:
    uint64_t charged_sampling_ns_ = 0;
    uint64_t charged_update_ns_ = 0;
    uint64_t charged_survey_ns_ = 0;
    uint64_t charged_passes_ns_ = 0;
};

}  // namespace damon
