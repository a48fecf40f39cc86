// Properties of simulated memory, as filters and probes ask for them.
#pragma once

#include <cstdint>

#include "model/action.h"
#include "model/probe.h"
#include "ops/sim/extent.h"
#include "ops/sim/machine.h"
#include "ops/sim/world.h"

namespace damon {

// One extent as it is at `now_us`, with all that is known of it.
struct SimBlock {
    const SimWorld* world = nullptr;
    const SimMachine* machine = nullptr;
    const Extent* extent = nullptr;
    uint64_t now_us = 0;
};

// Whether the ops filters of the request let the block pass (S-30, S-32).
bool ops_filters_pass(const ActionRequest& request, const SimBlock& block);

// The verdict of a probe (P-2). `block.extent` may be nullptr: nothing is mapped there.
bool probe_hits(const ProbeParams& probe, const SimBlock& block);

}  // namespace damon
