#include "ops/sim/sim_ops.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ops/sim/mix.h"
#include "ops/sim/sim_filter.h"
#include "ops/sim/survival.h"

namespace damon {
namespace {

Status no_memory() { return Status::fail(-ENOMEM, "no memory for the simulated world"); }

}  // namespace

Status SimOps::replace_world(SimWorld& next) {
    Vector<uint8_t> pinned;
    if (!pinned.copy_from(pinned_) || !pinned.resize(next.nr_targets())) return no_memory();
    Status status = memory_.refit(next, now_us_);
    if (!status.ok()) return status;
    pinned_.swap(pinned);
    world_ = std::move(next);
    DAMON_CHECK(memory_.is_valid());
    return {};
}

Status SimOps::add_range(const SimRange& range) {
    if (range.nid >= memory_.machine().nr_nodes) {
        return Status::fail(-EINVAL, "range nid is %u; below %u, the machine's number of nodes, would be right",
                            range.nid, memory_.machine().nr_nodes);
    }
    SimWorld next(world_.page_size());
    if (!next.copy_from(world_)) return no_memory();
    Status status = next.add_range(range);
    return status.ok() ? replace_world(next) : status;
}

Status SimOps::add_pattern(const SimPattern& pattern) {
    SimWorld next(world_.page_size());
    if (!next.copy_from(world_)) return no_memory();
    Status status = next.add_pattern(pattern);
    return status.ok() ? replace_world(next) : status;
}

Status SimOps::set_machine(const SimMachine& machine) {
    Status status = validate_machine(machine);
    if (!status.ok()) return status;
    if (machine.page_size != world_.page_size()) {
        return Status::fail(-EINVAL, "machine page_size is %llu; the world's, %llu, would be right",
                            static_cast<unsigned long long>(machine.page_size),
                            static_cast<unsigned long long>(world_.page_size()));
    }
    for (const SimRange& range : world_.ranges()) {
        if (range.nid < machine.nr_nodes) continue;
        return Status::fail(-EINVAL, "machine nr_nodes is %u; more than %u, where a range lies, would be right",
                            machine.nr_nodes, range.nid);
    }
    memory_.set_machine(machine);
    return {};
}

Status SimOps::set_target_end(uint32_t target_idx, uint64_t at_us) {
    if (target_idx >= world_.nr_targets()) {
        return Status::fail(-EINVAL, "target_idx is %u; below %u would be right", target_idx, world_.nr_targets());
    }
    const size_t old_size = target_ends_.size();
    if (old_size <= target_idx && !target_ends_.resize(target_idx + 1)) return no_memory();
    for (size_t i = old_size; i < target_ends_.size(); ++i) target_ends_[i] = kU64Max;
    target_ends_[target_idx] = at_us;
    return {};
}

void SimOps::set_now(uint64_t now_us) { now_us_ = std::max(now_us_, now_us); }

OpsTraits SimOps::traits() const {
    OpsTraits traits;
    traits.has_apply = true;
    traits.has_probes = true;
    traits.has_passes = true;
    traits.has_subject = false;
    traits.has_target_valid = true;
    traits.simulated = true;
    traits.obeys_unseen_rule = true;
    traits.score = ScoreSource::kPhysical;
    traits.span_page_bytes = static_cast<uint32_t>(world_.page_size());
    return traits;
}

namespace {

// Without its node a goal reads as met, for ever.
Status check_nodes_of_goals(const Params& params, uint32_t nr_nodes) {
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        for (size_t j = 0; j < params.schemes[i].goals.size(); ++j) {
            const QuotaGoal& goal = params.schemes[i].goals[j];
            const bool of_node =
                goal.metric >= QuotaMetric::kNodeMemUsedBp && goal.metric <= QuotaMetric::kNodeMemcgFreeBp;
            if (!of_node || (goal.nid >= 0 && static_cast<uint32_t>(goal.nid) < nr_nodes)) continue;
            return Status::fail(-EINVAL,
                                "schemes[%zu].goals[%zu].nid is %d: the simulated machine has %u nodes, counted from 0",
                                i, j, goal.nid, nr_nodes);
        }
    }
    return {};
}

}  // namespace

Status SimOps::validate(const Params& params) const {
    if (params.attrs.referenced_us != 0 && params.targets.size() > 1) {
        return Status::fail(-EOPNOTSUPP, "referenced_us is %llu: simulated passes see one target, not %zu",
                            static_cast<unsigned long long>(params.attrs.referenced_us), params.targets.size());
    }
    if (Status status = check_nodes_of_goals(params, memory_.machine().nr_nodes); !status.ok()) return status;
    if (params.targets.size() <= world_.nr_targets()) {
        return refuse_own_memcg(params, "a simulated machine has none; use DAMOS_QUOTA_NODE_MEMCG_FREE_BP");
    }
    return Status::fail(-EINVAL, "number of targets is %zu; %u, as many as the simulated world has, would be right",
                        params.targets.size(), world_.nr_targets());
}

Status SimOps::start(const Params& params) {
    if (in_run_) return Status::fail(-EBUSY, "the simulator serves another context; one at a time would be right");
    Status status = validate(params);
    if (!status.ok()) return status;
    if (!probes_.copy_from(params.probes)) return no_memory();
    commit(params);
    armed_us_ = now_us_;
    passed_ = false;
    pass_windows_.clear();
    ++pass_generation_;
    in_run_ = true;
    return {};
}

void SimOps::stop() { in_run_ = false; }

void SimOps::commit(const Params& params) {
    // Out of memory: the old probes go on.
    static_cast<void>(probes_.copy_from(params.probes));
    for (size_t i = 0; i < pinned_.size(); ++i) {
        pinned_[i] = i < params.targets.size() && !params.targets[i].ranges.empty();
    }
}

void SimOps::refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage& coverage) {
    if (reason == RefreshReason::kGiven || !alive(target_idx) || pinned_[target_idx] != 0) return;
    coverage.ranges.clear();
    for (const SimRange& mapping : world_.ranges()) {
        if (mapping.target_idx != target_idx) continue;
        if (!coverage.ranges.empty() && coverage.ranges.back().end == mapping.range.start) {
            coverage.ranges.back().end = mapping.range.end;
        } else if (!coverage.ranges.push_back(mapping.range)) {
            return;  // the target keeps what it has
        }
    }
    coverage.changed = true;
}

void SimOps::arm(std::span<Sample>) { armed_us_ = now_us_; }

Seen SimOps::seen_since(uint32_t target_idx, uint64_t address, uint64_t since_us, size_t& hint,
                        bool& writes_only) const {
    writes_only = false;
    const size_t found = world_.find_piece(target_idx, address, hint);
    if (found == SimWorld::kNoPiece || !alive(target_idx)) return Seen::kUnknown;
    hint = found;
    const SimPiece& piece = world_.pieces()[found];
    const uint32_t flags = world_.range_of(piece).flags;
    if ((flags & kSimRangeOpaque) != 0) return Seen::kUnknown;
    writes_only = (flags & kSimRangeWritesOnly) != 0;
    const uint64_t expected = world_.expected_nano(piece, address, {since_us, now_us_}, writes_only);
    // What happened to a page in a stretch of time is a fact of the world: whoever asks gets the same answer.
    const uint64_t page = align_down(address, world_.page_size());
    const uint64_t fate = mix(mix(mix(mix(seed_, target_idx), page), since_us), now_us_);
    return expected != 0 && fate >= silence_q64(expected) ? Seen::kYes : Seen::kNo;
}

void SimOps::look(std::span<Sample> samples) {
    const SimMachine& machine = memory_.machine();
    if (machine.sample_ns != 0) {
        cost_ns_ = saturating_add(cost_ns_, machine.batch_ns + samples.size() * machine.sample_ns);
    }
    size_t hint = 0;
    for (Sample& sample : samples) {
        sample.seen = seen_since(sample.target_idx, sample.addr, armed_us_, hint, sample.writes_only);
    }
}

void SimOps::arm_spans(std::span<Span> spans) {
    for (Span& span : spans) span.ops_private = now_us_;
}

void SimOps::look_spans(std::span<Span> spans) {
    size_t hint = 0;
    for (Span& span : spans) {
        span.hit = span.known = {};
        for (unsigned page = 0; page < span.nr_pages; ++page) {
            const uint64_t address = span.start + uint64_t{page} * span.page_bytes;
            bool writes_only = false;
            const Seen seen = seen_since(span.target_idx, address, span.ops_private, hint, writes_only);
            if (seen != Seen::kUnknown) span.known.set(page);
            if (seen == Seen::kYes) span.hit.set(page);
        }
    }
}

bool SimOps::alive(uint32_t target_idx) const {
    if (target_idx >= world_.nr_targets()) return false;
    return target_idx >= target_ends_.size() || now_us_ < target_ends_[target_idx];
}

bool SimOps::target_valid(uint32_t target_idx) { return alive(target_idx); }

Outcome SimOps::apply(const ActionRequest& request) {
    if (!alive(request.target_idx)) return {};
    const Outcome outcome = memory_.apply(request, now_us_);
    DAMON_CHECK(memory_.is_valid());
    return outcome;
}

void SimOps::probe(std::span<const Sample> samples, std::span<uint8_t> hits) {
    for (size_t n = 0; n < samples.size(); ++n) {
        Extent extent;
        const bool mapped =
            alive(samples[n].target_idx) && memory_.extent_at(samples[n].target_idx, samples[n].addr, now_us_, extent);
        const SimBlock block{&world_, &memory_.machine(), mapped ? &extent : nullptr, now_us_};
        hits[n] = 0;
        for (size_t i = 0; i < probes_.size(); ++i) {
            if (probe_hits(probes_[i], block)) hits[n] |= static_cast<uint8_t>(1u << i);
        }
    }
}

}  // namespace damon
