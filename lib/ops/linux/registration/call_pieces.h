// How much one system call may cover that walks pages with the address space locked, so that no other thread waits
// long.
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "os/page_scan.h"
#include "os/page_sizes.h"

namespace damon {

// The end of the first piece of `range`: no more than 2 MiB of pages that are present or swapped out. It lies at the
// border of a huge page, which a call that ended inside of it would split.
uint64_t end_of_piece(PageScan& scan, PageSizes sizes, AddressRange range);
// The same for unregistering, which keeps everybody else out and takes some 40 us for 2 MiB: half of it where small
// pages lie around the end.
uint64_t end_of_unregistering(PageScan& scan, PageSizes sizes, AddressRange range);

}  // namespace damon
