// One question of a survey: which pages of this short stretch were accessed since it was armed? Unlike a sample it may
// stay armed for several sampling intervals.
#pragma once

#include <bit>
#include <cstdint>

#include "model/address_range.h"

namespace damon {

// One bit a page of a span, the first page lowest.
struct PageMap {
    uint64_t words[2] = {};

    bool test(unsigned page) const { return (words[page / 64] >> page % 64 & 1) != 0; }
    unsigned count() const { return static_cast<unsigned>(std::popcount(words[0]) + std::popcount(words[1])); }
    void set(unsigned page) { words[page / 64] |= uint64_t{1} << page % 64; }
    bool operator==(const PageMap&) const = default;
};

struct Span {
    static constexpr unsigned kMaxPages = 128;
    static constexpr unsigned kMaxArmed = 576;  // spans at a time

    uint64_t start = 0;  // a page's
    uint32_t page_bytes = 0;
    uint32_t target_idx = 0;
    uint16_t nr_pages = 0;      // at most kMaxPages
    uint16_t nr_intervals = 1;  // for how many more sampling intervals it stays armed; 1: looked at the next time
    uint32_t asker = 0;         // the engine's
    bool withdrawn = false;     // what it lies in was taken from the ops since it was armed: not to be touched
    uint64_t ops_private = 0;   // for the ops between arm and look
    PageMap hit;                // filled by Ops::look_spans: pages that were accessed
    PageMap known;              // filled by Ops::look_spans: pages of which that can be said

    AddressRange range() const { return {start, start + uint64_t{nr_pages} * page_bytes}; }
    bool operator==(const Span&) const = default;
};

}  // namespace damon
