#include "ops/linux/registration/tracked_pages.h"

#include <algorithm>
#include <bit>
#include <cstring>

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

void clear_bits(Vector<uint64_t>& words, size_t first, size_t end) {
    while (first < end) {
        const size_t in_word = std::min<size_t>(end - first, kBits - first % kBits);
        words[first / kBits] &= ~((~uint64_t{0} >> (kBits - in_word)) << first % kBits);
        first += in_word;
    }
}

// The first position from `first` on, below `end`, whose bit is `wanted`; `end`: there is none.
size_t find_bit(const Vector<uint64_t>& words, size_t first, size_t end, bool wanted) {
    while (first < end) {
        const uint64_t word = (wanted ? words[first / kBits] : ~words[first / kBits]) >> first % kBits;
        if (word != 0) return std::min(end, first + static_cast<unsigned>(std::countr_zero(word)));
        first = (first / kBits + 1) * kBits;
    }
    return end;
}

uint64_t take_bits(uint64_t& word, uint64_t mask) {
    const uint64_t taken = word & mask;
    word &= ~mask;
    return taken;
}

bool all_same(std::span<const uint32_t, kBits> stamps) {
    uint32_t differs = 0;
    for (const uint32_t stamp : stamps) differs |= stamp ^ stamps[0];
    return differs == 0;
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

bool TrackedRange::begin(AddressRange range, uint64_t page_bytes, uint64_t now_ns, uint64_t piece_bytes) {
    range_ = range;
    page_bytes_ = page_bytes;
    page_shift_ = static_cast<unsigned>(std::countr_zero(page_bytes));
    begin_ns_ = now_ns;
    piece_bytes_ = piece_bytes;
    const size_t nr_pages = range.size() / page_bytes;
    const size_t nr_pieces = piece_of(range.end - 1) + 1;
    if (!hits_.resize((nr_pages + kBits - 1) / kBits) || !losses_.resize(hits_.size()) ||
        !armed_.resize(hits_.size()) || !stamps_.resize(nr_pages) || !since_ns_.resize(nr_pieces) ||
        !pieces_.resize(nr_pieces)) {
        return false;
    }
    for (uint64_t& since_ns : since_ns_.span()) since_ns = now_ns;
    return true;
}

AddressRange TrackedRange::piece_at(uint64_t address) const {
    const uint64_t start = align_down(address, piece_bytes_);
    return range_.intersection({start, start + piece_bytes_});
}

void TrackedRange::hit(AddressRange part) { set_bits(hits_, index_of(part.start), index_of(part.end - 1) + 1); }

void TrackedRange::lose(AddressRange part, Unknown why) {
    set_bits(losses_, index_of(part.start), index_of(part.end - 1) + 1);
    for (size_t piece = piece_of(part.start); piece <= piece_of(part.end - 1); ++piece) pieces_[piece] = 0;
    lost_ = why;
}

void TrackedRange::note_armed(AddressRange part) {
    if (!part.empty()) set_bits(armed_, index_of(part.start), index_of(part.end - 1) + 1);
}

void TrackedRange::forget_armed(AddressRange part) {
    if (!part.empty()) clear_bits(armed_, index_of(part.start), index_of(part.end - 1) + 1);
}

AddressRange TrackedRange::next_armed(AddressRange rest) const {
    if (rest.empty()) return rest;
    const size_t last = index_of(rest.end - 1) + 1;
    const size_t first = find_bit(armed_, index_of(rest.start), last, true);
    const size_t end = find_bit(armed_, first, last, false);
    return {range_.start + (first << page_shift_), range_.start + (end << page_shift_)};
}

uint32_t TrackedRange::stamp_of(uint64_t now_ns) const {
    return static_cast<uint32_t>(std::min<uint64_t>((now_ns - begin_ns_) / kStampNs, UINT32_MAX));
}

// A piece that is asked for in part keeps its older beginning.
void TrackedRange::take_since(AddressRange piece, uint64_t now_ns, TrackedCounts& counts) {
    uint64_t& since_ns = since_ns_[piece_of(piece.start)];
    counts.since_ns = std::min(counts.since_ns, since_ns);
    if (piece == piece_at(piece.start)) since_ns = now_ns;
}

// Goes through pages in order. A unit is touched where any of its pages is, and idle as long as the one that was
// touched last.
class TrackedRange::Cursor {
public:
    Cursor(const TrackedUnits& units, uint64_t page_bytes, uint64_t start, uint32_t now)
        : units_(units), now_(now), pages_a_unit_(units.unit_bytes / page_bytes) {
        const uint64_t page = (start - units.range.start) / page_bytes;
        unit_ = page / pages_a_unit_;
        left_ = pages_a_unit_ - page % pages_a_unit_;
    }
    // Pages that were touched now.
    void step_touched(size_t nr_pages, uint32_t now) {
        if (units_.touched == nullptr && units_.idle == nullptr) return skip(nr_pages);
        for (size_t i = 0; i < nr_pages; ++i) {
            if (units_.touched != nullptr) units_.touched[unit_ / kBits] |= uint64_t{1} << unit_ % kBits;
            if (units_.idle != nullptr) units_.idle[unit_] = std::min(units_.idle[unit_], level_of(now));
            skip(1);
        }
    }
    // Pages that were not.
    void step_idle(std::span<const uint32_t> stamps) {
        if (units_.idle == nullptr) return skip(stamps.size());
        if (pages_a_unit_ == 1) {
            fill_levels(stamps);
            return skip(stamps.size());
        }
        for (const uint32_t stamp : stamps) {
            units_.idle[unit_] = std::min(units_.idle[unit_], level_of(stamp));
            skip(1);
        }
    }

private:
    void skip(uint64_t nr_pages) {
        if (nr_pages < left_) {
            left_ -= nr_pages;
            return;
        }
        const uint64_t behind = nr_pages - left_;
        unit_ += 1 + behind / pages_a_unit_;
        left_ = pages_a_unit_ - behind % pages_a_unit_;
    }
    void fill_levels(std::span<const uint32_t> stamps) {
        uint8_t* const idle = units_.idle + unit_;
        if (stamps.size() == kBits && all_same(stamps.first<kBits>())) {
            memset(idle, level_of(stamps[0]), kBits);
            return;
        }
        for (size_t i = 0; i < stamps.size(); ++i) idle[i] = level_of(stamps[i]);
    }
    uint8_t level_of(uint32_t stamp) {
        if (stamp != stamp_) level_ = idle_level(uint64_t{now_ - stamp} * kStampNs / 1'000'000);
        stamp_ = stamp;
        return level_;
    }

    TrackedUnits units_;
    uint32_t now_;
    uint64_t pages_a_unit_;
    uint64_t unit_ = 0;
    uint64_t left_ = 0;              // of the unit
    uint64_t stamp_ = ~uint64_t{0};  // whose level it is
    uint8_t level_ = 0;
};

void TrackedRange::collect(const TrackedUnits& units, AddressRange piece, uint64_t now_ns, TrackedCounts& counts) {
    take_since(piece, now_ns, counts);
    const uint32_t now = stamp_of(now_ns);
    const size_t end = index_of(piece.end);
    Cursor cursor(units, page_bytes_, piece.start, now);
    for (size_t first = index_of(piece.start); first < end;) {
        const size_t word_end = std::min(end, (first / kBits + 1) * kBits);
        collect_word(cursor, first, word_end, now, counts);
        first = word_end;
    }
}

// Pages of one word of the bit maps.
void TrackedRange::collect_word(Cursor& cursor, size_t first, size_t end, uint32_t now, TrackedCounts& counts) {
    const uint64_t mask = (~uint64_t{0} >> (kBits - (end - first))) << first % kBits;
    const uint64_t losses = take_bits(losses_[first / kBits], mask);
    const uint64_t hits = take_bits(hits_[first / kBits], mask);
    const std::span<uint32_t> stamps = stamps_.span();
    if (losses != 0) {
        counts.unseen_bytes += static_cast<unsigned>(std::popcount(losses)) * page_bytes_;
        counts.unseen = lost_;
    }
    counts.touched_bytes += static_cast<unsigned>(std::popcount(hits & ~losses)) * page_bytes_;
    for (size_t page = first; page < end;) {
        const uint64_t rest = (hits | losses) >> page % kBits;
        const size_t nr_idle = std::min<size_t>(static_cast<unsigned>(std::countr_zero(rest)), end - page);
        cursor.step_idle(stamps.subspan(page, nr_idle));
        page += nr_idle;
        if (page == end) return;
        const size_t nr_touched = std::min<size_t>(static_cast<unsigned>(std::countr_one(rest >> nr_idle)), end - page);
        std::ranges::fill(stamps.subspan(page, nr_touched), now);
        cursor.step_touched(nr_touched, now);
        page += nr_touched;
    }
}

AddressRange TrackedRange::full_front(AddressRange rest, uint64_t max_bytes) const {
    AddressRange front{rest.start, rest.start};
    while (front.end < rest.end && front.size() < max_bytes && (pieces_[piece_of(front.end)] & kFull) != 0) {
        front.end = std::min(rest.end, piece_at(front.end).end);
    }
    return front;
}

void TrackedRange::set_state(AddressRange piece, uint8_t which, bool on) {
    uint8_t& state = pieces_[piece_of(piece.start)];
    state = static_cast<uint8_t>(on ? state | which : state & ~which);
}

void TrackedRange::set_full(AddressRange piece, bool full) { set_state(piece, kFull, full); }

bool TrackedRange::registered_empty(AddressRange part) const {
    return part.size() == piece_bytes_ && (pieces_[piece_of(part.start)] & kRegistered) != 0;
}

void TrackedRange::set_registered_empty(AddressRange part, bool registered) {
    set_state(part, kRegistered, registered && part.size() == piece_bytes_);
}

// The first that ends behind an address.
size_t TrackedPages::first_behind(uint64_t address) const {
    const std::span<TrackedRange* const> ranges = ranges_.span();
    return static_cast<size_t>(
        std::upper_bound(ranges.begin(), ranges.end(), address,
                         [](uint64_t wanted, const TrackedRange* range) { return wanted < range->range().end; }) -
        ranges.begin());
}

TrackedRange* TrackedPages::find(uint64_t address) const {
    const size_t at = first_behind(address);
    return at < ranges_.size() && ranges_[at]->range().contains(address) ? ranges_[at] : nullptr;
}

bool TrackedPages::overlaps(AddressRange range) const {
    const size_t at = first_behind(range.start);
    return at < ranges_.size() && !ranges_[at]->range().intersection(range).empty();
}

AddressRange TrackedPages::front_without(AddressRange range) const {
    for (size_t at = first_behind(range.start); at < ranges_.size() && !range.empty(); ++at) {
        const AddressRange taken = ranges_[at]->range();
        if (taken.start > range.start) return range.intersection({range.start, taken.start});
        range.start = std::min(taken.end, range.end);
    }
    return range;
}

void TrackedPages::hit(AddressRange part) {
    for (size_t at = first_behind(part.start); at < ranges_.size(); ++at) {
        const AddressRange inside = ranges_[at]->range().intersection(part);
        if (inside.empty()) return;
        ranges_[at]->hit(inside);
    }
}

void TrackedPages::lose(AddressRange part, Unknown why) {
    for (size_t at = first_behind(part.start); at < ranges_.size(); ++at) {
        const AddressRange inside = ranges_[at]->range().intersection(part);
        if (inside.empty()) return;
        ranges_[at]->lose(inside, why);
    }
}

}  // namespace damon
