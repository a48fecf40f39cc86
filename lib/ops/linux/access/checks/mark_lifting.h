// Lifting the marks of pages that were looked at, so that no mark outlives its look: the program pays no late fault, a
// pause finds at most one mark a region, and the kernel may make huge pages (fact 17).
#pragma once

#include <cstdint>
#include <span>

#include "ops/linux/access/checks/check_tools.h"

namespace damon {

// `pages` in address order, of mappings that are registered in `mode`. Marks that another context relies on stay.
void lift_pages(CheckTools& tools, std::span<const uint64_t> pages, uint64_t mode, uint64_t max_call_bytes);

}  // namespace damon
