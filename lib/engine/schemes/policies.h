// Ready-made policies (section 7 of the rules): from what a user chooses to attributes and schemes. The members' values
// are the defaults.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "base/vector.h"
#include "model/attrs.h"
#include "model/params.h"
#include "model/scheme.h"

namespace damon {

// What all of them have.
struct PolicyBounds {
    uint64_t quota_ms = 10;
    uint64_t quota_reset_interval_ms = 1'000;
    Watermarks wmarks;
    bool allow_unseen_reads = false;
    bool tunes_intervals = false;
    uint64_t sample_us = 5'000;
    uint64_t aggr_us = 100'000;
    uint64_t min_nr_regions = 10;
    uint64_t max_nr_regions = 1'000;
};

// pages out what was not accessed for a time.
struct ReclaimChoice {
    PolicyBounds bounds{.wmarks = {WatermarkMetric::kFreeMemRate, 500, 400, 200, 5'000'000}};
    uint64_t min_age_us = 120'000'000;
    uint64_t quota_sz = 128u << 20;
    uint64_t mem_pressure_us = 0;  // not 0: a goal
    uint64_t feedback = 0;         // not 0: where a goal of the user's own stands
    bool skips_anon = false;
};

// tells the kernel what to reclaim first and last.
struct LruSortChoice {
    PolicyBounds bounds{.wmarks = {WatermarkMetric::kFreeMemRate, 200, 150, 50, 5'000'000}};
    uint32_t hot_permil = 500;  // of samples
    uint64_t cold_min_age_us = 120'000'000;
    uint64_t active_mem_bp = 0;  // not 0: a goal
    bool filters_young = false;
};

struct Policy {
    Attrs attrs;
    Vector<SchemeParams> schemes;
};

// For a context of these regions and operations. Failure: the choice contradicts itself (-EINVAL), or -ENOMEM.
Status reclaim_policy(const ReclaimChoice& choice, uint64_t min_region_sz, Policy& policy);
Status lru_sort_policy(const LruSortChoice& choice, OpsId ops_id, Policy& policy);
// monitoring alone.
Attrs stat_attrs();

}  // namespace damon
