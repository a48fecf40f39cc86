#include "ops/linux/access/uffd_rwp.h"

#include <cerrno>

#include "ops/linux/access/probe_answer.h"
#include "ops/linux/access/scratch_page.h"
#include "ops/linux/access/uffd.h"
#include "os/page_sizes.h"

namespace damon {

ArmResult rwp_arm(CachedMapping& mapping, AddressRange unit, AccessStatistics& statistics) {
    const int error = uffd_rwprotect(unit);
    switch (error) {
        case 0:
            ++statistics.armed[static_cast<unsigned>(AccessCheck::kUffdRwp)];
            return ArmResult::kArmed;
        case -ENOENT:
        case -ENOMEM:
        case -EAGAIN:
        case -EINVAL:
            return ArmResult::kGone;
        default:
            mapping.unknown = error == -ECHILD ? UnknownReason::kForked : UnknownReason::kFailed;
            return ArmResult::kUnknown;
    }
}

UnknownReason rwp_judge(uint32_t state, bool& accessed) {
    if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
    if ((state & PageScan::kMapped) == 0) return UnknownReason::kGone;
    accessed = (state & PageScan::kMarked) == 0;
    if (!accessed) return UnknownReason::kNone;
    // Reclaim keeps the mark of an anonymous page, and drops that of a shared one (fact 8).
    if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) return UnknownReason::kDropped;
    // Neither marked nor accessed: not in a registered mapping any more.
    return (state & uapi::kPageAccessed) != 0 ? UnknownReason::kNone : UnknownReason::kGone;
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
    if (register_mapping(mapping, AccessCheck::kUffdRwp, statistics) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a page of memory could not be registered");
    }
    scan.ask_for_accessed();
    bool seen[4] = {true, false, false, true};  // idle, read, written, idle again
    char content = 42;
    scratch.write(content);
    for (int step = 0; step < 4; ++step) {
        if (rwp_arm(mapping, mapping.range, statistics) != ArmResult::kArmed) {
            return probe_failed(-EIO, "a present page could not be read-write-protected");
        }
        if (step == 1 && scratch.read() != content) return probe_failed(-EIO, "a protected page lost its content");
        if (step == 2) scratch.write(++content);
        uint32_t state = PageScan::kFailed;
        scan.look_marked({&mapping.range.start, 1}, {&state, 1});
        const UnknownReason unknown = rwp_judge(state, seen[step]);
        if (unknown != UnknownReason::kNone) return probe_failed(-EIO, "a protected page could not be judged");
    }
    if (seen[0] || !seen[1] || !seen[2] || seen[3] || scratch.read() != content) {
        return probe_failed(-EIO, "an access did not show, or something else did");
    }
    return probe_works("anonymous and shared memory", true);
}

}  // namespace

AccessCheckProbe probe_uffd_rwp() {
    UffdFeatures features;
    const int error = uffd_acquire(features);
    AccessCheckProbe probe = probe_failed(-ENOTSUP, "no asynchronous read-write protection (Linux 7.3)");
    if (error == -ENOTSUP) return probe;  // opened, and neither mode is there
    if (error != 0) return probe_failed(error, "cannot open a userfaultfd");
    if (features.rwp_async) {
        ScratchPage scratch;
        probe = scratch.error() == 0 ? try_out(scratch) : probe_failed(scratch.error(), "no memory to try it on");
    }
    uffd_release();
    return probe;
}

}  // namespace damon
