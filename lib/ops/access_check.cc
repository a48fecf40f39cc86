#include "ops/access_check.h"

namespace damon {

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
        case UnknownReason::kUnmapped:
            return "nothing is mapped there";
        case UnknownReason::kNotYet:
            return "the mapping is too new to be registered";
        case UnknownReason::kExcluded:
            return "the program excluded it";
        case UnknownReason::kLocked:
            return "locked in memory";
        case UnknownReason::kLostFile:
            return "the program closed or replaced a descriptor of the library";
    }
    return "unknown reason";
}

Unknown public_reason(UnknownReason unknown) {
    switch (unknown) {
        case UnknownReason::kNone:
            return Unknown::kNone;
        case UnknownReason::kNoWay:
        case UnknownReason::kNotDeclared:
        case UnknownReason::kRefused:
            return Unknown::kNoAccessCheck;
        case UnknownReason::kNotWritable:
            return Unknown::kPermission;
        case UnknownReason::kForeign:
            return Unknown::kOtherUserfaultfd;
        case UnknownReason::kHuge:
            return Unknown::kHugePage;
        case UnknownReason::kGone:
        case UnknownReason::kNotYet:
            return Unknown::kNotRegistered;
        case UnknownReason::kUnmapped:
            return Unknown::kUnmapped;
        case UnknownReason::kExcluded:
            return Unknown::kExcluded;
        case UnknownReason::kLocked:
            return Unknown::kLocked;
        case UnknownReason::kLostFile:
            return Unknown::kLostDescriptor;
        case UnknownReason::kDropped:
        case UnknownReason::kFailed:
        case UnknownReason::kOtherContext:
        case UnknownReason::kReportsLost:
        case UnknownReason::kForked:
            return Unknown::kOther;
    }
    return Unknown::kOther;
}

}  // namespace damon
