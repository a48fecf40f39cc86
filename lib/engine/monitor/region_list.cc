#include "engine/monitor/region_list.h"

#include <cstring>

#include "base/arithmetic.h"
#include "base/heap.h"

namespace damon {
namespace {

struct Weights {
    uint64_t left;
    uint64_t right;
};

// floor((left * weights.left + right * weights.right) / (weights.left + weights.right)); the sum of the weights is
// the size of one region and fits.
uint32_t weighted_mean(uint32_t left, uint32_t right, Weights weights) {
    if (left == right) return left;
    const uint64_t total = weights.left + weights.right;
    if (total <= kU32Max) return static_cast<uint32_t>((left * weights.left + right * weights.right) / total);
    using Wide = unsigned __int128;
    return static_cast<uint32_t>((Wide{left} * weights.left + Wide{right} * weights.right) / total);
}

uint64_t weighted_mean_us(uint64_t left, uint64_t right, Weights weights) {
    if (left == right) return left;
    using Wide = unsigned __int128;
    // Apart from the smaller one, so that the product fits.
    const uint64_t least = left < right ? left : right;
    const Wide more = left < right ? Wide{right - left} * weights.right : Wide{left - right} * weights.left;
    return least + static_cast<uint64_t>(more / (weights.left + weights.right));
}

// The reason that more of the joined memory has.
uint8_t joined_reason(uint8_t left, uint8_t right, Weights weights) {
    if (left == 0 || right == 0) return left | right;
    return weights.left >= weights.right ? left : right;
}

}  // namespace

RegionList::~RegionList() { heap_free(slots_, capacity_ * sizeof(Region)); }

RegionList& RegionList::operator=(RegionList&& other) noexcept {
    if (this != &other) {
        RegionList taken(std::move(other));
        swap(taken);
    }
    return *this;
}

void RegionList::swap(RegionList& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(nr_regions_, other.nr_regions_);
    std::swap(gap_, other.gap_);
    targets_.swap(other.targets_);
    std::swap(nr_counted_, other.nr_counted_);
}

void RegionList::move_gap(size_t position) {
    const size_t gap_slots = nr_free();
    if (position < gap_) {
        memmove(static_cast<void*>(slots_ + position + gap_slots), slots_ + position,
                (gap_ - position) * sizeof(Region));
    } else if (position > gap_) {
        memmove(static_cast<void*>(slots_ + gap_), slots_ + gap_ + gap_slots, (position - gap_) * sizeof(Region));
    }
    gap_ = position;
}

std::span<Region> RegionList::all() {
    move_gap(nr_regions_);
    return {slots_, nr_regions_};
}

void RegionList::count_up_to(size_t target) const {
    for (; nr_counted_ <= target; ++nr_counted_) {
        const size_t at = nr_counted_;
        targets_[at].first = at == 0 ? 0 : targets_[at - 1].first + targets_[at - 1].count;
    }
}

Region& RegionList::open_slot(size_t target, size_t position) {
    move_gap(position);
    ++gap_;
    ++nr_regions_;
    ++targets_[target].count;
    recount_after(target);
    return slots_[position];
}

bool RegionList::split_at(size_t target, size_t index, uint64_t left_bytes) {
    DAMON_CHECK(0 < left_bytes && left_bytes < at(target, index).size());
    if (nr_free() == 0) return false;
    const size_t position = first_of(target) + index;
    Region& right = open_slot(target, position + 1);
    Region& left = slots_[position];
    right = left;
    left.range.end = left.range.start + left_bytes;
    right.range.start = left.range.end;
    return true;
}

void RegionList::join(Region& left, const Region& right) {
    DAMON_CHECK(left.range.end == right.range.start);
    const Weights weights{left.size(), right.size()};
    left.nr_accesses = weighted_mean(left.nr_accesses, right.nr_accesses, weights);
    left.age = weighted_mean(left.age, right.age, weights);
    left.age_us = weighted_mean_us(left.age_us, right.age_us, weights);
    left.idle_us = weighted_mean_us(left.idle_us, right.idle_us, weights);
    for (unsigned probe = 0; probe < kMaxProbes; ++probe) {
        left.probe_hits[probe] =
            static_cast<uint8_t>(weighted_mean(left.probe_hits[probe], right.probe_hits[probe], weights));
    }
    left.nr_answered = weighted_mean(left.nr_answered, right.nr_answered, weights);
    left.nr_unknown = weighted_mean(left.nr_unknown, right.nr_unknown, weights);
    left.unknown_reason = joined_reason(left.unknown_reason, right.unknown_reason, weights);
    left.last_unknown_reason = joined_reason(left.last_unknown_reason, right.last_unknown_reason, weights);
    left.evidence |= right.evidence;
    left.last_evidence |= right.last_evidence;
    left.range.end = right.range.end;
}

void RegionList::merge_into_previous(size_t target, size_t index) {
    const Region right = at(target, index);
    join(at(target, index - 1), right);
    erase(target, index);
}

bool RegionList::insert(size_t target, size_t index, AddressRange range) {
    DAMON_CHECK(index <= targets_[target].count && !range.empty());
    if (nr_free() == 0) return false;
    Region& fresh = open_slot(target, first_of(target) + index);
    fresh = {};
    fresh.range = range;
    return true;
}

void RegionList::erase(size_t target, size_t index) {
    DAMON_CHECK(index < targets_[target].count);
    move_gap(first_of(target) + index);
    --nr_regions_;
    --targets_[target].count;
    recount_after(target);
}

void RegionList::erase_all_of(size_t target) {
    const size_t count = targets_[target].count;
    move_gap(first_of(target));
    nr_regions_ -= count;
    targets_[target].count = 0;
    recount_after(target);
}

void RegionList::erase_target(size_t target) {
    erase_all_of(target);
    targets_.erase(target, target + 1);
    nr_counted_ = nr_counted_ < target ? nr_counted_ : target;
}

bool RegionList::reserve(size_t capacity) {
    if (capacity <= capacity_) return true;
    if (capacity > SIZE_MAX / sizeof(Region)) return false;
    auto* grown = static_cast<Region*>(heap_allocate(capacity * sizeof(Region)));
    if (grown == nullptr) return false;
    const std::span<Region> regions = all();
    if (!regions.empty()) memcpy(static_cast<void*>(grown), regions.data(), regions.size_bytes());
    heap_free(slots_, capacity_ * sizeof(Region));
    slots_ = grown;
    capacity_ = capacity;
    return true;
}

bool RegionList::resize_targets(size_t nr_targets) {
    if (!targets_.reserve(nr_targets)) return false;
    for (size_t surplus = nr_targets; surplus < targets_.size(); ++surplus) erase_all_of(surplus);
    targets_.truncate(nr_targets);
    if (nr_counted_ > nr_targets) nr_counted_ = nr_targets;
    while (targets_.size() < nr_targets) {
        if (!targets_.push_back(Target{})) return false;
    }
    return true;
}

bool RegionList::copy_from(const RegionList& other) {
    if (this == &other) return true;
    RegionList copy;
    if (!copy.reserve(other.capacity_) || !copy.targets_.copy_from(other.targets_)) return false;
    const size_t after_gap = other.nr_regions_ - other.gap_;
    if (other.gap_ != 0) memcpy(static_cast<void*>(copy.slots_), other.slots_, other.gap_ * sizeof(Region));
    if (after_gap != 0) {
        memcpy(static_cast<void*>(copy.slots_ + other.gap_), other.slots_ + other.gap_ + other.nr_free(),
               after_gap * sizeof(Region));
    }
    copy.nr_regions_ = other.nr_regions_;
    copy.gap_ = other.nr_regions_;
    copy.nr_counted_ = other.nr_counted_;
    swap(copy);
    return true;
}

bool RegionList::operator==(const RegionList& other) const {
    if (nr_targets() != other.nr_targets()) return false;
    for (size_t target = 0; target < nr_targets(); ++target) {
        if (nr_regions_of(target) != other.nr_regions_of(target)) return false;
        if (target_valid(target) != other.target_valid(target)) return false;
        for (size_t index = 0; index < nr_regions_of(target); ++index) {
            if (!(at(target, index) == other.at(target, index))) return false;
        }
    }
    return true;
}

bool RegionList::is_valid() const {
    size_t first = 0;
    for (size_t target = 0; target < nr_targets(); ++target) {
        if (first_of(target) != first) return false;
        uint64_t previous_end = 0;
        for (size_t index = 0; index < nr_regions_of(target); ++index) {
            const AddressRange range = at(target, index).range;
            if (range.empty() || range.start < previous_end) return false;
            previous_end = range.end;
        }
        first += targets_[target].count;
    }
    return first == nr_regions_ && nr_regions_ <= capacity_ && gap_ <= nr_regions_;
}

}  // namespace damon
