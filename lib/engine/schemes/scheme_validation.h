// What start and commit refuse in a scheme (O-8, 8.1). What the rules accept stays accepted: bounds that match nothing,
// watermarks out of order, filters on targets that do not exist.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/ops_traits.h"
#include "model/scheme.h"

namespace damon {

// -EINVAL with the field, its value and what would be right. `scheme_idx` is for the text.
Status validate_scheme(const SchemeParams& scheme, uint32_t scheme_idx, const OpsTraits& traits);

}  // namespace damon
