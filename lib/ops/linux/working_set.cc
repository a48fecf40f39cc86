#include "ops/linux/working_set.h"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/arithmetic.h"
#include "os/accessed_bits.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/page_sizes.h"

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

// Huge pages that smaps left out are known by how much more is present. What is less than one is the kernel's counter,
// which lags behind. 0 or a negative errno.
int add_hidden(const AccessedBytes& bytes, WorkingSet& found) {
    HeldMemory held;
    if (const int error = read_held_memory(held)) return error;
    const uint64_t more = held.present - std::min(held.present, bytes.present);
    const uint64_t hidden = align_down(more, read_page_sizes().huge_bytes);
    found.present_bytes += hidden;
    found.unseen_bytes += hidden;
    return 0;
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
    if (smaps_may_hide_huge_pages()) {
        if (const int error = add_hidden(bytes, found)) return error;
    }
    const bool undisturbed = counted && after.read() == 0 && after.pages() == before.pages();
    if (!undisturbed && !reclaim_keeps_accessed_bits()) found.unseen_bytes += bytes.present - bytes.accessed;
    return 0;
}

}  // namespace damon
