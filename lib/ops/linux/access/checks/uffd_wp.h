// Seeing writes by asynchronous write protection: PAGEMAP_SCAN protects a page, the program's next write lifts the
// protection without any help, and the scan shows it. Linux 6.7, no privilege needed.
//
// A huge page is never armed: a write to an armed one makes the kernel split its mapping (measured on Linux 6.18: the
// huge page is gone after the first write), which would cost the program more than the answer is worth.
#pragma once

#include "ops/linux/access/checks/access_check_row.h"

namespace damon {

extern const AccessCheckRow kUffdWpRow;

}  // namespace damon
