#include "ops/linux/passes/accessed_passes.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/arithmetic.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/syscalls.h"
#include "os/uapi.h"

namespace damon {
namespace {

// What other threads need to get at the address space between two calls: a tight loop starves them.
constexpr uint64_t kRestNs = 100'000;
// Bits that were cleared longer ago say nothing.
constexpr uint64_t kLongestUs = 60'000'000;
// The next access to a page whose bit was cleared: 130 to 170 ns of the program's.
constexpr uint64_t kRefaultNs = 150;
constexpr uint64_t kMostClearBytes = 4u << 20;  // in one call, which takes 60 us where all is present
constexpr uint64_t kMostSparseBytes = 64u << 20;
constexpr uint64_t kClearNs = 25'000;  // calls that find little share a step

constexpr uint64_t kMode = uapi::kRegisterModeWp;

}  // namespace

bool AccessedPasses::forked() const { return process_id() != owner_; }

int AccessedPasses::promise(AddressRange range) {
    const Lock lock(mutex_);
    return promised_.insert({range.start, range.end, 0});
}

bool AccessedPasses::withdraw(AddressRange range) {
    {
        const Lock lock(mutex_);
        RangeTree::Range gone{range.start, range.end, 0};
        if (promised_.erase(gone) != 0) return false;
        planned_withdrawn_ = true;
    }
    for (uint64_t from = range.start; from < range.end;) {
        Lock lock(mutex_);
        const auto at = std::ranges::find_if(windows_, [&](const Window& window) { return window.range.end > from; });
        if (at == windows_.end() || at->range.start >= range.end) break;
        from = at->range.end;
        if (at->gone) continue;
        at->gone = true;
        const bool split = at->split;
        at->split = false;
        if (split && !forked()) (void)take_back(at->range);
        lock.unlock();
        if (split) sys::sleep_us(kRestNs / 1000);
    }
    generation_.fetch_add(1, std::memory_order_release);
    return true;
}

// The window is like what lies beside it: registered with the first descriptor where access checks do that, or not at
// all. Returns by how much uffd_epoch grew for it.
uint64_t AccessedPasses::take_back(AddressRange range) {
    uint64_t grown = 0;
    if (!sampled_) {
        (void)uffd_unregister(range, kMode, &grown);
    } else if (uffd_assign(range, kMode, UffdFile::kFirst, &grown) == 0) {
        (void)left_.push_back(LeftRegistration{range, static_cast<uint8_t>(kMode)});
    }
    return grown;
}

// 0 with whole_ where windows cannot be registered at all.
int AccessedPasses::open_userfaultfd(bool sampled) {
    UffdFeatures features;
    whole_ = uffd_acquire(features) != 0;
    if (whole_) return 0;
    int error = 0;
    if (sampled && features.rwp_async) {
        error = -EOPNOTSUPP;  // samples that see reads need no passes, and their registrations would be in the way
    } else if (features.wp_async) {
        error = uffd_open_second();
    } else {
        whole_ = true;
    }
    if (error != 0 || whole_) uffd_release();
    return error;
}

bool AccessedPasses::open(bool wanted, bool sampled) {
    if (owner_ != 0) return !forked();
    if (!wanted) return false;
    if (!turn_.take()) {
        obstacle_ = Status::fail(-EBUSY,
                                 "referenced_us: another context of this process passes over its accessed bits, or a "
                                 "damon_wss() is under way; none here until that ends");
        return false;
    }
    if (const int error = open_userfaultfd(sampled)) {
        turn_.release();
        obstacle_ = Status::fail(error, error == -EOPNOTSUPP
                                            ? "referenced_us: no passes, since samples see reads here"
                                            : "referenced_us: no passes, since no second userfaultfd can be opened");
        return false;
    }
    sizes_ = read_page_sizes();
    keeps_bits_ = reclaim_keeps_accessed_bits();
    scans_known_ = last_scans_known_ = false;
    uffd_generation_ = damon::uffd_generation();
    owner_ = process_id();
    ending_ = false;
    obstacle_ = {};
    return true;
}

bool AccessedPasses::begin(const PassRequest& request, Exclusion& exclusion) {
    if (!open(request.wanted, request.sampled)) return false;
    if (!whole_ && uffd_generation_ != damon::uffd_generation()) {
        const Lock lock(mutex_);
        uffd_generation_ = damon::uffd_generation();
        (void)uffd_open_second();
        for (Window& window : windows_) window.split = false;
    }
    wanted_ = request.wanted;
    sampled_ = request.sampled;
    if (!plan(request, exclusion)) {
        if (!wanted_) close();
        return false;
    }
    scans_known_ = scans_.read() == 0;
    hides_huge_pages_ = whole_ && smaps_may_hide_huge_pages();
    if (whole_) (void)scan_.open(0, sizes_.base_bytes);  // without it all of a window is cleared
    stage_ = Stage::kScan;
    at_ = to_clear_ = 0;
    clear_from_ = 0;
    large_reads_ = false;
    return true;
}

PassStep AccessedPasses::step(uint64_t now_ns, Exclusion& exclusion) {
    if (owner_ == 0) return {};
    if (forked()) stage_ = Stage::kIdle;
    const ExclusionScope scope(exclusion);
    const PassStep done = next_step(now_ns, exclusion);
    if (stage_ == Stage::kIdle && !wanted_) close();
    return done;
}

PassStep AccessedPasses::next_step(uint64_t now_ns, const Exclusion& exclusion) {
    const Lock lock(mutex_);
    switch (stage_) {
        case Stage::kIdle:
            break;
        case Stage::kScan:
            return scan_step();
        case Stage::kUndo:
            return undo_step();
        case Stage::kSplit:
            return split_step();
        case Stage::kRead:
            return read_step(now_ns);
        case Stage::kClear:
            return clear_step(now_ns, exclusion);
    }
    return {};
}

PassStep AccessedPasses::scan_step() {
    stalls_.step();
    if (!stalls_.over()) return {kRestNs, {}, 0};
    cut_at_stall();
    const bool taken = !planned_withdrawn_ && take_plan(planned_.span());
    if (!taken || (windows_.empty() && dropped_.empty())) {
        stage_ = Stage::kIdle;  // the next pass plans anew
        return {};
    }
    stage_ = Stage::kUndo;
    return undo_step();
}

PassStep AccessedPasses::undo_step() {
    if (!dropped_.empty()) {
        const AddressRange range = dropped_.back();
        dropped_.truncate(dropped_.size() - 1);
        return {kRestNs, range, take_back(range)};
    }
    stage_ = Stage::kSplit;
    return split_step();
}

PassStep AccessedPasses::split_step() {
    for (; at_ < windows_.size() && !whole_; ++at_) {
        Window& window = windows_[at_];
        if (window.split || window.gone) continue;
        ++at_;
        uint64_t grown = 0;
        const UffdFile file = window.second ? UffdFile::kSecond : UffdFile::kFirst;
        const int error = uffd_assign(window.range, kMode, file, &grown);
        window.split = error == 0;
        window.failed = error == 0        ? Unknown::kNone
                        : error == -EBUSY ? Unknown::kOtherUserfaultfd
                                          : Unknown::kNotRegistered;
        if (error != 0) window.cleared_ns = 0;
        return {kRestNs, window.range, grown};
    }
    at_ = 0;
    stage_ = Stage::kRead;
    const bool any = whole_ || std::ranges::any_of(windows_, [](const Window& window) { return window.split; });
    if (!any || smaps_.open() != 0) {
        finish();
        return {};
    }
    return {kRestNs, {}, 0};
}

PassStep AccessedPasses::read_step(uint64_t now_ns) {
    struct Reading {
        AccessedPasses* self;
        uint64_t now_ns;
    } reading{this, now_ns};
    const auto visit = [](void* context, const SmapsEntry& entry) {
        auto* given = static_cast<Reading*>(context);
        given->self->meet(entry, given->now_ns);
    };
    const int64_t got = smaps_.read(large_reads_ ? SmapsFile::kLargeRead : SmapsFile::kSmallRead, visit, &reading);
    const bool over = got <= 0 || at_ >= windows_.size();
    if (to_clear_ < at_) {
        if (over) at_ = windows_.size();
        stage_ = Stage::kClear;
        return {kRestNs, {}, 0};
    }
    if (!over) return {kRestNs, {}, 0};
    finish();
    return {};
}

// One entry of smaps, in address order.
void AccessedPasses::meet(const SmapsEntry& entry, uint64_t now_ns) {
    large_reads_ = entry.present - std::min(entry.huge, entry.present) < (256u << 10);
    while (at_ < windows_.size() && windows_[at_].range.end <= entry.range.start) ++at_;
    if (at_ >= windows_.size() || windows_[at_].range != entry.range) return;
    Window& window = windows_[at_++];
    window.met = true;
    window.present_bytes = entry.present;
    window.touched_bytes = std::max(window.touched_bytes, entry.accessed);
    if (window.cleared_ns == 0) window.unknown = Unknown::kNotExamined;
    if (entry.shared != 0) window.unknown = Unknown::kSharedWithChild;
    if (entry.locked != 0) window.unknown = Unknown::kLocked;
    if (window.cleared_ns == 0) return;
    const uint64_t watched_us = now_ns > window.cleared_ns ? (now_ns - window.cleared_ns) / 1000 : 0;
    if (!window.resumed) window.untold_us += watched_us;
    refault_ns_ += (entry.accessed - std::min(entry.accessed, entry.huge)) / sizes_.base_bytes * kRefaultNs;
}

// The next part of a window to clear; empty: nothing is left of it. Of a mapping that is mostly absent, only what is
// present.
AddressRange AccessedPasses::next_part(const Window& window) {
    const uint64_t window_end = window.range.end;
    if (clear_from_ <= window.range.start) {
        clear_from_ = window.range.start;
        clear_bytes_ = kMostClearBytes;
    }
    if (is_sparse(window) && scan_.passes_holes()) {
        const AddressRange front{clear_from_, std::min(window_end, clear_from_ + StallScan::kHoleBytes)};
        const int found = scan_.find_populated(front, false, clear_from_);
        if (found == 0) return {front.end, front.end};
        if (found < 0) clear_from_ = front.start;
    }
    return {clear_from_, std::min(window_end, clear_from_ + clear_bytes_)};
}

bool AccessedPasses::is_sparse(const Window& window) const {
    return whole_ && window.present_bytes < window.range.size() / 2;
}

// Without a scan to pass absent memory over, what takes no time is cleared in larger parts, until one does.
void AccessedPasses::choose_part(const Window& window, uint64_t took_ns) {
    const bool grows = is_sparse(window) && !scan_.passes_holes() && took_ns < kClearNs;
    clear_bytes_ = grows ? std::min(2 * clear_bytes_, kMostSparseBytes) : kMostClearBytes;
}

// The windows that were read are cleared at once: what is accessed in between is not seen.
PassStep AccessedPasses::clear_step(uint64_t now_ns, const Exclusion& exclusion) {
    const Clock clock;
    const uint64_t start_ns = clock.now_ns();
    uint64_t last_ns = start_ns;
    while (to_clear_ < at_) {
        Window& window = windows_[to_clear_];
        if (!window.met || window.gone) {
            ++to_clear_;
            continue;
        }
        const bool allowed = exclusion.allowed(window.range) == window.range;
        const AddressRange part = next_part(window);
        int error = allowed ? 0 : -EPERM;
        if (allowed && !part.empty()) error = sys::madvise(part.start, part.size(), uapi::kAdviseCold);
        clear_from_ = part.end;
        if (error == 0 && part.end < window.range.end) {
            const uint64_t before_ns = std::exchange(last_ns, clock.now_ns());
            choose_part(window, last_ns - before_ns);
            if (last_ns - start_ns < kClearNs) continue;
            return {kRestNs, {}, 0};
        }
        ++to_clear_;
        // When its last part was: what was touched of the others meanwhile is seen by the next pass.
        window.cleared_ns = error == 0 ? now_ns : 0;
        window.resumed = false;
        break;
    }
    if (to_clear_ < at_) return {kRestNs, {}, 0};
    if (at_ < windows_.size()) {
        stage_ = Stage::kRead;
        return {kRestNs, {}, 0};
    }
    finish();
    return {};
}

void AccessedPasses::finish() {
    smaps_.close();
    stage_ = Stage::kIdle;
    ReclaimScans now;
    const bool known = now.read() == 0 && last_scans_known_;
    const bool reclaimed = !keeps_bits_ && (!known || now.pages() != last_scans_);
    for (Window& window : windows_) report(window, reclaimed);
    // Of what was cleared since: by this pass, none of which is older.
    last_scans_ = scans_.pages();
    last_scans_known_ = scans_known_;
    generation_.fetch_add(1, std::memory_order_release);
}

bool AccessedPasses::may_hide_huge_page(const Window& window) const {
    const AddressRange range = window.range;
    const bool fits = align_up(range.start, sizes_.huge_bytes) < align_down(range.end, sizes_.huge_bytes);
    return hides_huge_pages_ && fits && window.present_bytes < range.size();
}

void AccessedPasses::report(Window& window, bool reclaimed) {
    Unknown unknown = window.unknown;
    if (!window.met) {
        // It is not exactly one mapping (any more).
        unknown = window.failed != Unknown::kNone ? window.failed : Unknown::kUnmapped;
        window.split = false;
        window.cleared_ns = 0;
    }
    if (window.untold_us > kLongestUs) unknown = Unknown::kNotExamined;
    const bool touched = window.touched_bytes != 0;
    if (unknown == Unknown::kNone && !touched && reclaimed) unknown = Unknown::kReclaimed;
    if (unknown == Unknown::kNone && !touched && may_hide_huge_page(window)) unknown = Unknown::kOther;
    if (unknown != Unknown::kNone || touched || window.present_bytes == 0) {
        window.idle_us = 0;
    } else {
        window.idle_us = saturating_add(window.idle_us, window.untold_us);
    }
    window.told = {.range = window.range,
                   .idle_us = window.idle_us,
                   .present_bytes = window.present_bytes,
                   .touched_bytes = window.touched_bytes,
                   .unknown = unknown};
    window.met = false;
    window.failed = window.unknown = Unknown::kNone;
    window.untold_us = window.touched_bytes = 0;
}

void AccessedPasses::disturb(AddressRange range) {
    if (owner_ == 0) return;
    const Lock lock(mutex_);
    const auto first =
        std::ranges::upper_bound(windows_, range.start, {}, [](const Window& it) { return it.range.end; });
    for (auto at = first; at != windows_.end() && at->range.start < range.end; ++at) {
        if (at->touched_bytes == 0) at->unknown = Unknown::kOther;
    }
}

bool AccessedPasses::answers(Vector<PassWindow>& out) {
    const Lock lock(mutex_);
    out.clear();
    for (const Window& window : windows_) {
        if (!window.gone && !window.told.range.empty() && !out.push_back(window.told)) return false;
    }
    return true;
}

void AccessedPasses::rest() {
    if (owner_ == 0) return;
    stage_ = Stage::kIdle;
    smaps_.close();
    const Lock lock(mutex_);
    at_ = 0;
    left_.clear();
    for (Window& window : windows_) {
        window.met = false;
        window.resumed = window.cleared_ns != 0;
    }
}

void AccessedPasses::end() {
    rest();
    ending_ = owner_ != 0;
}

uint64_t AccessedPasses::release_some() {
    if (owner_ == 0) return 0;
    if (!forked()) {
        const Lock lock(mutex_);
        if (!dropped_.empty()) {
            (void)take_back(dropped_.back());
            dropped_.truncate(dropped_.size() - 1);
            return kRestNs;
        }
        for (; at_ < windows_.size(); ++at_) {
            if (!windows_[at_].split) continue;
            windows_[at_].split = false;
            (void)take_back(windows_[at_++].range);
            return kRestNs;
        }
    }
    if (ending_) close();
    return 0;
}

void AccessedPasses::close() {
    if (owner_ == 0) return;
    if (!forked()) leave_registrations(left_);
    if (!whole_) uffd_release();
    scan_.close();
    turn_.release();
    const Lock lock(mutex_);
    windows_.clear();
    dropped_.clear();
    generation_.fetch_add(1, std::memory_order_release);
    owner_ = 0;
    ending_ = false;
}

}  // namespace damon
