#include "ops/linux/registration/tracked_pages.h"

#include <algorithm>
#include <bit>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr uint64_t kBits = 64;

void set_bits(Vector<uint64_t>& words, size_t first, size_t end) {
    while (first < end) {
        const size_t in_word = std::min<size_t>(end - first, kBits - first % kBits);
        words[first / kBits] |= (~uint64_t{0} >> (kBits - in_word)) << first % kBits;
        first += in_word;
    }
}

bool take_bit(Vector<uint64_t>& words, size_t index) {
    const uint64_t bit = uint64_t{1} << index % kBits;
    const bool set = (words[index / kBits] & bit) != 0;
    words[index / kBits] &= ~bit;
    return set;
}

}  // namespace

uint8_t idle_level(uint64_t ms) {
    if (ms == 0) return 0;
    const unsigned exponent = static_cast<unsigned>(std::bit_width(ms)) - 1;
    // 2^(1/4), 2^(2/4), 2^(3/4) in 1/65,536, rounded up.
    constexpr uint64_t kQuarters[] = {77'936, 92'682, 110'218};
    const uint64_t mantissa = exponent >= 16 ? ms >> (exponent - 16) : ms << (16 - exponent);
    unsigned level = exponent * 4;
    for (const uint64_t quarter : kQuarters) level += mantissa >= quarter;
    return static_cast<uint8_t>(level);
}

bool TrackedRange::begin(AddressRange range, uint64_t page_bytes, uint64_t now_ns) {
    range_ = range;
    page_bytes_ = page_bytes;
    begin_ns_ = now_ns;
    const size_t nr_pages = range.size() / page_bytes;
    const size_t nr_pieces = (range.end - 1) / kPieceBytes - range.start / kPieceBytes + 1;
    if (!hits_.resize((nr_pages + kBits - 1) / kBits) || !losses_.resize(hits_.size()) || !stamps_.resize(nr_pages) ||
        !since_ns_.resize(nr_pieces)) {
        return false;
    }
    for (uint64_t& since_ns : since_ns_.span()) since_ns = now_ns;
    return true;
}

void TrackedRange::hit(AddressRange part) { set_bits(hits_, index_of(part.start), index_of(part.end - 1) + 1); }

void TrackedRange::lose(AddressRange part, Unknown why) {
    set_bits(losses_, index_of(part.start), index_of(part.end - 1) + 1);
    lost_ = why;
}

uint32_t TrackedRange::stamp_of(uint64_t now_ns) const {
    return static_cast<uint32_t>(std::min<uint64_t>((now_ns - begin_ns_) / kStampNs, UINT32_MAX));
}

// A unit is touched where any of its pages is, and idle as long as the one that was written last.
void TrackedRange::note(const TrackedUnits& units, size_t page, uint64_t idle_ms, bool touched) const {
    const uint64_t unit = (range_.start + page * page_bytes_ - units.range.start) / units.unit_bytes;
    if (touched && units.touched != nullptr) units.touched[unit / kBits] |= uint64_t{1} << unit % kBits;
    if (units.idle != nullptr) units.idle[unit] = std::min(units.idle[unit], idle_level(idle_ms));
}

// A piece that is asked for in part keeps its older beginning.
void TrackedRange::take_since(AddressRange piece, uint64_t now_ns, TrackedCounts& counts) {
    uint64_t& since_ns = since_ns_[piece.start / kPieceBytes - range_.start / kPieceBytes];
    counts.since_ns = std::min(counts.since_ns, since_ns);
    const uint64_t start = align_down(piece.start, kPieceBytes);
    if (piece == range_.intersection({start, start + kPieceBytes})) since_ns = now_ns;
}

void TrackedRange::collect(const TrackedUnits& units, AddressRange piece, uint64_t now_ns, TrackedCounts& counts) {
    take_since(piece, now_ns, counts);
    const uint32_t now = stamp_of(now_ns);
    const size_t end = index_of(piece.end);
    for (size_t page = index_of(piece.start); page < end; ++page) {
        const bool nothing = units.idle == nullptr && (hits_[page / kBits] | losses_[page / kBits]) == 0;
        if (nothing) {
            page |= kBits - 1;  // nor in the rest of this word
            continue;
        }
        const bool lost = take_bit(losses_, page);
        const bool hit = take_bit(hits_, page);
        if (lost) counts.unseen_bytes += page_bytes_;
        if (lost) counts.unseen = lost_;
        if (hit && !lost) counts.touched_bytes += page_bytes_;
        if (hit || lost) stamps_[page] = now;
        note(units, page, uint64_t{now - stamps_[page]} * kStampNs / 1'000'000, hit || lost);
    }
}

TrackedRange* TrackedPages::find(uint64_t address) const {
    const std::span<TrackedRange* const> ranges = ranges_.span();
    const auto* at =
        std::upper_bound(ranges.data(), ranges.data() + ranges.size(), address,
                         [](uint64_t wanted, const TrackedRange* range) { return wanted < range->range().end; });
    return at != ranges.data() + ranges.size() && (*at)->range().contains(address) ? *at : nullptr;
}

bool TrackedPages::overlaps(AddressRange range) const {
    for (const TrackedRange* tracked : ranges_.span()) {
        if (!tracked->range().intersection(range).empty()) return true;
    }
    return false;
}

void TrackedPages::hit(AddressRange part) {
    for (TrackedRange* tracked : ranges_.span()) {
        const AddressRange inside = tracked->range().intersection(part);
        if (!inside.empty()) tracked->hit(inside);
    }
}

void TrackedPages::lose(AddressRange part, Unknown why) {
    for (TrackedRange* tracked : ranges_.span()) {
        const AddressRange inside = tracked->range().intersection(part);
        if (!inside.empty()) tracked->lose(inside, why);
    }
}

}  // namespace damon
