// The simulated programs: which addresses exist, what kind of memory they are, and how often each page is accessed at
// any moment. A pure description: asking changes nothing, and equal questions get equal answers.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/vector.h"
#include "model/address_range.h"
#include "ops/sim/pattern.h"
#include "ops/sim/pulse.h"

namespace damon {

// Values are part of the C ABI.
enum SimRangeFlags : uint32_t {
    kSimRangeFile = 1u << 0,        // page cache; else anonymous memory
    kSimRangeLocked = 1u << 1,      // mlocked: refuses to be paged out or aged
    kSimRangeWritesOnly = 1u << 2,  // the simulated access check cannot see reads here
    kSimRangeOpaque = 1u << 3,      // the simulated access check cannot look here at all
};
inline constexpr uint32_t kAllSimRangeFlags = 15;

// Mapped memory of one target.
struct SimRange {
    AddressRange range;  // multiples of the page size
    uint32_t target_idx = 0;
    uint32_t flags = 0;          // SimRangeFlags
    uint32_t nid = 0;            // where its pages are at first
    uint32_t resident_bp = kBp;  // share that is present at first; the rest was never touched
    uint64_t memcg_id = 0;
};

// A stretch of one range over which the same pulses lie.
struct SimPiece {
    AddressRange range;
    uint32_t target_idx = 0;
    uint32_t range_idx = 0;
    uint32_t first_pulse = 0;  // into the index's list
    uint32_t nr_pulses = 0;
    bool travels = false;  // pages differ: some pulse of it is a travelling one
};

class SimWorld {
public:
    static constexpr size_t kNoPiece = SIZE_MAX;
    static constexpr uint32_t kMaxTargets = 4096;
    // A travelling pulse is cut into so many pieces, over each of which residency is taken as uniform.
    static constexpr unsigned kTravelPieces = 64;

    // `page_size`: a power of two.
    explicit SimWorld(uint64_t page_size = 4096) : page_size_(page_size) {}

    uint64_t page_size() const { return page_size_; }

    // Deep copy; false when out of memory, and then this is unchanged.
    [[nodiscard]] bool copy_from(const SimWorld& other);

    // -EINVAL (not aligned, or overlapping another range of the target), -ENOMEM; then nothing changed.
    Status add_range(const SimRange& range);
    // The pattern must lie in the ranges of its target. -EINVAL, -ENOMEM; then nothing changed.
    Status add_pattern(const SimPattern& pattern);

    uint32_t nr_targets() const { return nr_targets_; }
    // By target, then by address.
    std::span<const SimRange> ranges() const { return ranges_.span(); }
    std::span<const SimPiece> pieces() const { return pieces_.span(); }
    const SimRange& range_of(const SimPiece& piece) const { return ranges_[piece.range_idx]; }

    // The piece that holds an address; kNoPiece where nothing is mapped. `hint`: any number, best an earlier answer.
    size_t find_piece(uint32_t target_idx, uint64_t address, size_t hint = 0) const;

    // As SimPulse::expected_nano, for all patterns of a piece together.
    uint64_t expected_nano(const SimPiece& piece, uint64_t address, TimeSpan span, bool writes_only = false) const;
    // The rate of the page at a moment, in accesses per 1,000 s, saturating.
    uint64_t rate_millihz(const SimPiece& piece, uint64_t address, uint64_t at_us) const;

    // Exactly the addresses of a target whose rate is at least `min_rate_millihz` (0 counts as 1) at a moment: sorted,
    // coalesced. -ENOMEM.
    Status hot_ranges(uint32_t target_idx, uint64_t at_us, uint64_t min_rate_millihz, Vector<AddressRange>& out) const;

private:
    Status reindex();
    bool cut_points(const SimRange& range, Vector<uint64_t>& cuts) const;
    Status index_range(uint32_t range_idx, Vector<uint64_t>& cuts, Vector<SimPiece>& pieces,
                       Vector<uint32_t>& members) const;
    bool travel_edges(const SimPiece& piece, uint64_t at_us, Vector<uint64_t>& edges) const;

    uint64_t page_size_;
    uint32_t nr_targets_ = 0;
    Vector<SimRange> ranges_;
    Vector<SimPulse> pulses_;
    Vector<SimPiece> pieces_;   // by target, then by address
    Vector<uint32_t> members_;  // pulses of the pieces, piece after piece
};

}  // namespace damon
