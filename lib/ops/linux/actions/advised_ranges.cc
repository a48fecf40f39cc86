#include "ops/linux/actions/advised_ranges.h"

#include <algorithm>

namespace damon {

void AdvisedRanges::set_now(uint64_t now_us) {
    if (now_us < now_us_) clear();
    now_us_ = now_us;
    size_t old = 0;
    while (old < ranges_.size() && now_us - ranges_[old].at_us > kTrustedUs) ++old;
    ranges_.erase(0, old);
}

AddressRange AdvisedRanges::next(AddressRange range, bool huge) const {
    AddressRange first{range.end, range.end};
    for (const Advised& advised : ranges_) {
        if (advised.huge != huge || !advised.range.intersects(range)) continue;
        if (advised.range.start < first.start) first = advised.range.intersection(range);
    }
    return first;
}

// Takes `range` out of what is remembered.
void AdvisedRanges::cut(AddressRange range) {
    for (size_t i = 0; i < ranges_.size();) {
        const Advised whole = ranges_[i];
        if (!whole.range.intersects(range)) {
            ++i;
            continue;
        }
        ranges_.erase(i, i + 1);
        for (const AddressRange rest : {AddressRange{whole.range.start, std::max(range.start, whole.range.start)},
                                        AddressRange{std::min(range.end, whole.range.end), whole.range.end}}) {
            if (!rest.empty() && ranges_.insert(i, Advised{rest, whole.huge, whole.at_us})) ++i;
        }
    }
}

void AdvisedRanges::add(AddressRange range, bool huge) {
    cut(range);
    if (!ranges_.empty() && ranges_.back().huge == huge && ranges_.back().at_us == now_us_ &&
        ranges_.back().range.end == range.start) {
        ranges_.back().range.end = range.end;
        return;
    }
    if (ranges_.size() >= kMaxRanges) ranges_.erase(0, 1);
    (void)ranges_.push_back(Advised{range, huge, now_us_});  // without memory it is told once more
}

}  // namespace damon
