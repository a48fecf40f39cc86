// Seeing writes by asynchronous write protection: PAGEMAP_SCAN protects a page, the program's next write lifts the
// protection without any help, and the scan tells. Linux 6.7, no privilege needed.
//
// A huge page is never armed: a write to an armed one makes the kernel split its mapping (measured on Linux 6.18: the
// huge page is gone after the first write), which would cost the program more than the answer is worth.
#pragma once

#include <cstdint>

#include "ops/linux/access/access_check.h"
#include "ops/linux/access/mapping_cache.h"
#include "ops/linux/access/uffd_mapping.h"
#include "os/page_scan.h"

namespace damon {

// Arms a page of a mapping that is owned for this way. kArmed: `written` says whether the
// page was not armed before, or had been written since.
ArmResult wp_arm(PageScan& scan, CachedMapping& mapping, uint64_t page, AccessStatistics& statistics, bool& written);

// Judges the state of a page that was armed. kNot: `accessed` is the answer.
UnknownReason wp_judge(uint32_t state, bool& accessed);

// Tries it out on memory of its own, as an ordinary user of the process-wide userfaultfd.
AccessCheckProbe probe_uffd_wp();

}  // namespace damon
