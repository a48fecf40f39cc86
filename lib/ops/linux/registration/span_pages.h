// The spans of a survey that a context has armed at this moment, and which of their pages are known to have been
// accessed although their marks have been set anew since: whoever sets or drops a mark says so here, as in
// TrackedPages. Changed under the ledger's lock; a value without system calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"
#include "model/span.h"
#include "model/unknown_reason.h"

namespace damon {

class SpanPages {
public:
    struct Armed {
        AddressRange range;
        PageMap hit;
        uint64_t epoch = 0;  // of the registrations, when it was armed
        bool lost = false;   // its marks say nothing any more
    };

    // Room for as many spans at a time. False: out of memory.
    [[nodiscard]] bool reserve(size_t max_spans) { return spans_.reserve(max_spans); }
    bool empty() const { return spans_.empty(); }
    void clear();

    // False: there is no room.
    bool add(AddressRange range, uint64_t page_bytes, uint64_t epoch);
    // Ends a span. False: it was not there.
    bool take(AddressRange range, Armed& out);
    // Ends the last span. False: there is none.
    bool take_last(Armed& out) { return !spans_.empty() && take(spans_.back().range, out); }

    bool contains(uint64_t page) const { return may_contain(page) && overlaps({page, page + 1}); }
    bool overlaps(AddressRange range) const;
    void hit(AddressRange part);
    void lose(AddressRange part, Unknown why);

private:
    static constexpr unsigned kBlockShift = 21;
    bool may_contain(uint64_t page) const { return (blocks_ >> (page >> kBlockShift) % 64 & 1) != 0; }
    void note_blocks(AddressRange range);

    Vector<Armed> spans_;
    uint64_t page_bytes_ = 4096;
    uint64_t blocks_ = 0;  // which blocks of 2 MiB have any, modulo 64
};

}  // namespace damon
