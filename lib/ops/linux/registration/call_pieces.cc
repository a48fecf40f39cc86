#include "ops/linux/registration/call_pieces.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kMaxPresentBytes = 2u << 20;
// Walking page tables that hold no pages takes 8 us a GiB.
constexpr uint64_t kMaxPieceBytes = uint64_t{2} << 30;

// Of a call that unregisters.
constexpr uint64_t kSlowNs = 45'000;
constexpr uint64_t kQuickNs = 15'000;
constexpr uint64_t kMeanOf = 8;

AddressRange ahead_of(AddressRange range) {
    return {range.start, std::min(range.end, saturating_add(range.start, kMaxPieceBytes))};
}

struct Neighbours {
    bool small = false;  // a small page is there: a call that ends between them can split nothing
    bool huge = false;   // or nobody knows
};

Neighbours neighbours_of(PageScan& scan, PageSizes sizes, uint64_t address) {
    const uint64_t pages[] = {address - sizes.base_bytes, address};
    uint32_t states[2];
    scan.look(pages, states);
    Neighbours found;
    for (const uint32_t state : states) {
        const bool huge = (state & (PageScan::kFailed | uapi::kPageHuge)) != 0;
        found.huge = found.huge || huge;
        found.small = found.small || (!huge && (state & uapi::kPagePresent) != 0);
    }
    return found;
}

// Whether the first and the last page of a range are parts of huge ones.
struct HugeEnds {
    bool first = false;
    bool last = false;
};

HugeEnds huge_ends_of(PageScan& scan, PageSizes sizes, AddressRange range) {
    const uint64_t pages[] = {range.start, range.end - sizes.base_bytes};
    uint32_t states[2];
    scan.look(pages, states);
    return {(states[0] & uapi::kPageHuge) != 0, (states[1] & uapi::kPageHuge) != 0};
}

}  // namespace

uint64_t end_of_piece(PageScan& scan, PageSizes sizes, AddressRange range) {
    const uint64_t end = scan.reach(ahead_of(range), kMaxPresentBytes / sizes.base_bytes);
    const uint64_t border = align_down(end, sizes.huge_bytes);
    if (end == range.end) return end;
    if (border > range.start) return border;
    // A huge page may be larger than what is allowed, and is one entry of the page tables.
    return neighbours_of(scan, sizes, end).huge ? std::min(range.end, border + sizes.huge_bytes) : end;
}

AddressRange without_parts_of_huge_pages(PageScan& scan, PageSizes sizes, AddressRange range) {
    if (range.empty()) return range;
    const HugeEnds huge = huge_ends_of(scan, sizes, range);
    const uint64_t start = huge.first ? align_up(range.start, sizes.huge_bytes) : range.start;
    const uint64_t end = huge.last ? align_down(range.end, sizes.huge_bytes) : range.end;
    return {std::min(start, end), end};
}

AddressRange with_whole_huge_pages(PageScan& scan, PageSizes sizes, AddressRange range) {
    if (range.empty()) return range;
    const HugeEnds huge = huge_ends_of(scan, sizes, range);
    return {huge.first ? align_down(range.start, sizes.huge_bytes) : range.start,
            huge.last ? align_up(range.end, sizes.huge_bytes) : range.end};
}

void UnregisteringLength::note(uint64_t cpu_ns) {
    mean_ns_ = mean_ns_ - mean_ns_ / kMeanOf + cpu_ns / kMeanOf;
    if (mean_ns_ > kSlowNs && bytes_ > kMinBytes) {
        bytes_ /= 2;
        mean_ns_ /= 2;
    } else if (mean_ns_ < kQuickNs && bytes_ < kMaxBytes) {
        bytes_ *= 2;
        mean_ns_ *= 2;
    }
}

uint64_t end_of_unregistering(PageScan& scan, PageSizes sizes, AddressRange range, const UnregisteringLength& length) {
    if (!scan.can_scan()) return end_of_piece(scan, sizes, range);
    const uint64_t end = scan.reach(ahead_of(range), length.bytes() / sizes.base_bytes);
    if (end == range.end || end % sizes.huge_bytes == 0) return end;
    return neighbours_of(scan, sizes, end).small ? end : end_of_piece(scan, sizes, range);
}

}  // namespace damon
