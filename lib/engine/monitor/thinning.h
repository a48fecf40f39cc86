// What gives way first where the limit on the monitor's own cost binds (M-40): a window keeps its length and has fewer
// samples. An interval in which nobody looks costs next to nothing, and the sample after it stands for both. Only where
// that is not enough do windows become longer.
#pragma once

#include <cstdint>

#include "engine/monitor/cadence.h"
#include "model/attrs.h"

namespace damon {

class Thinning {
public:
    // Of a window. No interval is passed over in windows of less than ten.
    static constexpr uint64_t kLeastSamples = 5;

    // Before an interval: the next look is to end `wait_us` from now at the earliest. The last interval of a window is
    // never passed over, so that the samples of a window stand for all of it.
    void decide(uint64_t wait_us, const Attrs& attrs, const Cadence& cadence) {
        const uint64_t left = cadence.aggregating() ? cadence.next_aggregation - cadence.passed_sample_intervals : 0;
        const uint64_t most = attrs.aggr_samples() / kLeastSamples;
        passes_over_ = wait_us > cadence.nominal_us() && nr_passed_over_ + 1 < most && left > 1;
        look_follows_ = nr_passed_over_ + 2 >= most || left <= 2;
    }
    // After it.
    void pass() { nr_passed_over_ = passes_over_ ? nr_passed_over_ + 1 : 0; }
    // The window begins anew.
    void restart_window() { nr_passed_over_ = 0; }

    bool passes_over() const { return passes_over_; }
    // The one after this will not be passed over: what is left to wait is waited for here, so that the look sees what
    // happens in sample_us and not in a longer time, which would take memory that is used now and then for hot.
    bool waits_for_look() const { return passes_over_ && look_follows_; }
    // Since the last look of this window.
    uint64_t nr_passed_over() const { return nr_passed_over_; }
    // For how many intervals the samples of this one stand.
    uint32_t weight() const { return static_cast<uint32_t>(nr_passed_over_ + 1); }

    bool operator==(const Thinning&) const = default;

private:
    uint64_t nr_passed_over_ = 0;  // intervals since the last look
    bool passes_over_ = false;     // the present one
    bool look_follows_ = false;
};

}  // namespace damon
