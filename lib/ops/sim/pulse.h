// The one primitive that all access patterns of the simulator are made of: pages that are hot from time to time.
#pragma once

#include <cstdint>

#include "base/arithmetic.h"
#include "model/address_range.h"

namespace damon {

// The moments [from_us, until_us).
struct TimeSpan {
    uint64_t from_us = 0;
    uint64_t until_us = 0;
};

// Every page of `range` is accessed at random moments (a Poisson process) at `rate_millihz` while it is hot. It is hot
// only within [begin_us, end_us), and there
//   - always, where period_us is 0;
//   - else for hot_us of every period_us, the first time phase_us after begin_us (the window may run across the end of
//     a period: the pulse then is hot at begin_us already);
//   - else, where window_pages is not 0, while a window of so many pages, which passes over the range once every
//     period_us and wraps around, covers it. phase_us and hot_us are not used.
struct SimPulse {
    AddressRange range;
    uint32_t target_idx = 0;
    uint32_t writes_bp = kBp;   // share of the accesses that write
    uint64_t rate_millihz = 0;  // accesses of each page in 1,000 s; 2^64-1: so often that none is missed
    uint64_t begin_us = 0;
    uint64_t end_us = kU64Max;
    uint64_t period_us = 0;
    uint64_t phase_us = 0;
    uint64_t hot_us = 0;
    uint64_t window_pages = 0;
    uint64_t page_size = 4096;

    bool travels() const { return window_pages != 0; }
    uint64_t nr_pages() const { return range.size() / page_size; }
    uint64_t page_of(uint64_t address) const { return (address - range.start) / page_size; }

    // Where the window of a travelling pulse begins at `at_us`, in pages of the range.
    uint64_t window_start_page(uint64_t at_us) const;

    // `address` lies in the range.
    bool hot_at(uint64_t address, uint64_t at_us) const;
    // How long the page at `address` is hot in a time span.
    uint64_t hot_time_us(uint64_t address, TimeSpan span) const;
    // Expected number of accesses (`writes_only`: writes) of the page at `address` in a time span, in units of 1e-9,
    // saturating.
    uint64_t expected_nano(uint64_t address, TimeSpan span, bool writes_only = false) const;
};

}  // namespace damon
