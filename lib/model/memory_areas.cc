#include "model/memory_areas.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {

bool MemoryAreas::begin(size_t max_areas) {
    gaps_.clear();
    max_gaps_ = max_areas == 0 ? 0 : max_areas - 1;
    nr_kept_ = 0;
    keep_next_ = false;
    hull_ = {};
    piece_bytes_ = absorbed_bytes_ = 0;
    return gaps_.reserve(max_gaps_ + 1);
}

// Of equal gaps the one at the lower address (M-2).
bool MemoryAreas::more_needed(const Gap& left, const Gap& right) {
    if (left.kept != right.kept) return left.kept;
    if (left.range.size() != right.range.size()) return left.range.size() > right.range.size();
    return left.range.start < right.range.start;
}

bool MemoryAreas::add_gap(Gap gap) {
    nr_kept_ += gap.kept;
    if (!gaps_.push_back(gap)) return false;
    std::push_heap(gaps_.begin(), gaps_.end(), more_needed);
    if (gaps_.size() <= std::max(max_gaps_, nr_kept_)) return true;
    std::pop_heap(gaps_.begin(), gaps_.end(), more_needed);
    absorbed_bytes_ += gaps_.back().range.size();
    gaps_.truncate(gaps_.size() - 1);
    return true;
}

bool MemoryAreas::add(AddressRange piece) {
    if (piece.empty()) return true;
    const bool keep = keep_next_;
    keep_next_ = false;
    piece_bytes_ = saturating_add(piece_bytes_, piece.size());
    if (hull_.empty()) {
        hull_ = piece;
        return true;
    }
    const Gap gap{{hull_.end, piece.start}, keep};
    hull_.end = piece.end;
    return gap.range.empty() || add_gap(gap);
}

bool MemoryAreas::finish(uint64_t page_bytes, const AreaThrift& thrift, Vector<AddressRange>& areas) {
    if (hull_.empty()) return true;
    while (!gaps_.empty() && !gaps_[0].kept) {
        const uint64_t gap_bytes = gaps_[0].range.size();
        const bool spare = saturating_add(absorbed_bytes_, gap_bytes) <= thrift.spare_bytes;
        const bool beyond = gaps_.size() >= thrift.nr_areas && gap_bytes < thrift.min_gap_bytes;
        if (!spare && !beyond) break;
        absorbed_bytes_ += gap_bytes;
        std::pop_heap(gaps_.begin(), gaps_.end(), more_needed);
        gaps_.truncate(gaps_.size() - 1);
    }
    std::sort(gaps_.begin(), gaps_.end(),
              [](const Gap& left, const Gap& right) { return left.range.start < right.range.start; });
    uint64_t start = hull_.start;
    const auto append = [&](uint64_t end) {
        AddressRange area{align_down(start, page_bytes), align_up(end, page_bytes)};
        // Pieces that begin and end inside of one page.
        if (!areas.empty() && area.start <= areas.back().end) {
            areas.back().end = std::max(areas.back().end, area.end);
            return true;
        }
        return areas.push_back(area);
    };
    for (const Gap& gap : gaps_) {
        if (!append(gap.range.start)) return false;
        start = gap.range.end;
    }
    return append(hull_.end);
}

}  // namespace damon
