// What became of memory that schemes were to act on and that nothing was done to: counted by reason.
#pragma once

#include <cstdint>

#include "model/scheme.h"
#include "os/counter.h"

namespace damon {

// Values are part of the C ABI.
enum class Skip : int32_t {
    kUnmapped = 0,      // no mapping there, or it went away meanwhile
    kLocked = 1,        // mlock
    kHugetlb = 2,       // of hugetlbfs: never paged out, always huge
    kDevice = 3,        // mapped by a driver or the kernel, not pages of memory that can be acted on
    kUnfit = 4,         // the remainder at the ends of mappings and regions that no huge page fits into, or a mapping
                        // that cannot have huge pages
    kKept = 5,          // asked, and the kernel kept it: no swap, mapped by others too, being written
    kBusy = 6,          // pinned, or in use by the kernel at that moment
    kNoRoom = 7,        // no free memory of that kind, or on that node
    kNoNode = 8,        // the node does not exist, or the process may not use it
    kForbidden = 9,     // this process may not act on that process, or that process is gone
    kFailed = 10,       // a system call failed for another reason
    kAbsent = 11,       // no page was there to act on
    kPending = 12,      // asked for, and not there yet
    kUnseenReads = 13,  // its reads cannot be seen: it may be read all the time
    kUnknown = 14,      // its accesses cannot be seen at all, or nobody has looked there yet
    kAlreadySo = 15,    // the memory is already what the action makes of it
    kBackedOff = 16,    // nothing could be done there several times: tried again after a while
};
inline constexpr int32_t kNrSkips = 17;
const char* skip_text(Skip skip);

// Totals of a context; the worker advances them, any thread may read them.
struct ActionStatistics {
    Counter applied_bytes[kNrDamosActions];  // by DamosAction
    Counter skipped_bytes[kNrSkips];
    Counter nr_calls;  // of the madvise family
    Counter nr_failed_calls;

    void skip(Skip why, uint64_t bytes) { skipped_bytes[static_cast<int32_t>(why)] += bytes; }
};

}  // namespace damon
