// The part of Engine that runs schemes.
#include <algorithm>

#include "engine/engine.h"
#include "engine/schemes/watermark.h"

namespace damon {

ApplyContext Engine::apply_context() {
    return {.regions = regions_,
            .schemes = params_.schemes.span(),
            .states = schemes_.span(),
            .attrs = params_.attrs,
            .cadence = cadence_,
            .traits = traits_,
            .min_region_sz = params_.min_region_sz,
            .passes = passes_,
            .window = pass_window_};
}

bool Engine::apply_begin(uint64_t now_us) {
    pass_window_ = moving_window();
    return walk_.begin(apply_context(), now_us);
}

std::span<MetricQuery> Engine::metric_queries() { return walk_.metric_queries(); }

bool Engine::next_request(ActionRequest& request) {
    if (walk_.next_request(apply_context(), request)) return true;
    DAMON_CHECK(is_valid());
    return false;
}

void Engine::complete(const Outcome& outcome) { walk_.complete(apply_context(), outcome); }

uint64_t Engine::due_within_us() const {
    uint64_t shortest = cadence_.us_until(cadence_.next_ops_update);
    for (size_t i = 0; i < schemes_.size(); ++i) {
        if (params_.schemes[i].apply_interval_us == 0 || !schemes_[i].activated) continue;
        shortest = std::min(shortest, cadence_.us_until(schemes_[i].next_apply_sis));
    }
    return shortest;
}

bool Engine::take_due_update() {
    if (!tick_reached(cadence_.clock(), cadence_.next_ops_update)) return false;
    cadence_.latched_ops_update = cadence_.next_ops_update;
    cadence_.advance_ops_update(params_.attrs);
    cadence_.latched_ops_update = cadence_.next_ops_update;
    return true;
}

bool Engine::needs_watermark(WatermarkMetric metric) const {
    return std::ranges::any_of(params_.schemes,
                               [metric](const SchemeParams& scheme) { return scheme.wmarks.metric == metric; });
}

// Every round looks at every scheme anew, and without schemes there is nothing to wait for.
uint64_t Engine::watermark_wait_us(const WatermarkValues& values) {
    if (schemes_.empty()) return 0;
    uint64_t shortest = kU64Max;
    for (size_t i = 0; i < schemes_.size(); ++i) {
        const Watermarks& wmarks = params_.schemes[i].wmarks;
        const int32_t permil = wmarks.metric == WatermarkMetric::kOwnMemcgFreeRate ? values.own_memcg : values.free_mem;
        shortest = std::min(shortest, evaluate_watermark(wmarks, permil, schemes_[i].activated));
    }
    return shortest;
}

void Engine::set_goal_value(size_t scheme_idx, size_t goal_idx, uint64_t value) {
    params_.schemes[scheme_idx].goals[goal_idx].current_value = value;
}

}  // namespace damon
