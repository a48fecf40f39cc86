// Registering a mapping with the process's userfaultfd, lazily, and what its refusals mean (fact 4).
#pragma once

#include "ops/linux/registration/exclusion.h"
#include "ops/linux/registration/mapping_cache.h"

namespace damon {

enum class ArmResult : uint8_t {
    kArmed,
    kNothing,  // not present, or huge: look at the page
    kUnknown,  // not possible in this mapping: mapping.unknown
    kGone,     // the mapping is not what it was: read it anew
};

// Makes sure that what may be registered of the mapping, just read, is so as a whole with our userfaultfd in `mode`
// (uapi::kRegisterMode*), but for what is excluded, and not with one of the program's own: marks can be set without
// asking whose the registration is. kArmed stands for "registered"; kUnknown: this mode is not possible here, and the
// mapping remembers it.
ArmResult register_mapping(CachedMapping& mapping, uint64_t mode, const Exclusion& exclusion,
                           AccessStatistics& statistics);

// Lifts the marks of whatever contexts in `range`, a part of a mapping: the kernel makes no huge page of marked pages,
// so a collapse asks for this. False: there are none, or not of this library.
bool lift_marks(AddressRange range, uint64_t page_bytes);

}  // namespace damon
