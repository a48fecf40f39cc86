// All regions of all targets of one context, in address order target by target, in one array whose capacity is
// reserved beforehand. Nothing but reserve, copy_from and resize_targets takes memory.
//
// The free slots form one gap inside the array; each change moves the gap to its place first. A walk from left to
// right that splits, merges, inserts and erases costs O(1) a change, however many regions there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "engine/monitor/region.h"

namespace damon {

// `target` is below nr_targets(), `index` counts the regions of that target from 0. References and spans are valid
// until the next change.
class RegionList {
public:
    RegionList() = default;
    ~RegionList();
    RegionList(const RegionList&) = delete;
    RegionList& operator=(const RegionList&) = delete;
    RegionList(RegionList&& other) noexcept { swap(other); }
    RegionList& operator=(RegionList&& other) noexcept;

    size_t nr_targets() const { return targets_.size(); }
    size_t nr_regions() const { return nr_regions_; }
    size_t nr_regions_of(size_t target) const { return targets_[target].count; }
    size_t capacity() const { return capacity_; }
    size_t nr_free() const { return capacity_ - nr_regions_; }
    // Number of the target's first region in the order of all regions.
    size_t first_of(size_t target) const {
        if (target >= nr_counted_) count_up_to(target);
        return targets_[target].first;
    }
    // False once the target's subject is known to be gone; schemes then pass it over (S-11).
    bool target_valid(size_t target) const { return targets_[target].valid; }
    void set_target_valid(size_t target, bool valid) { targets_[target].valid = valid; }

    Region& at(size_t target, size_t index) { return slots_[slot_of(target, index)]; }
    const Region& at(size_t target, size_t index) const { return slots_[slot_of(target, index)]; }
    // All regions, in order and contiguous. Not a change of the regions, but it moves them: references end.
    std::span<Region> all();

    // Cuts the region at `left_bytes`, inside it; both parts keep its counters, its age and what is known of its
    // samples (M-27). False, and nothing changed: the capacity is exhausted.
    [[nodiscard]] bool split_at(size_t target, size_t index, uint64_t left_bytes);
    // Joins region `index` > 0 to the one before, which it must touch: counters and age become means weighted by
    // size, last_* stay the left ones' (M-20, Q-12).
    void merge_into_previous(size_t target, size_t index);
    // Goes over all regions once, target by target from the left, and joins a region to the one before it, by then
    // joined itself, where they touch and `alike(left, right)` says so; as merge_into_previous does.
    template <typename Alike>
    void merge_neighbours(const Alike& alike);
    // A fresh region (O-5) before `index`; the caller keeps the order. False: the capacity is exhausted.
    [[nodiscard]] bool insert(size_t target, size_t index, AddressRange range);
    void erase(size_t target, size_t index);
    void erase_all_of(size_t target);
    // The target goes with its regions; those behind it move up.
    void erase_target(size_t target);

    // At least `capacity` regions in all. False: out of memory, and then nothing changed.
    [[nodiscard]] bool reserve(size_t capacity);
    // New targets are valid and without regions, surplus ones go with theirs. False: out of memory, nothing changed.
    [[nodiscard]] bool resize_targets(size_t nr_targets);
    // The same regions and capacity. False: out of memory, and then nothing changed.
    [[nodiscard]] bool copy_from(const RegionList& other);
    void swap(RegionList& other) noexcept;

    // Equal regions by target; capacity does not count.
    bool operator==(const RegionList& other) const;
    // I-1: sorted, disjoint, non-empty, counts that add up.
    bool is_valid() const;

private:
    struct Target {
        mutable size_t first = 0;  // see nr_counted_
        size_t count = 0;
        bool valid = true;
    };

    size_t slot_of(size_t target, size_t index) const {
        DAMON_CHECK(index < targets_[target].count);
        const size_t position = first_of(target) + index;
        return position < gap_ ? position : position + nr_free();
    }
    static void join(Region& left, const Region& right);
    // Merges the regions of one target, [in, end), and writes them from `first` on; returns where they end.
    template <typename Alike>
    static Region* merge_into(Region* first, const Region* in, const Region* end, const Alike& alike);
    void move_gap(size_t position);
    // One region more, before `position` of all, as a slot to fill.
    Region& open_slot(size_t target, size_t position);
    void count_up_to(size_t target) const;
    // The number of the target's regions has changed, and with it where those behind it begin.
    void recount_after(size_t target) { nr_counted_ = nr_counted_ < target + 1 ? nr_counted_ : target + 1; }

    Region* slots_ = nullptr;
    size_t capacity_ = 0;
    size_t nr_regions_ = 0;
    size_t gap_ = 0;  // regions before the gap
    Vector<Target> targets_;
    // `first` holds for so many targets. A walk from left to right that changes regions counts each of the others once,
    // when it gets there, however many targets there are.
    mutable size_t nr_counted_ = 0;
};

template <typename Alike>
Region* RegionList::merge_into(Region* const first, const Region* in, const Region* const end, const Alike& alike) {
    Region* out = first;
    for (; in != end; ++in) {
        if (out != first && out[-1].range.end == in->range.start && alike(out[-1], *in)) {
            join(out[-1], *in);
        } else {
            if (out != in) *out = *in;
            ++out;
        }
    }
    return out;
}

template <typename Alike>
void RegionList::merge_neighbours(const Alike& alike) {
    move_gap(nr_regions_);
    Region* out = slots_;
    const Region* in = slots_;
    for (Target& target : targets_) {
        Region* const first = out;
        const Region* const end = in + target.count;
        out = merge_into(first, in, end, alike);
        in = end;
        target.count = static_cast<size_t>(out - first);
    }
    nr_regions_ = gap_ = static_cast<size_t>(out - slots_);
    nr_counted_ = 0;
}

}  // namespace damon
