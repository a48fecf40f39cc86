// One sampling interval: plan, arm, (time passes), look, count, calls, (pause), schemes, publish, finish. Real and
// simulated runs, threads and manual steps all come through here. The order is that of rules L-3 to L-14.
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kdamond/kdamond.h"

namespace damon {
namespace {

uint64_t own_cpu_ns() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(used.tv_nsec);
}

}  // namespace

void Kdamond::begin_interval() {
    ops_->set_now(now_us());
    take_over_ranges(false);
    in_step_ = true;
    const std::span<Sample> asked = engine_.plan();
    nr_asked_ = asked.size();  // none where only attributes are monitored (P-4)
    {
        const AddedRanges::Touch touch(added_, touches_itself());
        ops_->arm(placed(asked));
    }
    in_step_ = false;
    stage_ = Stage::kArmed;
}

void Kdamond::count_interval() {
    ops_->set_now(now_us());
    in_step_ = true;
    const std::span<Sample> samples = engine_.samples();
    const std::span<Sample> asked = samples.first(std::min(nr_asked_, samples.size()));
    {
        const AddedRanges::Touch touch(added_, touches_itself());
        ops_->look(still_placed(asked));
    }
    return_answers(asked);
    count_answers(asked);
    if (traits_.has_probes && !engine_.params().probes.empty()) ops_->probe(samples, engine_.probe_hits());
    due_ = engine_.record_samples();
    in_step_ = false;
    if (const Status notice = ops_->notice(); !notice.ok()) callbacks_.failed(callbacks_.owner, notice);
    stage_ = Stage::kCounted;
}

void Kdamond::run_calls() {
    run_deferred_commits();
    mailbox_.run(true);
}

void Kdamond::finish_interval() {
    apply_schemes();
    if (due_.aggregation) take_over_ranges(true);  // what was removed is in no snapshot
    if (due_.aggregation) publisher_.publish(engine_, now_ns());
    const Attrs before = engine_.params().attrs;
    const bool update = engine_.finish();
    const Attrs& tuned = engine_.params().attrs;
    if (tuned.sample_us != before.sample_us || tuned.aggr_us != before.aggr_us)
        callbacks_.attrs_tuned(callbacks_.owner, tuned);
    const bool asked = std::exchange(refresh_wanted_, false);
    const bool wanted = update || (due_.aggregation && ops_->wants_refresh());
    if (asked || (wanted && may_read_mappings())) update_coverage();
    stage_ = Stage::kIdle;
}

void Kdamond::count_answers(std::span<const Sample> samples) {
    uint64_t nr_unknown = 0;
    uint64_t nr_writes_only = 0;
    nr_seen_ = 0;
    for (const Sample& sample : samples) {
        nr_unknown += sample.seen == Seen::kUnknown;
        nr_seen_ += sample.seen == Seen::kYes;
        nr_writes_only += sample.writes_only && sample.seen != Seen::kUnknown;
    }
    Counters::add(counters_.nr_intervals, 1);
    Counters::add(counters_.nr_samples, samples.size());
    Counters::add(counters_.nr_unknown_samples, nr_unknown);
    Counters::add(counters_.nr_writes_only_samples, nr_writes_only);
}

void Kdamond::apply_schemes() {
    if (engine_.nr_schemes() == 0) {
        walks_.cancel();
        return;
    }
    callbacks_.bring_goal_values(callbacks_.owner, engine_);
    if (!engine_.apply_begin(now_us())) return;
    in_step_ = true;
    walks_.begin_pass();
    const std::span<MetricQuery> queries = engine_.metric_queries();
    if (!queries.empty()) ops_->measure(queries);
    ActionRequest request;
    while (engine_.next_request(request)) engine_.complete(act(request));
    walks_.end_pass(engine_);
    publisher_.publish_schemes(engine_);
    in_step_ = false;
    run_deferred_commits();
}

Outcome Kdamond::act(const ActionRequest& request) {
    Outcome outcome;
    if (request.kind == RequestKind::kScore) {
        outcome.score = ops_->score(request);
        return outcome;
    }
    // Only the action itself is timed and charged, not the walk's function.
    const uint64_t begin_ns = clock_.now_ns();
    if (request.scheme->action == DamosAction::kCallback) {
        outcome.applied = callbacks_.action(callbacks_.owner, request);
    } else {
        outcome = added_.only() ? act_in_ranges(request) : ops_->apply(request);
    }
    if (!traits_.simulated) outcome.elapsed_ns = clock_.now_ns() - begin_ns;
    if (!outcome.spared_all(request.range.size())) walks_.report(request, outcome);
    return outcome;
}

// Asks the ops where the targets lie now; `only`: one mark a target, those to be asked for.
void Kdamond::refresh_coverage(RefreshReason reason, const Vector<uint8_t>* only) {
    for (uint32_t target_idx = 0; target_idx < engine_.nr_targets(); ++target_idx) {
        if (only != nullptr && (target_idx >= only->size() || (*only)[target_idx] == 0)) continue;
        refresh_target(target_idx, reason);
    }
    reserve_published();
}

// Reading the mappings of a process that has tens of thousands of them costs more than sampling: a quarter of the limit is
// for it, and beyond that updates come later.
bool Kdamond::may_read_mappings() const {
    const bool limited = !manual_ && !traits_.simulated && engine_.params().attrs.max_overhead_permil != 0;
    return !limited || clock_.now_ns() >= next_reading_ns_;
}

void Kdamond::update_coverage() {
    const uint64_t before_ns = own_cpu_ns();
    refresh_coverage(RefreshReason::kUpdate, nullptr);
    const uint64_t cost_ns = own_cpu_ns() - before_ns;
    const uint64_t permil = std::max<uint64_t>(engine_.params().attrs.max_overhead_permil, 1);
    next_reading_ns_ = saturating_add(clock_.now_ns(), saturating_mul(cost_ns, 4 * 1000 / permil));
}

void Kdamond::refresh_target(uint32_t target_idx, RefreshReason reason) {
    if (target_idx == 0 && added_.only()) {
        taken_generation_ = 0;
        return take_over_ranges(true);
    }
    coverage_.changed = false;
    coverage_.ranges.clear();
    coverage_.given = engine_.params().targets[target_idx].ranges.span();
    if (reason == RefreshReason::kGiven && coverage_.given.empty()) return;
    ops_->refresh(target_idx, reason, coverage_);
    if (!coverage_.changed) return;
    // M-4: a target that cannot be covered now keeps what it has.
    const Status status =
        engine_.set_target_ranges(target_idx, coverage_.ranges.span(), engine_.params().min_region_sz);
    if (!status.ok()) callbacks_.failed(callbacks_.owner, status);
}

// Coverage of many ranges may have made the engine grow. Without memory for all of them, snapshots are cut short.
void Kdamond::reserve_published() {
    if (!publisher_.reserve(engine_.region_capacity(), engine_.nr_schemes())) {
        callbacks_.failed(callbacks_.owner, Status::fail(-ENOMEM, "no memory for snapshots of %llu regions",
                                                         static_cast<unsigned long long>(engine_.region_capacity())));
    }
}

}  // namespace damon
