#include "ops/linux/passes/window_plan.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

// Windows of one promised part of a mapping. `behind`: the mapping goes on behind it.
bool cut(AddressRange part, bool behind, uint64_t window_bytes, Vector<PlannedWindow>& out) {
    const size_t first = out.size();
    bool second = true;  // what lies before it is not
    for (uint64_t at = part.start; at < part.end; second = !second) {
        const uint64_t end = std::min(align_down(at, window_bytes) + window_bytes, part.end);
        if (!out.push_back(PlannedWindow{{at, end}, second, false})) return false;
        at = end;
    }
    const size_t nr = out.size() - first;
    if (nr < 2 || out.back().second || !behind) return true;
    // The last one would be like what lies behind it.
    out[out.size() - 2].range.end = part.end;
    out.truncate(out.size() - 1);
    return true;
}

}  // namespace

void WindowPlan::begin(std::span<const PlannedWindow> windows) {
    windows_ = windows;
    mappings_.clear();
    nr_mappings_ = 0;
}

bool WindowPlan::is_our_border(uint64_t address) const {
    const auto at =
        std::ranges::lower_bound(windows_, address, {}, [](const PlannedWindow& it) { return it.range.start; });
    if (at != windows_.end() && at->range.start == address) return !at->hard_start;
    // Behind the last window of a promised part.
    return at != windows_.begin() && (at - 1)->range.end == address;
}

bool WindowPlan::add(const NaturalMapping& mapping) {
    ++nr_mappings_;
    if (!mapping.private_memory) return true;
    if (!mappings_.empty()) {
        NaturalMapping& last = mappings_.back();
        const bool alike = last.readable == mapping.readable && last.writable == mapping.writable;
        if (alike && last.range.end == mapping.range.start && is_our_border(mapping.range.start)) {
            last.range.end = mapping.range.end;
            return true;
        }
    }
    return mappings_.push_back(mapping);
}

bool WindowPlan::cut_all(std::span<const AddressRange> promised, uint64_t window_bytes,
                         Vector<PlannedWindow>& out) const {
    out.clear();
    size_t next = 0;
    for (const NaturalMapping& mapping : mappings_) {
        while (next < promised.size() && promised[next].end <= mapping.range.start) ++next;
        for (size_t i = next; i < promised.size() && promised[i].start < mapping.range.end; ++i) {
            AddressRange part = promised[i].intersection(mapping.range);
            while (i + 1 < promised.size() && promised[i + 1].start == part.end && part.end < mapping.range.end) {
                part.end = std::min(promised[++i].end, mapping.range.end);
            }
            const size_t first = out.size();
            if (!cut(part, part.end < mapping.range.end, window_bytes, out)) return false;
            out[first].hard_start = part.start == mapping.range.start;
        }
    }
    return true;
}

bool WindowPlan::finish(std::span<const AddressRange> promised, const WindowLimits& limits,
                        Vector<PlannedWindow>& out) {
    for (uint64_t bytes = limits.unit_bytes;; bytes *= 2) {
        if (!cut_all(promised, bytes, out)) return false;
        if (out.size() <= limits.max_windows) return true;
        if (bytes * 2 > std::max(limits.most_bytes, limits.unit_bytes)) break;
    }
    out.truncate(limits.max_windows);
    return true;
}

}  // namespace damon
