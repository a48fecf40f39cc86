#include "engine/survey/found_runs.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint8_t kNewForWindows = 3;
constexpr size_t kMaxNew = 16;

// The region of the target that ends after `address`; nr_regions_of where there is none.
size_t region_ending_after(const RegionList& regions, size_t target, uint64_t address) {
    size_t first = 0;
    size_t count = regions.nr_regions_of(target);
    while (count > 0) {
        const size_t half = count / 2;
        if (regions.at(target, first + half).range.end <= address) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

bool is_hot(uint64_t nr_accesses, uint64_t window) { return 10 * nr_accesses >= 8 * window; }

void cut_at(RegionList& regions, size_t target, uint64_t address) {
    const size_t index = region_ending_after(regions, target, address);
    if (index == regions.nr_regions_of(target)) return;
    const AddressRange range = regions.at(target, index).range;
    if (range.start < address) (void)regions.split_at(target, index, address - range.start);
}

// Whole smallest regions, of which the run is at least the half.
AddressRange region_for(AddressRange run, uint64_t min_region_sz) {
    const AddressRange outer{align_down(run.start, min_region_sz), align_up(run.end, min_region_sz)};
    return 2 * run.size() >= outer.size() ? outer : AddressRange{};
}

}  // namespace

bool FoundRuns::reserve(uint64_t max_nr_regions) {
    return runs_.reserve(std::min<uint64_t>(most_regions(max_nr_regions), 4096) + kMaxNew);
}

bool FoundRuns::copy_from(const FoundRuns& other) {
    const size_t capacity = other.runs_.capacity();
    return runs_.copy_from(other.runs_) && runs_.reserve(capacity);
}

void FoundRuns::add(uint32_t target_idx, AddressRange range) {
    if (runs_.size() == runs_.capacity()) return;
    Run run;
    run.range = range;
    run.target_idx = target_idx;
    run.windows_left = kNewForWindows;
    (void)runs_.push_back(run);
}

bool FoundRuns::is_news(uint32_t target_idx, uint64_t address) const {
    return std::none_of(runs_.begin(), runs_.end(), [&](const Run& run) {
        return run.windows_left != 0 && run.target_idx == target_idx && run.range.contains(address);
    });
}

void FoundRuns::end_window(RegionList& regions, RunLimits limits) {
    size_t kept = 0;
    for (Run& run : runs_) {
        if (run.target_idx >= regions.nr_targets()) continue;
        if (run.is_cut && run.windows_left != 0) --run.windows_left;
        if (run.is_cut && run.windows_left == 0) {
            const size_t index = region_ending_after(regions, run.target_idx, run.range.start);
            if (index == regions.nr_regions_of(run.target_idx)) continue;
            const Region& region = regions.at(run.target_idx, index);
            if (region.range != run.range || !is_hot(region.nr_accesses, limits.window)) continue;
        }
        runs_[kept++] = run;
    }
    runs_.truncate(kept);
    cut_out(regions, limits);
}

// Those that do not fit count as found all the same, so that they are not looked for at once again.
void FoundRuns::cut_out(RegionList& regions, RunLimits limits) {
    while (true) {
        Run* largest = nullptr;
        for (Run& run : runs_) {
            if (!run.is_cut && (largest == nullptr || run.range.size() > largest->range.size())) largest = &run;
        }
        if (largest == nullptr) return;
        largest->is_cut = true;
        const AddressRange wanted = region_for(largest->range, limits.min_region_sz);
        if (wanted.empty() || !fits(regions.nr_regions(), limits.max_nr_regions)) continue;
        largest->range = wanted;
        cut_at(regions, largest->target_idx, wanted.start);
        cut_at(regions, largest->target_idx, wanted.end);
    }
}

bool FoundRuns::keeps_whole(uint32_t target_idx, const Region& region, uint64_t window) const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
        if (run.target_idx != target_idx || !run.is_cut || !run.range.covers(region.range)) return false;
        return run.windows_left != 0 || is_hot(region.last_nr_accesses, window);
    });
}

}  // namespace damon
