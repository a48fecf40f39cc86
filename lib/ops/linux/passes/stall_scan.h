// Whether reading the smaps entry of some memory would hold the address space too long: found out in small steps,
// before it is read.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"
#include "os/page_sizes.h"
#include "os/range_scan.h"

namespace damon {

class StallScan {
public:
    static constexpr uint64_t kHoleBytes = 256u << 20;  // looked over in one call: page tables that may all be empty

    // Forgets all parts. One stalls that has more than `most_bytes` of small pages, or page tables that take as long to
    // walk.
    void begin(const PageSizes& sizes, uint64_t most_bytes);
    // A part of one mapping, above those before. False: out of memory.
    [[nodiscard]] bool add(AddressRange part);

    // Nothing is left to look at.
    bool over() const { return at_ == parts_.size() || bytes_ > most_bytes_; }
    // Looks on, for 25 us and what the last call takes.
    void step();
    // Once it is over: the first part that stalls; empty: none.
    AddressRange stalled() const { return at_ < parts_.size() ? parts_[at_] : AddressRange{}; }
    uint64_t most_bytes() const { return most_bytes_; }

private:
    bool process_is_small() const;
    void look();
    int look_at(AddressRange range, uint64_t& until);
    void count(const PageRun& run);

    RangeScan scan_;
    Vector<AddressRange> parts_;
    PageSizes sizes_;
    uint64_t most_bytes_ = 0;
    size_t at_ = 0;           // the part that is being looked at
    uint64_t from_ = 0;       // in it; 0: nothing was looked at yet
    uint64_t bytes_ = 0;      // of it, so far
    uint64_t table_end_ = 0;  // page tables below it are counted
};

}  // namespace damon
