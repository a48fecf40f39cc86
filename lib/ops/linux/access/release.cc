// How marks and registrations are given back: in pieces, each of which holds the address space for some 20 to 50 us, so
// that no other thread waits long for an mmap or munmap of its own. The caller rests between two of them.
#include <algorithm>
#include <cerrno>

#include "ops/linux/access/access_check_table.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/registration/call_pieces.h"
#include "ops/linux/registration/left_registrations.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/syscalls.h"
#include "os/thread.h"

namespace damon {
namespace {

constexpr size_t kPieceMarks = 256;  // of single pages, some 0.5 us each and a call each
constexpr uint64_t kMinRestNs = 10'000;

}  // namespace

void AccessChecker::stop() {
    end();
    while (const uint64_t rest_ns = release_some()) sys::sleep_us(rest_ns / 1000 + 1);
}

uint64_t AccessChecker::release_some() {
    if (owner_ == 0) return 0;
    if (forked()) {
        if (ending_) close();
        return 0;
    }
    const Clock clock;
    const uint64_t begin_ns = clock.now_ns();
    const ExclusionScope scope(tools_.exclusion);
    if (!armed_.empty()) {
        lift_armed(kPieceMarks);
    } else if (spans_left_) {
        lift_left_span();
    } else if (ending_ ? !unregister_some() : !sweep_some()) {
        if (ending_) close();
        return 0;
    }
    return std::max(clock.now_ns() - begin_ns, kMinRestNs);
}

// The next part of a registered mapping, of as many pages as one call may take; empty: that was all.
AddressRange AccessChecker::next_piece(CachedMapping*& mapping) {
    const std::span<CachedMapping> mappings = tools_.mappings.all();
    while (piece_.empty()) {
        if (release_idx_ >= mappings.size()) return {};
        const CachedMapping& next = mappings[release_idx_++];
        if (next.registered != 0) piece_ = next.range;
    }
    mapping = &mappings[release_idx_ - 1];
    const uint64_t end = unregistering_ ? end_of_unregistering(tools_.scan, tools_.sizes, piece_, unregistering_length_)
                                        : end_of_piece(tools_.scan, tools_.sizes, piece_);
    const AddressRange piece{piece_.start, end};
    piece_.start = piece.end;
    return piece;
}

uint64_t AccessChecker::end_of_action(AddressRange range) {
    return tools_.scan.can_scan() ? end_of_piece(tools_.scan, tools_.sizes, range) : range.end;
}

// Marks that the checks at work leave. False: there are none, or other contexts rely on them.
bool AccessChecker::sweep_some() {
    if (swept_ || tools_.ledger.begin_lifting(paused_tracker_)) return false;
    CachedMapping* mapping = nullptr;
    AddressRange left = next_piece(mapping);
    swept_ = left.empty();
    // What is not registered must not become so by the proof whose the marks are.
    if (!swept_) left = left.intersection(mapping->registrable);
    for (AddressRange part; !(part = tools_.exclusion.allowed(left)).empty(); left.start = part.end) {
        for (const AccessCheckRow* row : enabled()) {
            if (row->register_mode == 0 || (mapping->owned & row->register_mode) == 0) continue;
            (void)uffd_lift(part, row->register_mode);  // gone: so are the marks
        }
    }
    tools_.ledger.end_lifting();
    return !swept_;
}

// Registrations live on in the remains of mappings that were split or grew since the last reading.
void AccessChecker::begin_unregistering() {
    unregistering_ = true;
    release_idx_ = 0;
    piece_ = {};
    tools_.mappings.reload(tools_.statistics, MappingCache::Settle::kLater);
}

void AccessChecker::leave_to_others() {
    Vector<LeftRegistration> left;
    for (const CachedMapping& mapping : tools_.mappings.all()) {
        if (mapping.registered == 0) continue;
        if (!left.push_back(LeftRegistration{mapping.range, mapping.registered})) break;
    }
    leave_registrations(left);
}

// False: there is nothing more to unregister.
bool AccessChecker::unregister_some() {
    if (!has_uffd_) return false;
    if (!unregistering_) begin_unregistering();
    if (uffd_users() > 1) {
        leave_to_others();
        return false;
    }
    CachedMapping* mapping = nullptr;
    AddressRange left = next_piece(mapping);
    if (left.empty()) return false;
    for (AddressRange part; !(part = tools_.exclusion.allowed(left)).empty(); left.start = part.end) {
        for (const uint64_t mode : {uapi::kRegisterModeWp, uapi::kRegisterModeRwp}) {
            if (!mapping->is_registered(mode)) continue;
            const uint64_t begin_ns = thread_cpu_ns();
            const int error = uffd_unregister(part, mode);
            unregistering_length_.note(thread_cpu_ns() - begin_ns);
            if (error == -EBADF) return false;  // the program closed the descriptor: with it all registrations went
            if (error != -ENOMEM) continue;
            // A piece would be one mapping more than the process may have.
            (void)uffd_unregister(tools_.exclusion.allowed({part.start, mapping->range.end}), mode);
        }
    }
    return true;
}

}  // namespace damon
