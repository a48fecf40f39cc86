// One sampling interval: plan, arm, (time passes), look, count, calls, (pause), schemes, publish, finish. Real and
// simulated runs, threads and manual steps all come through here. The order is that of rules L-3 to L-14.
#include <algorithm>
#include <cerrno>

#include "kdamond/kdamond.h"

namespace damon {
void Kdamond::begin_interval() {
    ops_->set_now(now_us());
    take_over_ranges(false);
    follow_passes();
    in_step_ = true;
    const std::span<Sample> asked = engine_.plan();
    if (resting_) engine_.forget_survey();
    nr_asked_ = asked.size();  // none where only attributes are monitored (P-4)
    {
        const AddedRanges::Touch touch(added_, touches_itself());
        ops_->arm(placed(asked));
    }
    arm_spans();
    in_step_ = false;
    if (resting_) counted_ns_ = now_ns();
    resting_ = false;
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
    look_spans();
    return_answers(asked);
    count_answers(asked);
    if (traits_.has_probes && !engine_.params().probes.empty()) ops_->probe(samples, engine_.probe_hits());
    due_ = engine_.record_samples(elapsed_us());
    in_step_ = false;
    if (const Status notice = ops_->notice(); !notice.ok()) callbacks_.failed(callbacks_.owner, notice);
    stage_ = Stage::kCounted;
}

void Kdamond::run_calls() {
    run_deferred_commits();
    run_mailbox(true);
}

// What the program's functions take is not the monitor's own cost.
void Kdamond::run_mailbox(bool with_repeats) {
    {
        const Lock lock(sync_.mutex);
        if (mailbox_.is_empty_locked()) return;
    }
    const CpuScope scope(meter_, Consumer::kActions);
    mailbox_.run(with_repeats);
}

void Kdamond::finish_interval() {
    apply_schemes();
    if (due_.aggregation) {
        take_over_ranges(true);  // what was removed is in no snapshot
        end_window();
    }
    const Attrs before = engine_.params().attrs;
    if (engine_.finish()) updates_.want();
    show_tuned(before);
    if (due_.aggregation && ops_->wants_refresh()) ask_for_update();
    update_if_due();
    stage_ = Stage::kIdle;
}

void Kdamond::end_window() {
    const uint64_t now = now_ns();
    const uint64_t window_us = window_.end_window(now) / 1000;
    publisher_.publish(engine_, now, window_us);
    show_window(window_us);
}

void Kdamond::ask_for_update() { updates_.ask(now_ns(), saturating_mul(engine_.params().attrs.ops_update_us, 1000)); }

// Reading the mappings may take a quarter of the limit: until the last reading is paid for, the next one waits.
void Kdamond::update_if_due() {
    if (!updates_.pending() || !updates_.due(now_ns())) return;
    update_held_back_ = overhead_.in_debt();
    if (update_held_back_) {
        become_limited();
    } else {
        read_mappings();
    }
}

void Kdamond::read_mappings() {
    reading_ = true;
    refresh_coverage(RefreshReason::kUpdate, nullptr);
    reading_ = false;
    update_held_back_ = false;
    updates_.done(now_ns());
}

// Since the last interval was counted, or since sampling went on.
uint64_t Kdamond::elapsed_us() {
    const uint64_t now = now_ns();
    const uint64_t us = now > counted_ns_ ? (now - counted_ns_) / 1000 : 0;
    counted_ns_ += us * 1000;
    return us;
}

void Kdamond::count_answers(std::span<const Sample> samples) {
    uint64_t nr_unknown = 0;
    uint64_t nr_writes_only = 0;
    nr_seen_ = 0;
    bool mapping_changed = false;
    for (const Sample& sample : samples) {
        if (sample.seen == Seen::kUnknown) {
            ++nr_unknown;
            const auto reason = static_cast<size_t>(sample.unknown);
            Counters::add(counters_.nr_unknown_by_reason[reason < kNrUnknowns ? reason : kNrUnknowns - 1], 1);
            mapping_changed |= sample.unknown == Unknown::kUnmapped || sample.unknown == Unknown::kNotRegistered;
        }
        nr_seen_ += sample.seen == Seen::kYes;
        nr_writes_only += sample.writes_only && sample.seen != Seen::kUnknown;
    }
    if (mapping_changed) ask_for_update();
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
    const CpuScope scope(meter_, Consumer::kActions);
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
    const CpuScope scope(meter_, Consumer::kUpdate);
    for (uint32_t target_idx = 0; target_idx < engine_.nr_targets(); ++target_idx) {
        if (only != nullptr && (target_idx >= only->size() || (*only)[target_idx] == 0)) continue;
        refresh_target(target_idx, reason);
    }
    reserve_published();
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
