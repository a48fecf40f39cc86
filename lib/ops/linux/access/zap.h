// Seeing accesses by dropping page table entries: MADV_DONTNEED on a page of a shared mapping leaves the page in its
// file, and the next access, read or write, maps it again. Any kernel, any privilege. Only inside declared ranges
// (shared_ranges.h): of a private mapping it would destroy data.
#pragma once

#include <cstdint>

#include "ops/linux/access/access_check.h"
#include "ops/linux/access/declared_ranges.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"

namespace damon {

// Drops entries for the samples of one batch; holds a pin on the declared range that it is at work in. Let it go out of
// scope soon: withdrawing waits for it.
class Zapper {
public:
    Zapper(ProcMaps& maps, PageSizes sizes) : maps_(maps), sizes_(sizes) {}

    // Whether `page` lies in a declared range that is a shared mapping now. Pins the range. Asks the kernel once for
    // all pages of a batch that lie in the same mapping.
    bool may_zap(uint64_t page);

    // Drops the entry of a page for which may_zap said yes; where a huge entry maps it, the whole aligned huge page, so
    // that it comes back huge. kNot: done.
    UnknownReason zap(uint64_t page, bool huge);

private:
    ProcMaps& maps_;
    const PageSizes sizes_;
    SharedPin pin_;
    AddressRange verified_;  // pinned, and seen to be one shared mapping of base pages
};

// Tries it out on memory of its own.
AccessCheckProbe probe_zap();

}  // namespace damon
