// One region: a range of addresses that is believed to be accessed alike (rules 1.4).
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/probe.h"

namespace damon {

struct Region {
    AddressRange range{};
    uint32_t nr_accesses = 0;       // positive samples so far in this window
    uint32_t last_nr_accesses = 0;  // final value of the previous window in which the region was seen
    uint32_t age = 0;               // windows for which the score stayed similar
    uint8_t probe_hits[kMaxProbes] = {};
    uint8_t last_probe_hits[kMaxProbes] = {};
    // What is known of the samples of this window, and of the previous one (RegionEvidence).
    uint8_t evidence = 0;
    uint8_t last_evidence = 0;

    uint64_t size() const { return range.size(); }
    bool operator==(const Region&) const = default;
};
static_assert(sizeof(Region) <= 40);

enum RegionEvidence : uint8_t {
    kEvidenceAnswered = 1u << 0,    // at least one sample was looked at
    kEvidenceWritesOnly = 1u << 1,  // at least one of those could not see reads
    kEvidenceUnknown = 1u << 2,     // at least one sample could not be looked at
};

// Looked at in this window, but never with an answer: its count of 0 says nothing (M-36). Not so where nothing was
// asked, as in a window that has taken no sample or where only attributes are monitored.
inline bool looked_at_in_vain(const Region& region) {
    return (region.evidence & (kEvidenceAnswered | kEvidenceUnknown)) == kEvidenceUnknown;
}

}  // namespace damon
