// The words of access checks: which there are, why an answer could not be given, what is counted. What each check does
// is a row of access_check_table.h.
#pragma once

#include <cstdint>

#include "model/unknown_reason.h"
#include "os/counter.h"

namespace damon {

// Values are part of the C ABI.
enum class AccessCheck : int32_t {
    kAuto = 0,        // per mapping: kUffdRwp, else kZap where declared shared, else kUffdWp
    kUffdRwp = 1,     // userfaultfd read-write protection: reads and writes
    kZap = 2,         // dropped page table entries of declared shared mappings: reads and writes
    kUffdWp = 3,      // userfaultfd write protection: writes only
    kReferenced = 4,  // accessed bits through MADV_COLD and smaps
    kUffdMove = 5,
    kMprotect = 6,
    kPageIdle = 7,
    kReport = 8,  // the program reports
};
inline constexpr int32_t kNrAccessChecks = 9;

// Why a sample was answered "unknown".
enum class UnknownReason : uint8_t {
    kNone = 0,
    kNoWay,         // no chosen way works for this kind of mapping
    kNotWritable,   // only writes could be seen, and this mapping has none
    kNotDeclared,   // zap needs a declared shared range
    kForeign,       // the mapping is registered with a userfaultfd of the program's own
    kHuge,          // a huge page, which arming would split
    kGone,          // the mapping changed between arming and looking
    kDropped,       // the page was discarded between arming and looking
    kFailed,        // a system call failed
    kRefused,       // the kernel would not arm this page
    kOtherContext,  // another context armed or disarmed the page at the same moment
    kReportsLost,   // the ring of reports was full
    kForked,        // this process is a child of the one that started the run
    kUnmapped,      // nothing is mapped there
    kNotYet,        // the mapping, or this part of it, is so new that it is not registered yet
    kExcluded,      // the program excluded it
    kLocked,        // locked in memory: its entries cannot be dropped
    kLostFile,      // the program closed a file descriptor of the library
};
inline constexpr unsigned kNrUnknownReasons = 18;
const char* unknown_reason_text(UnknownReason unknown);
// The same as the C interface says it.
Unknown public_reason(UnknownReason unknown);

// Totals since start; they only grow during a run. The worker counts, any thread may copy.
struct AccessStatistics {
    Counter yes;
    Counter no;
    Counter unknown[kNrUnknownReasons];  // by UnknownReason
    Counter armed[kNrAccessChecks];      // pages armed, by AccessCheck
    Counter registrations;               // of mappings with the userfaultfd
    Counter mappings_read;               // complete readings of the mappings
    Counter mappings_queried;            // readings of a single mapping
    Counter bad_maps_lines;              // lines of /proc/PID/maps that were not understood
    Counter reports;                     // taken from the ring
    Counter reports_dropped;             // the ring was full
};

}  // namespace damon
