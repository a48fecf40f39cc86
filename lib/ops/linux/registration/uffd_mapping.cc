#include "ops/linux/registration/uffd_mapping.h"

#include <cerrno>

#include "ops/linux/registration/uffd.h"
#include "os/page_scan.h"

namespace damon {
namespace {

constexpr uint64_t kModes[] = {uapi::kRegisterModeWp, uapi::kRegisterModeRwp};

}  // namespace

ArmResult register_mapping(CachedMapping& mapping, uint64_t mode, const Exclusion& exclusion,
                           AccessStatistics& statistics) {
    int error = 0;
    AddressRange left = mapping.registrable;
    while (error == 0 && !(left = exclusion.allowed(left)).empty()) {
        error = uffd_register(left, mode);
        left = {left.end, mapping.registrable.end};
    }
    switch (error) {
        case 0:
            mapping.set_owned(mode);
            ++statistics.registrations;
            return ArmResult::kArmed;
        case -EBUSY:
            mapping.fail(mode, UnknownReason::kForeign);
            return ArmResult::kUnknown;
        case -ENOENT:
        case -ENOMEM:
        case -EAGAIN:
            return ArmResult::kGone;
        case -EINVAL:  // not for this kind of mapping, or nothing is mapped there any more: who reads it anew will see
        case -EPERM:
            mapping.fail(mode, UnknownReason::kRefused);
            return ArmResult::kUnknown;
        case -ECHILD:
            mapping.unknown = UnknownReason::kForked;
            return ArmResult::kUnknown;
        default:
            mapping.unknown = UnknownReason::kFailed;
            return ArmResult::kUnknown;
    }
}

bool lift_marks(AddressRange range, uint64_t page_bytes) {
    PageScan scan;
    // A marked page shows that the mapping is registered; finding out whose registration it is would register another
    // one.
    if (scan.open(page_bytes) != 0 || !scan.any_marked(range)) return false;
    for (const uint64_t mode : kModes) {
        if (uffd_lift(range, mode) == 0) return true;
    }
    return false;
}

}  // namespace damon
