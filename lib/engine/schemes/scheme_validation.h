// What start and commit refuse in a scheme (O-8, 8.1), and what could never act: bounds that match nothing, watermarks
// out of order. Filters on targets that do not exist stay accepted, but where they let nothing pass
//
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/attrs.h"
#include "model/ops_traits.h"
#include "model/scheme.h"

namespace damon {

// -EINVAL with the field, its value and what would be right. `scheme_idx` is for the text.
Status validate_scheme(const SchemeParams& scheme, uint32_t scheme_idx, const OpsTraits& traits);

// The same for what only start and commit can check: whether any region can reach the least number of accesses.
Status validate_reach(const SchemeParams& scheme, uint32_t scheme_idx, const Attrs& attrs);

}  // namespace damon
