// A context that watches ranges which come and go (AddedRanges): its target 0 lies where they are.
#include <algorithm>

#include "kdamond/kdamond.h"
#include "model/memory_areas.h"

namespace damon {
namespace {

// Fewer ranges are taken over at once; of more the worker may read them all for a fiftieth of its time.
constexpr size_t kFewRanges = 1024;
constexpr uint64_t kTimePerReading = 50;
// Removing a range waits for the part of an action that is under way.
constexpr uint64_t kActionBytes = 2 << 20;

}  // namespace

// `now`: whatever it costs.
void Kdamond::take_over_ranges(bool now) {
    if (!added_.only() || engine_.nr_targets() == 0) return;
    const uint64_t generation = added_.generation();
    const uint64_t begin_ns = clock_.now_ns();
    if (generation == taken_generation_) return;
    if (!now && added_.size() > kFewRanges && begin_ns < next_taking_ns_) return;
    if (!cover_added()) {
        callbacks_.failed(callbacks_.owner, Status::fail(-ENOMEM, "no memory for %zu ranges", added_.size()));
        return;
    }
    taken_generation_ = generation;
    const uint64_t end_ns = clock_.now_ns();
    next_taking_ns_ = saturating_add(end_ns, saturating_mul(end_ns - begin_ns, kTimePerReading));
}

// As many areas as leave half of the regions for splits: each range its own, or several of them with small gaps.
bool Kdamond::cover_added() {
    added_list_.clear();
    coverage_.ranges.clear();
    const Params& params = engine_.params();
    const size_t max_areas = std::max<size_t>(1, params.attrs.max_nr_regions / 2);
    if (!added_.read(added_list_) || !areas_.begin(max_areas)) return false;
    for (const AddressRange range : added_list_) {
        if (!areas_.add(range)) return false;
    }
    if (!areas_.finish(params.min_region_sz, {}, coverage_.ranges)) return false;
    return engine_.set_target_ranges(0, coverage_.ranges.span(), params.min_region_sz).ok();
}

// The samples to arm: of a context of ranges those that lie in one, or can be moved into one.
std::span<Sample> Kdamond::placed(std::span<Sample> samples) {
    asked_idx_.clear();
    if (!added_.only()) return samples;
    asked_samples_.clear();
    for (size_t i = 0; i < samples.size(); ++i) {
        if (!added_.place(samples[i])) continue;
        if (!asked_samples_.push_back(samples[i]) || !asked_idx_.push_back(i)) break;  // the rest is not asked
    }
    asked_generation_ = added_.generation();
    return asked_samples_.span();
}

// What was armed and is to be looked at: without what was removed meanwhile.
std::span<Sample> Kdamond::still_placed(std::span<Sample> samples) {
    if (!added_.only()) return samples;
    if (asked_generation_ == added_.generation()) return asked_samples_.span();
    size_t kept = 0;
    for (size_t i = 0; i < asked_samples_.size(); ++i) {
        if (!added_.contains(asked_samples_[i].addr)) continue;
        asked_samples_[kept] = asked_samples_[i];
        asked_idx_[kept++] = asked_idx_[i];
    }
    asked_samples_.truncate(kept);
    asked_idx_.truncate(kept);
    return asked_samples_.span();
}

// The answers go where they belong.
void Kdamond::return_answers(std::span<Sample> samples) {
    if (!added_.only()) return;
    for (size_t i = 0; i < asked_samples_.size(); ++i) {
        if (asked_idx_[i] < samples.size()) samples[asked_idx_[i]] = asked_samples_[i];
    }
}

// An action reaches what is in ranges, piece by piece.
Outcome Kdamond::act_in_ranges(const ActionRequest& request) {
    Outcome outcome;
    ActionRequest part = request;
    AddressRange rest = request.range;
    while (!rest.empty()) {
        const AddedRanges::Touch touch(added_, touches_itself());
        part.range = added_.next_part(rest);
        if (part.range.empty()) break;
        const uint64_t piece_end = align_down(part.range.start, kActionBytes) + kActionBytes;
        part.range.end = std::min(part.range.end, piece_end);
        const Outcome done = ops_->apply(part);
        outcome.applied += done.applied;
        outcome.filter_passed += done.filter_passed;
        rest.start = part.range.end;
    }
    return outcome;
}

}  // namespace damon
