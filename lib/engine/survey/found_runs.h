// Runs of hot pages with exact bounds that surveys found. At the end of a window they become regions of their own, the
// largest first, and are not cut at random while they stay hot.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/vector.h"
#include "engine/monitor/region_list.h"
#include "model/address_range.h"

namespace damon {

struct RunLimits {
    uint64_t max_nr_regions;
    uint64_t min_region_sz;  // power of two
    uint64_t window;         // sampling intervals
};

class FoundRuns {
public:
    // Room for as many as can have become regions, and for those of one window. False: out of memory.
    [[nodiscard]] bool reserve(uint64_t max_nr_regions);
    [[nodiscard]] bool copy_from(const FoundRuns& other);
    void clear() { runs_.clear(); }
    // Up to how many regions runs are cut out. A quarter of a few would be less than there always are.
    static uint64_t most_regions(uint64_t max_nr_regions) {
        return std::max(max_nr_regions / kShareOfRegions, std::min<uint64_t>(max_nr_regions, kFewRegions));
    }
    // Whether one more run can be cut out.
    static bool fits(size_t nr_regions, uint64_t max_nr_regions) {
        return nr_regions + 2 <= most_regions(max_nr_regions);
    }
    // Whether regions are so few beside what there may be that cuts alone move their bounds.
    static bool leaves_most(size_t nr_regions, uint64_t max_nr_regions) {
        return nr_regions + 2 <= max_nr_regions / kShareOfRegions;
    }

    // Not cut yet. Where there is no room it is dropped.
    void add(uint32_t target_idx, AddressRange run);
    // Found so recently that hits inside are no news.
    bool is_news(uint32_t target_idx, uint64_t address) const;

    // At the end of a window, whose counts are complete: forgets runs that are hot no more, and cuts out the new ones.
    void end_window(RegionList& regions, RunLimits limits);
    // Whether random splits are to leave the region whole. `last_nr_accesses` is that of the window that ended.
    bool keeps_whole(uint32_t target_idx, const Region& region, uint64_t window) const;

    size_t size() const { return runs_.size(); }
    bool operator==(const FoundRuns&) const = default;

private:
    // Of all regions, as many may come from surveys.
    static constexpr uint64_t kShareOfRegions = 4;
    static constexpr uint64_t kFewRegions = 40;

    struct Run {
        AddressRange range;
        uint32_t target_idx = 0;
        uint8_t windows_left = 0;  // of those after it was found
        bool is_cut = false;
        bool operator==(const Run&) const = default;
    };

    void cut_out(RegionList& regions, RunLimits limits);

    Vector<Run> runs_;
};

}  // namespace damon
