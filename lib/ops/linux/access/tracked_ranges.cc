#include "ops/linux/access/tracked_ranges.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "base/heap.h"
#include "ops/linux/access/tracked_turn.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// Between two pieces, so that a thread that waits for an mmap of its own gets its turn.
constexpr uint64_t kRestUs = 20;
// Of calls, each shorter than that, without a rest.
constexpr uint64_t kBusyNs = 50'000;
// Of a look at what is armed: some 35 us.
constexpr uint64_t kColdBytes = 64u << 20;
constexpr uint64_t kFewBytes = 4u << 20;
// For so long a look trusts that the library's files are open still. To arm takes a check of its own.
constexpr uint64_t kVerifiedNs = 10'000'000;
constexpr size_t kRuns = 256;  // of one scan, on the stack

AddressRange next_piece(const TrackedRange& range, AddressRange rest) {
    return rest.intersection(range.piece_at(rest.start));
}

// Arms what was written since, of a piece that was armed and present and lies in one mapping. False: not all of it is
// armed now.
bool arm_full(PageScan& scan, ArmedPageLedger& ledger, AddressRange piece) {
    uapi::PageRegion runs[kRuns];
    AddressRange written[kRuns];
    for (AddressRange rest = piece; !rest.empty();) {
        uint64_t until = rest.end;
        const int nr_runs = scan.arm_written_runs(rest, runs, until);
        if (nr_runs < 0) return false;
        for (int i = 0; i < nr_runs; ++i) written[i] = {runs[i].start, runs[i].end};
        ledger.wiped({written, static_cast<size_t>(nr_runs)});
        rest.start = until;
        // Full of what it had to arm, each call takes as long as may be without a rest.
        if (!rest.empty() && nr_runs < static_cast<int>(kRuns)) sys::sleep_us(kRestUs);
    }
    uint64_t unarmed = 0;
    return scan.first_unarmed(piece, unarmed) == 0 && unarmed == piece.end;
}

}  // namespace

TrackedRanges::~TrackedRanges() {
    if (owner_ == process_id()) {
        while (!empty()) remove(pages_.all()[0]->range());
    }
    for (TrackedRange* range : pages_.all()) heap_delete(range);
    if (owner_ != 0) close();
}

Status TrackedRanges::open() {
    if (owner_ != 0) return {};
    UffdFeatures features;
    if (const int error = uffd_acquire(features)) {
        return Status::fail(-EOPNOTSUPP, "DAMON_RANGE_TRACKED needs a userfaultfd: errno %d", -error);
    }
    sizes_ = read_page_sizes();
    owner_ = process_id();
    Mapping mapping;
    Status status;
    mode_ = features.rwp_async ? uapi::kRegisterModeRwp : uapi::kRegisterModeWp;
    if (!(features.wp_async || features.rwp_async) || scan_.open(sizes_.base_bytes) != 0 || !scan_.can_scan()) {
        status = Status::fail(-EOPNOTSUPP, "DAMON_RANGE_TRACKED needs asynchronous write protection (Linux 6.7)");
    } else if (maps_.open(0) != 0 || maps_.query(reinterpret_cast<uint64_t>(&mapping), mapping) != 0) {
        status = Status::fail(-EOPNOTSUPP, "DAMON_RANGE_TRACKED needs PROCMAP_QUERY (Linux 6.11)");
    } else if (!exclusion_.join_group()) {
        status = Status::fail(-EUSERS, "too many contexts of this process watch its memory");
    } else {
        ledger_.set_tracked(&pages_);
        resting_ = false;
        const int error = ledger_.join(1, sizes_.huge_bytes);
        if (error != 0) {
            status = Status::fail(error, error == -ENOMEM ? "no memory to track ranges"
                                                          : "too many contexts of this process watch its memory");
        }
    }
    if (!status.ok()) close();
    generation_ = uffd_generation();
    return status;
}

void TrackedRanges::close() {
    ledger_.leave();
    exclusion_.leave_group();
    scan_.close();
    maps_.close();
    if (owner_ == process_id()) uffd_release();
    owner_ = 0;
}

bool TrackedRanges::list_with(TrackedRange* added) {
    Vector<TrackedRange*> list;
    if (!list.reserve(pages_.all().size() + 1)) return false;
    for (TrackedRange* known : pages_.all()) (void)list.push_back(known);
    const std::span<TrackedRange*> all = list.span();
    size_t at = 0;
    while (at < all.size() && all[at]->range().start < added->range().start) ++at;
    if (!list.insert(at, added)) return false;
    ArmedPageLedger::change_tracked([&] { pages_.exchange(list); });
    return true;
}

void TrackedRanges::list_without(const TrackedRange* removed) {
    ArmedPageLedger::change_tracked([&] {
        Vector<TrackedRange*> list;
        pages_.exchange(list);
        for (size_t i = 0; i < list.size(); ++i) {
            if (list[i] != removed) continue;
            list.erase(i, i + 1);
            break;
        }
        pages_.exchange(list);
    });
}

Status TrackedRanges::add(AddressRange range) {
    const TrackedTurn turn(busy_, TrackedTurn::kWaits);
    Status status = open();
    if (!status.ok()) return status;
    if (pages_.overlaps(range)) return Status::fail(-EINVAL, "overlaps a range that is tracked");
    auto* added = heap_new<TrackedRange>();
    const uint64_t piece_bytes = std::max(TrackedRange::kPieceBytes, sizes_.huge_bytes);
    const Clock clock;
    if (added == nullptr || !added->begin(range, sizes_.base_bytes, clock.now_ns(), piece_bytes) || !list_with(added)) {
        heap_delete(added);
        if (empty()) close();
        return Status::fail(-ENOMEM, "no memory to track another range");
    }
    wake();
    // Whoever lifts or arms from here on knows of the range.
    wait_for_batches();
    verify_files(clock.now_ns());
    (void)register_mappings(range);  // what was refused will be found unregistered
    TrackedAnswer before;            // as if it had been asked: what was written until now is past
    answer_units(*added, {range, range.size(), nullptr, nullptr}, before);
    return {};
}

bool TrackedRanges::remove(AddressRange range) {
    const TrackedTurn turn(busy_, TrackedTurn::kWaits);
    TrackedRange* removed = pages_.find(range.start);
    if (removed == nullptr || removed->range() != range) return false;
    list_without(removed);
    heap_delete(removed);
    give_back(range);
    if (empty()) close();
    return true;
}

// Registers whole mappings: a part would be a mapping of its own from then on. 0, or the last negative errno.
int TrackedRanges::register_mappings(AddressRange range) {
    int error = 0;
    for (AddressRange rest = range; !rest.empty();) {
        const ExclusionScope scope(exclusion_);
        Mapping mapping;
        if (maps_.query_next(rest.start, mapping) != 0 || mapping.range.start >= rest.end) return error;
        AddressRange left = mapping.range;
        for (AddressRange part; !(part = exclusion_.allowed(left)).empty(); left.start = part.end) {
            const int refused = uffd_register(part, mode_);
            if (refused != 0) error = refused;
        }
        rest.start = mapping.range.end;
    }
    return error;
}

// Where the program closed the descriptor all marks are gone, even if somebody has registered again since.
void TrackedRanges::verify_files(uint64_t now_ns) {
    verified_ns_ = now_ns;
    swap_is_empty_ = sys::swap_is_empty();
    (void)uffd_verify();
    if (!scan_.is_open()) (void)scan_.open(sizes_.base_bytes);
    if (!maps_.is_open()) (void)maps_.open(0);
    const uint64_t generation = uffd_generation();
    if (generation == generation_) return;
    generation_ = generation;
    ArmedPageLedger::change_tracked([this] {
        for (TrackedRange* range : pages_.all()) range->lose(range->range(), Unknown::kLostDescriptor);
    });
}

int TrackedRanges::query(const TrackedUnits& units, TrackedAnswer& answer) {
    const TrackedTurn turn(busy_, TrackedTurn::kAsks);
    if (!turn.has()) return -EBUSY;
    TrackedRange* range = pages_.find(units.range.start);
    if (range == nullptr || !range->range().covers(units.range)) return -ENOENT;
    wake();
    answer_units(*range, units, answer);
    lift_if_paused();
    return 0;
}

int TrackedRanges::query_all(TrackedAnswer& answer) {
    const TrackedTurn turn(busy_, TrackedTurn::kAsks);
    if (!turn.has()) return -EBUSY;
    if (empty()) return -ENOENT;
    wake();
    for (TrackedRange* range : pages_.all()) {
        answer_units(*range, {range->range(), range->range().size(), nullptr, nullptr}, answer);
    }
    lift_if_paused();
    return 0;
}

// Of which all was present: some page of each is.
bool TrackedRanges::has_page_tables(AddressRange range) const {
    const uint64_t table_bytes = sizes_.base_bytes * (sizes_.base_bytes / sizeof(uint64_t));
    for (uint64_t at = range.start; at < range.end; at = align_down(at, table_bytes) + table_bytes) {
        unsigned char present = 0;
        if (sys::mincore(at, sizes_.base_bytes, &present) != 0 || (present & 1) == 0) return false;
    }
    return true;
}

// Whether a scan for what is not armed would find what is not there: not where nothing is mapped, and not where a
// mapping that is not registered, put there since, has no page table. One that is registered shows all; a few tables
// are looked up faster.
bool TrackedRanges::shows_holes(AddressRange range) {
    // Of locked memory the call does not say whether it is mapped.
    if (sys::is_locked(range.start, range.size()) != 0) return false;
    Mapping mapping;
    if (range.size() > kFewBytes && maps_.query(range.start, mapping) == 0 && mapping.range.covers(range) &&
        scan_.registered({range.start, range.start + sizes_.base_bytes}, mode_) == 1) {
        return true;
    }
    return has_page_tables(range);
}

// The front of `rest` that is found armed still, whole pieces or all of it. As long as no page can be swapped out, what
// is armed is present.
AddressRange TrackedRanges::cold_front(const TrackedRange& range, AddressRange rest, uint64_t now_ns) {
    AddressRange front = range.full_front(rest, kColdBytes);
    if (front.empty()) return front;
    if (now_ns - verified_ns_ > kVerifiedNs) verify_files(now_ns);
    uint64_t unarmed = front.start;
    if (!swap_is_empty_ || !shows_holes(front) || scan_.first_unarmed(front, unarmed) != 0)
        return {rest.start, rest.start};
    if (unarmed < front.end) front.end = std::max(front.start, range.piece_at(unarmed).start);
    return front;
}

// Looks at the next piece and arms it.
AddressRange TrackedRanges::arm_next(TrackedRange& range, AddressRange rest, TrackedAnswer& answer) {
    const AddressRange next = next_piece(range, rest);
    if (swap_is_empty_ && range.full_front(next, next.size()) == next) {
        const ExclusionScope scope(exclusion_);
        Mapping mapping;
        const bool one = maps_.query(next.start, mapping) == 0 && mapping.range.covers(next);
        if (one && exclusion_.allowed(next) == next) {
            ledger_.begin_range(next);
            const bool full = arm_full(scan_, ledger_, next) && shows_holes(next);
            ledger_.end_range(next);
            if (full) {
                answer.present_bytes += next.size();
                return next;
            }
        }
    }
    const Piece piece = arm(range, next);
    answer.present_bytes += piece.present_bytes;
    if (!piece.full || next == range.piece_at(next.start)) range.set_full(next, piece.full);
    return next;
}

void TrackedRanges::answer_units(TrackedRange& range, const TrackedUnits& units, TrackedAnswer& answer) {
    const Clock clock;
    bool verified = false;
    uint64_t rested_ns = clock.now_ns();
    for (AddressRange rest = units.range; !rest.empty();) {
        const bool resting = is_resting();
        AddressRange done =
            resting ? pass_over(range, next_piece(range, rest), answer) : cold_front(range, rest, clock.now_ns());
        if (!resting) answer.present_bytes += done.size();
        if (done.empty()) {
            if (!verified) verify_files(clock.now_ns());
            verified = true;
            done = arm_next(range, rest, answer);
        }
        // A worker that armed a page of it just before the scan did has told now what it saw.
        wait_for_batches();
        for (AddressRange left = done; !left.empty();) {
            const AddressRange piece = next_piece(range, left);
            ArmedPageLedger::change_tracked([&] { range.collect(units, piece, clock.now_ns(), answer.counts); });
            left.start = piece.end;
        }
        rest.start = done.end;
        if (rest.empty() || clock.now_ns() - rested_ns < kBusyNs) continue;
        sys::sleep_us(kRestUs);
        rested_ns = clock.now_ns();
    }
}

}  // namespace damon
