#include "kdamond/exchange/registry.h"

#include <atomic>
#include <cerrno>

#include "os/library_copies.h"

namespace damon {
namespace {

// One word holds it all, so that entering and leaving are single atomic steps: the exclusive flag, and the count, of
// all copies of the library in this process. A child of fork has another word.
constexpr uint32_t kExclusive = uint32_t{1} << 31;
constexpr uint32_t kCountMask = kExclusive - 1;

std::atomic<uint32_t> next_worker_number{0};

Status enter(SharedState& state, uint32_t count, bool exclusive) {
    uint32_t seen = state.load();
    for (;;) {
        const uint32_t running = seen & kCountMask;
        if (exclusive && running > 0) {
            return Status::fail(-EBUSY, "exclusive start refused: %u contexts run already, 0 may",
                                static_cast<unsigned>(running));
        }
        if ((seen & kExclusive) != 0) {
            return Status::fail(-EBUSY, "start refused: contexts that were started exclusively run; stop them first");
        }
        if (state.compare_exchange_weak(seen, (seen + count) | (exclusive ? kExclusive : 0))) return {};
    }
}

void leave(SharedState& state) {
    uint32_t seen = state.load();
    uint32_t next = 0;
    do {
        next = seen - 1;
        if ((next & kCountMask) == 0) next = 0;
    } while (!state.compare_exchange_weak(seen, next));
}

}  // namespace

Status registry_enter(uint32_t count, bool exclusive) {
    Status status;
    if (count == 0) return status;
    for (uint32_t i = 1; i < count; ++i) (void)join_copies();
    status = enter(join_copies(), count, exclusive);
    for (uint32_t i = 0; i < count && !status.ok(); ++i) leave_copies([](SharedState&) {});
    return status;
}

void registry_leave() { leave_copies(leave); }

uint32_t registry_nr_running() { return nr_own_contexts(); }

uint32_t registry_next_worker_number() { return next_worker_number.fetch_add(1); }

}  // namespace damon
