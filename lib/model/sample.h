// One question per region and sampling interval: was the page at this address accessed since it was armed?
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/unknown_reason.h"

namespace damon {

enum class Seen : uint8_t {
    kNo = 0,
    kYes = 1,
    kUnknown = 2,  // could not look; never to be confused with "not accessed"
};

struct Sample {
    uint64_t addr = 0;
    AddressRange region;  // the region that the sample stands for, for access checks that are not page by page
    uint32_t target_idx = 0;
    Seen seen = Seen::kUnknown;  // filled by Ops::look
    bool writes_only = false;    // filled by Ops: the access check cannot see reads
    uint16_t ops_private = 0;    // for the ops between arm and look, for instance the access check that was chosen
    Unknown unknown = Unknown::kOther;  // filled by Ops::look where `seen` is kUnknown
    uint32_t reserved = 0;
    bool operator==(const Sample&) const = default;
};
static_assert(sizeof(Sample) == 40);

}  // namespace damon
