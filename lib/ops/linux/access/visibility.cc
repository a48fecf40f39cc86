// Which accesses to a mapping this context sees, for those who act on memory that looks cold.
#include "ops/linux/access/visibility.h"

#include <algorithm>

#include "ops/linux/access/access_checker.h"
#include "ops/linux/registration/declared_ranges.h"

namespace damon {

Visibility AccessChecker::visibility(const Mapping& mapping, uint64_t address, uint64_t& until) {
    until = mapping.range.end;
    CachedMapping* known = tools_.mappings.find(address);
    Visibility best = Visibility::kNone;
    for (const AccessCheckRow* row : enabled()) {
        if (row->register_mode == 0) {
            // Declared memory, which no registration shows.
            if (!mapping.shared) continue;
            SharedPin pin;
            if (pin.pin(address)) {
                until = std::min(until, pin.range().end);
                return Visibility::kReadsAndWrites;
            }
            until = std::min(until, next_declared(address));
        } else if (row->sees_reads) {
            // Registered at the first sample that fell into it: without one, nobody has looked here yet.
            if (known != nullptr && known->is_registered(row->register_mode)) return Visibility::kReadsAndWrites;
        } else if (mapping.writable && (known == nullptr || !known->failed(row->register_mode))) {
            best = Visibility::kWritesOnly;
        }
    }
    return best;
}

}  // namespace damon
