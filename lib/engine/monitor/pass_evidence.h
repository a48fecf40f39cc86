// What passes over the accessed bits know of memory, beside the samples (rules 2.11): by windows of addresses, not by
// regions, so that nothing is lost where regions are cut and joined.
#pragma once

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/pass_window.h"
#include "model/snapshot.h"

namespace damon {

class PassEvidence {
public:
    bool empty() const { return windows_.empty(); }
    void clear() { windows_.clear(); }
    // All that is known from now on: sorted, disjoint. False: out of memory, and then nothing is known.
    [[nodiscard]] bool take(std::span<const PassWindow> windows);

    struct Answer {
        bool known = false;    // all of it
        uint64_t idle_us = 0;  // for how long nothing of it was touched; 0: since the last pass something was
        Unknown unknown = Unknown::kNone;  // why the last pass could not tell; kNone where no pass goes over some of it
    };
    Answer of(AddressRange range) const;
    // Whether the memory on both sides of an address, in one region or two that touch, was used alike as far as passes
    // know: idle times alike are within a factor of 2.
    bool alike_around(uint64_t address) const;
    // The first address above `address` and below `end` on both sides of which memory was used differently; `end`:
    // there is none.
    uint64_t next_border(uint64_t address, uint64_t end) const;

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const PassEvidence& other) { return windows_.copy_from(other.windows_); }
    bool operator==(const PassEvidence&) const = default;

private:
    // nullptr: none holds the address.
    const PassWindow* find(uint64_t address) const;

    Vector<PassWindow> windows_;
};

// Completes what samples know of a region whose reads they could not see, or that they could not look at (M-37).
// `aggr_us`: what its age counts in.
void add_pass_evidence(const PassEvidence& passes, uint64_t aggr_us, RegionInfo& info);

}  // namespace damon
