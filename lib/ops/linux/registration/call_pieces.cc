#include "ops/linux/registration/call_pieces.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kMaxPresentBytes = 2u << 20;
// Walking page tables that hold no pages takes 8 us a GiB.
constexpr uint64_t kMaxPieceBytes = uint64_t{2} << 30;

}  // namespace

uint64_t end_of_piece(PageScan& scan, PageSizes sizes, AddressRange range) {
    const AddressRange ahead{range.start, std::min(range.end, saturating_add(range.start, kMaxPieceBytes))};
    const uint64_t end = scan.reach(ahead, kMaxPresentBytes / sizes.base_bytes);
    const uint64_t border = align_down(end, sizes.huge_bytes);
    return end != range.end && border > range.start ? border : end;
}

}  // namespace damon
