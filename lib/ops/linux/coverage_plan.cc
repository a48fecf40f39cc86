#include "ops/linux/coverage_plan.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

// Areas may hold so much more than memory: gaps that are passed over make fewer regions, of which each costs a sample.
constexpr uint64_t kMemoryPerSpare = 32;
// An eighth of the areas that there may be is made whatever the size of the gaps between them.
constexpr size_t kAreasPerFew = 8;

uint64_t bytes_in(std::span<const AddressRange> ranges) {
    uint64_t bytes = 0;
    for (const AddressRange range : ranges) bytes = saturating_add(bytes, range.size());
    return bytes;
}

}  // namespace

int CoveragePlan::open(uint64_t page_bytes) {
    page_bytes_ = page_bytes;
    const int error = reading_.open(page_bytes);
    sees_memory_ = error == 0;
    return error;
}

void CoveragePlan::close() {
    reading_.close();
    sees_memory_ = false;
    last_areas_.clear();
}

uint64_t CoveragePlan::granularity() const { return std::max(page_bytes_, request_.granularity); }

void CoveragePlan::begin(const CoverageRequest& request) {
    request_ = request;
    next_given_ = last_given_ = 0;
    three_ = {};
    failed_ = !areas_.begin(request.max_areas);
    if (request.rule == CoverageRule::kMemory) reading_.begin(request.files);
}

void CoveragePlan::add(const Mapping& mapping) {
    if (mapping.vsyscall) return;
    switch (request_.rule) {
        case CoverageRule::kGiven:
            if (mapping.usable()) add_given(mapping.range);
            break;
        case CoverageRule::kMemory:
            reading_.add(mapping);
            break;
        case CoverageRule::kThreeAreas:
            three_.add(mapping.range);
            break;
    }
}

void CoveragePlan::add_given(AddressRange mapping) {
    const std::span<const AddressRange> given = request_.given;
    while (next_given_ < given.size() && given[next_given_].end <= mapping.start) ++next_given_;
    for (size_t i = next_given_; i < given.size() && given[i].start < mapping.end; ++i) {
        if (i != last_given_) areas_.keep_next_gap();
        last_given_ = i;
        if (!areas_.add(given[i].intersection(mapping))) failed_ = true;
    }
}

bool CoveragePlan::finish(Vector<AddressRange>& ranges) {
    switch (request_.rule) {
        case CoverageRule::kGiven:
            return !failed_ && areas_.finish(granularity(), {}, ranges);
        case CoverageRule::kMemory:
            return finish_memory(ranges);
        case CoverageRule::kThreeAreas:
            break;
    }
    return finish_three(ranges);
}

bool CoveragePlan::finish_memory(Vector<AddressRange>& ranges) {
    if (!reading_.finish() || reading_.pieces().empty()) return false;
    if (request_.may_stay && last_granularity_ == granularity() && last_areas_serve()) return false;
    for (const AddressRange piece : reading_.pieces()) {
        if (!areas_.add(piece)) return false;
    }
    AreaThrift thrift;
    thrift.spare_bytes = reading_.piece_bytes() / kMemoryPerSpare;
    // Most of the regions stay for splits, and each area costs a sample an interval: more areas than these only for
    // gaps that are larger than what a region has of the memory.
    thrift.nr_areas = std::max<size_t>(1, request_.max_areas / kAreasPerFew);
    thrift.min_gap_bytes = reading_.piece_bytes() / std::max<size_t>(1, request_.max_areas);
    if (failed_ || !areas_.finish(granularity(), thrift, ranges)) return false;
    last_spare_bytes_ = bytes_in(ranges.span()) - std::min(bytes_in(ranges.span()), reading_.piece_bytes());
    if (!last_areas_.copy_from(ranges)) last_areas_.clear();
    last_granularity_ = granularity();
    return true;
}

// Other areas than before cost regions what they learnt, so that they change only for new memory, or much less of it.
bool CoveragePlan::last_areas_serve() const {
    size_t area = 0;
    for (const AddressRange piece : reading_.pieces()) {
        while (area < last_areas_.size() && last_areas_[area].end <= piece.start) ++area;
        if (area == last_areas_.size() || !last_areas_[area].covers(piece)) return false;
    }
    const uint64_t memory = reading_.piece_bytes();
    const uint64_t spare = bytes_in(last_areas_.span()) - std::min(bytes_in(last_areas_.span()), memory);
    return spare <= saturating_add(last_spare_bytes_, memory / kMemoryPerSpare);
}

bool CoveragePlan::finish_three(Vector<AddressRange>& ranges) const {
    AddressRange three[3];
    if (!three_.finish(page_bytes_, three)) return false;
    for (const AddressRange range : three) {
        const AddressRange area{align_down(range.start, granularity()), align_up(range.end, granularity())};
        if (!ranges.empty() && area.start <= ranges.back().end) {
            ranges.back().end = area.end;
        } else if (!ranges.push_back(area)) {
            return false;
        }
    }
    return true;
}

}  // namespace damon
