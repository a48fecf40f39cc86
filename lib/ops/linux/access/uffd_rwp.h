// Seeing reads and writes by asynchronous read-write protection: UFFDIO_RWPROTECT makes a present page inaccessible,
// the program's next access of any kind restores it without any help, and the page tables tell. Linux 7.3, no privilege
// needed. A huge page is armed whole, and stays huge.
#pragma once

#include <cstdint>

#include "ops/linux/access/access_check.h"
#include "ops/linux/access/mapping_cache.h"
#include "ops/linux/access/uffd_mapping.h"
#include "os/page_scan.h"

namespace damon {

// Protects `unit`, a page or a whole huge page of `mapping`, registering the mapping first where that has not been
// done.
ArmResult rwp_arm(CachedMapping& mapping, AddressRange unit, AccessStatistics& statistics);

// Judges the state, of look_marked, of a page that was armed. kNot: `accessed` is the answer.
UnknownReason rwp_judge(uint32_t state, bool& accessed);

// Tries it out on memory of its own, as an ordinary user of the process-wide userfaultfd.
AccessCheckProbe probe_uffd_rwp();

}  // namespace damon
