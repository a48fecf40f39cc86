// The access checks there are, each a row.
#pragma once

#include <cstdint>
#include <span>

#include "ops/linux/access/checks/access_check_row.h"

namespace damon {

extern const AccessCheckRow* const kAccessCheckRows[kNrAccessChecks];

// All of them; of the checks of pages the better ones come first, in which order they are tried on a mapping.
inline std::span<const AccessCheckRow* const> access_check_rows() { return kAccessCheckRows; }

// nullptr: there is no such check.
const AccessCheckRow* access_check_row(int32_t id);

// Such as "uffd_wp"; "unknown" for a number that is no check's.
const char* access_check_name(int32_t id);

// Tries the check of a row out on memory of its own: opens, arms, touches, looks. Any thread, leaves nothing behind.
AccessCheckProbe probe_row(const AccessCheckRow& row);
// The same by its number. No check:
// not available, EINVAL. kAuto answers for ordinary private memory.
AccessCheckProbe access_check_probe(int32_t id);

}  // namespace damon
