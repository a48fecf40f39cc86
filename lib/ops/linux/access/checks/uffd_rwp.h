// Seeing reads and writes by asynchronous read-write protection: UFFDIO_RWPROTECT makes a present page inaccessible,
// the program's next access of any kind restores it without any help, and the page tables show it. Linux 7.3, no
// privilege needed. A huge page is armed whole, and stays huge.
#pragma once

#include "ops/linux/access/checks/access_check_row.h"

namespace damon {

extern const AccessCheckRow kUffdRwpRow;

}  // namespace damon
