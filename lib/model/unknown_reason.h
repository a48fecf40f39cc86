// Why a sample could not be answered, as the C interface says it.
#pragma once

#include <cstdint>

namespace damon {

// Values are part of the C ABI: enum damon_unknown_reason.
enum class Unknown : int32_t {
    kNone = 0,
    kHugePage,
    kNotRegistered,
    kOtherUserfaultfd,
    kPermission,
    kUnmapped,
    kExcluded,
    kSharedWithChild,
    kLocked,
    kReclaimed,
    kPaused,
    kNotExamined,
    kLostDescriptor,
    kNoAccessCheck,
    kOther,
};
inline constexpr unsigned kNrUnknowns = 15;

}  // namespace damon
