#include "engine/schemes/apply_walk.h"

#include <algorithm>

#include "base/arithmetic.h"
#include "engine/monitor/splitting.h"
#include "engine/schemes/matching.h"

namespace damon {
namespace {

bool at_snapshot_limit(const SchemeParams& scheme, const SchemeState& state) {
    return scheme.max_nr_snapshots != 0 && scheme.max_nr_snapshots <= state.stats.nr_snapshots;
}

// One application: a region counts as applied where any byte of it was (S-18).
void count_tried(uint64_t size, const Outcome& outcome, SchemeStats& stats) {
    stats.nr_tried += 1;
    stats.sz_tried = saturating_add(stats.sz_tried, size);
    stats.sz_applied = saturating_add(stats.sz_applied, outcome.applied);
    stats.sz_ops_filter_passed = saturating_add(stats.sz_ops_filter_passed, outcome.filter_passed);
    if (outcome.applied != 0) stats.nr_applied += 1;
}

// S-19, and more: probe counters must be equal too, and a region that nobody could look at is not joined to one
// that was looked at, or it would pass for it.
bool same_history(const Region& left, const Region& right) {
    if (left.range.end != right.range.start || left.age != right.age || left.nr_accesses != right.nr_accesses ||
        left.last_nr_accesses != right.last_nr_accesses || left.nr_unknown != right.nr_unknown) {
        return false;
    }
    const unsigned answered =
        ((evidence_of(left) ^ evidence_of(right)) | (left.last_evidence ^ right.last_evidence)) & kEvidenceAnswered;
    return answered == 0 && std::ranges::equal(left.probe_hits, right.probe_hits) &&
           std::ranges::equal(left.last_probe_hits, right.last_probe_hits);
}

bool acted_before(const SchemeState& state, const RegionInfo& region) {
    return state.acted_target == region.target_idx && region.start < state.acted_until;
}

void forget_resume_points_at(uint32_t target_idx, std::span<SchemeState> states) {
    for (SchemeState& state : states) {
        if (state.quota.resume.target_idx == target_idx) state.quota.resume = {};
    }
}

}  // namespace

bool ApplyWalk::reserve(std::span<const SchemeParams> schemes) {
    size_t nr_goals = 0;
    for (const SchemeParams& scheme : schemes) nr_goals += scheme.goals.size();
    return queries_.reserve(nr_goals);
}

bool ApplyWalk::begin(const ApplyContext& context, uint64_t now_us) {
    DAMON_CHECK(step_ == Step::kIdle);
    queries_.clear();
    bool any = false;
    for (uint32_t i = 0; i < context.schemes.size(); ++i) {
        SchemeState& state = context.states[i];
        state.due = tick_reached(context.ticks_for(i), state.next_apply_sis);
        state.in_pass = state.due && state.activated;
        any |= state.in_pass;
    }
    if (!any) {
        for (SchemeState& state : context.states) state.due = false;
        return false;
    }
    for (uint32_t i = 0; i < context.schemes.size(); ++i) open_window(context, i, now_us);
    step_ = Step::kQuotas;
    return true;
}

void ApplyWalk::open_window(const ApplyContext& context, uint32_t scheme_idx, uint64_t now_us) {
    const SchemeParams& scheme = context.schemes[scheme_idx];
    SchemeState& state = context.states[scheme_idx];
    state.esz_due =
        state.in_pass && roll_quota_window(scheme, now_us, context.min_region_sz, state.quota, state.stats.qt_exceeds);
    if (!state.esz_due) return;
    for (uint32_t i = 0; i < scheme.goals.size(); ++i) {
        const QuotaGoal& goal = scheme.goals[i];
        if (!goal_needs_measuring(goal)) continue;
        const bool added = queries_.push_back(MetricQuery{.metric = goal.metric,
                                                          .nid = goal.nid,
                                                          .memcg_id = goal.memcg_id,
                                                          .scheme_idx = scheme_idx,
                                                          .goal_idx = i});
        DAMON_CHECK(added);
        if (!added) return;
    }
}

void ApplyWalk::set_effective_sizes(const ApplyContext& context) {
    for (const MetricQuery& query : queries_) {
        const SchemeParams& scheme = context.schemes[query.scheme_idx];
        SchemeState& state = context.states[query.scheme_idx];
        take_goal_answer(scheme.goals[query.goal_idx], scheme.quota.goal_tuner, state.quota.esz, query,
                         state.goals[query.goal_idx]);
    }
    for (size_t i = 0; i < context.schemes.size(); ++i) {
        const SchemeParams& scheme = context.schemes[i];
        SchemeState& state = context.states[i];
        if (!state.esz_due) continue;
        state.esz_due = false;
        state.quota.goal_met = false;
        if (!scheme.goals.empty()) {
            const GoalsScore score = score_goals(scheme.goals.span(), state.goals.span());
            state.quota.esz_bp = tune_esz_bp(scheme, state.quota.esz_bp, score, state.quota.ended,
                                             context.min_region_sz, state.quota.tuner);
            state.quota.goal_met = score.measured && score.score >= kBp;
        }
        state.quota.esz = effective_size(scheme, state.quota, context.min_region_sz);
    }
}

bool ApplyWalk::next_request(const ApplyContext& context, ActionRequest& request) {
    DAMON_CHECK(awaiting_ == Awaiting::kNothing);
    if (step_ == Step::kQuotas) {
        set_effective_sizes(context);
        ranking_.begin();
        step_ = Step::kRanking;
    }
    if (step_ == Step::kRanking) {
        if (ranking_.next_score(context, request)) {
            awaiting_ = Awaiting::kRankingScore;
            return true;
        }
        begin_acting(context);
    }
    if (step_ == Step::kActing) {
        if (walk(context, request)) return true;
        finish(context, saw_a_region_);
    }
    return false;
}

void ApplyWalk::begin_acting(const ApplyContext& context) {
    merge_limit_ = unaligned_size_limit(context.regions, {context.attrs.least_nr_regions(), context.min_region_sz});
    for (SchemeState& state : context.states) state.acted_until = 0;
    cursor_ = {};
    looked_ = false;
    score_accepted_ = false;
    saw_a_region_ = false;
    step_ = Step::kActing;
}

bool ApplyWalk::walk(const ApplyContext& context, ActionRequest& request) {
    while (find_region(context)) {
        saw_a_region_ = true;
        for (; cursor_.scheme < context.schemes.size(); ++cursor_.scheme) {
            if (!context.states[cursor_.scheme].in_pass) continue;
            const Verdict verdict = score_accepted_ ? Verdict::kAct : judge(context);
            score_accepted_ = false;
            if (verdict != Verdict::kPass && visit(context, verdict, request)) return true;
        }
        leave_region(context);
    }
    return false;
}

// Moves the cursor to the next target where the present one has no more regions to visit.
bool ApplyWalk::find_region(const ApplyContext& context) {
    for (; cursor_.target < context.regions.nr_targets(); ++cursor_.target, cursor_.region = 0) {
        const bool valid = context.regions.target_valid(cursor_.target);
        const size_t nr_regions = context.regions.nr_regions_of(cursor_.target);
        if (valid && cursor_.region < nr_regions) return true;
        // A target that cannot be resumed in must not hold its schemes up for ever (S-11).
        if (!valid || nr_regions == 0) forget_resume_points_at(cursor_.target, context.states);
    }
    return false;
}

void ApplyWalk::leave_region(const ApplyContext& context) {
    cursor_.scheme = 0;
    looked_ = false;
    if (cursor_.region > 0) {
        const Region& left = context.regions.at(cursor_.target, cursor_.region - 1);
        const Region& right = context.regions.at(cursor_.target, cursor_.region);
        const bool alike = context.passes.empty() || context.passes.alike_around(right.range.start);
        if (alike && same_history(left, right) && right.range.end - left.range.start <= merge_limit_) {
            context.regions.merge_into_previous(cursor_.target, cursor_.region);
            return;
        }
    }
    ++cursor_.region;
}

// S-12 for a scheme and region that match. True: `request` is filled.
bool ApplyWalk::visit(const ApplyContext& context, Verdict verdict, ActionRequest& request) {
    if (verdict == Verdict::kAskScore) {
        request = make_request(context, cursor_, region_, false);
        request.kind = RequestKind::kScore;
        awaiting_ = Awaiting::kScore;
        return true;
    }
    return act(context, request);
}

ApplyWalk::Verdict ApplyWalk::judge(const ApplyContext& context) {
    const SchemeParams& scheme = context.schemes[cursor_.scheme];
    const SchemeState& state = context.states[cursor_.scheme];
    const bool limited = quota_is_set(scheme);
    if (limited && quota_is_full(state.quota, context.min_region_sz)) return Verdict::kPass;
    if (state.quota.resume.set && skip_charged(context)) return Verdict::kPass;
    if (!looked_) look(context);
    if (acted_before(state, region_) || at_snapshot_limit(scheme, state)) return Verdict::kPass;
    if (!scheme_matches(scheme, region_)) return Verdict::kPass;
    if (!context.traits.obeys_unseen_rule && unseen_reads_spare(scheme, region_)) return Verdict::kPass;
    if (!limited || context.traits.score == ScoreSource::kNone) return Verdict::kAct;
    if (context.traits.score == ScoreSource::kAsk) return Verdict::kAskScore;
    return builtin_score(context, cursor_.scheme, region_) >= state.quota.min_score ? Verdict::kAct : Verdict::kPass;
}

void ApplyWalk::look(const ApplyContext& context) {
    region_ = region_under(context, cursor_);
    looked_ = true;
}

// S-24, for a scheme with a resume point.
bool ApplyWalk::skip_charged(const ApplyContext& context) {
    ResumePoint& resume = context.states[cursor_.scheme].quota.resume;
    if (resume.target_idx != cursor_.target) return true;
    const AddressRange range = context.regions.at(cursor_.target, cursor_.region).range;
    const ResumeSkip skip = resume_skip(resume, range, context.min_region_sz);
    // A region that cannot be cut is skipped whole: better than acting twice on its left part.
    const bool cut = skip.split_size != 0 && context.regions.split_at(cursor_.target, cursor_.region, skip.split_size);
    if (cut) looked_ = false;
    // What is left starts the window, also where the point itself lay inside a smallest region.
    if (cut) resume.addr = context.regions.at(cursor_.target, cursor_.region).range.end;
    if (!cut && cursor_.region + 1 == context.regions.nr_regions_of(cursor_.target)) resume = {};
    return skip.skip;
}

// S-13 to S-15, filters before the quota. False: nothing is asked of the ops.
bool ApplyWalk::act(const ApplyContext& context, ActionRequest& request) {
    if (!context.traits.has_apply) {
        take_outcome(context, {});
        return false;
    }
    const FilterVerdict verdict = run_core_filters(context, cursor_, {region_.start, region_.end});
    if (verdict.cut) look(context);  // the schemes that follow look at this part alone
    if (!verdict.accepted) return false;
    SchemeState& state = context.states[cursor_.scheme];
    if (quota_is_set(context.schemes[cursor_.scheme])) {
        const uint64_t size = region_.end - region_.start;
        const uint64_t allowed = size_within_quota(state.quota, size, context.min_region_sz);
        // At least one smallest region is left, or the quota would be full (S-22).
        if (allowed < size && !context.regions.split_at(cursor_.target, cursor_.region, allowed)) {
            count_tried(allowed, {}, state.stats);
            return false;
        }
        region_.end = region_.start + allowed;
    }
    if (!context.passes.empty()) look(context);  // what is known of this part may differ from that of the whole
    request = make_request(context, cursor_, region_, verdict.by_filter);
    awaiting_ = Awaiting::kApply;
    return true;
}

void ApplyWalk::complete(const ApplyContext& context, const Outcome& outcome) {
    const Awaiting awaited = awaiting_;
    awaiting_ = Awaiting::kNothing;
    switch (awaited) {
        case Awaiting::kNothing:
            break;
        case Awaiting::kRankingScore:
            ranking_.take_score(context, outcome.score);
            break;
        case Awaiting::kScore:
            // Ops of the program may answer anything: above the highest score counts as the highest.
            score_accepted_ = std::min(outcome.score, kMaxScore) >= context.states[cursor_.scheme].quota.min_score;
            if (!score_accepted_) ++cursor_.scheme;
            break;
        case Awaiting::kApply:
            take_outcome(context, outcome);
            ++cursor_.scheme;
            break;
    }
}

// S-16 to S-18.
void ApplyWalk::take_outcome(const ApplyContext& context, const Outcome& outcome) {
    const SchemeParams& scheme = context.schemes[cursor_.scheme];
    SchemeState& state = context.states[cursor_.scheme];
    Region& region = context.regions.at(cursor_.target, cursor_.region);
    const uint64_t tried = region.size() - std::min(region.size(), outcome.spared);
    const bool any_tried = !outcome.spared_all(region.size());
    if (context.traits.has_apply && any_tried) {
        charge_quota(scheme.quota, tried, outcome.applied, outcome.elapsed_ns, state.quota);
        const bool full = quota_is_set(scheme) && quota_is_full(state.quota, context.min_region_sz);
        if (full && follows(context)) {
            state.quota.resume = {.addr = region.range.end, .target_idx = cursor_.target, .set = true};
        }
    }
    state.acted_target = cursor_.target;
    state.acted_until = region.range.end;
    if (scheme.action != DamosAction::kStat && !outcome.unseen_all(region.size())) {
        region.age = region_.age = 0;
        region.age_us = region_.age_us = 0;
    }
    if (any_tried) count_tried(tried, outcome, state.stats);
}

// Whether any region lies behind the one under the cursor: without one there is nothing to resume at.
bool ApplyWalk::follows(const ApplyContext& context) const {
    if (cursor_.region + 1 < context.regions.nr_regions_of(cursor_.target)) return true;
    for (size_t later = cursor_.target + 1; later < context.regions.nr_targets(); ++later) {
        if (context.regions.target_valid(later) && context.regions.nr_regions_of(later) != 0) return true;
    }
    return false;
}

// The next deadlines (S-20); a completed pass counts once a scheme, however many targets there are.
void ApplyWalk::finish(const ApplyContext& context, bool complete) {
    for (uint32_t i = 0; i < context.schemes.size(); ++i) {
        const SchemeParams& scheme = context.schemes[i];
        SchemeState& state = context.states[i];
        if (!state.due) continue;
        state.next_apply_sis = context.ticks_for(i) + apply_interval_ticks(scheme, context.attrs);
        if (complete && state.in_pass && !at_snapshot_limit(scheme, state)) state.stats.nr_snapshots += 1;
    }
    queries_.clear();
    ranking_.begin();
    cursor_ = {};
    region_ = {};
    looked_ = false;
    step_ = Step::kIdle;
}

void ApplyWalk::cancel(const ApplyContext& context) {
    if (step_ == Step::kIdle) return;
    awaiting_ = Awaiting::kNothing;
    finish(context, false);
}

bool ApplyWalk::copy_from(const ApplyWalk& other) {
    if (!queries_.copy_from(other.queries_) || !queries_.reserve(other.queries_.capacity())) return false;
    ranking_ = other.ranking_;
    cursor_ = other.cursor_;
    merge_limit_ = other.merge_limit_;
    step_ = other.step_;
    awaiting_ = other.awaiting_;
    region_ = other.region_;
    looked_ = other.looked_;
    score_accepted_ = other.score_accepted_;
    saw_a_region_ = other.saw_a_region_;
    return true;
}

}  // namespace damon
