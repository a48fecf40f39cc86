// How this process can see its own accesses: the ways there are, whether each works here, and why an answer could not
// be given. Each way is a file of its own; access_checker.h picks one for each mapping and runs them.
#pragma once

#include <cstdint>

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
    kReport = 8,  // the program tells
};
inline constexpr int32_t kNrAccessChecks = 9;
// Such as "uffd_wp"; "unknown" outside of the list.
const char* access_check_name(int32_t id);

// What one way can do on this system, tried out just now.
struct AccessCheckProbe {
    bool available = false;
    bool sees_reads = false;
    bool sees_writes = false;
    int32_t error = 0;      // positive errno of what failed; 0 where available
    char reason[200] = {};  // one line: why not, or what it is
};

// Tries the way out on memory of its own: opens, arms, touches, looks. Any thread, leaves nothing behind. `id` outside
// of the list: not available, EINVAL. kAuto answers for ordinary private memory.
AccessCheckProbe access_check_probe(int32_t id);

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
    kLostFile,      // the program closed a file descriptor of the library
};
inline constexpr unsigned kNrUnknownReasons = 14;
const char* unknown_reason_text(UnknownReason unknown);

// Totals since start; they only grow during a run. The worker counts, any thread may copy.
struct AccessStatistics {
    Counter yes;
    Counter no;
    Counter unknown[kNrUnknownReasons];  // by UnknownReason
    Counter armed[kNrAccessChecks];      // pages armed, by way
    Counter registrations;               // of mappings with the userfaultfd
    Counter mappings_read;               // complete readings of the mappings
    Counter mappings_queried;            // readings of a single mapping
    Counter bad_maps_lines;              // lines of /proc/PID/maps that were not understood
    Counter reports;                     // taken from the ring
    Counter reports_dropped;             // the ring was full
};

}  // namespace damon
