#include "ops/sim/extent.h"

#include "base/arithmetic.h"
#include "base/check.h"

namespace damon {
namespace {

bool same_share(uint64_t amount_a, uint64_t size_a, uint64_t amount_b, uint64_t size_b) {
    using Wide = unsigned __int128;
    return Wide{amount_a} * size_b == Wide{amount_b} * size_a;
}

}  // namespace

Extent split_extent(Extent& extent, uint64_t address) {
    DAMON_CHECK(extent.range.start < address && address < extent.range.end);
    const uint64_t size = extent.range.size();
    Extent right = extent;
    right.range.start = address;
    extent.range.end = address;
    // Floors of three parts cannot exceed the whole, and what the left part loses the right part gains.
    extent.evicted = mul_div(right.evicted, extent.range.size(), size);
    extent.untouched = mul_div(right.untouched, extent.range.size(), size);
    extent.inactive = mul_div(right.inactive, extent.range.size(), size);
    right.evicted -= extent.evicted;
    right.untouched -= extent.untouched;
    right.inactive -= extent.inactive;
    // The right part's amounts are rounded up and may together pass its size by a few bytes; the left part has room.
    while (right.evicted + right.untouched + right.inactive > right.range.size()) {
        uint64_t& from = right.evicted != 0 ? right.evicted : right.untouched != 0 ? right.untouched : right.inactive;
        uint64_t& to = &from == &right.evicted     ? extent.evicted
                       : &from == &right.untouched ? extent.untouched
                                                   : extent.inactive;
        --from;
        ++to;
    }
    DAMON_CHECK(extent.is_valid() && right.is_valid());
    return right;
}

bool extents_alike(const Extent& left, const Extent& right) {
    const uint64_t size_l = left.range.size();
    const uint64_t size_r = right.range.size();
    return left.range.end == right.range.start && left.piece_idx == right.piece_idx && left.nid == right.nid &&
           left.huge == right.huge && left.anchor_us == right.anchor_us &&
           same_share(left.evicted, size_l, right.evicted, size_r) &&
           same_share(left.untouched, size_l, right.untouched, size_r) &&
           same_share(left.inactive, size_l, right.inactive, size_r);
}

void join_extents(Extent& left, const Extent& right) {
    DAMON_CHECK(left.range.end == right.range.start && left.anchor_us == right.anchor_us);
    left.range.end = right.range.end;
    left.evicted += right.evicted;
    left.untouched += right.untouched;
    left.inactive += right.inactive;
    DAMON_CHECK(left.is_valid());
}

}  // namespace damon
