#include "kdamond/worker/added_target.h"

#include <algorithm>
#include <cerrno>

namespace damon {
namespace {

// Fewer ranges are taken over at once; of more the worker may read them all for a fiftieth of its time.
constexpr size_t kFewRanges = 1024;
constexpr uint64_t kTimePerReading = 50;
// Removing a range waits for the part of an action that is under way.
constexpr uint64_t kActionBytes = 2 << 20;

}  // namespace

void AddedTarget::take_over(bool now) {
    if (!added_.only() || run_.engine.nr_targets() == 0) return;
    const uint64_t generation = added_.generation();
    const uint64_t begin_ns = run_.clock.system_ns();
    if (generation == taken_generation_) return;
    if (!now && added_.size() > kFewRanges && begin_ns < next_taking_ns_) return;
    if (!cover()) {
        run_.report(Status::fail(-ENOMEM, "no memory for %zu ranges", added_.size()));
        return;
    }
    taken_generation_ = generation;
    const uint64_t end_ns = run_.clock.system_ns();
    next_taking_ns_ = saturating_add(end_ns, saturating_mul(end_ns - begin_ns, kTimePerReading));
}

void AddedTarget::take_over_again() {
    taken_generation_ = 0;
    take_over(true);
}

// As many areas as leave half of the regions for splits: each range its own, or several of them with small gaps.
bool AddedTarget::cover() {
    list_.clear();
    cover_.clear();
    const Params& params = run_.engine.params();
    const size_t max_areas = std::max<size_t>(1, params.attrs.max_nr_regions / 2);
    if (!added_.read(list_) || !areas_.begin(max_areas)) return false;
    for (const AddressRange range : list_) {
        if (!areas_.add(range)) return false;
    }
    if (!areas_.finish(params.min_region_sz, {}, cover_)) return false;
    return run_.engine.set_target_ranges(0, cover_.span(), params.min_region_sz).ok();
}

std::span<Sample> AddedTarget::placed(std::span<Sample> samples) {
    asked_idx_.clear();
    if (!added_.only()) return samples;
    asked_.clear();
    for (size_t i = 0; i < samples.size(); ++i) {
        if (!added_.place(samples[i])) continue;
        if (!asked_.push_back(samples[i]) || !asked_idx_.push_back(i)) break;  // the rest is not asked
    }
    asked_generation_ = added_.generation();
    return asked_.span();
}

std::span<Sample> AddedTarget::still_placed(std::span<Sample> samples) {
    if (!added_.only()) return samples;
    if (asked_generation_ == added_.generation()) return asked_.span();
    size_t kept = 0;
    for (size_t i = 0; i < asked_.size(); ++i) {
        if (!added_.contains(asked_[i].addr)) continue;
        asked_[kept] = asked_[i];
        asked_idx_[kept++] = asked_idx_[i];
    }
    asked_.truncate(kept);
    asked_idx_.truncate(kept);
    return asked_.span();
}

void AddedTarget::return_answers(std::span<Sample> samples) {
    if (!added_.only()) return;
    for (size_t i = 0; i < asked_.size(); ++i) {
        if (asked_idx_[i] < samples.size()) samples[asked_idx_[i]] = asked_[i];
    }
}

Outcome AddedTarget::act(const ActionRequest& request) {
    Outcome outcome;
    ActionRequest part = request;
    AddressRange rest = request.range;
    while (!rest.empty()) {
        const AddedRanges::Touch touch(added_, run_.touches_memory());
        part.range = added_.next_part(rest);
        if (part.range.empty()) break;
        const uint64_t piece_end = align_down(part.range.start, kActionBytes) + kActionBytes;
        part.range.end = std::min(part.range.end, piece_end);
        const Outcome done = run_.ops->apply(part);
        outcome.applied += done.applied;
        outcome.filter_passed += done.filter_passed;
        rest.start = part.range.end;
    }
    return outcome;
}

}  // namespace damon
