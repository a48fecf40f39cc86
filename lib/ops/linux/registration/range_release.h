// Giving up whatever registrations and marks of this library there are in a range, of all contexts, from any thread.
#pragma once

#include "model/address_range.h"

namespace damon {

// In pieces with rests, as the end of a run does. 0, or a negative errno: this process's mappings cannot be read.
int release_range(AddressRange range);

}  // namespace damon
