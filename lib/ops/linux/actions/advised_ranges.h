// Which memory was told already that it shall, or shall not, have huge pages. The kernel does not say it of a mapping
// at a price that an action may have, so it is remembered; for a while only, since another mapping may have taken the
// place. One context's own; the worker alone uses it.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

class AdvisedRanges {
public:
    static constexpr uint64_t kTrustedUs = 60'000'000;
    static constexpr size_t kMaxRanges = 512;

    // Forgets what is older than kTrustedUs.
    void set_now(uint64_t now_us);
    void clear() { ranges_.clear(); }

    // The first part of `range` that was told `huge`; {range.end, range.end}: none was.
    AddressRange next(AddressRange range, bool huge) const;
    // `range` was told. Without room the oldest is forgotten: then it is told once more.
    void add(AddressRange range, bool huge);

private:
    struct Advised {
        AddressRange range;
        bool huge = false;
        uint64_t at_us = 0;
    };
    void cut(AddressRange range);

    Vector<Advised> ranges_;  // disjoint, in the order in which they were told
    uint64_t now_us_ = 0;
};

}  // namespace damon
