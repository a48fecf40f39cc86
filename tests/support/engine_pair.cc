#include "support/engine_pair.h"

#include <algorithm>
#include <sstream>

namespace damon::test {
namespace {

void describe(std::ostream& out, size_t target_idx, const NaiveRegion& region) {
    out << target_idx << " [" << region.start << "," << region.end << ") nr " << region.nr_accesses << " last "
        << region.last_nr_accesses << " age " << region.age << " " << region.age_us << " us idle " << region.idle_us
        << " us probes";
    for (size_t i = 0; i < kMaxProbes; ++i) out << " " << +region.probe_hits[i] << "/" << +region.last_probe_hits[i];
    out << " evidence " << +region.evidence << "/" << +region.last_evidence << " answered " << region.answered << "/"
        << region.unanswered << " reason " << +region.reason << "/" << +region.last_reason << "\n";
}

NaiveRegion as_naive(const Region& region) {
    NaiveRegion copy;
    copy.start = region.range.start;
    copy.end = region.range.end;
    copy.nr_accesses = region.nr_accesses;
    copy.last_nr_accesses = region.last_nr_accesses;
    copy.age = region.age;
    copy.age_us = region.age_us;
    copy.idle_us = region.idle_us;
    std::copy_n(region.probe_hits, kMaxProbes, copy.probe_hits.begin());
    std::copy_n(region.last_probe_hits, kMaxProbes, copy.last_probe_hits.begin());
    copy.evidence = evidence_of(region);
    copy.last_evidence = region.last_evidence;
    copy.answered = region.nr_answered;
    copy.unanswered = region.nr_unknown;
    copy.reason = region.unknown_reason;
    copy.last_reason = region.last_unknown_reason;
    return copy;
}

std::ostream& operator<<(std::ostream& out, const NaiveRequest& request) {
    return out << "scheme " << request.scheme_idx << " target " << request.target_idx << " [" << request.range.start
               << "," << request.range.end << ") nr " << request.nr_accesses << " age " << request.age << " allowed "
               << request.core_filters_allowed << " ops reject " << request.ops_default_reject << " flags "
               << request.region_flags << " spare " << request.spare;
}

NaiveRequest as_naive(const ActionRequest& request) {
    NaiveRequest copy;
    copy.target_idx = request.target_idx;
    copy.scheme_idx = request.scheme_idx;
    copy.range = request.range;
    copy.nr_accesses = request.nr_accesses;
    copy.age = request.age;
    copy.age_us = request.age_us;
    copy.region_flags = request.region_flags;
    copy.core_filters_allowed = request.core_filters_allowed;
    copy.ops_default_reject = request.ops_filters_default_reject;
    copy.spare = static_cast<int>(request.unseen);
    return copy;
}

ActionRequest as_request(const NaiveRequest& naive) {
    ActionRequest request;
    request.target_idx = static_cast<uint32_t>(naive.target_idx);
    request.scheme_idx = static_cast<uint32_t>(naive.scheme_idx);
    request.range = naive.range;
    request.nr_accesses = naive.nr_accesses;
    request.age = naive.age;
    return request;
}

// Collects "name: engine 1, naive 2" for values that differ.
class Differences {
public:
    template <typename A, typename B>
    Differences& add(const char* name, const A& of_engine, const B& of_naive) {
        if (!(of_engine == of_naive)) {
            out_ << "  " << name << ": engine " << +of_engine << ", naive " << +of_naive << "\n";
        }
        return *this;
    }
    std::string text() const { return out_.str(); }

private:
    std::ostringstream out_;
};

}  // namespace

std::string describe_regions(const NaiveEngine& engine) {
    std::ostringstream out;
    for (size_t i = 0; i < engine.targets().size(); ++i) {
        for (const NaiveRegion& region : engine.targets()[i].regions) describe(out, i, region);
    }
    return out.str();
}

std::string describe_regions(const Engine& engine) {
    std::ostringstream out;
    for (size_t i = 0; i < engine.nr_targets(); ++i) {
        for (size_t j = 0; j < engine.regions().nr_regions_of(i); ++j) {
            describe(out, i, as_naive(engine.regions().at(i, j)));
        }
    }
    return out.str();
}

// --- comparing -----------------------------------------------------------------------------------------------------

std::string EnginePair::compare_regions() const {
    if (engine_.nr_targets() != naive_.targets().size()) return "  number of targets\n";
    for (size_t i = 0; i < naive_.targets().size(); ++i) {
        const NaiveRegions& regions = naive_.targets()[i].regions;
        bool equal = engine_.regions().nr_regions_of(i) == regions.size();
        size_t j = 0;
        for (auto region = regions.begin(); equal && region != regions.end(); ++region) {
            equal = as_naive(engine_.regions().at(i, j++)) == *region;
        }
        if (!equal) return "  regions of target " + std::to_string(i) + "\n";
    }
    return {};
}

std::string EnginePair::compare_deadlines() const {
    const Cadence& cadence = engine_.cadence();
    const Attrs& attrs = engine_.params().attrs;
    return Differences()
        .add("T", engine_.passed_sample_intervals(), naive_.tick())
        .add("clock", cadence.clock(), naive_.clock())
        .add("window_us", engine_.window_us(), naive_.window_us())
        .add("next aggregation", cadence.next_aggregation, naive_.next_aggregation())
        .add("next update", cadence.next_ops_update, naive_.next_update())
        .add("next tuning", attrs.intervals_goal.aggrs == 0 ? 0 : cadence.next_intervals_tune,
             attrs.intervals_goal.aggrs == 0 ? 0 : naive_.next_tune())
        .add("interval goal out of reach", engine_.intervals_tuner().out_of_reach(),
             naive_.interval_goal_out_of_reach())
        .add("sample_us", attrs.sample_us, naive_.attrs().sample_us)
        .add("aggr_us", attrs.aggr_us, naive_.attrs().aggr_us)
        .add("regions", engine_.nr_regions(), naive_.nr_regions())
        .text();
}

std::string EnginePair::compare_scheme(size_t scheme_idx) const {
    const SchemeState& state = engine_.scheme(scheme_idx);
    const NaiveScheme& naive = naive_.schemes()[scheme_idx];
    const QuotaState& quota = state.quota;
    const std::string text =
        Differences()
            .add("nr_tried", state.stats.nr_tried, naive.stats.nr_tried)
            .add("sz_tried", state.stats.sz_tried, naive.stats.sz_tried)
            .add("nr_applied", state.stats.nr_applied, naive.stats.nr_applied)
            .add("sz_applied", state.stats.sz_applied, naive.stats.sz_applied)
            .add("sz_ops_filter_passed", state.stats.sz_ops_filter_passed, naive.stats.sz_ops_filter_passed)
            .add("qt_exceeds", state.stats.qt_exceeds, naive.stats.qt_exceeds)
            .add("nr_snapshots", state.stats.nr_snapshots, naive.stats.nr_snapshots)
            .add("next_apply", running_ ? state.next_apply_sis : 0, running_ ? naive.next_apply : 0)
            .add("activated", state.activated, naive.activated)
            .add("esz", quota.esz, naive.esz)
            .add("esz_bp", quota.esz_bp, naive.esz_bp)
            .add("goal out of reach", quota.tuner.out_of_reach(), naive.goal_out_of_reach())
            .add("charged_sz", quota.charged_sz, naive.charged_sz)
            .add("total_charged_sz", quota.total_charged_sz, naive.total_charged_sz)
            .add("total_charged_ns", quota.total_charged_ns, naive.total_charged_ns)
            .add("resume set", quota.resume.set, naive.resume.has_value())
            .add("resume addr", quota.resume.set ? quota.resume.addr : 0, naive.resume ? naive.resume->addr : 0)
            .add("resume target", quota.resume.set ? quota.resume.target_idx : 0,
                 naive.resume ? naive.resume->target_idx : 0)
            .add("min_score", quota.min_score, naive.min_score)
            .text();
    return text.empty() ? text : "  scheme " + std::to_string(scheme_idx) + ":\n" + text;
}

std::string EnginePair::compare(const char* after) {
    if (!engine_.is_valid()) return std::string(after) + ": the engine is not valid\n" + describe_regions(engine_);
    std::string text = (running_ ? compare_deadlines() : "") + compare_regions();
    if (engine_.nr_schemes() != naive_.schemes().size()) {
        text += "  number of schemes\n";
    } else {
        for (size_t i = 0; i < naive_.schemes().size(); ++i) text += compare_scheme(i);
    }
    if (text.empty()) return text;
    return std::string("after ") + after + " at T = " + std::to_string(naive_.tick()) + ":\n" + text + "engine:\n" +
           describe_regions(engine_) + "naive:\n" + describe_regions(naive_);
}

// --- parameters ------------------------------------------------------------------------------------------------------

std::string EnginePair::prepare(const Params& params, const OpsTraits& traits) {
    keep(PrepareInput{shared_copy(params), traits});
    const Status status = engine_.prepare(params, traits);
    const bool acceptable = NaiveEngine::acceptable(params, traits);
    if (status.ok() != acceptable) {
        return std::string("prepare: engine says '") + status.text() + "', naive " + (acceptable ? "yes" : "no") + "\n";
    }
    if (!acceptable) return {};
    naive_.prepare(params, traits);
    naive_.set_region_capacity(engine_.region_capacity());
    return {};
}

std::string EnginePair::start(uint64_t seed) {
    keep(StartInput{seed});
    running_ = true;
    engine_.start(seed);
    naive_.start({Random(seed), Random(~seed)});
    return compare("start");
}

std::string EnginePair::stop() {
    keep(StopInput{});
    running_ = false;
    engine_.stop();
    naive_.stop();
    return compare("stop");
}

std::string EnginePair::commit(const Params& params, const OpsTraits& traits) {
    Engine before;
    if (!before.copy_from(engine_)) return "commit: no memory for a copy\n";
    Vector<uint8_t> marks;
    std::vector<bool> naive_marks;
    keep(CommitInput{shared_copy(params), traits});
    const Status status = engine_.commit(params, traits, &marks);
    const bool done = naive_.commit(params, traits, &naive_marks);
    if (status.ok() != done) {
        return std::string("commit: engine says '") + status.text() + "', naive " + (done ? "yes" : "no") + "\n";
    }
    if (!done && !(before == engine_)) return "commit: refused, but not without a trace\n";  // I-13
    if (done) {
        bool equal = marks.size() == naive_marks.size();
        for (size_t i = 0; equal && i < marks.size(); ++i) equal = (marks[i] != 0) == naive_marks[i];
        if (!equal) return "commit: marks of new targets\n";
    }
    naive_.set_region_capacity(engine_.region_capacity());
    return compare("commit");
}

std::string EnginePair::set_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges,
                                          uint64_t granularity) {
    keep(RangesInput{target_idx, {ranges.begin(), ranges.end()}, granularity});
    const Status status = engine_.set_target_ranges(target_idx, ranges, granularity);
    const bool done = naive_.set_target_ranges(target_idx, ranges, granularity);
    if (status.ok() != done) return std::string("set_target_ranges: engine says '") + status.text() + "'\n";
    naive_.set_region_capacity(engine_.region_capacity());
    return compare("set_target_ranges");
}

std::string EnginePair::set_target_valid(uint32_t target_idx, bool valid) {
    keep(ValidInput{target_idx, valid});
    engine_.set_target_valid(target_idx, valid);
    naive_.set_target_valid(target_idx, valid);
    return compare("set_target_valid");
}

std::string EnginePair::set_goal_value(size_t scheme_idx, size_t goal_idx, uint64_t value) {
    keep(GoalInput{scheme_idx, goal_idx, value});
    engine_.set_goal_value(scheme_idx, goal_idx, value);
    naive_.set_goal_value(scheme_idx, goal_idx, value);
    return compare("set_goal_value");
}

std::string EnginePair::take_passes(std::span<const PassWindow> windows) {
    keep(PassesInput{{windows.begin(), windows.end()}});
    engine_.take_passes(windows);
    naive_.take_passes(windows);
    return compare("take_passes") + compare_reading();
}

std::string EnginePair::watermarks(int32_t free_permil) {
    keep(WatermarkInput{free_permil});
    const uint64_t wait_us = engine_.watermark_wait_us({.free_mem = free_permil});
    const uint64_t naive_wait_us = naive_.watermark_wait_us(free_permil);
    return Differences().add("wait", wait_us, naive_wait_us).text() + compare("watermarks");
}

// --- one sampling interval -------------------------------------------------------------------------------------------

std::string EnginePair::look(uint64_t elapsed_us, uint64_t wait_us) {
    const std::span<Sample> planned = engine_.plan(wait_us);
    std::vector<Sample> naive_samples = naive_.plan(wait_us);
    const std::span<Sample> samples = engine_.samples();
    if (engine_.passes_over()      ? !naive_samples.empty()
        : naive_.attributes_only() ? !planned.empty()
                                   : planned.size() != naive_samples.size())
        return "plan: number\n";
    if (engine_.sleep_us() != naive_.sleep_us()) return "plan: sleep_us\n";
    std::vector<uint8_t> hits(naive_samples.size());
    LookInput input;
    input.elapsed_us = elapsed_us;
    input.wait_us = wait_us;
    const std::span<uint8_t> engine_hits = engine_.probe_hits();
    for (size_t i = 0; i < naive_samples.size(); ++i) {
        Sample& naive_sample = naive_samples[i];
        if (samples[i].addr != naive_sample.addr || !(samples[i].region == naive_sample.region) ||
            samples[i].target_idx != naive_sample.target_idx) {
            return "plan: sample " + std::to_string(i) + " at T = " + std::to_string(naive_.tick()) + "\n" +
                   compare("plan");
        }
        naive_sample.seen = world_.look(naive_sample, naive_.tick());
        naive_sample.unknown = world_.unknown(naive_sample);
        naive_sample.writes_only = world_.writes_only(naive_sample);
        samples[i].seen = naive_sample.seen;
        samples[i].unknown = naive_sample.unknown;
        samples[i].writes_only = naive_sample.writes_only;
        hits[i] = world_.probe_hits(naive_sample, naive_.tick());
        if (i < engine_hits.size()) engine_hits[i] = hits[i];
        input.seen.push_back(naive_sample.seen);
        input.unknown.push_back(naive_sample.unknown);
        input.writes_only.push_back(naive_sample.writes_only);
    }
    input.hits = hits;
    keep(std::move(input));
    const Due due = engine_.record_samples(elapsed_us);
    naive_.record_samples(naive_samples, hits, elapsed_us);
    if (due.aggregation != naive_.aggregation_due())
        return "record_samples: end of window\n" + compare("record_samples");
    return compare("record_samples");
}

bool EnginePair::apply_engine(uint64_t now_us) {
    requests_.clear();
    const uint64_t tick = engine_.passed_sample_intervals();
    ApplyInput input{now_us, {}, {}, false};
    if (!engine_.apply_begin(now_us)) {
        keep(std::move(input));
        return false;
    }
    for (MetricQuery& query : engine_.metric_queries()) {
        const std::optional<uint64_t> answer = world_.measure(query, tick);
        query.answered = answer.has_value();
        query.answer = answer.value_or(0);
        input.answers.push_back(query);
    }
    ActionRequest request;
    while (engine_.next_request(request)) {
        Outcome outcome;
        if (request.kind == RequestKind::kApply && requests_.size() == cancel_at_) {
            input.cancelled = true;
            break;
        }
        if (request.kind == RequestKind::kScore) {
            outcome.score = world_.score(request);
        } else {
            requests_.push_back(as_naive(request));
            outcome = world_.apply(request, tick);
        }
        engine_.complete(outcome);
        input.outcomes.push_back(outcome);
    }
    keep(std::move(input));
    return true;
}

bool EnginePair::apply_naive(uint64_t now_us) {
    naive_requests_.clear();
    const uint64_t tick = naive_.tick();
    const NaiveWorld world{
        .apply =
            [&](const NaiveRequest& request) {
                if (naive_requests_.size() == cancel_at_) throw PassCancelled();
                naive_requests_.push_back(request);
                return world_.apply(as_request(request), tick);
            },
        .score = [&](const NaiveRequest& request) { return world_.score(as_request(request)); },
        .measure = [&](const MetricQuery& query) { return world_.measure(query, tick); },
    };
    return naive_.apply(now_us, world);
}

std::string EnginePair::apply(uint64_t now_us) {
    const bool any = apply_engine(now_us);
    if (any != apply_naive(now_us)) return "apply: whether a scheme is due\n" + compare("apply");
    if (requests_ == naive_requests_) return compare("apply");
    std::ostringstream out;
    out << "apply: requests differ at T = " << naive_.tick() << "\n";
    for (size_t i = 0; i < std::max(requests_.size(), naive_requests_.size()); ++i) {
        if (i < requests_.size()) out << "  engine: " << requests_[i] << "\n";
        if (i < naive_requests_.size()) out << "  naive:  " << naive_requests_[i] << "\n";
    }
    return out.str() + compare("apply");
}

// The engine learns of the end of its pass by the commit; one that it refuses would not end it.
std::string EnginePair::apply_and_commit(uint64_t now_us, size_t request_idx, const Params& params,
                                         const OpsTraits& traits) {
    cancel_at_ = naive_.commits(params, traits) ? request_idx : SIZE_MAX;
    const bool any = apply_engine(now_us);
    const bool naive_any = apply_naive(now_us);
    cancel_at_ = SIZE_MAX;
    if (any != naive_any || requests_ != naive_requests_) return "apply: before a cancel\n" + compare("apply");
    return commit(params, traits);
}

std::string EnginePair::finish() {
    keep(FinishInput{});
    update_due_ = engine_.finish();
    if (update_due_ != naive_.finish()) return "finish: whether an update is due\n" + compare("finish");
    return compare("finish") + compare_reading();
}

// What a snapshot is made of: moving sums and flags.
std::string EnginePair::compare_reading() const {
    std::vector<RegionInfo> infos(engine_.nr_regions());
    if (engine_.read_regions(infos, true) != infos.size()) return "read_regions: number\n";
    size_t next = 0;
    for (size_t i = 0; i < naive_.targets().size(); ++i) {
        for (const NaiveRegion& region : naive_.targets()[i].regions) {
            const RegionInfo& info = infos[next++];
            const NaiveView seen = naive_.view(region);
            if (info.start != region.start || info.end != region.end || info.target_idx != i ||
                info.flags != seen.flags || info.nr_accesses != seen.nr_accesses || info.age != seen.age ||
                info.age_us != seen.age_us || info.idle_us != seen.idle_us || info.unknown_reason != seen.reason) {
                std::ostringstream out;
                out << "read_regions: region " << next - 1 << " at T = " << naive_.tick() << ": nr " << info.nr_accesses
                    << "/" << seen.nr_accesses << " flags " << info.flags << "/" << seen.flags << " idle "
                    << info.idle_us << "/" << seen.idle_us << " age " << info.age << "/" << seen.age << "\n";
                describe(out, i, region);
                return out.str();
            }
        }
    }
    return {};
}

}  // namespace damon::test
