#include "ops/linux/access/checks/check_tools.h"

#include "base/arithmetic.h"
#include "ops/linux/registration/uffd.h"
#include "ops/linux/registration/uffd_mapping.h"

namespace damon {
namespace {

// Of a reservation: less is a guard page or two, more takes the worker long to unregister (8 us a GiB).
constexpr uint64_t kMinReservedBytes = 128u << 10;
constexpr uint64_t kMaxReservedBytes = uint64_t{64} << 30;

}  // namespace

void CheckTools::look(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    if (reads_marks) {
        scan.look_marked(pages, states);
    } else {
        scan.look(pages, states);
    }
}

UnknownReason CheckTools::own(CachedMapping& mapping, uint64_t mode, uint64_t page) {
    if (mapping.is_owned(mode, page)) return UnknownReason::kNone;
    if (!mapping.registrable.contains(page)) return UnknownReason::kNotYet;
    const uint64_t end = mapping.registrable.end;
    // What comes into a tracked range from elsewhere (mremap) has no marks, as if it had all been written.
    const bool tracked = ledger.crowded() && ArmedPageLedger::any_tracked(mapping.registrable);
    if (tracked && scan.registered(mapping.registrable, mode) == 0) {
        ArmedPageLedger::lose_tracked(mapping.registrable, Unknown::kNotRegistered);
    }
    const bool was_apart = mappings.next_start(end) > end;
    switch (register_mapping(mapping, mode, exclusion, statistics)) {
        case ArmResult::kArmed: {
            // Replaced by a larger one meanwhile, of which a part would stay apart for good: undone before it is used.
            if (!was_apart || mappings.next_start(end) != end) {
                own_reservations_beside(mapping, mode);
                return UnknownReason::kNone;
            }
            AddressRange left = mapping.registrable;
            for (AddressRange part; !(part = exclusion.allowed(left)).empty(); left.start = part.end) {
                uint64_t grown = 0;
                (void)uffd_unregister(part, mode, &grown);
                own_epochs += grown;  // nothing was armed there
            }
            mapping.owned = 0;
            return UnknownReason::kGone;
        }
        case ArmResult::kUnknown:
            return mapping.unknown;
        default:
            return UnknownReason::kGone;
    }
}

// What the program has reserved beside memory that it uses is registered before it commits parts of it by mprotect:
// those then merge with the memory, as without the library, and are known at once.
void CheckTools::own_reservations_beside(const CachedMapping& mapping, uint64_t mode) {
    if (mapping.reserved || mapping.shared || !mapping.anonymous) return;
    for (const uint64_t address : {mapping.range.start - 1, mapping.range.end}) {
        CachedMapping* beside = mappings.find(address);
        if (beside == nullptr || !beside->reserved || beside->shared || !beside->anonymous) continue;
        const uint64_t bytes = beside->range.size();
        if (bytes < kMinReservedBytes || bytes > kMaxReservedBytes || beside->registrable != beside->range) continue;
        if (beside->owned != 0 || beside->failed_modes != 0) continue;
        Mapping now;
        const bool is_the_same =
            mappings.maps().query(address, now) == 0 && now.range == beside->range && !now.usable();
        if (is_the_same) (void)register_mapping(*beside, mode, exclusion, statistics);
    }
}

// A mark that told of an access was set anew.
void CheckTools::tell_spans(Page page) {
    if (spans.empty()) return;
    AddressRange unit = page_at(page.address);
    if (page.huge()) {
        unit.start = align_down(page.address, sizes.huge_bytes);
        unit.end = unit.start + sizes.huge_bytes;
    }
    ArmedPageLedger::change_tracked([&] { spans.hit(unit); });
}

bool CheckTools::begin_marking(Page& page, AccessCheck check) {
    if (!ledger.crowded()) return false;
    if (!ledger.begin(ArmedPageLedger::unit_of(page.address, sizes.huge_bytes, page.huge()), check)) return false;
    look({&page.address, 1}, {&page.state, 1});
    return true;
}

void CheckTools::end_marking(Page page, UnknownReason unknown, bool wiped) {
    if (wiped && unknown == UnknownReason::kNone) tell_spans(page);
    if (!ledger.crowded()) return;
    const uint64_t unit = ArmedPageLedger::unit_of(page.address, sizes.huge_bytes, page.huge());
    if (unknown == UnknownReason::kNone) {
        ledger.finish(unit, wiped);
    } else {
        ledger.abandon(unit);
    }
}

}  // namespace damon
