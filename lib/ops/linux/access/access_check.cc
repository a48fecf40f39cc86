#include "ops/linux/access/access_check.h"

#include <cerrno>

#include "ops/linux/access/probe_answer.h"
#include "ops/linux/access/uffd_rwp.h"
#include "ops/linux/access/uffd_wp.h"
#include "ops/linux/access/zap.h"

namespace damon {
namespace {

AccessCheckProbe not_built_in(const char* what) {
    AccessCheckProbe probe;
    probe.error = EOPNOTSUPP;
    snprintf(probe.reason, sizeof probe.reason, "%s is not built in", what);
    return probe;
}

// What ordinary private memory gets: zap is for shared memory that was declared. The reason names the way that was
// chosen, and why each better one was not.
AccessCheckProbe probe_auto() {
    const AccessCheckProbe reads = probe_uffd_rwp();
    const AccessCheckProbe chosen = reads.available ? reads : probe_uffd_wp();
    const char* name = reads.available ? "uffd_rwp" : chosen.available ? "uffd_wp" : "uffd_rwp, uffd_wp";
    const bool compared = chosen.available && !reads.available;
    AccessCheckProbe answer = chosen;
    snprintf(answer.reason, sizeof answer.reason, "%s: %.80s%s%.80s", name, chosen.reason,
             compared ? "; uffd_rwp: " : "", compared ? reads.reason : "");
    return answer;
}

}  // namespace

const char* access_check_name(int32_t id) {
    static constexpr const char* kNames[kNrAccessChecks] = {
        "auto", "uffd_rwp", "zap", "uffd_wp", "referenced", "uffd_move", "mprotect", "page_idle", "report"};
    return id >= 0 && id < kNrAccessChecks ? kNames[id] : "unknown";
}

AccessCheckProbe access_check_probe(int32_t id) {
    switch (static_cast<AccessCheck>(id)) {
        case AccessCheck::kAuto:
            return probe_auto();
        case AccessCheck::kUffdRwp:
            return probe_uffd_rwp();
        case AccessCheck::kZap:
            return probe_zap();
        case AccessCheck::kUffdWp:
            return probe_uffd_wp();
        case AccessCheck::kReferenced:
            return not_built_in("referenced");
        case AccessCheck::kUffdMove:
            return not_built_in("uffd_move");
        case AccessCheck::kMprotect:
            return not_built_in("mprotect");
        case AccessCheck::kPageIdle:
            return not_built_in("page_idle");
        case AccessCheck::kReport:
            return probe_works("whatever the program reports", true);
    }
    AccessCheckProbe probe;
    probe.error = EINVAL;
    snprintf(probe.reason, sizeof probe.reason, "%d is no access check, 0 to %d are", id, kNrAccessChecks - 1);
    return probe;
}

const char* unknown_reason_text(UnknownReason unknown) {
    switch (unknown) {
        case UnknownReason::kNone:
            return "answered";
        case UnknownReason::kNoWay:
            return "no access check works on this mapping";
        case UnknownReason::kNotWritable:
            return "only writes could be seen, and the mapping is not writable";
        case UnknownReason::kNotDeclared:
            return "not a declared shared range";
        case UnknownReason::kForeign:
            return "the mapping is registered with another userfaultfd";
        case UnknownReason::kHuge:
            return "a huge page, which would have to be split";
        case UnknownReason::kGone:
            return "the mapping changed between arming and looking";
        case UnknownReason::kDropped:
            return "the page was discarded between arming and looking";
        case UnknownReason::kFailed:
            return "a system call failed";
        case UnknownReason::kRefused:
            return "the kernel refused to arm the page";
        case UnknownReason::kOtherContext:
            return "another context handled the page at the same moment";
        case UnknownReason::kReportsLost:
            return "access reports were lost";
        case UnknownReason::kForked:
            return "the run belongs to the parent process";
        case UnknownReason::kLostFile:
            return "the program closed a file descriptor of the library";
    }
    return "unknown reason";
}

}  // namespace damon
