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

// Whether a call that ends at `address` can split nothing.
bool is_between_small_pages(PageScan& scan, PageSizes sizes, uint64_t address) {
    if (address % sizes.huge_bytes == 0) return true;
    const uint64_t pages[] = {address - sizes.base_bytes, address};
    uint32_t states[2];
    scan.look(pages, states);
    for (const uint32_t state : states) {
        const uint32_t wanted = PageScan::kFailed | uapi::kPageHuge | uapi::kPagePresent;
        if ((state & wanted) == uapi::kPagePresent) return true;
    }
    return false;
}

}  // namespace

uint64_t end_of_piece(PageScan& scan, PageSizes sizes, AddressRange range) {
    const uint64_t end = scan.reach(ahead_of(range), kMaxPresentBytes / sizes.base_bytes);
    const uint64_t border = align_down(end, sizes.huge_bytes);
    return end != range.end && border > range.start ? border : end;
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
    return end == range.end || is_between_small_pages(scan, sizes, end) ? end : end_of_piece(scan, sizes, range);
}

}  // namespace damon
