// Whether parameters can be run at all: the monitoring half of the check that start and commit share. Each failure
// names the field, its value and what would be right.
#pragma once

#include "base/status.h"
#include "model/attrs.h"
#include "model/ops_traits.h"
#include "model/params.h"

namespace damon {

// The budget of surveys, for ops that can serve them or not.
Status validate_survey(const Attrs& attrs, const OpsTraits& traits);

// What the attributes may be (O-2, O-3).
Status validate_attrs(const Attrs& attrs);
// Whether the ops can serve referenced_us.
Status validate_passes(const Params& params, const OpsTraits& traits);

// At most four, only where the ops can evaluate them if they have weights, and weighted sums that fit
// (P-8).
Status validate_probes(const Params& params, const OpsTraits& traits);

// Granularity and given ranges (A-18, M-8).
Status validate_targets(const Params& params);

}  // namespace damon
