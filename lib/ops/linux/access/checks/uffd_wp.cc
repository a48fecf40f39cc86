#include "ops/linux/access/checks/uffd_wp.h"

#include <cerrno>

#include "ops/linux/access/checks/mark_lifting.h"
#include "ops/linux/access/checks/uffd_trial.h"
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
    lift_pages(tools, pages, uapi::kRegisterModeWp, kMostLiftedBytes);
}

bool serves_span(CheckTools&, const CachedMapping& mapping, AddressRange part) {
    return mapping.is_owned(uapi::kRegisterModeWp, part.start) && mapping.registrable.covers(part);
}

bool arm_span(CheckTools& tools, AddressRange part) {
    PageMap written;
    for (AddressRange rest = part; !rest.empty();) {
        uapi::PageRegion runs[Span::kMaxPages / 2 + 1];
        const int nr_runs = tools.scan.arm_written_runs(rest, runs, rest.start);
        if (nr_runs < 0) return false;
        for (int i = 0; i < nr_runs; ++i) {
            for (uint64_t page = runs[i].start; page < runs[i].end; page += tools.sizes.base_bytes) {
                written.set(static_cast<unsigned>((page - part.start) / tools.sizes.base_bytes));
            }
        }
    }
    tell_wiped(tools, part, written);
    return true;
}

// A hole means that nothing was written, unless it is none any more.
void look_span(CheckTools& tools, AddressRange part, unsigned first, SpanAnswer& answer) {
    uint64_t next = part.start;  // up to here all is told
    const auto index = [&](uint64_t page) {
        return first + static_cast<unsigned>((page - part.start) / tools.sizes.base_bytes);
    };
    const auto tell_armed = [&](uint64_t until) {
        for (; next < until; next += tools.sizes.base_bytes) {
            answer.known.set(index(next));
            answer.marked.set(index(next));
        }
    };
    for (AddressRange rest = part; !rest.empty();) {
        uapi::PageRegion runs[Span::kMaxPages / 2 + 1];
        const int nr_runs = tools.scan.look_unarmed(rest, runs, rest.start);
        if (nr_runs < 0) return;
        for (int i = 0; i < nr_runs; ++i) {
            tell_armed(runs[i].start);
            const uint64_t state = runs[i].categories;
            const bool there = (state & (uapi::kPagePresent | uapi::kPageSwapped)) != 0;
            const bool known = !there || (state & (uapi::kPageWpAllowed | uapi::kPageHuge)) == uapi::kPageWpAllowed;
            for (; next < runs[i].end; next += tools.sizes.base_bytes) {
                if (known) answer.known.set(index(next));
                if (known && there && (state & uapi::kPageWritten) != 0) answer.hit.set(index(next));
            }
        }
        tell_armed(rest.start);
    }
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
    .spans = {.serves = serves_span, .arm = arm_span, .look = look_span},
};

}  // namespace damon
