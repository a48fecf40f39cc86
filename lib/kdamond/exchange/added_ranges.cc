#include "kdamond/exchange/added_ranges.h"

#include <algorithm>
#include <cerrno>

namespace damon {
namespace {

// So many are read under the lock at once: some tens of microseconds.
constexpr size_t kAtOnce = 1024;

// `joined`: where it touches the last one, that becomes longer. False: out of memory.
bool append(Vector<AddressRange>& ranges, AddressRange range, bool joined) {
    if (!joined || ranges.empty() || ranges.back().end != range.start) return ranges.push_back(range);
    ranges.back().end = range.end;
    return true;
}

}  // namespace

int AddedRanges::add(AddressRange range, uint32_t flags) {
    const Lock lock(mutex_);
    const int error = tree_.insert({range.start, range.end, flags});
    if (error != 0) return error;
    size_.store(tree_.size(), std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    return 0;
}

int AddedRanges::remove(AddressRange range, bool on_worker, uint32_t& flags) {
    {
        const Lock lock(mutex_);
        RangeTree::Range gone{range.start, range.end, 0};
        const int error = tree_.erase(gone);
        if (error != 0) return error;
        flags = gone.flags;
        size_.store(tree_.size(), std::memory_order_relaxed);
        generation_.fetch_add(1, std::memory_order_release);
    }
    // Whoever touches memory from here on has asked the tree since.
    if (!on_worker) const Lock lock(touching_);
    return 0;
}

bool AddedRanges::read(Vector<AddressRange>& ranges, bool joined) const {
    RangeTree::Range some[kAtOnce];
    uint64_t from = 0;
    for (;;) {
        size_t nr_some = 0;
        {
            const Lock lock(mutex_);
            nr_some = tree_.read(from, some);
        }
        for (size_t i = 0; i < nr_some; ++i) {
            if (!append(ranges, {some[i].start, some[i].end}, joined)) return false;
        }
        if (nr_some < kAtOnce) return true;
        from = some[nr_some - 1].end;
    }
}

// The way from an address in no range to one in a range is short: areas are cut at the largest gaps. Ranges behind
// large gaps are drawn a little more often.
bool AddedRanges::place(Sample& sample) const {
    RangeTree::Range range;
    const Lock lock(mutex_);
    if (!tree_.first_above(sample.addr, range) || range.start >= sample.region.end) {
        if (!tree_.first_above(sample.region.start, range) || range.start >= sample.region.end) return false;
    }
    if (range.start <= sample.addr && sample.addr < range.end) return true;
    const AddressRange inside = AddressRange{range.start, range.end}.intersection(sample.region);
    sample.addr = inside.start + (sample.addr - sample.region.start) % inside.size();
    return true;
}

bool AddedRanges::contains(uint64_t address) const {
    RangeTree::Range range;
    const Lock lock(mutex_);
    return tree_.first_above(address, range) && range.start <= address;
}

AddressRange AddedRanges::next_part(AddressRange rest) const {
    RangeTree::Range range;
    const Lock lock(mutex_);
    if (!tree_.first_above(rest.start, range)) return {};
    return AddressRange{range.start, range.end}.intersection(rest);
}

}  // namespace damon
