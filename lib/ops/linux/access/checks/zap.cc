#include "ops/linux/access/checks/zap.h"

#include <sys/mman.h>

#include "base/arithmetic.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// Drops the entry of a page that the guard admits; where a huge entry maps it, the whole aligned huge page, so that it
// comes back huge. kNone: done.
UnknownReason drop_entry(const SharedMemoryGuard& guard, PageSizes sizes, uint64_t page, bool huge) {
    AddressRange unit{page, page + sizes.base_bytes};
    if (huge) {
        unit.start = align_down(page, sizes.huge_bytes);
        unit.end = unit.start + sizes.huge_bytes;
    }
    if (!guard.covers(unit)) return huge ? UnknownReason::kHuge : UnknownReason::kNotDeclared;
    // EINVAL: locked in memory. Nothing was dropped then.
    return sys::madvise(unit.start, unit.size(), MADV_DONTNEED) == 0 ? UnknownReason::kNone : UnknownReason::kLocked;
}

bool zap_applies(const CachedMapping& mapping) { return mapping.shared; }

Armed arm(CheckTools& tools, CachedMapping&, Page page) {
    if (!tools.guard.admits(page.address, tools.mappings.maps(), tools.sizes)) return {UnknownReason::kNotDeclared};
    // A dropped entry would take a mark of a tracked range with it; write protection sees there.
    if (tools.ledger.crowded() && tools.ledger.is_tracked(page.address)) return {UnknownReason::kOtherContext};
    const uint32_t huge = page.state & uapi::kPageHuge;
    tools.begin_marking(page, AccessCheck::kZap);
    UnknownReason unknown = UnknownReason::kNone;
    // Another context may have dropped it meanwhile: absent, it is armed for both.
    const bool present = (page.state & uapi::kPagePresent) != 0;
    if ((page.state & PageScan::kFailed) != 0) {
        unknown = UnknownReason::kFailed;
    } else if (present) {
        unknown = drop_entry(tools.guard, tools.sizes, page.address, huge != 0);
        if (unknown == UnknownReason::kNone) ++tools.statistics.armed[static_cast<unsigned>(AccessCheck::kZap)];
    }
    tools.end_marking({page.address, huge}, unknown, present);
    return {unknown};
}

UnknownReason judge(uint32_t state, bool& accessed) {
    if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
    if ((state & PageScan::kMapped) == 0) return UnknownReason::kUnmapped;
    accessed = (state & uapi::kPagePresent) != 0;
    return UnknownReason::kNone;
}

bool serves_span(CheckTools& tools, const CachedMapping& mapping, AddressRange part) {
    return mapping.shared && tools.guard.admits(part.start, tools.mappings.maps(), tools.sizes) &&
           tools.guard.covers(part);
}

// The states of the pages of a part.
void look_at(CheckTools& tools, AddressRange part, std::span<uint32_t, Span::kMaxPages> states) {
    uint64_t pages[Span::kMaxPages];
    size_t nr_pages = 0;
    for (uint64_t page = part.start; page < part.end; page += tools.sizes.base_bytes) pages[nr_pages++] = page;
    tools.scan.look({pages, nr_pages}, states.first(nr_pages));
}

bool arm_span(CheckTools& tools, AddressRange part) {
    if (tools.ledger.crowded() && ArmedPageLedger::any_tracked(part)) return false;
    uint32_t states[Span::kMaxPages];
    look_at(tools, part, states);
    PageMap present;
    const size_t nr_pages = part.size() / tools.sizes.base_bytes;
    for (unsigned i = 0; i < nr_pages; ++i) {
        if ((states[i] & (PageScan::kFailed | uapi::kPageHuge)) != 0) return false;
        if ((states[i] & uapi::kPagePresent) != 0) present.set(i);
    }
    if (sys::madvise(part.start, part.size(), MADV_DONTNEED) != 0) return false;
    tell_wiped(tools, part, present);
    return true;
}

void look_span(CheckTools& tools, AddressRange part, unsigned first, SpanAnswer& answer) {
    uint32_t states[Span::kMaxPages];
    look_at(tools, part, states);
    const size_t nr_pages = part.size() / tools.sizes.base_bytes;
    for (unsigned i = 0; i < nr_pages; ++i) {
        if ((states[i] & (PageScan::kFailed | PageScan::kMapped)) != PageScan::kMapped) continue;
        answer.known.set(first + i);
        if ((states[i] & uapi::kPagePresent) != 0) answer.hit.set(first + i);
    }
}

// A read maps up to so much around it (fact 6).
constexpr uint64_t kFaultAroundBytes = 64 << 10;

AccessCheckProbe try_out(volatile char* memory, const PageSizes& sizes) {
    const uint64_t page = reinterpret_cast<uint64_t>(memory);
    PageScan scan;
    ProcMaps maps;
    if (const int error = scan.open(sizes.base_bytes)) return probe_failed(error, "cannot open /proc/self/pagemap");
    if (const int error = maps.open(0)) return probe_failed(error, "cannot open /proc/self/maps");
    *memory = 42;
    uint32_t states[2] = {PageScan::kFailed, PageScan::kFailed};
    SharedMemoryGuard guard;
    const bool dropped =
        guard.admits(page, maps, sizes) && drop_entry(guard, sizes, page, false) == UnknownReason::kNone;
    scan.look({&page, 1}, {&states[0], 1});
    const bool kept = *memory == 42;
    scan.look({&page, 1}, {&states[1], 1});
    bool seen[2] = {true, false};
    const bool judged = judge(states[0], seen[0]) == UnknownReason::kNone &&  //
                        judge(states[1], seen[1]) == UnknownReason::kNone;
    if (dropped && kept && judged && !seen[0] && seen[1]) return probe_works("declared shared ranges", true);
    return probe_failed(-EIO, "a dropped page did not read as dropped, or lost its content");
}

AccessCheckProbe probe() {
    const PageSizes sizes = read_page_sizes();
    int error = 0;
    void* memory = shared_map(sizes.base_bytes, error);
    if (memory == nullptr) return probe_failed(error, "no shared memory to try it on");
    const AccessCheckProbe answer = try_out(static_cast<volatile char*>(memory), sizes);
    (void)shared_unmap(memory, sizes.base_bytes);
    return answer;
}

}  // namespace

constinit const AccessCheckRow kZapRow = {
    .id = AccessCheck::kZap,
    .name = "zap",
    .constant = "DAMON_ACCESS_CHECK_ZAP",
    .source = AnswerSource::kPages,
    .probe = probe,
    .sees_reads = true,
    .applies = zap_applies,
    .inapplicable = UnknownReason::kNotDeclared,
    .arm = arm,
    .judge = judge,
    .spans = {.serves = serves_span, .arm = arm_span, .look = look_span, .unit_bytes = kFaultAroundBytes},
};

}  // namespace damon
