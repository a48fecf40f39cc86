#include "ops/linux/access/tracked_ranges.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "base/heap.h"
#include "ops/linux/registration/left_registrations.h"
#include "ops/linux/registration/range_release.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// Between two pieces, so that a thread that waits for an mmap of its own gets its turn.
constexpr uint64_t kRestUs = 20;
// Of lifting: some 20 us.
constexpr uint64_t kLiftBytes = 2u << 20;
constexpr size_t kRuns = 64;  // of one scan, on the stack

AddressRange next_piece(AddressRange rest) {
    const uint64_t border = align_down(rest.start, TrackedRange::kPieceBytes) + TrackedRange::kPieceBytes;
    return rest.intersection({rest.start, border});
}

}  // namespace

// Whose call it is.
class TrackedRanges::Turn {
public:
    explicit Turn(TrackedRanges& ranges, bool waits) : ranges_(ranges) {
        while (!(has_ = ranges_.busy_.exchange(1) == 0) && waits) sys::sleep_us(kRestUs);
    }
    ~Turn() {
        if (has_) ranges_.busy_.store(0);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool has() const { return has_; }

private:
    TrackedRanges& ranges_;
    bool has_ = false;
};

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
    if (!features.wp_async || scan_.open(sizes_.base_bytes) != 0 || !scan_.can_scan()) {
        status = Status::fail(-EOPNOTSUPP, "DAMON_RANGE_TRACKED needs asynchronous write protection (Linux 6.7)");
    } else if (features.rwp_async) {
        status =
            Status::fail(-EOPNOTSUPP, "DAMON_RANGE_TRACKED is not in this release where read-write protection is used");
    } else if (maps_.open(0) != 0 || maps_.query(reinterpret_cast<uint64_t>(&mapping), mapping) != 0) {
        status = Status::fail(-EOPNOTSUPP, "DAMON_RANGE_TRACKED needs PROCMAP_QUERY (Linux 6.11)");
    } else if (!exclusion_.join_group()) {
        status = Status::fail(-EUSERS, "too many contexts of this process watch its memory");
    } else {
        ledger_.set_tracked(&pages_);
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
    const Turn turn(*this, true);
    Status status = open();
    if (!status.ok()) return status;
    if (pages_.overlaps(range)) return Status::fail(-EINVAL, "overlaps a range that is tracked");
    auto* added = heap_new<TrackedRange>();
    const Clock clock;
    if (added == nullptr || !added->begin(range, sizes_.base_bytes, clock.now_ns()) || !list_with(added)) {
        heap_delete(added);
        if (empty()) close();
        return Status::fail(-ENOMEM, "no memory to track another range");
    }
    // Whoever lifts or arms from here on knows of the range.
    wait_for_batches();
    verify_descriptor();
    (void)register_mappings(range);  // what was refused will be found unregistered
    TrackedAnswer before;            // as if it had been asked: what was written until now is past
    answer_units(*added, {range, range.size(), nullptr, nullptr}, before);
    return {};
}

bool TrackedRanges::remove(AddressRange range) {
    const Turn turn(*this, true);
    TrackedRange* removed = pages_.find(range.start);
    if (removed == nullptr || removed->range() != range) return false;
    list_without(removed);
    heap_delete(removed);
    give_back(range);
    if (empty()) close();
    return true;
}

// Marks cost the program a fault each. Where contexts are at work the registrations stay, as the worker that ends last
// unregisters them.
void TrackedRanges::give_back(AddressRange range) {
    if (uffd_users() == 1 && empty()) {
        (void)release_range(range);
        return;
    }
    Vector<LeftRegistration> left;
    for (AddressRange rest = range; !rest.empty();) {
        const ExclusionScope scope(exclusion_);
        Mapping mapping;
        if (maps_.query_next(rest.start, mapping) != 0 || mapping.range.start >= rest.end) break;
        const AddressRange part = exclusion_.allowed(mapping.range.intersection(rest));
        const AddressRange piece = part.intersection({part.start, part.start + kLiftBytes});
        rest.start = piece.empty() ? mapping.range.end : piece.end;
        // What is not registered must not become so by the proof whose the marks are.
        if (piece.empty() || scan_.registered(piece) != 1) continue;
        (void)uffd_lift(piece, uapi::kRegisterModeWp);
        if (left.empty() || left.back().range != mapping.range) {
            (void)left.push_back(LeftRegistration{mapping.range, uapi::kRegisterModeWp});
        }
        sys::sleep_us(kRestUs);
    }
    leave_registrations(left);
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
            const int refused = uffd_register(part, uapi::kRegisterModeWp);
            if (refused != 0) error = refused;
        }
        rest.start = mapping.range.end;
    }
    return error;
}

// Where the program closed it all marks are gone, even if somebody has registered again since.
void TrackedRanges::verify_descriptor() {
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
    const Turn turn(*this, false);
    if (!turn.has()) return -EBUSY;
    TrackedRange* range = pages_.find(units.range.start);
    if (range == nullptr || !range->range().covers(units.range)) return -ENOENT;
    verify_descriptor();
    answer_units(*range, units, answer);
    return 0;
}

int TrackedRanges::query_all(TrackedAnswer& answer) {
    const Turn turn(*this, false);
    if (!turn.has()) return -EBUSY;
    if (empty()) return -ENOENT;
    verify_descriptor();
    for (TrackedRange* range : pages_.all()) {
        answer_units(*range, {range->range(), range->range().size(), nullptr, nullptr}, answer);
    }
    return 0;
}

void TrackedRanges::answer_units(TrackedRange& range, const TrackedUnits& units, TrackedAnswer& answer) {
    const Clock clock;
    for (AddressRange rest = units.range; !rest.empty();) {
        const AddressRange piece = next_piece(rest);
        answer.present_bytes += arm(piece);
        // A worker that armed a page of it just before the scan did has told now what it saw.
        wait_for_batches();
        ArmedPageLedger::change_tracked([&] { range.collect(units, piece, clock.now_ns(), answer.counts); });
        rest.start = piece.end;
        if (!rest.empty()) sys::sleep_us(kRestUs);
    }
}

// Looks at a piece and arms what was written. Bytes present.
uint64_t TrackedRanges::arm(AddressRange piece) {
    const ExclusionScope scope(exclusion_);
    ledger_.begin_range(piece);
    uint64_t present_bytes = 0;
    for (AddressRange rest = piece; !rest.empty();) {
        Mapping mapping;
        const int error = maps_.query_next(rest.start, mapping);
        const bool none = error != 0 || mapping.range.start >= rest.end;
        const AddressRange mapped = none ? AddressRange{rest.end, rest.end} : mapping.range.intersection(rest);
        const Unknown why = error == 0 || error == -ENOENT ? Unknown::kUnmapped : Unknown::kOther;
        if (mapped.start > rest.start) ArmedPageLedger::lose_tracked({rest.start, mapped.start}, why);
        for (AddressRange left = mapped; !left.empty();) {
            const AddressRange part = exclusion_.allowed(left);
            const uint64_t start = part.empty() ? left.end : part.start;
            if (start > left.start) ArmedPageLedger::lose_tracked({left.start, start}, Unknown::kExcluded);
            if (!part.empty()) present_bytes += arm_mapped(part);
            left.start = part.empty() ? left.end : part.end;
        }
        rest.start = mapped.end;
    }
    ledger_.end_range(piece);
    return present_bytes;
}

uint64_t TrackedRanges::arm_mapped(AddressRange part) {
    AddressRange to_arm;
    bool unregistered = false;
    const uint64_t present_bytes = look(part, to_arm, unregistered);
    if (const int error = unregistered ? register_mappings(part) : 0) {
        ArmedPageLedger::lose_tracked(part, error == -EBUSY ? Unknown::kOtherUserfaultfd : Unknown::kNotRegistered);
        return present_bytes;
    }
    if (!to_arm.empty()) arm_written(to_arm);
    return present_bytes;
}

// Bytes present; `to_arm`: from the first page that was written to the last.
uint64_t TrackedRanges::look(AddressRange part, AddressRange& to_arm, bool& unregistered) {
    uapi::PageRegion runs[kRuns];
    uint64_t present_bytes = part.size();
    while (!part.empty()) {
        uint64_t until = part.end;
        const int nr_runs = scan_.look_unarmed(part, runs, until);
        if (nr_runs < 0) {
            ArmedPageLedger::lose_tracked(part, Unknown::kOther);
            return present_bytes - part.size();
        }
        for (int i = 0; i < nr_runs; ++i) {
            const AddressRange run{runs[i].start, runs[i].end};
            const uint64_t state = runs[i].categories;
            if ((state & uapi::kPagePresent) == 0) present_bytes -= run.size();
            if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) continue;
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
    return present_bytes;
}

void TrackedRanges::arm_written(AddressRange part) {
    uapi::PageRegion runs[kRuns];
    AddressRange written[kRuns];
    while (!part.empty()) {
        uint64_t until = part.end;
        const int nr_runs = scan_.arm_written_runs(part, runs, until);
        if (nr_runs < 0) return ArmedPageLedger::lose_tracked(part, Unknown::kNotRegistered);
        for (int i = 0; i < nr_runs; ++i) written[i] = {runs[i].start, runs[i].end};
        ledger_.wiped({written, static_cast<size_t>(nr_runs)});
        part.start = until;
    }
}

}  // namespace damon
