#include "ops/linux/access/checks/uffd_rwp.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/access/checks/uffd_trial.h"
#include "ops/linux/registration/uffd_mapping.h"

namespace damon {
namespace {

// Protects `unit`, a page or a whole huge page of a mapping that is registered.
ArmResult protect(CachedMapping& mapping, AddressRange unit, AccessStatistics& statistics) {
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

// `state` is of look_marked.
UnknownReason judge(uint32_t state, bool& accessed) {
    if ((state & PageScan::kFailed) != 0) return UnknownReason::kFailed;
    if ((state & PageScan::kMapped) == 0) return UnknownReason::kUnmapped;
    accessed = (state & PageScan::kMarked) == 0;
    if (!accessed) return UnknownReason::kNone;
    // Reclaim keeps the mark of an anonymous page, and drops that of a shared one (fact 8).
    if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) return UnknownReason::kDropped;
    // Neither marked nor accessed: not in a registered mapping any more.
    return (state & uapi::kPageAccessed) != 0 ? UnknownReason::kNone : UnknownReason::kGone;
}

bool applies(const CachedMapping&) { return true; }

// A page that is present and not accessed is taken for armed already where the mapping was registered. Should that not
// be so any more, the look at the end of the interval finds out.
void look_before(CheckTools& tools, std::span<const uint64_t> pages, std::span<uint32_t> states) {
    if (tools.ledger.crowded()) return tools.scan.look_marked(pages, states);
    tools.scan.look(pages, states);
    for (size_t i = 0; i < pages.size(); ++i) {
        if ((states[i] & (PageScan::kFailed | uapi::kPagePresent)) != uapi::kPagePresent) continue;
        const bool accessed = (states[i] & uapi::kPageAccessed) != 0;
        tools.note_armed(!accessed);
        if (accessed) continue;
        const CachedMapping* mapping = tools.mappings.find(pages[i]);
        if (mapping != nullptr && mapping->is_owned(uapi::kRegisterModeRwp, pages[i])) states[i] |= PageScan::kMarked;
    }
}

// Whether the block around a page is mapped by base pages, so that arming the page splits nothing.
bool is_base_block(CheckTools& tools, uint64_t page) {
    const uint64_t block = align_down(page, tools.sizes.huge_bytes);
    if (block == tools.base_block) return true;
    if (!tools.page_states.is_partly_marked({block, block + tools.sizes.huge_bytes})) {
        uint32_t state = PageScan::kFailed;
        tools.scan.look({&page, 1}, {&state, 1});
        const uint32_t wanted = PageScan::kFailed | uapi::kPageHuge | uapi::kPagePresent;
        if ((state & wanted) != uapi::kPagePresent) return false;
    }
    tools.base_block = block;
    return true;
}

// Where the last look saw the page too.
Unseen arm_unseen(CheckTools& tools, uint64_t page) {
    const PageStateCache::Page seen = tools.page_states.find(page);
    if (seen == PageStateCache::Page::kNotRead) return Unseen::kLookFirst;
    if (seen == PageStateCache::Page::kAbsent) return Unseen::kAbsent;
    CachedMapping* mapping = tools.mappings.find(page);
    if (mapping == nullptr || !mapping->is_owned(uapi::kRegisterModeRwp, page)) return Unseen::kLookFirst;
    tools.note_armed(seen == PageStateCache::Page::kMarked);
    if (seen == PageStateCache::Page::kMarked) return Unseen::kArmed;
    if (mapping->page_bytes > tools.sizes.base_bytes || !is_base_block(tools, page)) return Unseen::kLookFirst;
    const ArmResult result = protect(*mapping, tools.page_at(page), tools.statistics);
    if (result == ArmResult::kArmed) tools.tell_spans({page, 0});
    return result == ArmResult::kArmed ? Unseen::kArmed : Unseen::kLookFirst;
}

UnknownReason mark(CheckTools& tools, CachedMapping& mapping, Page page) {
    AddressRange unit = tools.page_at(page.address);
    if (page.huge()) {
        const uint64_t bytes = std::max(mapping.page_bytes, tools.sizes.huge_bytes);
        unit.start = align_down(page.address, bytes);
        unit.end = unit.start + bytes;
        if (!mapping.range.covers(unit)) return UnknownReason::kHuge;
    }
    const uint32_t huge = page.state & uapi::kPageHuge;
    tools.begin_marking(page, AccessCheck::kUffdRwp);
    UnknownReason unknown = UnknownReason::kNone;
    const bool wiped = (page.state & uapi::kPageAccessed) != 0;
    if ((page.state & PageScan::kFailed) != 0) {
        unknown = UnknownReason::kFailed;
    } else if ((page.state & PageScan::kMarked) == 0) {  // else armed before, and not accessed since
        const ArmResult result = protect(mapping, unit, tools.statistics);
        if (result != ArmResult::kArmed) unknown = result == ArmResult::kGone ? UnknownReason::kGone : mapping.unknown;
    }
    tools.end_marking({page.address, huge}, unknown, wiped);
    return unknown;
}

// Linux 7.3 protects a huge page of shared memory by dropping its page table entry: there is no mark, and whether it is
// back shows whether it was accessed.
bool lost_its_entry(CheckTools& tools, const CachedMapping& mapping, Page page) {
    if (!page.huge() || !mapping.shared) return false;
    uint32_t state = PageScan::kFailed;
    tools.look({&page.address, 1}, {&state, 1});
    return (state & (PageScan::kFailed | PageScan::kMarked | uapi::kPagePresent)) == 0;
}

Armed arm(CheckTools& tools, CachedMapping& mapping, Page page) {
    UnknownReason unknown = tools.own(mapping, uapi::kRegisterModeRwp, page.address);
    if (unknown == UnknownReason::kNone) unknown = mark(tools, mapping, page);
    return {unknown, unknown == UnknownReason::kNone && lost_its_entry(tools, mapping, page)};
}

// Whether all that is registered of `mapping` has been so since it was armed, up to the last scan: it is in one mapping
// still, and a page of it is marked, which no other mapping in its place would be. `page` was armed.
bool marks_hold(CheckTools& tools, CachedMapping& mapping, uint64_t page) {
    if (mapping.verified_scan == tools.nr_scans) return true;
    if (!mapping.is_owned(uapi::kRegisterModeRwp, page)) return false;
    Mapping now;
    const bool found = tools.mappings.maps().query(mapping.registrable.start, now) == 0;
    if (!found || !now.range.covers(mapping.registrable)) {
        mapping.owned = 0;  // to be read anew before the next arming
        return false;
    }
    uint32_t state = PageScan::kFailed;
    tools.scan.look_marked({&page, 1}, {&state, 1});
    if ((state & PageScan::kMarked) == 0) return false;
    mapping.verified_scan = tools.nr_scans;
    return true;
}

bool is_silent(uint32_t state) {
    return (state & (PageScan::kFailed | uapi::kPageAccessed)) == 0 &&
           (state & (uapi::kPagePresent | uapi::kPageSwapped)) != 0;
}

// Whether more pages behind the first lie in the mapping and need to be told from those of one that is not registered:
// a page that is alone takes one call for its own mark, and two for that of the mapping.
bool more_silent(const CachedMapping& mapping, std::span<const uint64_t> pages, std::span<const uint32_t> states) {
    for (size_t i = 1; i < pages.size() && mapping.range.contains(pages[i]); ++i) {
        if (is_silent(states[i])) return true;
    }
    return false;
}

// As look_marked does, with fewer calls: a page of a registered mapping that is present and not accessed is marked.
void look(CheckTools& tools, std::span<const uint64_t> pages, std::span<uint32_t> states) {
    if (pages.empty()) return;
    if (tools.ledger.crowded()) return tools.scan.look_marked(pages, states);
    ++tools.nr_scans;
    // The cost model, measured in the emulator of docs/side-by-side.md: a call 5.5 us, a page that is passed over 0.10
    // us if it is protected and 0.25 us if not, and the next sample that falls on it is spared a scan of 5.9 us.
    const uint64_t max_gap_pages = 48 + 96 * uint64_t{tools.armed_share} / 1024;
    const RunSink sink = {&tools.page_states, PageStateCache::add_to};
    tools.scan.look_protected(pages, states, max_gap_pages, &sink);
    for (size_t i = 0; i < pages.size(); ++i) {
        if (!is_silent(states[i])) continue;
        CachedMapping* mapping = tools.mappings.find(pages[i]);
        const bool present = (states[i] & uapi::kPagePresent) != 0;
        const bool of_many = mapping != nullptr && (mapping->verified_scan == tools.nr_scans ||
                                                    more_silent(*mapping, pages.subspan(i), states.subspan(i)));
        if (present && of_many && marks_hold(tools, *mapping, pages[i])) {
            states[i] |= PageScan::kMarked;
            continue;
        }
        tools.scan.look_marked({&pages[i], 1}, {&states[i], 1});
        const bool marked = (states[i] & PageScan::kMarked) != 0;
        if (!marked && mapping != nullptr) mapping->owned = 0;  // to be read and registered anew
    }
}

bool serves_span(CheckTools&, const CachedMapping& mapping, AddressRange part) {
    return mapping.is_owned(uapi::kRegisterModeRwp, part.start) && mapping.registrable.covers(part);
}

// The states of the pages of a part, of look_marked.
size_t look_at(CheckTools& tools, AddressRange part, std::span<uint32_t, Span::kMaxPages> states) {
    uint64_t pages[Span::kMaxPages];
    size_t nr_pages = 0;
    for (uint64_t page = part.start; page < part.end; page += tools.sizes.base_bytes) pages[nr_pages++] = page;
    tools.scan.look_marked({pages, nr_pages}, states.first(nr_pages));
    return nr_pages;
}

// Of a marked page the look does not show whether it is huge; of each block the first page that is present does.
bool is_of_base_pages(CheckTools& tools, AddressRange part, std::span<const uint32_t> states) {
    uint64_t told = CheckTools::kNoBlock;
    for (uint64_t page = part.start; page < part.end; page += tools.sizes.base_bytes) {
        const uint64_t block = align_down(page, tools.sizes.huge_bytes);
        const uint32_t state = states[(page - part.start) / tools.sizes.base_bytes];
        if (block == told || (state & uapi::kPagePresent) == 0) continue;
        if (!is_base_block(tools, page)) return false;
        told = block;
    }
    return true;
}

// An access between the look and the arming of a page is lost to whoever else has it armed. Alone, one call costs less
// than a call for each run.
bool protect_span(CheckTools& tools, AddressRange part, const PageMap& accessed) {
    if (!tools.ledger.crowded() && !tools.spans.overlaps(part)) return uffd_rwprotect(part) == 0;
    bool done = true;
    AddressRange run{part.start, part.start};
    for (uint64_t page = part.start; page < part.end; page += tools.sizes.base_bytes) {
        const bool arms = accessed.test(static_cast<unsigned>((page - part.start) / tools.sizes.base_bytes));
        if (arms) run.end = page + tools.sizes.base_bytes;
        if (arms && run.end < part.end) continue;
        if (!run.empty()) done = uffd_rwprotect(run) == 0 && done;
        run = {page + tools.sizes.base_bytes, page + tools.sizes.base_bytes};
    }
    return done;
}

// Of a huge page a part would be split off: it is left alone, and unknown.
bool arm_span(CheckTools& tools, AddressRange part) {
    uint32_t states[Span::kMaxPages];
    const size_t nr_pages = look_at(tools, part, states);
    PageMap accessed;
    for (unsigned i = 0; i < nr_pages; ++i) {
        if ((states[i] & (PageScan::kFailed | uapi::kPageHuge)) != 0) return false;
        if ((states[i] & PageScan::kMarked) == 0 && (states[i] & uapi::kPageAccessed) != 0) accessed.set(i);
    }
    if (!is_of_base_pages(tools, part, states) || !protect_span(tools, part, accessed)) return false;
    tell_wiped(tools, part, accessed);
    return true;
}

void look_span(CheckTools& tools, AddressRange part, unsigned first, SpanAnswer& answer) {
    uint32_t states[Span::kMaxPages];
    const size_t nr_pages = look_at(tools, part, states);
    for (unsigned i = 0; i < nr_pages; ++i) {
        bool accessed = false;
        const UnknownReason unknown = judge(states[i], accessed);
        if (unknown != UnknownReason::kNone) continue;
        answer.known.set(first + i);
        if (accessed) answer.hit.set(first + i);
    }
}

AccessCheckProbe try_out(UffdTrial& trial) {
    trial.scan.ask_for_accessed();
    bool seen[4] = {true, false, false, true};  // idle, read, written, idle again
    char content = 42;
    trial.page.write(content);
    for (int step = 0; step < 4; ++step) {
        if (protect(trial.mapping, trial.mapping.range, trial.statistics) != ArmResult::kArmed) {
            return probe_failed(-EIO, "a present page could not be read-write-protected");
        }
        if (step == 1 && trial.page.read() != content) return probe_failed(-EIO, "a protected page lost its content");
        if (step == 2) trial.page.write(++content);
        uint32_t state = PageScan::kFailed;
        trial.scan.look_marked({&trial.mapping.range.start, 1}, {&state, 1});
        const UnknownReason unknown = judge(state, seen[step]);
        if (unknown != UnknownReason::kNone) return probe_failed(-EIO, "a protected page could not be judged");
    }
    if (seen[0] || !seen[1] || !seen[2] || seen[3] || trial.page.read() != content) {
        return probe_failed(-EIO, "an access did not show, or something else did");
    }
    return probe_works("anonymous and shared memory", true);
}

AccessCheckProbe probe() {
    return try_out_on_userfaultfd({&UffdFeatures::rwp_async, "no asynchronous read-write protection (Linux 7.3)",
                                   uapi::kRegisterModeRwp, try_out});
}

}  // namespace

constinit const AccessCheckRow kUffdRwpRow = {
    .id = AccessCheck::kUffdRwp,
    .name = "uffd_rwp",
    .constant = "DAMON_ACCESS_CHECK_UFFD_RWP",
    .source = AnswerSource::kPages,
    .probe = probe,
    .sees_reads = true,
    .needs_scan = true,
    .reads_marks = true,
    .keeps_page_states = true,
    .register_mode = uapi::kRegisterModeRwp,
    .applies = applies,
    .arm_unseen = arm_unseen,
    .look_before = look_before,
    .arm = arm,
    .look = look,
    .judge = judge,
    .spans = {.serves = serves_span, .arm = arm_span, .look = look_span},
};

}  // namespace damon
