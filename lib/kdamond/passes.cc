// Passes over accessed bits, step by step between the samples.
#include <time.h>

#include "kdamond/kdamond.h"

namespace damon {

// At the beginning of an interval: what the last pass found goes to the engine, and the next one begins.
void Kdamond::follow_passes() {
    passes_.begin_interval();
    const uint64_t interval_us = engine_.params().attrs.referenced_us;
    const bool wanted = interval_us != 0;
    if (!wanted && !passing_) return;
    if (const uint64_t generation = ops_->pass_generation(); wanted && generation != passes_taken_) {
        if (!ops_->pass_answers(pass_windows_)) pass_windows_.clear();
        engine_.take_passes(pass_windows_.span());
        passes_taken_ = generation;
    }
    if (!wanted) {
        if (passes_.under_way()) passes_.give_up();
        engine_.take_passes({});
        passes_taken_ = 0;
        passing_ = false;
    } else if (!passes_.due(saturating_mul(interval_us, 1000), now_ns()) || overhead_.in_pass_debt()) {
        return;
    }
    const CpuScope scope(meter_, Consumer::kReferenced);
    if (!ops_->begin_pass(wanted)) return;
    passing_ = wanted;
    passes_.begin(now_ns());
}

void Kdamond::step_pass() {
    const uint64_t rest_ns = ops_->pass_step(now_ns());
    passes_.step(rest_ns, now_ns());
    if (rest_ns != 0 || !passing_) return;
    const uint64_t paid_by_program_ns = ops_->pass_access_cost_ns();
    overhead_.add_pass_debt(paid_by_program_ns);
    cost_rate_.add(paid_by_program_ns);
}

void Kdamond::charge_passes() {
    const uint64_t spent_ns = meter_.spent(Consumer::kReferenced);
    overhead_.add_pass_debt(spent_ns - charged_passes_ns_);
    cost_rate_.add(spent_ns - charged_passes_ns_);
    charged_passes_ns_ = spent_ns;
}

// Manual drive has no time between the steps: a pass is made as a whole.
void Kdamond::pass_manually() {
    while (passes_.under_way()) {
        const uint64_t before_ns = now_ns();
        const uint64_t rest_ns = ops_->pass_step(before_ns);
        passes_.step(rest_ns, before_ns);
        if (rest_ns == 0) return;
        const timespec rest = {0, static_cast<long>(rest_ns % 1'000'000'000)};
        nanosleep(&rest, nullptr);
    }
}

}  // namespace damon
