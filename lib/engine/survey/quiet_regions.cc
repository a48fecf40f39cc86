#include "engine/survey/quiet_regions.h"

#include <algorithm>

namespace damon {

bool QuietRegions::waits(uint32_t target_idx, uint64_t address) const {
    for (const Entry& entry : entries_) {
        if (entry.until_window > window_ && entry.target_idx == target_idx && entry.region.contains(address)) {
            return true;
        }
    }
    return false;
}

void QuietRegions::refuted(uint32_t target_idx, AddressRange region) {
    Entry added;
    added.region = region;
    added.target_idx = target_idx;
    size_t oldest = 0;
    for (size_t i = 0; i < entries_.size(); ++i) {
        Entry& entry = entries_[i];
        if (entry.target_idx == target_idx && entry.region.intersects(region)) {
            added.doublings = std::min<uint8_t>(kMostDoublings, static_cast<uint8_t>(entry.doublings + 1));
            oldest = i;
            break;
        }
        if (entry.until_window < entries_[oldest].until_window) oldest = i;
    }
    added.until_window = window_ + (uint64_t{1} << added.doublings);
    const bool full = entries_.size() >= kMax;
    if (added.doublings == 0 && !full && entries_.push_back(added)) return;
    if (!entries_.empty()) entries_[oldest] = added;
}

// An entry is remembered for as long again as it made its region wait.
void QuietRegions::end_window() {
    ++window_;
    size_t kept = 0;
    for (const Entry& entry : entries_) {
        if (window_ <= entry.until_window + (uint64_t{1} << entry.doublings)) entries_[kept++] = entry;
    }
    entries_.truncate(kept);
}

}  // namespace damon
