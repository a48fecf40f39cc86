#include "ops/linux/actions/backoff.h"

#include <algorithm>

namespace damon {

void Backoff::clear() {
    for (Entry& entry : entries_) entry = {};
}

// A mapping that grew or shrank is another one: there may be something to do in it.
Backoff::Entry* Backoff::find(DamosAction action, AddressRange mapping) {
    for (Entry& entry : entries_) {
        if (entry.action == action && entry.mapping == mapping && !mapping.empty()) return &entry;
    }
    return nullptr;
}

// The place of the one that was tried longest ago.
Backoff::Entry& Backoff::take(DamosAction action, AddressRange mapping) {
    Entry* oldest = std::ranges::min_element(
        entries_, {}, [](const Entry& entry) { return entry.mapping.empty() ? 0 : entry.pass_us + 1; });
    *oldest = {};
    oldest->mapping = mapping;
    oldest->action = action;
    oldest->pass_us = now_us_;
    return *oldest;
}

void Backoff::end_pass(Entry& entry) const {
    if (entry.pass_us == now_us_) return;
    if (entry.wanted) entry.failures = entry.applied ? 0 : entry.failures + 1;
    if (entry.wanted && entry.failures >= kPatience) {
        const uint32_t doublings = std::min(entry.failures - kPatience, 6u);
        entry.retry_us = entry.pass_us + std::min(kFirstWaitUs << doublings, kLongestWaitUs);
    }
    entry.pass_us = now_us_;
    entry.wanted = false;
    entry.applied = false;
}

bool Backoff::waits(DamosAction action, AddressRange mapping) {
    Entry* entry = find(action, mapping);
    if (entry == nullptr) return false;
    end_pass(*entry);
    // A clock that went back begins a new run.
    return now_us_ < entry->retry_us && entry->retry_us - now_us_ <= kLongestWaitUs;
}

void Backoff::note(DamosAction action, AddressRange mapping, uint64_t wanted, uint64_t applied) {
    Entry* entry = find(action, mapping);
    if (entry == nullptr && (wanted == 0 || applied != 0)) return;
    if (entry == nullptr) entry = &take(action, mapping);
    end_pass(*entry);
    entry->wanted |= wanted != 0;
    entry->applied |= applied != 0;
}

}  // namespace damon
