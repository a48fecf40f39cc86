// How much one system call may cover that walks pages with the address space locked, so that no other thread waits
// long.
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "os/page_scan.h"
#include "os/page_sizes.h"

namespace damon {

// The end of the first piece of `range`: no more than 2 MiB of pages that are present or swapped out, or one huge page.
// It lies at the border of a huge page, which a call that ended inside of it would split.
uint64_t end_of_piece(PageScan& scan, PageSizes sizes, AddressRange range);

// `range` without the parts of huge pages at its ends, which a call would split; all of it may be such a part.
AddressRange without_parts_of_huge_pages(PageScan& scan, PageSizes sizes, AddressRange range);
// `range` with all of the huge pages that it begins or ends in.
AddressRange with_whole_huge_pages(PageScan& scan, PageSizes sizes, AddressRange range);

// How much one call may unregister, which keeps everybody else out: the limit is 50 us, and 1 MiB of small pages takes
// 15 to 60 us, by the machine and by what else it does. Halved while calls take longer than 45 us on average.
class UnregisteringLength {
public:
    static constexpr uint64_t kMaxBytes = 1u << 20;
    static constexpr uint64_t kMinBytes = 256u << 10;

    uint64_t bytes() const { return bytes_; }
    // Of a call: its processor time.
    void note(uint64_t cpu_ns);

private:
    uint64_t bytes_ = kMaxBytes;
    uint64_t mean_ns_ = 0;  // moving, of the last eight calls or so
};

// The end of the first piece of `range` to be unregistered: no more than so many bytes where small pages lie around the
// end.
uint64_t end_of_unregistering(PageScan& scan, PageSizes sizes, AddressRange range, const UnregisteringLength& length);

}  // namespace damon
