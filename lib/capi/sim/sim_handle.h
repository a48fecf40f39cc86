// What the handle of a simulator is.
#pragma once

#include "base/status.h"
#include "damon_c.h"
#include "ops/sim/sim_ops.h"

struct damon_sim {
    damon_sim(uint64_t seed, uint64_t page_size) : ops(seed, page_size) {}

    damon::SimOps ops;
    mutable char errmsg[damon::Status::kTextBytes] = {};
};

namespace damon {

// Keeps the text of a failure for damon_sim_errmsg and gives the error. `sim` may be null.
int report_sim(const damon_sim* sim, const Status& status);

Status check_sim(const damon_sim* sim);

}  // namespace damon
