#include "ops/linux/access/uffd_wp.h"

#include <cerrno>

#include "ops/linux/access/mark_lifting.h"
#include "ops/linux/access/uffd_trial.h"
#include "ops/linux/registration/uffd_mapping.h"

namespace damon {
namespace {

// Arms a page of a mapping that is owned. kArmed: `written` says whether the page was not armed before, or had been
// written since.
ArmResult protect(PageScan& scan, CachedMapping& mapping, uint64_t page, AccessStatistics& statistics, bool& written) {
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

// `nothing`: not present, or huge.
UnknownReason mark(CheckTools& tools, CachedMapping& mapping, uint64_t page, bool& nothing) {
    if (tools.ledger.crowded()) tools.ledger.begin(page, AccessCheck::kUffdWp);
    bool written = false;
    UnknownReason unknown = UnknownReason::kNone;
    switch (protect(tools.scan, mapping, page, tools.statistics, written)) {
        case ArmResult::kArmed:
            break;
        case ArmResult::kNothing:
            nothing = true;
            break;
        case ArmResult::kGone:
            unknown = UnknownReason::kGone;
            break;
        case ArmResult::kUnknown:
            unknown = mapping.unknown;
            break;
    }
    tools.end_marking({page, 0}, nothing ? UnknownReason::kGone : unknown, written);
    return unknown;
}

bool wp_applies(const CachedMapping& mapping) { return mapping.writable; }

// Write protection looks and arms in one call.
Unseen arm_unseen(CheckTools& tools, uint64_t page) {
    CachedMapping* mapping = tools.mappings.find(page);
    if (mapping == nullptr || !mapping->is_owned(uapi::kRegisterModeWp, page)) return Unseen::kLookFirst;
    bool nothing = false;
    const UnknownReason unknown = mark(tools, *mapping, page, nothing);
    return unknown == UnknownReason::kNone && !nothing ? Unseen::kArmed : Unseen::kLookFirst;
}

Armed arm(CheckTools& tools, CachedMapping& mapping, Page page) {
    if (page.huge()) return {UnknownReason::kHuge};
    UnknownReason unknown = tools.own(mapping, uapi::kRegisterModeWp, page.address);
    if (unknown != UnknownReason::kNone) return {unknown};
    bool nothing = false;
    unknown = mark(tools, mapping, page.address, nothing);
    return {nothing ? UnknownReason::kGone : unknown};  // nothing: it was present a moment ago
}

void lift(CheckTools& tools, std::span<const uint64_t> pages) {
    lift_pages(tools, pages, uapi::kRegisterModeWp, kUffdWpRow.limits.lift_bytes);
}

UnknownReason judge(uint32_t state, bool& accessed) {
    if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
    if ((state & PageScan::kMapped) == 0) return UnknownReason::kUnmapped;
    if ((state & uapi::kPageWpAllowed) == 0) return UnknownReason::kGone;
    // The marks survive swap, but not MADV_DONTNEED and truncation (fact 8).
    if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) return UnknownReason::kDropped;
    accessed = (state & uapi::kPageWritten) != 0;
    return UnknownReason::kNone;
}

AccessCheckProbe try_out(UffdTrial& trial) {
    trial.page.write(42);
    const uint64_t page = trial.mapping.range.start;
    bool was_written = false;
    if (protect(trial.scan, trial.mapping, page, trial.statistics, was_written) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a present page could not be write-protected");
    }
    bool seen[3] = {true, true, false};  // idle, read, written
    for (int step = 0; step < 3; ++step) {
        if (step == 1 && trial.page.read() != 42) return probe_failed(-EIO, "a protected page lost its content");
        if (step == 2) trial.page.write(43);
        uint32_t state = PageScan::kFailed;
        trial.scan.look({&page, 1}, {&state, 1});
        if (judge(state, seen[step]) != UnknownReason::kNone)
            return probe_failed(-EIO, "a protected page could not be judged");
    }
    if (seen[0] || seen[1] || !seen[2] || !was_written || trial.page.read() != 43) {
        return probe_failed(-EIO, "a write did not show, or something else did");
    }
    return probe_works("writable memory; reads and huge pages cannot be seen", false);
}

AccessCheckProbe probe() {
    return try_out_on_userfaultfd(
        {&UffdFeatures::wp_async, "no asynchronous write protection (Linux 6.7)", uapi::kRegisterModeWp, try_out});
}

}  // namespace

constinit const AccessCheckRow kUffdWpRow = {
    .id = AccessCheck::kUffdWp,
    .name = "uffd_wp",
    .constant = "DAMON_ACCESS_CHECK_UFFD_WP",
    .source = AnswerSource::kPages,
    .probe = probe,
    .needs_scan = true,
    .register_mode = uapi::kRegisterModeWp,
    .applies = wp_applies,
    .inapplicable = UnknownReason::kNotWritable,
    .arm_unseen = arm_unseen,
    .arm = arm,
    .judge = judge,
    .lift = lift,
};

}  // namespace damon
