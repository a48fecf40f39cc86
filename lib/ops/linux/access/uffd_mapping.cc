#include "ops/linux/access/uffd_mapping.h"

#include <cerrno>

#include "ops/linux/access/uffd.h"
#include "os/page_scan.h"

namespace damon {
namespace {

uint64_t mode_of(AccessCheck way) {
    return way == AccessCheck::kUffdRwp ? uapi::kRegisterModeRwp : uapi::kRegisterModeWp;
}

}  // namespace

ArmResult register_mapping(CachedMapping& mapping, AccessCheck way, AccessStatistics& statistics) {
    switch (uffd_register(mapping.range, mode_of(way))) {
        case 0:
            mapping.set_owned(way);
            ++statistics.registrations;
            return ArmResult::kArmed;
        case -EBUSY:
            mapping.fail(way, UnknownReason::kForeign);
            return ArmResult::kUnknown;
        case -ENOENT:
        case -ENOMEM:
        case -EAGAIN:
            return ArmResult::kGone;
        case -EINVAL:  // not for this kind of mapping, or nothing is mapped there any more: who reads it anew will see
        case -EPERM:
            mapping.fail(way, UnknownReason::kRefused);
            return ArmResult::kUnknown;
        case -ECHILD:
            mapping.unknown = UnknownReason::kForked;
            return ArmResult::kUnknown;
        default:
            mapping.unknown = UnknownReason::kFailed;
            return ArmResult::kUnknown;
    }
}

void unregister_mapping(CachedMapping& mapping) {
    for (const AccessCheck way : {AccessCheck::kUffdWp, AccessCheck::kUffdRwp}) {
        if (mapping.is_registered(way)) uffd_unregister(mapping.range, mode_of(way));
    }
    mapping.registered = 0;
    mapping.owned = 0;
}

bool lift_marks(AddressRange mapping, AddressRange range, uint64_t page_bytes) {
    PageScan scan;
    // A marked page tells that the mapping is registered; finding out whose registration it is would register another
    // one.
    if (scan.open(page_bytes) != 0 || !scan.any_marked(range)) return false;
    return uffd_lift(mapping, range, uapi::kRegisterModeWp) == 0 ||
           uffd_lift(mapping, range, uapi::kRegisterModeRwp) == 0;
}

}  // namespace damon
