// One region: a range of addresses that is believed to be accessed alike (rules 1.4).
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/probe.h"
#include "model/unknown_reason.h"

namespace damon {

struct Region {
    AddressRange range{};
    uint64_t age_us = 0;            // time for which the score stayed similar
    uint64_t idle_us = 0;           // time for which no access was seen, windows in which nobody could look left out
    uint32_t nr_accesses = 0;       // positive samples so far in this window
    uint32_t last_nr_accesses = 0;  // final value of the previous window in which the region was seen
    uint32_t age = 0;               // windows for which the score stayed similar
    // Samples of this window that were looked at, and that could not be; both 0 again once the window is settled.
    uint32_t nr_answered = 0;
    uint32_t nr_unknown = 0;
    uint8_t probe_hits[kMaxProbes] = {};
    uint8_t last_probe_hits[kMaxProbes] = {};
    // What is known of the samples of this window, and of the previous one (RegionEvidence). While the window lasts,
    // evidence_of() adds what the two numbers above say.
    uint8_t evidence = 0;
    uint8_t last_evidence = 0;
    // Why samples of this window, and of the previous one, could not be looked at: the latest reason.
    uint8_t unknown_reason = 0;
    uint8_t last_unknown_reason = 0;

    uint64_t size() const { return range.size(); }
    bool operator==(const Region&) const = default;
};
static_assert(sizeof(Region) <= 64);
static_assert(kNrUnknowns <= 256);

enum RegionEvidence : uint8_t {
    kEvidenceAnswered = 1u << 0,    // at least one sample was looked at
    kEvidenceWritesOnly = 1u << 1,  // at least one of those could not see reads
    kEvidenceUnknown = 1u << 2,     // at least one sample could not be looked at
};

inline uint8_t evidence_of(const Region& region) {
    const unsigned answered = unsigned{region.nr_answered != 0} * kEvidenceAnswered;
    const unsigned unknown = unsigned{region.nr_unknown != 0} * kEvidenceUnknown;
    return static_cast<uint8_t>(region.evidence | answered | unknown);
}

// Less than a quarter of this window's samples so far had an answer: too few to stand for the others.
inline bool too_few_answers(const Region& region) { return region.nr_unknown > 3 * uint64_t{region.nr_answered}; }

// Looked at in this window, but (almost) never with an answer: its count says nothing (M-36). Not so where nothing was
// asked, as in a window that has taken no sample or where only attributes are monitored.
inline bool looked_at_in_vain(const Region& region) {
    return too_few_answers(region) ||
           (evidence_of(region) & (kEvidenceAnswered | kEvidenceUnknown)) == kEvidenceUnknown;
}

// The access count so far as it would be had all samples been answered like those that were (M-36). Not for a region
// that was looked at in vain.
inline uint32_t scaled_accesses(const Region& region) {
    if (region.nr_unknown == 0 || region.nr_answered == 0) return region.nr_accesses;
    const uint64_t asked = uint64_t{region.nr_answered} + region.nr_unknown;
    const uint64_t scaled = region.nr_accesses * asked / region.nr_answered;
    return scaled > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(scaled);
}

}  // namespace damon
