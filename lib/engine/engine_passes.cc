// The part of Engine that takes what passes over accessed bits know.
#include "engine/engine.h"

namespace damon {

void Engine::take_passes(std::span<const PassWindow> windows) {
    walk_.cancel(apply_context());
    planned_ = false;
    if (!passes_.take(windows)) passes_.clear();
    if (passes_.empty()) return;
    // Some regions are kept for splits, without which nothing adapts.
    const uint64_t most = params_.attrs.max_nr_regions - params_.attrs.max_nr_regions / 10;
    for (size_t target = 0; target < regions_.nr_targets(); ++target) {
        for (size_t index = 0; index < regions_.nr_regions_of(target); ++index) {
            const AddressRange range = regions_.at(target, index).range;
            uint64_t border = passes_.next_border(range.start, range.end);
            while (border < range.end && (border & (params_.min_region_sz - 1)) != 0) {
                border = passes_.next_border(border, range.end);
            }
            if (border >= range.end) continue;
            if (regions_.nr_regions() >= most || !regions_.split_at(target, index, border - range.start)) return;
        }
    }
    DAMON_CHECK(is_valid());
}

}  // namespace damon
