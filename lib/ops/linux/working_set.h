// How much memory this process accesses in a time that the caller gives, by the accessed bits of its page tables: reads
// and writes, all memory, each page once. Only on request, since it clears the bits of everything, which stalls the
// program (damon_c.h says how long) and takes from reclaim what it knows.
#pragma once

#include <cstdint>

namespace damon {

struct WorkingSet {
    uint64_t touched_bytes = 0;
    uint64_t present_bytes = 0;
    uint64_t unseen_bytes = 0;  // of the present ones: neither known to be touched nor to be untouched
};

// Clears, waits, reads; on the calling thread. 0; -EBUSY: a measurement of this process is under way, or passes
// over its accessed bits are, whose bits this one would clear; or the negative errno of the kernel's files, and nothing
// is known.
int measure_working_set(uint64_t interval_us, WorkingSet& found);

}  // namespace damon
