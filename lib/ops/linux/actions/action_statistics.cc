#include "ops/linux/actions/action_statistics.h"

namespace damon {

const char* skip_text(Skip skip) {
    switch (skip) {
        case Skip::kUnmapped:
            return "not mapped, or unmapped meanwhile";
        case Skip::kLocked:
            return "locked in memory (mlock)";
        case Skip::kHugetlb:
            return "of hugetlbfs";
        case Skip::kDevice:
            return "mapped by a driver or the kernel";
        case Skip::kUnfit:
            return "no whole huge page fits, or the mapping cannot have any";
        case Skip::kKept:
            return "kept by the kernel: no swap, mapped by others too, or being written";
        case Skip::kBusy:
            return "pinned, or in use by the kernel";
        case Skip::kNoRoom:
            return "no free memory for it";
        case Skip::kNoNode:
            return "no such node, or not allowed for this process";
        case Skip::kForbidden:
            return "not allowed to act on that process, or it is gone";
        case Skip::kFailed:
            return "a system call failed";
        case Skip::kAbsent:
            return "no page there to act on";
        case Skip::kPending:
            return "asked for, and not there yet";
        case Skip::kUnseenReads:
            return "its reads cannot be seen here (the scheme's flag DAMOS_ALLOW_UNSEEN_READS acts on it all the same)";
        case Skip::kUnknown:
            return "its accesses cannot be seen, or were not looked at yet";
        case Skip::kAlreadySo:
            return "is so already";
        case Skip::kBackedOff:
            return "nothing could be done there several times; it is tried again after a while";
    }
    return "unknown";
}

}  // namespace damon
