// What the monitor publishes: the regions at the end of an aggregation window.
#pragma once

#include <cstdint>

#include "base/arithmetic.h"
#include "model/probe.h"
#include "model/unknown_reason.h"

namespace damon {

enum RegionFlags : uint32_t {
    kRegionUnknown = 1u << 0,     // less than a quarter of the window's samples had an answer: nr_accesses says nothing
    kRegionWritesOnly = 1u << 1,  // reads of (part of) this region cannot be seen
    kRegionPartial = 1u << 2,     // some samples had no answer: nr_accesses is scaled from those that had
    kRegionReferenced = 1u << 3,  // passes over the accessed bits know idle_us, of reads too (M-37)
};

struct RegionInfo {
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t age_us = 0;         // time for which nr_accesses stayed similar
    uint64_t idle_us = kU64Max;  // since the last access that was seen; kU64Max: not known
    uint32_t target_idx = 0;
    uint32_t nr_accesses = 0;
    uint32_t age = 0;
    uint32_t flags = 0;  // RegionFlags
    Unknown unknown_reason = Unknown::kNone;
    uint32_t reserved = 0;
    bool operator==(const RegionInfo&) const = default;
};
static_assert(sizeof(RegionInfo) == 56);

// How often each probe hit in one region.
struct ProbeHits {
    uint8_t hits[kMaxProbes] = {};
    bool operator==(const ProbeHits&) const = default;
};
static_assert(sizeof(ProbeHits) == 4);

}  // namespace damon
