// Which windows the next pass looks at.
#include <algorithm>
#include <cerrno>

#include "ops/linux/passes/accessed_passes.h"
#include "os/own_file.h"
#include "os/proc_maps.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr uint64_t kUsualMaxMaps = 65'530;
// Of small pages in one mapping: some 90 us of reading smaps.
constexpr uint64_t kMostReadBytes = 12u << 20;
constexpr size_t kWindowPart = 4;  // of the mappings that the process may still have
// Where mappings are not split: of small pages in one mapping, some 8 ms of reading smaps; and how many mappings.
constexpr uint64_t kMostWholeBytes = 1u << 30;
constexpr size_t kMostWholeMappings = 4096;

uint64_t max_map_count() {
    const ScopedFile file(sys::open_read("/proc/sys/vm/max_map_count"), FileKind::kKernel);
    if (file.fd() < 0) return kUsualMaxMaps;
    char text[24];
    const ssize_t got = sys::pread(file.fd(), text, sizeof text, 0);
    uint64_t value = 0;
    for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; ++i) {
        value = value * 10 + static_cast<uint64_t>(text[i] - '0');
    }
    return value == 0 ? kUsualMaxMaps : value;
}

NaturalMapping natural(const Mapping& mapping, uint64_t base_bytes) {
    const bool anonymous = mapping.inode == 0 && mapping.kind == MappingKind::kAnonymous && !mapping.vsyscall;
    return {mapping.range, mapping.readable, mapping.writable,
            anonymous && !mapping.shared && mapping.usable() && mapping.page_bytes <= base_bytes};
}

}  // namespace

// What is promised and not excluded.
bool AccessedPasses::list_promised(bool all, const Exclusion& exclusion, Vector<AddressRange>& out) const {
    out.clear();
    const auto add = [&](AddressRange left) {
        for (AddressRange part; !(part = exclusion.allowed(left)).empty(); left.start = part.end) {
            if (!out.push_back(part)) return false;
        }
        return true;
    };
    if (all) return add({0, UINT64_MAX & ~(sizes_.base_bytes - 1)});
    RangeTree::Range range;
    for (uint64_t from = 0; promised_.first_above(from, range); from = range.end) {
        if (!add({range.start, range.end})) return false;
    }
    return true;
}

bool AccessedPasses::read_mappings() {
    struct Reading {
        WindowPlan* plan;
        Vector<AddressRange>* large;
        uint64_t base_bytes;
        bool fits;
    } reading{&plan_, &large_, sizes_.base_bytes, true};
    large_.clear();
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* into = static_cast<Reading*>(context);
        const bool is_large = mapping.usable() && mapping.range.size() > kMostReadBytes && !mapping.vsyscall;
        into->fits = into->fits && into->plan->add(natural(mapping, into->base_bytes)) &&
                     (!is_large || into->large->push_back(mapping.range));
    };
    ProcMaps maps;
    uint64_t bad_lines = 0;
    return maps.open(0) == 0 && maps.read_all(visit, &reading, bad_lines) == 0 && reading.fits;
}

// smaps is read from the lowest address on, up to the last window: what may take too long to read of the large mappings
// there. Windows that are mappings of their own do not.
bool AccessedPasses::list_large_reads() {
    stalls_.begin(sizes_, whole_ ? kMostWholeBytes : kMostReadBytes);
    size_t next = 0;  // window
    for (const AddressRange mapping : large_) {
        for (uint64_t at = mapping.start; at < mapping.end;) {
            while (next < planned_.size() && planned_[next].range.end <= at) ++next;
            if (next == planned_.size()) return true;
            const AddressRange window = planned_[next].range;
            const AddressRange part{at, whole_ ? mapping.end : std::min(mapping.end, std::max(at, window.start))};
            if (!part.empty() && !stalls_.add(part)) return false;
            at = whole_ ? mapping.end : std::max(part.end, window.end);
        }
    }
    return true;
}

// Mappings that are promised from their beginning to their end.
bool AccessedPasses::plan_whole_mappings(size_t max_windows) {
    size_t promised = 0;
    for (const NaturalMapping& mapping : plan_.mappings()) {
        const AddressRange range = mapping.range;
        while (promised < promised_list_.size() && promised_list_[promised].end <= range.start) ++promised;
        if (promised == promised_list_.size() || planned_.size() == max_windows) return true;
        if (promised_list_[promised].intersection(range) != range) continue;
        if (!planned_.push_back(PlannedWindow{range, false, false})) return false;
    }
    return true;
}

// Behind memory that takes too long to read nothing is known.
void AccessedPasses::cut_at_stall() {
    obstacle_ = {};
    const AddressRange stalled = stalls_.stalled();
    if (stalled.empty()) return;
    const auto first =
        std::ranges::lower_bound(planned_, stalled.start, {}, [](const PlannedWindow& it) { return it.range.start; });
    planned_.truncate(static_cast<size_t>(first - planned_.begin()));
    obstacle_ =
        Status::fail(-EOPNOTSUPP,
                     "referenced_us: the memory at 0x%llx, more than %llu MiB of small pages%s; "
                     "reading past it would take too long, so that memory above it is unknown",
                     static_cast<unsigned long long>(stalled.start),
                     static_cast<unsigned long long>(stalls_.most_bytes() >> 20), whole_ ? "" : ", is not stable");
}

// False: there is nothing to pass over, and nothing to take back.
bool AccessedPasses::plan(const PassRequest& request, const Exclusion& exclusion) {
    const Lock lock(mutex_);
    Vector<PlannedWindow> own;
    for (const Window& window : windows_) {
        if (window.split && !own.push_back(PlannedWindow{window.range, window.second, window.hard_start})) return false;
    }
    promised_list_.clear();
    if (request.wanted && !list_promised(request.all, exclusion, promised_list_)) return false;
    planned_.clear();
    large_.clear();
    if (!promised_list_.empty()) {
        plan_.begin(own.span());
        if (!read_mappings()) return false;
        const uint64_t most = max_map_count();
        const uint64_t others = plan_.nr_mappings() - std::min(plan_.nr_mappings(), own.size());
        const auto left = static_cast<size_t>((most - std::min(most, others)) / kWindowPart);
        const WindowLimits limits{.unit_bytes = sizes_.huge_bytes, .max_windows = left};
        if (!(whole_ ? plan_whole_mappings(kMostWholeMappings)
                     : plan_.finish(promised_list_.span(), limits, planned_))) {
            return false;
        }
    }
    planned_withdrawn_ = false;
    return list_large_reads() && (!planned_.empty() || !windows_.empty() || !dropped_.empty());
}

// Windows that stay keep what is known of them.
bool AccessedPasses::take_plan(std::span<const PlannedWindow> planned) {
    Vector<Window> next;
    if (!next.reserve(planned.size()) || !dropped_.reserve(dropped_.size() + windows_.size())) return false;
    size_t old = 0;
    const auto drop = [this](const Window& window) {
        if (window.split) (void)dropped_.push_back(window.range);
    };
    for (const PlannedWindow& window : planned) {
        while (old < windows_.size() && windows_[old].range.start < window.range.start) drop(windows_[old++]);
        const bool stays = old < windows_.size() && windows_[old].range == window.range &&
                           windows_[old].second == window.second && !windows_[old].gone;
        Window fresh;
        if (stays) {
            fresh = windows_[old++];
        } else {
            fresh.range = window.range;
            fresh.second = window.second;
        }
        fresh.hard_start = window.hard_start;
        if (!next.push_back(fresh)) return false;
    }
    while (old < windows_.size()) drop(windows_[old++]);
    windows_.swap(next);
    return true;
}

}  // namespace damon
