// What passes over the accessed bits know of a piece of memory (rules 2.11).
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/unknown_reason.h"

namespace damon {

struct PassWindow {
    AddressRange range;
    uint64_t idle_us = 0;              // for how long passes have seen it untouched, up to the last one
    uint64_t present_bytes = 0;        // at the last pass; 0: nothing is there, which is not "cold"
    uint64_t touched_bytes = 0;        // of these: between the last two passes
    Unknown unknown = Unknown::kNone;  // other than kNone: the last pass could not tell, and why
    uint32_t reserved = 0;

    bool known() const { return unknown == Unknown::kNone && present_bytes != 0; }
    bool operator==(const PassWindow&) const = default;
};

}  // namespace damon
