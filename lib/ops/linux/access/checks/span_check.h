// How a check serves the spans of surveys; part of its row. A part of a span lies in one mapping, and is of base pages.
#pragma once

#include <cstdint>

#include "model/span.h"
#include "ops/linux/access/checks/check_tools.h"

namespace damon {

// The answer of a span, of which a part begins at page `first`.
struct SpanAnswer {
    PageMap hit;
    PageMap known;
    PageMap marked;  // armed still: to be lifted where the check lifts its marks
};

struct SpanCheck {
    // Whether it can. The same when it is armed and when it is looked at; null: never.
    bool (*serves)(CheckTools& tools, const CachedMapping& mapping, AddressRange part) = nullptr;
    // Arms what is present, and reports to the ledger the accesses that this wipes away. False: it could not.
    bool (*arm)(CheckTools& tools, AddressRange part) = nullptr;
    void (*look)(CheckTools& tools, AddressRange part, unsigned first, SpanAnswer& answer) = nullptr;
    // An access shows in so many bytes around it, aligned; 0: in its page.
    uint64_t unit_bytes = 0;
};

// What was accessed since it was armed and is armed anew: `pages` of `part`.
void tell_wiped(CheckTools& tools, AddressRange part, const PageMap& pages);

}  // namespace damon
