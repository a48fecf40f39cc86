// What a region scores: its access count or, once some probe has a weight, the weighted sum of its probe hits
// (M-17, P-3, P-4).
#pragma once

#include <cstdint>
#include <span>

#include "base/arithmetic.h"
#include "engine/monitor/region.h"
#include "model/probe.h"

namespace damon {

class ProbeWeights {
public:
    ProbeWeights() = default;
    // At most kMaxProbes probes.
    explicit ProbeWeights(std::span<const ProbeParams> probes) : nr_probes_(static_cast<uint32_t>(probes.size())) {
        DAMON_CHECK(probes.size() <= kMaxProbes);
        for (size_t i = 0; i < probes.size(); ++i) {
            weights_[i] = probes[i].weight;
            sum_ += probes[i].weight;
        }
    }

    uint32_t nr_probes() const { return nr_probes_; }
    uint64_t sum() const { return sum_; }
    // P-4: accesses are not looked at, weighted sums take their place.
    bool attributes_only() const { return sum_ != 0; }

    uint64_t weighted_sum(const uint8_t (&hits)[kMaxProbes]) const {
        uint64_t sum = 0;
        for (unsigned i = 0; i < kMaxProbes; ++i) sum += uint64_t{weights_[i]} * hits[i];
        return sum;
    }
    uint64_t score(const Region& region) const {
        return attributes_only() ? weighted_sum(region.probe_hits) : region.nr_accesses;
    }
    uint64_t last_score(const Region& region) const {
        return attributes_only() ? weighted_sum(region.last_probe_hits) : region.last_nr_accesses;
    }

    bool operator==(const ProbeWeights&) const = default;

private:
    uint32_t weights_[kMaxProbes] = {};
    uint32_t nr_probes_ = 0;
    uint64_t sum_ = 0;
};

}  // namespace damon
