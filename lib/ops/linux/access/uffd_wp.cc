#include "ops/linux/access/uffd_wp.h"

#include <cerrno>

#include "ops/linux/access/probe_answer.h"
#include "ops/linux/access/scratch_page.h"
#include "ops/linux/access/uffd.h"

namespace damon {

ArmResult wp_arm(PageScan& scan, CachedMapping& mapping, uint64_t page, AccessStatistics& statistics, bool& written) {
    const int result = scan.arm_written(page, written);
    if (result == -EPERM) return ArmResult::kGone;  // not registered any more
    if (result == 1) {
        ++statistics.armed[static_cast<unsigned>(AccessCheck::kUffdWp)];
        return ArmResult::kArmed;
    }
    if (result >= 0) return ArmResult::kNothing;
    mapping.unknown = UnknownReason::kFailed;  // of this call; the mapping itself may work the next time
    return ArmResult::kUnknown;
}

UnknownReason wp_judge(uint32_t state, bool& accessed) {
    if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
    if ((state & uapi::kPageWpAllowed) == 0) return UnknownReason::kGone;
    // The marks survive swap, but not MADV_DONTNEED and truncation (fact 8).
    if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) return UnknownReason::kDropped;
    accessed = (state & uapi::kPageWritten) != 0;
    return UnknownReason::kNone;
}

namespace {

AccessCheckProbe try_out(ScratchPage& scratch) {
    AccessStatistics statistics;
    CachedMapping mapping;
    mapping.range = scratch.range();
    PageScan scan;
    if (const int error = scan.open(scratch.range().size()))
        return probe_failed(error, "cannot open /proc/self/pagemap");
    if (!scan.can_scan()) return probe_failed(-ENOTTY, "no PAGEMAP_SCAN (Linux 6.7)");
    if (register_mapping(mapping, AccessCheck::kUffdWp, statistics) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a page of memory could not be registered");
    }
    scratch.write(42);
    bool was_written = false;
    if (wp_arm(scan, mapping, mapping.range.start, statistics, was_written) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a present page could not be write-protected");
    }
    bool seen[3] = {true, true, false};  // idle, read, written
    for (int step = 0; step < 3; ++step) {
        if (step == 1 && scratch.read() != 42) return probe_failed(-EIO, "a protected page lost its content");
        if (step == 2) scratch.write(43);
        uint32_t state = PageScan::kFailed;
        scan.look({&mapping.range.start, 1}, {&state, 1});
        if (wp_judge(state, seen[step]) != UnknownReason::kNone)
            return probe_failed(-EIO, "a protected page could not be judged");
    }
    if (seen[0] || seen[1] || !seen[2] || !was_written || scratch.read() != 43) {
        return probe_failed(-EIO, "a write did not show, or something else did");
    }
    return probe_works("writable memory; reads and huge pages cannot be seen", false);
}

}  // namespace

AccessCheckProbe probe_uffd_wp() {
    UffdFeatures features;
    const int error = uffd_acquire(features);
    AccessCheckProbe probe = probe_failed(-ENOTSUP, "no asynchronous write protection (Linux 6.7)");
    if (error == -ENOTSUP) return probe;  // opened, and neither mode is there
    if (error != 0) return probe_failed(error, "cannot open a userfaultfd");
    if (features.wp_async) {
        ScratchPage scratch;
        probe = scratch.error() == 0 ? try_out(scratch) : probe_failed(scratch.error(), "no memory to try it on");
    }
    uffd_release();
    return probe;
}

}  // namespace damon
