#include "kdamond/worker/interval.h"

#include <algorithm>

#include "kdamond/worker/worker.h"

namespace damon {

void Interval::start() {
    stage_ = Stage::kIdle;
    resting_ = true;
}

void Interval::move_begin() { counted_ns_ = worker_.run.clock.now_ns(); }

void Interval::begin() {
    Run& run = worker_.run;
    run.ops->set_now(run.clock.now_us());
    worker_.added_target.take_over(false);
    worker_.passes.follow();
    run.in_step = true;
    const std::span<Sample> asked = run.engine.plan(worker_.costs.wait_us());
    if (run.engine.passes_over()) worker_.progress.pass_interval_over();
    if (resting_) run.engine.forget_survey();
    nr_asked_ = asked.size();  // none where only attributes are monitored (P-4)
    if (!run.engine.passes_over()) {
        const AddedRanges::Touch touch(worker_.added, run.touches_memory());
        run.ops->arm(worker_.added_target.placed(asked));
    }
    worker_.surveys.arm();
    run.in_step = false;
    if (resting_) counted_ns_ = run.clock.now_ns();
    resting_ = false;
    stage_ = Stage::kArmed;
}

void Interval::count() {
    Run& run = worker_.run;
    run.ops->set_now(run.clock.now_us());
    run.in_step = true;
    const std::span<Sample> samples = run.engine.samples();
    const std::span<Sample> asked = samples.first(std::min(nr_asked_, samples.size()));
    if (!run.engine.passes_over()) {
        const AddedRanges::Touch touch(worker_.added, run.touches_memory());
        run.ops->look(worker_.added_target.still_placed(asked));
        worker_.added_target.return_answers(asked);
    }
    worker_.surveys.look();
    count_answers(asked);
    if (run.traits.has_probes && !run.engine.params().probes.empty()) run.ops->probe(samples, run.engine.probe_hits());
    due_ = run.engine.record_samples(elapsed_us());
    run.in_step = false;
    run.report(run.ops->notice());
    stage_ = Stage::kCounted;
}

bool Interval::plan_lost() const {
    return stage_ == Stage::kArmed && worker_.run.engine.samples().size() != worker_.run.engine.nr_regions();
}

void Interval::finish() {
    Run& run = worker_.run;
    apply_schemes();
    if (due_.aggregation) {
        worker_.added_target.take_over(true);  // what was removed is in no snapshot
        end_window();
    }
    const Attrs before = run.engine.params().attrs;
    if (run.engine.finish()) worker_.mappings.want_update();
    worker_.progress.show_tuned(before);
    if (due_.aggregation && run.ops->wants_refresh()) worker_.mappings.ask_for_update();
    worker_.mappings.update_if_due();
    stage_ = Stage::kIdle;
}

// Nothing is armed: regions may change.
void Interval::do_what_is_due() {
    Run& run = worker_.run;
    run.ops->set_now(run.clock.now_us());
    run.engine.wait(elapsed_us());
    apply_schemes();
    if (run.engine.take_due_update()) worker_.mappings.want_update();
    worker_.mappings.update_if_due();
}

void Interval::end_window() {
    const uint64_t now_ns = worker_.run.clock.now_ns();
    const uint64_t window_us = worker_.progress.end_window_us(now_ns);
    worker_.publisher.publish(worker_.run.engine, now_ns, window_us);
    worker_.progress.show_window(window_us);
}

// Since the last interval was counted, or since sampling went on.
uint64_t Interval::elapsed_us() {
    const uint64_t now_ns = worker_.run.clock.now_ns();
    const uint64_t us = now_ns > counted_ns_ ? (now_ns - counted_ns_) / 1000 : 0;
    counted_ns_ += us * 1000;
    return us;
}

void Interval::count_answers(std::span<const Sample> samples) {
    Counters& counters = worker_.run.counters;
    uint64_t nr_unknown = 0;
    uint64_t nr_writes_only = 0;
    uint64_t nr_seen = 0;
    bool mapping_changed = false;
    for (const Sample& sample : samples) {
        if (sample.seen == Seen::kUnknown) {
            ++nr_unknown;
            const auto reason = static_cast<size_t>(sample.unknown);
            Counters::add(counters.nr_unknown_by_reason[reason < kNrUnknowns ? reason : kNrUnknowns - 1], 1);
            mapping_changed |= sample.unknown == Unknown::kUnmapped || sample.unknown == Unknown::kNotRegistered;
        }
        nr_seen += sample.seen == Seen::kYes;
        nr_writes_only += sample.writes_only && sample.seen != Seen::kUnknown;
    }
    nr_seen_ = nr_seen;
    if (mapping_changed) worker_.mappings.ask_for_update();
    Counters::add(counters.nr_intervals, 1);
    Counters::add(counters.nr_samples, samples.size());
    Counters::add(counters.nr_unknown_samples, nr_unknown);
    Counters::add(counters.nr_writes_only_samples, nr_writes_only);
}

void Interval::apply_schemes() {
    Run& run = worker_.run;
    if (run.engine.nr_schemes() == 0) {
        worker_.walks.cancel();
        return;
    }
    run.callbacks.bring_goal_values(run.callbacks.owner, run.engine);
    if (!run.engine.apply_begin(run.clock.now_us())) return;
    const CpuScope scope(run.meter, Consumer::kActions);
    run.in_step = true;
    worker_.walks.begin_pass();
    const std::span<MetricQuery> queries = run.engine.metric_queries();
    if (!queries.empty()) run.ops->measure(queries);
    ActionRequest request;
    while (run.engine.next_request(request)) run.engine.complete(act(request));
    worker_.walks.end_pass(run.engine);
    worker_.publisher.publish_schemes(run.engine);
    run.in_step = false;
    worker_.commits.run_deferred();
}

Outcome Interval::act(const ActionRequest& request) {
    Run& run = worker_.run;
    Outcome outcome;
    if (request.kind == RequestKind::kScore) {
        outcome.score = run.ops->score(request);
        return outcome;
    }
    // Only the action itself is timed and charged, not the walk's function.
    const uint64_t begin_ns = run.clock.system_ns();
    if (request.scheme->action == DamosAction::kCallback) {
        outcome.applied = run.callbacks.action(run.callbacks.owner, request);
    } else {
        outcome = worker_.added_target.is_all() ? worker_.added_target.act(request) : run.ops->apply(request);
    }
    if (!run.traits.simulated) outcome.elapsed_ns = run.clock.system_ns() - begin_ns;
    if (!outcome.spared_all(request.range.size())) worker_.walks.report(request, outcome);
    return outcome;
}

}  // namespace damon
