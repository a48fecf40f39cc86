// Which accesses to a mapping this context sees, for those who act on memory that looks cold.
#include "ops/linux/access/visibility.h"

#include <algorithm>

#include "ops/linux/access/access_checker.h"
#include "ops/linux/access/declared_ranges.h"

namespace damon {

Visibility AccessChecker::visibility(const Mapping& mapping, uint64_t address, uint64_t& until) {
    until = mapping.range.end;
    const CachedMapping* known = mappings_.find(address);
    // Registered at the first sample that fell into it: without one, nobody has looked here yet.
    const bool registered = known != nullptr && known->is_registered(AccessCheck::kUffdRwp);
    if (enabled(AccessCheck::kUffdRwp) && registered) return Visibility::kReadsAndWrites;
    if (mapping.shared && enabled(AccessCheck::kZap)) {
        SharedPin pin;
        if (pin.pin(address)) {
            until = std::min(until, pin.range().end);
            return Visibility::kReadsAndWrites;
        }
        until = std::min(until, next_declared(address));
    }
    const bool refused = known != nullptr && known->failed(AccessCheck::kUffdWp);
    if (enabled(AccessCheck::kUffdWp) && mapping.writable && !refused) return Visibility::kWritesOnly;
    return Visibility::kNone;
}

}  // namespace damon
