// What the engine asks the ops to do, one at a time, and what came of it.
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/scheme.h"

namespace damon {

enum class RequestKind : uint8_t {
    kApply,  // apply scheme->action to range
    kScore,  // only say how eligible the region is (0 to 99): custom ops with a score function of their own
};

// Valid until the next call into the engine.
struct ActionRequest {
    RequestKind kind = RequestKind::kApply;
    bool core_filters_allowed = false;  // a core filter accepted the region: ops filters are not looked at (S-32)
    uint32_t target_idx = 0;
    uint32_t scheme_idx = 0;
    const SchemeParams* scheme = nullptr;
    bool ops_filters_default_reject = false;  // S-33
    AddressRange range;
    uint32_t nr_accesses = 0;  // moving sum (M-16)
    uint32_t age = 0;
    uint32_t region_flags = 0;  // RegionFlags
};

struct Outcome {
    uint64_t applied = 0;        // core units dealt with; may exceed the region
    uint64_t filter_passed = 0;  // core units that passed the ops filters
    uint64_t elapsed_ns = 0;     // time that applying took, filled by the shell
    uint32_t score = 0;          // answer to kScore
};

}  // namespace damon
