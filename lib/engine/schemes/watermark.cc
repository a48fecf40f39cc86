#include "engine/schemes/watermark.h"

namespace damon {

uint64_t evaluate_watermark(const Watermarks& wmarks, int32_t value_permil, bool& activated) {
    if (wmarks.metric == WatermarkMetric::kNone) return 0;
    if (value_permil < 0) return activated ? 0 : wmarks.interval_us;
    const auto value = static_cast<uint32_t>(value_permil);
    const bool outside = value > wmarks.high || value < wmarks.low;
    const bool waits_for_mid = !activated && wmarks.mid <= value && value <= wmarks.high;
    activated = !outside && !waits_for_mid;
    return activated ? 0 : wmarks.interval_us;
}

}  // namespace damon
