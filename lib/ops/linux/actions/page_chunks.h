// Goes through a range of a process's memory in bounded steps: mapping after mapping, chunk after chunk, and of each
// chunk those pages that the action is about and that pass the scheme's page-level filters. What is left out is counted
// by reason.
#pragma once

#include <cstdint>

#include "model/action.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/actions/action_statistics.h"
#include "ops/linux/actions/action_subject.h"
#include "ops/linux/actions/advised_ranges.h"
#include "ops/linux/actions/backoff.h"
#include "ops/linux/actions/page_filter.h"
#include "os/page_sizes.h"

namespace damon {

// One action under way on one range.
struct ActionPass {
    ActionSubject& subject;
    const ActionRequest& request;
    const PageSizes& sizes;
    ActionStatistics& statistics;
    uint64_t memcg_id = 0;             // of the process; 0: not known
    AccessChecker* checker = nullptr;  // how the process's accesses are seen; null: they are reported
    Backoff* backoff = nullptr;        // of this process alone
    AdvisedRanges* advised = nullptr;  // the same
    int advice = 0;                    // of the madvise family
    Outcome outcome{};
    bool any_tried = false;  // the walk came to memory that was not spared
    uint64_t wanted = 0;     // bytes that something was to be done to, of which nothing may come

    PageView view(uint32_t state) const {
        const bool huge = (state & uapi::kPageHuge) != 0;
        return {state, huge ? sizes.huge_bytes : sizes.base_bytes, memcg_id};
    }
    // The region as actions work on it: pages (S-4).
    AddressRange range() const;
    // Leaves memory as it is, as if the region did not have it.
    void spare(Skip why, uint64_t bytes);
    // What became of the region as a whole.
    Outcome finish();
};

// The mappings of a range, cut to it, in address order. What lies between is counted as not mapped; what the UnseenRule
// spares is passed over.
class MappingWalk {
public:
    MappingWalk(ActionPass& pass, AddressRange range) : pass_(pass), at_(range.start), end_(range.end) {}

    // False: no more; `mapping` is whole, `part` what of it lies in the range; several parts of one may come.
    bool next(Mapping& mapping, AddressRange& part);

private:
    bool next_part(Mapping& mapping, AddressRange& part);
    bool is_spared(const Mapping& mapping, AddressRange& part);
    void note_result();

    ActionPass& pass_;
    uint64_t at_;
    uint64_t end_;
    // The mapping that was handed out last, and how far the pass had come.
    AddressRange acted_on_;
    uint64_t wanted_before_ = 0;
    uint64_t applied_before_ = 0;
};

struct Chunk {
    static constexpr size_t kMaxRuns = 128;

    AddressRange range;  // in one mapping
    PageRun runs[kMaxRuns];
    size_t nr_runs = 0;

    std::span<const PageRun> passing() const { return {runs, nr_runs}; }
    uint64_t passing_bytes() const;
};

// The chunks of (a part of) a mapping that have anything to act on. A chunk is one huge page at most, or 8 MiB where
// huge pages are larger than 32: one call for it takes milliseconds at worst.
class ChunkWalk {
public:
    // `mapping` must outlive the walk.
    ChunkWalk(ActionPass& pass, const Mapping& mapping, AddressRange part);

    bool next(Chunk& chunk);
    // What is left of the part.
    AddressRange rest() const { return {at_, end_}; }
    static uint64_t chunk_bytes(const PageSizes& sizes);

private:
    bool is_interesting(uint32_t state) const;
    void keep_passing(Chunk& chunk, size_t nr_runs);

    ActionPass& pass_;
    const Mapping& mapping_;
    uint64_t at_;
    uint64_t end_;
    uint64_t window_bytes_;  // grows where there is nothing
};

}  // namespace damon
