#include "ops/linux/actions/page_chunks.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kMaxWindowBytes = uint64_t{64} << 30;

}  // namespace

AddressRange ActionPass::range() const {
    const uint64_t start = align_up(request.range.start, sizes.base_bytes);
    return {start, start + align_up(request.range.size(), sizes.base_bytes)};
}

void ActionPass::spare(Skip why, uint64_t bytes) {
    statistics.skip(why, bytes);
    outcome.spared += bytes;
    if (why == Skip::kUnseenReads || why == Skip::kUnknown) outcome.unseen += bytes;
}

Outcome ActionPass::finish() {
    if (any_tried || outcome.spared == 0) return outcome;
    // What lies beside it is no memory, or none that the action could be for.
    if (outcome.unseen == outcome.spared) outcome.unseen = request.range.size();
    outcome.spared = request.range.size();
    return outcome;
}

void MappingWalk::note_result() {
    if (acted_on_.empty() || pass_.backoff == nullptr) return;
    pass_.backoff->note(pass_.request.scheme->action, acted_on_, pass_.wanted - wanted_before_,
                        pass_.outcome.applied - applied_before_);
    acted_on_ = {};
}

// Whether the action leaves (the front of) a part alone: `part` is cut to what that holds for.
bool MappingWalk::is_spared(const Mapping& mapping, AddressRange& part) {
    const ActionRequest& request = pass_.request;
    Visibility seen = Visibility::kReadsAndWrites;
    uint64_t until = part.end;
    if (request.unseen != UnseenRule::kAct && pass_.checker != nullptr) {
        seen = pass_.checker->visibility(mapping, part.start, until);
    }
    part.end = at_ = std::min(part.end, until);
    if (seen == Visibility::kNone) {
        pass_.spare(Skip::kUnknown, part.size());
        return true;
    }
    if (seen == Visibility::kWritesOnly && request.unseen == UnseenRule::kSpareUnseenReads) {
        pass_.spare(Skip::kUnseenReads, part.size());
        return true;
    }
    if (pass_.backoff != nullptr && pass_.backoff->waits(request.scheme->action, mapping.range)) {
        pass_.spare(Skip::kBackedOff, part.size());
        return true;
    }
    return false;
}

bool MappingWalk::next(Mapping& mapping, AddressRange& part) {
    note_result();
    while (next_part(mapping, part)) {
        if (is_spared(mapping, part)) continue;
        pass_.any_tried = true;
        acted_on_ = mapping.range;
        wanted_before_ = pass_.wanted;
        applied_before_ = pass_.outcome.applied;
        return true;
    }
    return false;
}

bool MappingWalk::next_part(Mapping& mapping, AddressRange& part) {
    if (at_ >= end_) return false;
    const bool found = pass_.subject.next_mapping(at_, mapping) == 0 && mapping.range.start < end_;
    const uint64_t start = found ? std::max(at_, mapping.range.start) : end_;
    pass_.statistics.skip(Skip::kUnmapped, start - at_);
    at_ = start;
    if (!found) return false;
    part = {at_, std::min(mapping.range.end, end_)};
    at_ = part.end;
    return true;
}

uint64_t Chunk::passing_bytes() const {
    uint64_t bytes = 0;
    for (const PageRun& run : passing()) bytes += run.range.size();
    return bytes;
}

uint64_t ChunkWalk::chunk_bytes(const PageSizes& sizes) {
    return sizes.huge_bytes <= (32u << 20) ? sizes.huge_bytes : 8u << 20;
}

ChunkWalk::ChunkWalk(ActionPass& pass, const Mapping& mapping, AddressRange part)
    : pass_(pass), mapping_(mapping), at_(part.start), end_(part.end), window_bytes_(chunk_bytes(pass.sizes)) {}

// Whether pages in this state are what the action is about.
bool ChunkWalk::is_interesting(uint32_t state) const {
    const bool present = (state & uapi::kPagePresent) != 0;
    switch (pass_.request.scheme->action) {
        case DamosAction::kWillneed:
            return !present && ((state & uapi::kPageSwapped) != 0 || mapping_.inode != 0);
        case DamosAction::kStat:
            return page_is_considered(pass_.request, state);
        default:
            return present;
    }
}

void ChunkWalk::keep_passing(Chunk& chunk, size_t nr_runs) {
    chunk.nr_runs = 0;
    uint64_t absent = 0;
    for (size_t i = 0; i < nr_runs; ++i) {
        const PageRun run = chunk.runs[i];
        const bool interesting = is_interesting(run.state);
        if (!interesting) absent += run.range.size();
        if (interesting && page_passes(pass_.request, pass_.view(run.state))) chunk.runs[chunk.nr_runs++] = run;
    }
    pass_.statistics.skip(Skip::kAbsent, absent);
}

bool ChunkWalk::next(Chunk& chunk) {
    const uint64_t step = chunk_bytes(pass_.sizes);
    while (at_ < end_) {
        const AddressRange window{at_, std::min(align_down(at_, step) + window_bytes_, end_)};
        uint64_t until = 0;
        const int nr_runs = pass_.subject.scan().look(window, chunk.runs, until);
        if (nr_runs < 0) {
            pass_.statistics.skip(Skip::kFailed, end_ - at_);
            at_ = end_;
            return false;
        }
        const std::span<const PageRun> runs(chunk.runs, static_cast<size_t>(nr_runs));
        const auto first = std::ranges::find_if(runs, [&](const PageRun& run) { return is_interesting(run.state); });
        if (first == runs.end()) {
            pass_.statistics.skip(Skip::kAbsent, until - at_);
            at_ = until;
            window_bytes_ = std::min(window_bytes_ * 2, kMaxWindowBytes);
            continue;
        }
        if (window_bytes_ > step) {
            pass_.statistics.skip(Skip::kAbsent, first->range.start - at_);
            at_ = first->range.start;
            window_bytes_ = step;
            continue;
        }
        chunk.range = {at_, until};
        at_ = until;
        keep_passing(chunk, runs.size());
        if (chunk.nr_runs != 0) return true;
    }
    return false;
}

}  // namespace damon
