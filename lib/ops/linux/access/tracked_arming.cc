// How the pieces of tracked ranges are looked at and armed anew.
//
// Write protection does both in one call. With read-write protection each run that was accessed is armed by a call of
// its own, after it was recorded as accessed: whole stretches would cost less, but an access between the look and the
// arming would then be lost.
#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/access/tracked_ranges.h"
#include "ops/linux/registration/uffd.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr size_t kRuns = 256;  // of one scan, on the stack
// Of one call that protects: some 100 us for reading where nothing was protected before.
constexpr uint64_t kProtectBytes = 2u << 20;
constexpr uint64_t kRestUs = 20;

// The first page that is not told, or told as swapped out and not accessed; the end: there is none.
uint64_t first_silent(AddressRange looked, std::span<const uapi::PageRegion> found) {
    uint64_t at = looked.start;
    for (const uapi::PageRegion& run : found) {
        const uint64_t swapped = run.categories & (uapi::kPageSwapped | uapi::kPageAccessed);
        if (run.start > at || swapped == uapi::kPageSwapped) break;
        at = run.end;
    }
    return std::min(at, looked.end);
}

bool any_accessed(std::span<const uapi::PageRegion> found) {
    return std::any_of(found.begin(), found.end(),
                       [](const uapi::PageRegion& run) { return (run.categories & uapi::kPageAccessed) != 0; });
}

uint64_t absent_bytes(std::span<const uapi::PageRegion> found) {
    uint64_t bytes = 0;
    for (const uapi::PageRegion& run : found) {
        if ((run.categories & uapi::kPagePresent) == 0) bytes += run.end - run.start;
    }
    return bytes;
}

void lose_unless_empty(AddressRange part, Unknown why) {
    if (!part.empty()) ArmedPageLedger::lose_tracked(part, why);
}

}  // namespace

// What is present of a piece, of which nothing is armed.
uint64_t TrackedRanges::count_present(AddressRange range) {
    uint64_t present_bytes = 0;
    for (AddressRange rest = range; !rest.empty();) {
        Mapping mapping;
        if (maps_.query_next(rest.start, mapping) != 0 || mapping.range.start >= rest.end) return present_bytes;
        for (AddressRange left = mapping.range.intersection(rest); !left.empty();) {
            uapi::PageRegion runs[kRuns];
            uint64_t until = left.end;
            const int nr_runs =
                sees_reads() ? scan_.look_accessed(left, runs, until) : scan_.look_unarmed(left, runs, until);
            if (nr_runs < 0) return present_bytes;
            present_bytes += until - left.start - absent_bytes({runs, static_cast<size_t>(nr_runs)});
            left.start = until;
        }
        rest.start = mapping.range.end;
    }
    return present_bytes;
}

// Looks at a piece and arms what was touched.
TrackedRanges::Piece TrackedRanges::arm(TrackedRange& tracked, AddressRange range) {
    const ExclusionScope scope(exclusion_);
    ledger_.begin_range(range);
    Piece piece;
    piece.of = &tracked;
    for (AddressRange rest = range; !rest.empty();) {
        Mapping mapping;
        const int error = maps_.query_next(rest.start, mapping);
        const bool none = error != 0 || mapping.range.start >= rest.end;
        const AddressRange mapped = none ? AddressRange{rest.end, rest.end} : mapping.range.intersection(rest);
        const Unknown why = error == 0 || error == -ENOENT ? Unknown::kUnmapped : Unknown::kOther;
        lose_unless_empty({rest.start, mapped.start}, why);
        piece.full = piece.full && mapped.start == rest.start && mapping.inode == 0 && !mapping.shared;
        piece.shared = mapping.shared;
        for (AddressRange left = mapped; !left.empty();) {
            const AddressRange part = exclusion_.allowed(left);
            const uint64_t start = part.empty() ? left.end : part.start;
            lose_unless_empty({left.start, start}, Unknown::kExcluded);
            if (!part.empty()) arm_mapped(part, piece);
            left.start = part.empty() ? left.end : part.end;
        }
        rest.start = mapped.end;
    }
    ledger_.end_range(range);
    piece.full = piece.full && piece.present_bytes == range.size();
    return piece;
}

void TrackedRanges::arm_mapped(AddressRange part, Piece& piece) {
    if (sees_reads()) {
        piece.full = false;
        piece.present_bytes += arm_accessed(part, piece);
        return;
    }
    AddressRange to_arm;
    bool unregistered = false;
    look(part, to_arm, unregistered, piece);
    if (unregistered && !own(part)) return;
    if (!to_arm.empty()) arm_written(to_arm, piece);
}

// Whether it is registered with our descriptor, now.
bool TrackedRanges::own(AddressRange part) {
    const int error = register_mappings(part);
    if (error == 0) return true;
    ArmedPageLedger::lose_tracked(part, error == -EBUSY ? Unknown::kOtherUserfaultfd : Unknown::kNotRegistered);
    return false;
}

// Of shared memory, reclaim takes entries of pages that stay. A page that was armed leaves a marker, so that one
// without was written before; with read-write protection none does.
void TrackedRanges::note_dropped(const Piece& piece, AddressRange looked,
                                 std::span<const uapi::PageRegion> found) const {
    if (!piece.shared) return;
    TrackedRange& range = *piece.of;
    uint64_t at = looked.start;
    for (const uapi::PageRegion& each : found) {
        const AddressRange run = AddressRange{each.start, each.end}.intersection(looked);
        if (run.empty() || (each.categories & (uapi::kPagePresent | uapi::kPageSwapped)) != 0) continue;
        range.note_armed({at, run.start});
        at = run.end;
        // Of a mapping that is new there, nothing was.
        const bool same = sees_reads() || (each.categories & uapi::kPageWpAllowed) != 0;
        for (AddressRange rest = run, part; same && !(part = range.next_armed(rest)).empty(); rest.start = part.end) {
            if (sees_reads()) {
                ArmedPageLedger::change_tracked([&] { range.lose(part, Unknown::kReclaimed); });
            } else {
                ArmedPageLedger::change_tracked([&] { range.hit(part); });
            }
        }
        range.forget_armed(run);
    }
    range.note_armed({at, looked.end});
}

// `to_arm`: from the first page that was written to the last.
void TrackedRanges::look(AddressRange part, AddressRange& to_arm, bool& unregistered, Piece& piece) {
    uapi::PageRegion runs[kRuns];
    const AddressRange whole = part;
    bool empty_and_new = false;  // what is not registered, with nothing in it
    while (!part.empty()) {
        uint64_t until = part.end;
        const int nr_runs = scan_.look_unarmed(part, runs, until);
        if (nr_runs < 0) return ArmedPageLedger::lose_tracked(part, Unknown::kOther);
        const std::span<const uapi::PageRegion> found{runs, static_cast<size_t>(nr_runs)};
        piece.present_bytes += until - part.start - absent_bytes(found);
        note_dropped(piece, {part.start, until}, found);
        for (const uapi::PageRegion& each : found) {
            const AddressRange run{each.start, each.end};
            const uint64_t state = each.categories;
            if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) {
                empty_and_new = empty_and_new || (state & uapi::kPageWpAllowed) == 0;
                continue;
            }
            if ((state & uapi::kPageHuge) != 0) {
                ArmedPageLedger::lose_tracked(run, Unknown::kHugePage);
                continue;
            }
            if ((state & uapi::kPageWpAllowed) == 0) {
                ArmedPageLedger::lose_tracked(run, Unknown::kNotRegistered);
                unregistered = true;
            }
            if ((state & uapi::kPageWritten) == 0) continue;
            if (to_arm.empty()) to_arm.start = run.start;
            to_arm.end = run.end;
        }
        part.start = until;
    }
    // So that what comes there can be told.
    if (empty_and_new && !unregistered) (void)register_mappings(whole);
}

void TrackedRanges::arm_written(AddressRange part, const Piece& piece) {
    uapi::PageRegion runs[kRuns];
    AddressRange written[kRuns];
    while (!part.empty()) {
        uint64_t until = part.end;
        const int nr_runs = scan_.arm_written_runs(part, runs, until);
        if (nr_runs < 0) return ArmedPageLedger::lose_tracked(part, Unknown::kNotRegistered);
        for (int i = 0; i < nr_runs; ++i) {
            written[i] = {runs[i].start, runs[i].end};
            if (piece.shared) piece.of->note_armed(written[i]);
        }
        ledger_.wiped({written, static_cast<size_t>(nr_runs)});
        part.start = until;
        // Full of what it had to arm, each call takes as long as may be without a rest.
        if (!part.empty() && nr_runs < static_cast<int>(kRuns)) sys::sleep_us(kRestUs);
    }
}

// The same with read-write protection. What a scan leaves out is present and not accessed: marked, if the mapping is
// registered.
uint64_t TrackedRanges::arm_accessed(AddressRange part, const Piece& piece) {
    enum { kUnproven, kOurs, kRefused } owner = kUnproven;
    bool registered = false;
    bool lost = false;  // what is told may have been accessed before the last question
    uint64_t present_bytes = 0;
    for (AddressRange rest = part; !rest.empty();) {
        uapi::PageRegion runs[kRuns];
        uint64_t until = rest.end;
        const int nr_runs = scan_.look_accessed(rest, runs, until);
        if (nr_runs < 0) {
            ArmedPageLedger::lose_tracked(rest, Unknown::kOther);
            return present_bytes;
        }
        const std::span<const uapi::PageRegion> found{runs, static_cast<size_t>(nr_runs)};
        const uint64_t silent = registered ? until : first_silent({rest.start, until}, found);
        registered = registered || silent < until;
        lost = lost || (silent < until && scan_.registered({silent, silent + sizes_.base_bytes}, mode_) != 1);
        // Before anything is armed too: protecting works through a userfaultfd that is not the one of the mapping.
        if (owner == kUnproven && (lost || any_accessed(found))) {
            owner = own(part) ? kOurs : kRefused;
            if (lost && owner == kOurs) continue;  // now scans see all of it
        }
        present_bytes += until - rest.start - absent_bytes(found);
        note_dropped(piece, {rest.start, until}, found);
        if (owner == kOurs) arm_runs(found, lost);
        rest.start = until;
    }
    // Nothing there tells whether it is registered: so that what comes can be told.
    const bool empty = owner == kUnproven && !registered;
    if (!empty || !piece.of->registered_empty(part)) {
        piece.of->set_registered_empty(part, empty && register_mappings(part) == 0);
    }
    return present_bytes;
}

void TrackedRanges::arm_runs(std::span<const uapi::PageRegion> found, bool lost) {
    AddressRange armed[kRuns];
    size_t nr_armed = 0;
    for (const uapi::PageRegion& run : found) {
        if ((run.categories & uapi::kPageAccessed) == 0) continue;
        AddressRange whole{run.start, run.end};
        const bool huge = (run.categories & uapi::kPageHuge) != 0;
        if (huge) {
            // A part of a huge page would be split off.
            whole.start = std::min(align_up(run.start, sizes_.huge_bytes), run.end);
            whole.end = std::max(align_down(run.end, sizes_.huge_bytes), whole.start);
            lose_unless_empty({run.start, whole.start}, Unknown::kHugePage);
            lose_unless_empty({whole.end, run.end}, Unknown::kHugePage);
        }
        if (lost) lose_unless_empty(whole, Unknown::kNotRegistered);
        if (!whole.empty() && protect(whole, huge ? sizes_.huge_bytes : kProtectBytes)) armed[nr_armed++] = whole;
    }
    ledger_.wiped({armed, nr_armed});
}

// By calls of so much, of which none ends inside of a huge page. False: it was lost.
bool TrackedRanges::protect(AddressRange run, uint64_t call_bytes) {
    for (AddressRange rest = run; !rest.empty();) {
        const AddressRange call = rest.intersection({rest.start, rest.start + call_bytes});
        if (uffd_rwprotect(call) != 0) {
            ArmedPageLedger::lose_tracked(run, Unknown::kNotRegistered);
            return false;
        }
        rest.start = call.end;
        if (!rest.empty()) sys::sleep_us(kRestUs);
    }
    return true;
}

}  // namespace damon
