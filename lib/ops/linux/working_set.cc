#include "ops/linux/working_set.h"

#include <atomic>
#include <cerrno>

#include "os/accessed_bits.h"
#include "os/clock.h"
#include "os/futex.h"

namespace damon {
namespace {

void wait_us(uint64_t us) {
    const Clock clock;
    const uint64_t now_ns = clock.now_ns();
    const uint64_t deadline_ns = us >= (kNoDeadline - now_ns) / 1000 ? kNoDeadline : now_ns + us * 1000;
    const std::atomic<uint32_t> never{0};
    while (futex_wait(never, 0, deadline_ns)) {
    }
}

}  // namespace

int measure_working_set(uint64_t interval_us, WorkingSet& found) {
    AccessedBitsTurn turn;
    if (!turn.take()) return -EBUSY;
    ReclaimScans before;
    ReclaimScans after;
    const bool counted = before.read() == 0;
    if (const int error = clear_accessed_bits()) return error;
    wait_us(interval_us);
    AccessedBytes bytes;
    if (const int error = read_accessed_bytes(bytes)) return error;
    found = {bytes.accessed, bytes.present + bytes.hugetlb, bytes.hugetlb};
    const bool undisturbed = counted && after.read() == 0 && after.pages() == before.pages();
    if (!undisturbed && !reclaim_keeps_accessed_bits()) found.unseen_bytes += bytes.present - bytes.accessed;
    return 0;
}

}  // namespace damon
