// Where an action could do nothing several times in a row, it is not tried again at once: without swap, or on locked
// memory, trying costs processor time and quota for nothing. One context's own; the worker alone uses it.
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "model/scheme.h"

namespace damon {

class Backoff {
public:
    static constexpr uint32_t kPatience = 3;  // so many passes in vain
    static constexpr uint64_t kFirstWaitUs = 1'000'000;
    static constexpr uint64_t kLongestWaitUs = 64'000'000;

    void clear();
    // The time of the apply pass under way.
    void set_now(uint64_t now_us) { now_us_ = now_us; }

    // Whether the action is not to be tried on this mapping yet.
    bool waits(DamosAction action, AddressRange mapping);
    // What the action wanted to change in a part of the mapping, and what it did change, in bytes.
    void note(DamosAction action, AddressRange mapping, uint64_t wanted, uint64_t applied);

private:
    struct Entry {
        AddressRange mapping;  // empty: free
        DamosAction action{};
        uint32_t failures = 0;  // passes in a row in which nothing could be done
        uint64_t pass_us = 0;   // the last pass that tried
        bool wanted = false;    // in that pass
        bool applied = false;
        uint64_t retry_us = 0;
    };
    static constexpr size_t kMaxEntries = 64;

    Entry* find(DamosAction action, AddressRange mapping);
    Entry& take(DamosAction action, AddressRange mapping);
    void end_pass(Entry& entry) const;

    Entry entries_[kMaxEntries];
    uint64_t now_us_ = 0;
};

}  // namespace damon
