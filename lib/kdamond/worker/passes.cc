#include "kdamond/worker/passes.h"

#include <time.h>

namespace damon {

void Passes::start() {
    schedule_.start();
    watching_ = false;
    taken_generation_ = 0;
}

void Passes::take_answers(bool wanted) {
    if (const uint64_t generation = run_.ops->pass_generation(); wanted && generation != taken_generation_) {
        if (!run_.ops->pass_answers(windows_)) windows_.clear();
        run_.engine.take_passes(windows_.span());
        taken_generation_ = generation;
    }
}

void Passes::follow() {
    schedule_.begin_interval();
    const uint64_t interval_us = run_.engine.params().attrs.referenced_us;
    const bool wanted = interval_us != 0;
    if (!wanted && !watching_) return;
    take_answers(wanted);
    const uint64_t now_ns = run_.clock.now_ns();
    if (!wanted) {
        if (schedule_.under_way()) schedule_.give_up();
        run_.engine.take_passes({});
        taken_generation_ = 0;
        watching_ = false;
    } else if (!schedule_.due(saturating_mul(interval_us, 1000), now_ns) || costs_.pass_in_debt()) {
        return;
    }
    const CpuScope scope(run_.meter, Consumer::kReferenced);
    if (!run_.ops->begin_pass(wanted)) return;
    watching_ = wanted;
    schedule_.begin(run_.clock.now_ns());
}

void Passes::step() {
    const uint64_t rest_ns = run_.ops->pass_step(run_.clock.now_ns());
    schedule_.step(rest_ns, run_.clock.now_ns());
    if (rest_ns != 0 || !watching_) return;
    costs_.charge_pass_of_program(run_.ops->pass_access_cost_ns());
}

void Passes::make_whole() {
    while (schedule_.under_way()) {
        const uint64_t before_ns = run_.clock.now_ns();
        const uint64_t rest_ns = run_.ops->pass_step(before_ns);
        schedule_.step(rest_ns, before_ns);
        if (rest_ns == 0) return;
        const timespec rest = {0, static_cast<long>(rest_ns % 1'000'000'000)};
        nanosleep(&rest, nullptr);
    }
}

}  // namespace damon
