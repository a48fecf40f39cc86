// What the engine asks the ops to do, one at a time, and what came of it.
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/scheme.h"
#include "model/unknown_reason.h"

namespace damon {

enum class RequestKind : uint8_t {
    kApply,  // apply scheme->action to range
    kScore,  // only say how eligible the region is (0 to 99): custom ops with a score function of their own
};

// Which memory of a region the ops leave as it is, page by page, because of how its accesses are seen (S-38).
enum class UnseenRule : uint8_t {
    kAct,              // none
    kSpareUnknown,     // memory that cannot be looked at
    kSpareUnseenReads  // that, and memory whose reads cannot be seen
};

// Valid until the next call into the engine.
struct ActionRequest {
    RequestKind kind = RequestKind::kApply;
    bool core_filters_allowed = false;  // a core filter accepted the region: ops filters are not looked at (S-32)
    uint32_t target_idx = 0;
    uint32_t scheme_idx = 0;
    const SchemeParams* scheme = nullptr;
    bool ops_filters_default_reject = false;  // where no filter matches (S-33)
    AddressRange range;
    uint32_t nr_accesses = 0;  // moving sum (M-16)
    uint32_t age = 0;
    uint64_t age_us = 0;
    uint64_t idle_us = 0;
    uint32_t region_flags = 0;  // RegionFlags
    Unknown unknown_reason = Unknown::kNone;
    UnseenRule unseen = UnseenRule::kAct;
};

struct Outcome {
    uint64_t applied = 0;        // core units dealt with; may exceed the region
    uint64_t filter_passed = 0;  // core units that passed the ops filters
    uint64_t elapsed_ns = 0;     // time that applying took, filled by the shell
    uint32_t score = 0;          // answer to kScore
    // Of the region, core units that were not tried: the UnseenRule spares them, it is already what the action would
    // make of it, or nothing could be done there several times. They cost no quota and are not counted as tried.
    uint64_t spared = 0;
    uint64_t unseen = 0;  // of `spared`: by the UnseenRule

    // Nothing was tried in a region of `size`.
    bool spared_all(uint64_t size) const { return spared != 0 && spared >= size; }
    // Nothing was tried, only because of how accesses are seen: the region stays as it is, its age too.
    bool unseen_all(uint64_t size) const { return unseen != 0 && unseen >= size; }
};

}  // namespace damon
