// How the marks of tracked ranges are given back: for good, and while the context is paused. In pieces, each of which
// holds the address space for some 20 us.
#include <algorithm>

#include "ops/linux/access/tracked_ranges.h"
#include "ops/linux/access/tracked_turn.h"
#include "ops/linux/registration/call_pieces.h"
#include "ops/linux/registration/left_registrations.h"
#include "ops/linux/registration/range_release.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr uint64_t kRestUs = 20;
constexpr uint64_t kMinRestNs = 10'000;
// Until a question or a change of the ranges is over.
constexpr uint64_t kBusyRestNs = 200'000;

}  // namespace

// Lifts the marks of the front of `rest`, which becomes shorter; `mapping`: where that lies. False: nothing there is
// registered.
bool TrackedRanges::lift_front(AddressRange& rest, Mapping& mapping) {
    const ExclusionScope scope(exclusion_);
    if (maps_.query_next(rest.start, mapping) != 0 || mapping.range.start >= rest.end) {
        rest.start = rest.end;
        return false;
    }
    const AddressRange part = exclusion_.allowed(mapping.range.intersection(rest));
    AddressRange piece = part;
    if (!part.empty()) piece.end = end_of_piece(scan_, sizes_, part);
    rest.start = piece.empty() ? std::min(mapping.range.end, rest.end) : piece.end;
    // Parts of huge pages were not armed, and would be split.
    piece = without_parts_of_huge_pages(scan_, sizes_, piece);
    // What is not registered must not become so by the proof whose the marks are.
    if (piece.empty() || scan_.registered(piece, mode_) != 1 || uffd_register(piece, mode_) != 0) return false;
    const AddressRange own = ledger_.begin_lifting_range(piece);
    if (!own.empty()) (void)uffd_lift_own(own, mode_);
    ledger_.end_lifting_range(own);
    if (!own.empty()) rest.start = own.end;
    return true;
}

// Marks cost the program a fault each. Where contexts are at work the registrations stay, as the worker that ends last
// unregisters them.
void TrackedRanges::give_back(AddressRange range) {
    if (uffd_users() == 1 && empty()) {
        (void)release_range(with_whole_huge_pages(scan_, sizes_, range));
        return;
    }
    Vector<LeftRegistration> left;
    for (AddressRange rest = range; !rest.empty();) {
        Mapping mapping;
        if (!lift_front(rest, mapping)) continue;
        if (left.empty() || left.back().range != mapping.range) {
            (void)left.push_back(LeftRegistration{mapping.range, static_cast<uint8_t>(mode_)});
        }
        sys::sleep_us(kRestUs);
    }
    leave_registrations(left);
}

void TrackedRanges::lose_all() {
    for (TrackedRange* range : pages_.all()) range->lose(range->range(), Unknown::kPaused);
}

// From here on others may do with marks of the ranges as they like.
void TrackedRanges::rest() {
    ArmedPageLedger::change_tracked([this] {
        ledger_.set_tracked(nullptr);
        lose_all();
    });
    gap_.store(false);
    resting_ = true;
    lifted_to_ = 0;
    wait_for_batches();
}

bool TrackedRanges::is_resting() {
    if (!resting_ && paused_.load()) rest();
    return resting_;
}

// Nothing is armed before somebody asks: it would tell nothing that the question does not call unknown.
void TrackedRanges::wake() {
    if (paused_.load()) return;
    if (!resting_ && gap_.load()) rest();  // a pause as short as that is a gap like any other
    if (!resting_) return;
    gap_.store(false);
    if (paused_.load()) {  // again, meanwhile
        gap_.store(true);
        return;
    }
    ArmedPageLedger::change_tracked([this] {
        ledger_.set_tracked(&pages_);
        lose_all();
    });
    resting_ = false;
    wait_for_batches();
}

void TrackedRanges::set_paused(bool paused) {
    paused_.store(paused);
    if (paused) gap_.store(true);
}

uint64_t TrackedRanges::release_some() {
    if (!paused_.load()) return 0;
    const TrackedTurn turn(busy_, TrackedTurn::kLifts);
    return turn.has() ? lift_some() : kBusyRestNs;
}

// By who has the turn.
uint64_t TrackedRanges::lift_some() {
    if (empty()) return 0;
    const Clock clock;
    const uint64_t begin_ns = clock.now_ns();
    // Also where nobody has asked since the last pause: with read-write protection the marks that samples have left
    // since then are lifted here.
    if (!resting_ || (sees_reads() && gap_.load())) {
        rest();
        verify_files(begin_ns);
    }
    const std::span<TrackedRange* const> all = pages_.all();
    const auto next =
        std::find_if(all.begin(), all.end(), [this](TrackedRange* range) { return range->range().end > lifted_to_; });
    if (next == all.end()) return 0;
    AddressRange left = (*next)->range();
    left.start = std::max(left.start, lifted_to_);
    Mapping mapping;
    (void)lift_front(left, mapping);
    lifted_to_ = left.start;
    return std::max(clock.now_ns() - begin_ns, kMinRestNs);
}

// A question keeps the worker from its turn: what it would have lifted meanwhile is lifted here.
void TrackedRanges::lift_if_paused() {
    if (paused_.load()) (void)lift_some();
}

// A question about a piece while nothing is armed.
AddressRange TrackedRanges::pass_over(TrackedRange& range, AddressRange piece, TrackedAnswer& answer) {
    answer.present_bytes += count_present(piece);
    ArmedPageLedger::change_tracked([&range, piece] { range.lose(piece, Unknown::kPaused); });
    return piece;
}

}  // namespace damon
