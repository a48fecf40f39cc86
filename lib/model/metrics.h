// Measurements of the system that quota goals and watermarks need: asked for by the engine, answered by the ops.
#pragma once

#include <cstdint>

#include "model/scheme.h"

namespace damon {

// One measurement that a quota goal wants. `answer` is in the goal's unit (section 5.6 of the rules): bp, or for the
// pressure metric the growing total in microseconds.
struct MetricQuery {
    QuotaMetric metric = QuotaMetric::kUserInput;
    int32_t nid = -1;
    uint64_t memcg_id = 0;
    uint32_t scheme_idx = 0;
    uint32_t goal_idx = 0;
    uint64_t answer = 0;
    bool answered = false;  // false: cannot be measured here
    bool operator==(const MetricQuery&) const = default;
};

// What watermarks are compared with, in permil; negative: not known, or nobody asks.
struct WatermarkValues {
    int32_t free_mem = -1;   // of all memory, free
    int32_t own_memcg = -1;  // of the limit of this process's memory group, free
};

}  // namespace damon
