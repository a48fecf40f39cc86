// What must hold before anything is dropped from memory: it lies in a range that the program declared to be shared
// until it is withdrawn, and it is a shared mapping at this moment (fact 5). Of a private mapping data would be lost.
#pragma once

#include <cstdint>

#include "ops/linux/registration/declared_ranges.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"

namespace damon {

// Keeps one declared range from being withdrawn while a check is at work in it. Release it soon: withdrawing waits.
class SharedMemoryGuard {
public:
    // Whether `page` lies in a declared range that is a shared mapping now, of base pages. Asks the kernel once for all
    // pages in a row that lie in the same mapping.
    bool admits(uint64_t page, ProcMaps& maps, PageSizes sizes);
    // Whether all of it does, for which admits was just asked.
    bool covers(AddressRange range) const { return verified_.covers(range); }
    void release();

private:
    SharedPin pin_;
    AddressRange verified_;  // pinned, and seen to be one shared mapping of base pages
};

}  // namespace damon
