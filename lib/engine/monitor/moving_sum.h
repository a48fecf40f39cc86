// The moving sum of rules M-14 and M-15: a counter over the last full window, from the counts of this window so far
// and the part of the previous window that is not over yet.
#pragma once

#include <cstdint>

#include "base/arithmetic.h"
#include "engine/monitor/cadence.h"
#include "engine/monitor/region.h"

namespace damon {

// The weight of the previous window at one moment. Goes by the live deadline, so make a new one after each change of
// attributes or tick.
class MovingWindow {
public:
    // All of the sum is of the present window.
    MovingWindow() = default;
    // `nr_passed_over`: intervals since the latest look of this window (M-40). They count with the next look, and until
    // then the previous window stands for them.
    MovingWindow(const Attrs& attrs, const Cadence& cadence, uint64_t nr_passed_over = 0) {
        if (!cadence.aggregating()) return;
        const uint64_t window = (attrs.aggr_us == 0 ? 1 : attrs.aggr_us) / attrs.divisor_us();
        const uint64_t left = cadence.next_aggregation - cadence.passed_sample_intervals + nr_passed_over;
        previous_bp_ = saturate_u32(mul_div(left, kBp, window == 0 ? 1 : window));
    }

    uint32_t sum(uint32_t current, uint32_t previous) const {
        if (previous_bp_ == kBp) return previous;
        return saturate_u32(current + uint64_t{previous} * previous_bp_ / kBp);
    }
    // 8-bit counters saturate where they would wrap.
    uint8_t sum(uint8_t current, uint8_t previous) const {
        return saturate_u8(sum(uint32_t{current}, uint32_t{previous}));
    }

    // What is known of the samples that the sum stands for (RegionEvidence).
    uint8_t evidence(const Region& region) const {
        if (previous_bp_ == kBp) return region.last_evidence;
        if (previous_bp_ == 0) return evidence_of(region);
        return evidence_of(region) | region.last_evidence;
    }
    // Why some of them are not known; 0 where all are.
    uint8_t unknown_reason(const Region& region) const {
        if (previous_bp_ == kBp || (previous_bp_ != 0 && region.unknown_reason == 0)) return region.last_unknown_reason;
        return region.unknown_reason;
    }

private:
    uint32_t previous_bp_ = 0;
};

}  // namespace damon
