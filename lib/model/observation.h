// What an offloaded monitor (OpsTraits::offloaded) has found, and what their schemes did.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/scheme.h"
#include "model/snapshot.h"

namespace damon {

struct SchemeProgress {
    SchemeStats more;  // what the statistics have grown by since the last observation
    uint64_t esz = 0;
};

// A region that a scheme was tried on.
struct TriedRegion {
    RegionInfo region;
    uint32_t scheme_idx = 0;
    uint64_t filter_passed = 0;
    ProbeHits hits;
};

struct Observation {
    uint64_t sample_us = 0;  // as tuned by now
    uint64_t aggr_us = 0;
    Vector<RegionInfo> regions;  // target by target, in address order, disjoint
    Vector<ProbeHits> hits;      // parallel to regions; empty where there are no probes
    Vector<SchemeProgress> schemes;
    Vector<TriedRegion> tried;  // of the schemes of the context, scheme by scheme; only where asked for
};

}  // namespace damon
