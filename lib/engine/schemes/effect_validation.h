// What start and commit refuse though each value is in its range: schemes that could never do anything.
#pragma once

#include "base/status.h"
#include "model/params.h"

namespace damon {

// -EINVAL with the field, its value and what would be right. For parameters that are valid otherwise.
Status validate_effect(const Params& params);

}  // namespace damon
