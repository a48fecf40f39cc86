#include "ops/linux/three_regions.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {

void ThreeRegions::add(AddressRange mapping) {
    if (!any_) {
        any_ = true;
        start_ = mapping.start;
        end_ = mapping.end;
        return;
    }
    const AddressRange gap{end_, mapping.start};
    end_ = mapping.end;
    if (gap.empty()) return;
    // Strictly greater: of equal gaps the one at the lower address stays (M-2).
    if (gap.size() > largest_.size()) {
        second_ = largest_;
        largest_ = gap;
    } else if (gap.size() > second_.size()) {
        second_ = gap;
    }
}

bool ThreeRegions::finish(uint64_t page_bytes, AddressRange (&ranges)[3]) const {
    if (largest_.empty() || second_.empty()) return false;
    const AddressRange first = largest_.start < second_.start ? largest_ : second_;
    const AddressRange last = largest_.start < second_.start ? second_ : largest_;
    ranges[0] = {start_, first.start};
    ranges[1] = {first.end, last.start};
    ranges[2] = {last.end, end_};
    for (AddressRange& range : ranges) {
        range.start = align_up(range.start, page_bytes);
        range.end = align_up(range.end, page_bytes);
    }
    return true;
}

}  // namespace damon
