#include "kdamond/exchange/registry.h"

#include <atomic>
#include <cerrno>

#include "os/process.h"

namespace damon {
namespace {

// One word holds it all, so that entering and leaving are single atomic steps and a fork cannot catch a lock held:
// the process id (a child starts from nothing), the exclusive flag, the count.
constexpr uint64_t kExclusive = uint64_t{1} << 31;
constexpr uint64_t kCountMask = kExclusive - 1;

std::atomic<uint64_t> state{0};
std::atomic<uint32_t> next_worker_number{0};

uint64_t of_this_process(uint64_t seen) {
    const auto self = static_cast<uint64_t>(process_id());
    return seen >> 32 == self ? seen : self << 32;
}

}  // namespace

Status registry_enter(uint32_t count, bool exclusive) {
    uint64_t seen = state.load();
    for (;;) {
        const uint64_t now = of_this_process(seen);
        const uint64_t running = now & kCountMask;
        if (exclusive && running > 0) {
            return Status::fail(-EBUSY, "exclusive start refused: %u contexts run already, 0 may",
                                static_cast<unsigned>(running));
        }
        if ((now & kExclusive) != 0) {
            return Status::fail(-EBUSY, "start refused: contexts that were started exclusively run; stop them first");
        }
        const uint64_t next = (now + count) | (exclusive && count > 0 ? kExclusive : 0);
        if (state.compare_exchange_weak(seen, next)) return {};
    }
}

void registry_leave() {
    uint64_t seen = state.load();
    for (;;) {
        const uint64_t now = of_this_process(seen);
        if ((now & kCountMask) == 0) return;
        uint64_t next = now - 1;
        if ((next & kCountMask) == 0) next &= ~kExclusive;
        if (state.compare_exchange_weak(seen, next)) return;
    }
}

uint32_t registry_nr_running() { return static_cast<uint32_t>(of_this_process(state.load()) & kCountMask); }

uint32_t registry_next_worker_number() { return next_worker_number.fetch_add(1); }

}  // namespace damon
