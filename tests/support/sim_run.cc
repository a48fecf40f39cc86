#include "support/sim_run.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "kdamond/exchange/registry.h"

namespace damon::test {
namespace {

void must(const Status& status) {
    if (status.ok()) return;
    fprintf(stderr, "simulation cannot be set up: %s\n", status.text());
    abort();
}

// Policies of simulations have no callbacks; whatever fails fails the test.
WorkerCallbacks quiet_callbacks() {
    WorkerCallbacks callbacks;
    callbacks.action = [](void*, const ActionRequest&) -> uint64_t { return 0; };
    callbacks.bring_goal_values = [](void*, Engine&) {};
    callbacks.failed = [](void*, const Status& status) { ADD_FAILURE() << status.text(); };
    return callbacks;
}

}  // namespace

SimRun::SimRun() : kdamond_(sync_, quiet_callbacks()) {
    params.ops_id = OpsId::kSim;
    if (!params.targets.resize(1)) abort();
}

SimRun::~SimRun() {
    if (started_) kdamond_.stop();
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
    must(registry_enter(1, false));
    StartOptions options;
    options.seed = seed;
    options.manual = true;
    must(kdamond_.prepare(params, sim, options));
    must(kdamond_.launch());
    started_ = true;
    ASSERT_TRUE(engine().is_valid());
}

void SimRun::interval() {
    now_us_ += engine().sleep_us();
    ASSERT_EQ(kdamond_.step(now_us_), 0) << "at " << now_us_ << " us";
    ASSERT_TRUE(engine().is_valid()) << "at " << now_us_ << " us";
    ASSERT_TRUE(sim.memory().is_valid()) << "at " << now_us_ << " us";
    SnapshotInfo info;
    kdamond_.publisher().read(nullptr, 0, info);  // what there is, without the regions
    if (info.seq == nr_windows_) return;
    regions_.resize(info.nr_regions);
    ASSERT_TRUE(kdamond_.publisher().read(regions_.data(), regions_.size(), info));
    nr_windows_ = static_cast<unsigned>(info.seq);
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
    const auto half = static_cast<uint32_t>(engine().params().attrs.max_nr_accesses() / 2);
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
