// The coverage of memory that lies in pieces: areas round its largest gaps, the generalisation of M-2. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

// Which gaps are not worth an area of their own.
struct AreaThrift {
    uint64_t spare_bytes = 0;    // the smallest ones, as long as they are no more than this together
    size_t nr_areas = SIZE_MAX;  // beyond so many areas
    uint64_t min_gap_bytes = 0;  // those that are smaller than this
};

// Fed with the pieces in address order, keeps as many gaps as there may be areas and nothing else.
class MemoryAreas {
public:
    // Begins anew; there will be at most `max_areas` of them, more only round the gaps that must be kept. False: out of
    // memory.
    [[nodiscard]] bool begin(size_t max_areas);

    // A piece that begins at or above the end of the one before. False: out of memory.
    [[nodiscard]] bool add(AddressRange piece);
    // The gap before the next piece stays a gap, whatever its size.
    void keep_next_gap() { keep_next_ = true; }

    uint64_t piece_bytes() const { return piece_bytes_; }

    // Appends the areas, in order, bounds aligned outwards to `page_bytes` (a power of two): as few as `thrift` asks
    // for, or as many as there may be. False: out of memory.
    [[nodiscard]] bool finish(uint64_t page_bytes, const AreaThrift& thrift, Vector<AddressRange>& areas);

private:
    struct Gap {
        AddressRange range;
        bool kept = false;
    };
    static bool more_needed(const Gap& left, const Gap& right);
    [[nodiscard]] bool add_gap(Gap gap);

    Vector<Gap> gaps_;  // a heap with the one that is needed least on top
    size_t max_gaps_ = 0;
    size_t nr_kept_ = 0;
    bool keep_next_ = false;
    AddressRange hull_;
    uint64_t piece_bytes_ = 0;
    uint64_t absorbed_bytes_ = 0;  // of gaps that are in areas already
};

}  // namespace damon
