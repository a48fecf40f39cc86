// Which contexts of this process run: how many, and whether an exclusive group is among them.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace damon {

// Takes places for `count` contexts in one step. -EBUSY: `exclusive` and something runs, or an exclusive group runs.
Status registry_enter(uint32_t count, bool exclusive);

// Gives one place back. When the last goes, exclusiveness ends (Q-17: one atomic transition).
void registry_leave();

uint32_t registry_nr_running();

// A number for the next worker's name, from 0.
uint32_t registry_next_worker_number();

}  // namespace damon
