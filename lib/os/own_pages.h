// Which pages of this process are the library's own (base/system.h: map_pages).
#pragma once

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

// Appends them, sorted. Any thread; what is mapped or unmapped meanwhile may be missing. False: out of memory.
[[nodiscard]] bool list_own_pages(Vector<AddressRange>& pages);

}  // namespace damon
