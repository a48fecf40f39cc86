#include "support/sim_run.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace damon::test {
namespace {

void must(const Status& status) {
    if (status.ok()) return;
    fprintf(stderr, "simulation cannot be set up: %s\n", status.text());
    abort();
}

}  // namespace

SimRun::SimRun() {
    params.ops_id = OpsId::kSim;
    if (!params.targets.resize(1)) abort();
}

void SimRun::map(uint64_t start, uint64_t end) {
    SimRange range;
    range.range = {start, end};
    must(sim.add_range(range));
}

SimPattern& SimRun::pattern(SimPatternKind kind, AddressRange range) {
    add_pending();
    SimPattern added;
    added.kind = kind;
    added.range = range;
    added.rate_millihz = kHotRate;
    pending_.push_back(added);
    return pending_.back();
}

void SimRun::add_pending() {
    for (const SimPattern& added : pending_) must(sim.add_pattern(added));
    pending_.clear();
}

void SimRun::start() {
    add_pending();
    must(Engine::validate(params, sim.traits()));
    must(engine_.prepare(params, sim.traits()));
    must(sim.start(params));
    refresh(RefreshReason::kInit);
    engine_.start(seed);
    ASSERT_TRUE(engine_.is_valid());
}

void SimRun::refresh(RefreshReason reason) {
    for (uint32_t target_idx = 0; target_idx < engine_.nr_targets(); ++target_idx) {
        coverage_.changed = false;
        sim.refresh(target_idx, reason, coverage_);
        if (!coverage_.changed) continue;
        must(engine_.set_target_ranges(target_idx, coverage_.ranges.span(), params.min_region_sz));
    }
}

bool SimRun::pass_gate() {
    const uint64_t wait_us = engine_.watermark_wait_us(engine_.needs_free_memory() ? sim.free_memory_permil() : -1);
    if (wait_us == 0) return true;
    now_us_ += wait_us;
    sim.set_now(now_us_);
    return false;
}

void SimRun::apply_schemes() {
    if (!engine_.apply_begin(now_us_)) return;
    sim.measure(engine_.metric_queries());
    ActionRequest request;
    while (engine_.next_request(request)) engine_.complete(sim.apply(request));
    ASSERT_TRUE(sim.memory().is_valid()) << "after schemes at " << now_us_ << " us";
}

void SimRun::interval() {
    if (!pass_gate()) return;
    sim.arm(engine_.plan());
    now_us_ += engine_.sleep_us();
    sim.set_now(now_us_);
    sim.look(engine_.samples());
    const Due due = engine_.fold();
    ASSERT_TRUE(engine_.is_valid()) << "after fold at " << now_us_ << " us";
    apply_schemes();
    if (due.aggregation) {
        regions_.resize(engine_.nr_regions());
        regions_.resize(engine_.read_regions(regions_, false));
        ++nr_windows_;
    }
    if (engine_.finish()) refresh(RefreshReason::kUpdate);
    ASSERT_TRUE(engine_.is_valid()) << "after finish at " << now_us_ << " us";
}

void SimRun::window() {
    const unsigned before = nr_windows_;
    while (nr_windows_ == before && !testing::Test::HasFatalFailure()) interval();
}

void SimRun::windows(unsigned count) {
    while (count-- > 0) window();
}

void SimRun::run_until(uint64_t now_us) {
    while (now_us_ < now_us && !testing::Test::HasFatalFailure()) interval();
}

SimAccuracy SimRun::accuracy() const {
    Vector<AddressRange> hot;
    // What was true until the window ended, not what begins at that very moment.
    must(sim.world().hot_ranges(0, now_us_ - 1, truly_hot, hot));
    const auto half = static_cast<uint32_t>(engine_.params().attrs.max_nr_accesses() / 2);
    return compare_with_truth(hot.span(), regions_, {0, std::max(half, 1u)});
}

unsigned SimRun::windows_until(uint64_t f1_bp, unsigned limit) {
    for (unsigned count = 1; count <= limit; ++count) {
        window();
        if (accuracy().f1_bp() >= f1_bp) return count;
    }
    return limit + 1;
}

}  // namespace damon::test
