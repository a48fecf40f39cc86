#include "ops/linux/registration/exclusion.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "base/fork_safe_lock.h"
#include "base/heap.h"
#include "ops/linux/registration/range_release.h"
#include "os/page_sizes.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {

// A worker's: odd while it is at work. Slots of another process are of the parent's threads, which a child does not
// have.
struct ExclusionSlot {
    std::atomic<pid_t> owner{0};
    std::atomic<uint64_t> turns{0};
};

namespace {

constexpr size_t kMaxMembers = 64;
constexpr uint64_t kWaitUs = 20;

struct Excluded {
    AddressRange range;
    uint64_t count = 1;
    uint64_t number = 0;    // in the order in which they came
    pid_t releaser = 0;     // the process that has yet to release it; where that is the parent, nobody does
    bool released = false;  // nothing of the library is left there, and nothing comes while it is excluded
    Excluded* next = nullptr;
};

constinit ForkSafeLock lock;
constinit Excluded* first = nullptr;  // under the lock
constinit uint64_t nr_so_far = 0;     // under the lock
constinit std::atomic<size_t> nr_excluded{0};
constinit std::atomic<uint64_t> generation{1};
constinit ExclusionSlot slots[kMaxMembers];

// Those that were included last; under the lock.
constexpr size_t kMaxIncluded = 16;
constinit AddressRange included[kMaxIncluded];
constinit uint64_t nr_included = 0;

constexpr AddressRange kAll{0, UINT64_MAX};

AddressRange hull(AddressRange a, AddressRange b) {
    if (a.empty() || b.empty()) return a.empty() ? b : a;
    return {std::min(a.start, b.start), std::max(a.end, b.end)};
}

Excluded** place_of(AddressRange range) {
    Excluded** at = &first;
    while (*at != nullptr && (*at)->range != range) at = &(*at)->next;
    return at;
}

bool is_whole_pages(AddressRange range) {
    const uint64_t page = read_page_sizes().base_bytes;
    return !range.empty() && range.start % page == 0 && range.end % page == 0;
}

// Whoever enters after the generation was changed sees the range; who entered before is waited for.
void wait_for_workers(pid_t self) {
    for (const ExclusionSlot& slot : slots) {
        const uint64_t turns = slot.turns.load();
        if (turns % 2 == 0 || slot.owner.load() != self) continue;
        while (slot.turns.load() == turns && slot.owner.load() == self) sys::sleep_us(kWaitUs);
    }
}

// Releasing registers for a moment, to prove whose a registration is. So it must not touch what another thread has
// excluded and may register for itself. A range that was excluded before and overlaps is waited for, the same range
// too. True: it is for the caller to release, false: it is released. `came_first`: the caller is its releaser.
bool begin_release(AddressRange range, pid_t self, bool came_first) {
    for (;;) {
        {
            const LockGuard guard(lock, self);
            Excluded* own = *place_of(range);
            if (own == nullptr || own->released) return false;
            bool waits = !came_first && own->releaser == self;
            for (const Excluded* at = first; at != nullptr; at = at->next) {
                const bool before = at->number < own->number && at->range.intersects(range);
                waits |= before && !at->released && at->releaser == self;
            }
            if (!waits) {
                own->releaser = self;
                return true;
            }
        }
        sys::sleep_us(kWaitUs);
    }
}

// The first part of `range` that nobody has released.
AddressRange unreleased_part(AddressRange range, pid_t self) {
    const LockGuard guard(lock, self);
    for (const Excluded* at = first; at != nullptr;) {
        const bool covers = at->released && at->range.contains(range.start);
        if (covers) range.start = at->range.end;
        if (range.empty()) return {};
        at = covers ? first : at->next;
    }
    for (const Excluded* at = first; at != nullptr; at = at->next) {
        if (at->released && at->range.start > range.start) range.end = std::min(range.end, at->range.start);
    }
    return range;
}

int release_excluded(AddressRange range, pid_t self, bool came_first) {
    if (!begin_release(range, self, came_first)) return 0;
    int error = 0;
    AddressRange left = range;
    for (AddressRange part; error == 0 && !(part = unreleased_part(left, self)).empty(); left.start = part.end) {
        error = release_range(part);
    }
    const LockGuard guard(lock, self);
    if (Excluded* own = *place_of(range)) {
        own->releaser = 0;
        own->released = error == 0;
    }
    return error;
}

}  // namespace

void wait_for_batches() { wait_for_workers(process_id()); }

bool any_excluded() { return nr_excluded.load() != 0; }

int exclude_range(AddressRange range) {
    if (!is_whole_pages(range)) return -EINVAL;
    const pid_t self = process_id();
    Excluded* fresh = heap_new<Excluded>();
    if (fresh == nullptr) return -ENOMEM;
    fresh->range = range;
    {
        const LockGuard guard(lock, self);
        if (Excluded* known = *place_of(range)) {
            ++known->count;
        } else {
            fresh->number = ++nr_so_far;
            fresh->releaser = self;
            fresh->next = first;
            first = fresh;
            fresh = nullptr;
            nr_excluded.fetch_add(1);
        }
        generation.fetch_add(1);
    }
    const bool came_first = fresh == nullptr;
    heap_delete(fresh);
    wait_for_workers(self);
    const int error = release_excluded(range, self, came_first);
    if (error != 0) (void)include_range(range);
    return error;
}

int include_range(AddressRange range) {
    if (!is_whole_pages(range)) return -EINVAL;
    Excluded* gone = nullptr;
    {
        const LockGuard guard(lock, process_id());
        Excluded** at = place_of(range);
        if (*at == nullptr) return -ENOENT;
        if (--(*at)->count == 0) {
            gone = *at;
            *at = gone->next;
            nr_excluded.fetch_sub(1);
            included[nr_included++ % kMaxIncluded] = range;
            generation.fetch_add(1);
        }
    }
    heap_delete(gone);
    return 0;
}

bool Exclusion::join_group() {
    leave_group();
    const pid_t self = process_id();
    for (ExclusionSlot& slot : slots) {
        pid_t owner = slot.owner.load();
        if (owner == self || !slot.owner.compare_exchange_strong(owner, self)) continue;
        slot.turns.fetch_add(slot.turns.load() % 2);  // of the parent, which was forked at work
        slot_ = &slot;
        depth_ = 0;
        seen_ = 0;
        nr_included_ = 0;
        included_ = {};
        return true;
    }
    return false;
}

void Exclusion::leave_group() {
    if (slot_ != nullptr && slot_->owner.load() == process_id()) slot_->owner.store(0);
    slot_ = nullptr;
    nr_ = 0;
}

void Exclusion::enter() {
    if (slot_ == nullptr || depth_++ != 0) return;
    slot_->turns.fetch_add(1);
    const uint64_t now = generation.load();
    if (now != seen_) refresh(now);
}

void Exclusion::exit() {
    if (slot_ != nullptr && --depth_ == 0) slot_->turns.fetch_add(1);
}

void Exclusion::refresh(uint64_t generation_now) {
    for (;;) {
        const size_t room = nr_excluded.load();
        const bool has_room = ranges_.reserve(room);
        ranges_.clear();
        bool complete = has_room;
        {
            const LockGuard guard(lock, process_id());
            for (const Excluded* at = first; at != nullptr && complete; at = at->next) {
                complete = ranges_.size() < ranges_.capacity() && ranges_.push_back(at->range);
            }
            if (nr_included - nr_included_ > kMaxIncluded) included_ = kAll;
            for (; nr_included_ < nr_included; ++nr_included_) {
                included_ = hull(included_, included[nr_included_ % kMaxIncluded]);
            }
        }
        if (complete) break;
        if (has_room) continue;  // more were added meanwhile
        ranges_.clear();
        (void)ranges_.push_back(kAll);  // without memory: all of it, or what there is room for
        break;
    }
    std::sort(ranges_.begin(), ranges_.end(),
              [](const AddressRange& a, const AddressRange& b) { return a.start < b.start; });
    nr_ = ranges_.size();
    seen_ = generation_now;
}

AddressRange Exclusion::take_included() { return std::exchange(included_, {}); }

const AddressRange* Exclusion::find(uint64_t address) const {
    for (const AddressRange& range : ranges_) {
        if (range.start > address) break;
        if (range.contains(address)) return &range;
    }
    return nullptr;
}

AddressRange Exclusion::allowed(AddressRange range) const {
    if (nr_ == 0) return range;
    for (const AddressRange& excluded : ranges_) {
        if (excluded.end <= range.start) continue;
        if (excluded.start > range.start) {
            range.end = std::min(range.end, excluded.start);
            break;
        }
        range.start = excluded.end;
        if (range.empty()) return {};
    }
    return range;
}

}  // namespace damon
