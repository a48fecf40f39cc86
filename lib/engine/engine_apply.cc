// The part of Engine that runs schemes.
#include "engine/engine.h"

namespace damon {

bool Engine::apply_begin(uint64_t) { return false; }
std::span<MetricQuery> Engine::metric_queries() { return {}; }
bool Engine::next_request(ActionRequest&) { return false; }
void Engine::complete(const Outcome&) {}

bool Engine::needs_free_memory() const {
    for (const SchemeParams& scheme : params_.schemes) {
        if (scheme.wmarks.metric == WatermarkMetric::kFreeMemRate) return true;
    }
    return false;
}

uint64_t Engine::watermark_wait_us(int32_t) { return 0; }

void Engine::set_goal_value(size_t scheme_idx, size_t goal_idx, uint64_t value) {
    params_.schemes[scheme_idx].goals[goal_idx].current_value = value;
}

}  // namespace damon
