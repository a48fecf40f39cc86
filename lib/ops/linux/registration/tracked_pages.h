// What is known of each page of the ranges that a context keeps armed as a whole (DAMON_RANGE_TRACKED): whether it was
// written since the last question, whether that cannot be known, and when it was last. The mark of a page shows
// writes since it was armed last; so whoever arms or drops a mark in such a range reports it here, under the ledger's
// lock, which guards all of this. A value without system calls.
#pragma once

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/address_range.h"
#include "model/unknown_reason.h"

namespace damon {

// Units and what is written of them; the arrays are the caller's, each may be null.
struct TrackedUnits {
    AddressRange range;  // whole units
    uint64_t unit_bytes = 0;
    uint64_t* touched = nullptr;  // one bit a unit
    uint8_t* idle = nullptr;      // one byte a unit: idle for 2^(n/4) ms or more
};

struct TrackedCounts {
    uint64_t touched_bytes = 0;
    uint64_t unseen_bytes = 0;
    Unknown unseen = Unknown::kNone;  // why, of the last that was noted
    uint64_t since_ns = UINT64_MAX;
};

// The idle byte: the largest n with 2^(n/4) <= ms; 0 below a millisecond.
uint8_t idle_level(uint64_t ms);

class TrackedRange {
public:
    // Questions go by pieces of so much: a huge page at least.
    static constexpr uint64_t kPieceBytes = 16u << 20;

    // False: out of memory. Nothing was touched yet. piece_bytes: a power of two.
    [[nodiscard]] bool begin(AddressRange range, uint64_t page_bytes, uint64_t now_ns,
                             uint64_t piece_bytes = kPieceBytes);
    AddressRange range() const { return range_; }
    // The piece that an address of the range lies in.
    AddressRange piece_at(uint64_t address) const;

    // Written: the pages of a part that is of this range.
    void hit(AddressRange part);
    // Cannot be told from a written one.
    void lose(AddressRange part, Unknown why);
    // Of shared memory: the kernel may drop a page's entry, and the page stays. Whether pages were found armed, as of
    // the last question; and what of a part was, without an entry now. For who asks, a part at a time.
    void note_armed(AddressRange part);
    void forget_armed(AddressRange part);
    // The first pages of `rest` that were found armed.
    AddressRange next_armed(AddressRange rest) const;
    // Pieces of private anonymous memory of which every page is armed and present, as of the last question: one that is
    // still armed was not touched. The front of `rest` that is made of such ones, up to `max_bytes`.
    AddressRange full_front(AddressRange rest, uint64_t max_bytes) const;
    void set_full(AddressRange piece, bool full);
    // Whole pieces that were registered while nothing was in them, as far as is known.
    bool registered_empty(AddressRange part) const;
    void set_registered_empty(AddressRange part, bool registered);
    // Answers for one piece of units.range at most, and begins anew there. units.range is of this range.
    void collect(const TrackedUnits& units, AddressRange piece, uint64_t now_ns, TrackedCounts& counts);

private:
    // Of stamps: a page costs 4 bytes, which last two years.
    static constexpr uint64_t kStampNs = 16'000'000;
    static constexpr uint8_t kFull = 1;
    static constexpr uint8_t kRegistered = 2;

    size_t index_of(uint64_t address) const { return (address - range_.start) >> page_shift_; }
    uint32_t stamp_of(uint64_t now_ns) const;
    class Cursor;
    void collect_word(Cursor& cursor, size_t first, size_t end, uint32_t now, TrackedCounts& counts);
    size_t piece_of(uint64_t address) const { return address / piece_bytes_ - range_.start / piece_bytes_; }
    void set_state(AddressRange piece, uint8_t which, bool on);
    void take_since(AddressRange piece, uint64_t now_ns, TrackedCounts& counts);

    AddressRange range_;
    uint64_t page_bytes_ = 0;
    uint64_t piece_bytes_ = kPieceBytes;
    unsigned page_shift_ = 0;
    uint64_t begin_ns_ = 0;
    Unknown lost_ = Unknown::kNone;
    Vector<uint64_t> hits_;      // a bit a page
    Vector<uint64_t> losses_;    // a bit a page
    Vector<uint64_t> armed_;     // a bit a page; of shared memory
    Vector<uint32_t> stamps_;    // by page: the last question that found it written
    Vector<uint64_t> since_ns_;  // by piece
    Vector<uint8_t> pieces_;     // by piece: kFull, kRegistered
};

// A context's ranges.
class TrackedPages {
public:
    // By where they lie; null: none.
    TrackedRange* find(uint64_t address) const;
    bool contains(uint64_t address) const { return find(address) != nullptr; }
    bool overlaps(AddressRange range) const;
    // The first part of `range` that is of none; empty: there is no such part.
    AddressRange front_without(AddressRange range) const;
    void hit(AddressRange part);
    void lose(AddressRange part, Unknown why);

    // For who changes the list: a copy outside of the lock, exchanged under it.
    std::span<TrackedRange* const> all() const { return ranges_.span(); }
    void exchange(Vector<TrackedRange*>& ranges) { ranges_.swap(ranges); }

private:
    size_t first_behind(uint64_t address) const;

    Vector<TrackedRange*> ranges_;  // disjoint, sorted
};

}  // namespace damon
