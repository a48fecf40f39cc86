// Seeing accesses by dropping page table entries: MADV_DONTNEED on a page of a shared mapping leaves the page in its
// file, and the next access, read or write, maps it again. Any kernel, any privilege. Only inside declared ranges: of a
// private mapping it would destroy data.
#pragma once

#include "ops/linux/access/checks/access_check_row.h"

namespace damon {

extern const AccessCheckRow kZapRow;

}  // namespace damon
