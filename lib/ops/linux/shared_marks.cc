#include "ops/linux/shared_marks.h"

#include <atomic>
#include <bit>
#include <cerrno>

#include "base/heap.h"
#include "ops/linux/fork_safe_lock.h"
#include "ops/linux/syscalls.h"

namespace damon {
namespace {

// Guarded by the lock, except for the counters. Of a forked child nobody takes part: it starts with an empty list.
struct Ledger {
    ForkSafeLock lock;
    pid_t owner = 0;
    SharedMarks* members[SharedMarks::kMaxContexts] = {};
    std::atomic<uint32_t> nr_members{0};
    std::atomic<uint64_t> joins{0};  // a "no" of an interval in which another joined cannot be trusted
};
constinit Ledger ledger;

size_t slot_of(uint64_t unit, size_t capacity) {
    return static_cast<size_t>((unit >> 12 ^ unit) * 0x9e3779b97f4a7c15 >> 32) & (capacity - 1);
}

}  // namespace

int SharedMarks::join(size_t max_pages) {
    leave();
    const pid_t self = sys::getpid();
    const size_t capacity = std::bit_ceil(max_pages * 2 + 2);
    auto* entries = static_cast<Entry*>(heap_allocate(capacity * sizeof(Entry)));
    if (entries == nullptr) return -ENOMEM;
    bool joined = false;
    {
        const LockGuard guard(ledger.lock, self);
        if (ledger.owner != self) {
            for (SharedMarks*& member : ledger.members) member = nullptr;
            ledger.nr_members.store(0);
            ledger.owner = self;
        }
        for (size_t i = 0; i < kMaxContexts && !joined; ++i) {
            if (ledger.members[i] != nullptr) continue;
            ledger.members[i] = this;
            joined = true;
        }
        if (joined) {
            entries_ = entries;
            capacity_ = capacity;
            interval_ = 1;
            owner_ = self;
            ledger.nr_members.fetch_add(1);
            ledger.joins.fetch_add(1);
        }
    }
    if (joined) return 0;
    heap_free(entries, capacity * sizeof(Entry));
    return -EUSERS;
}

void SharedMarks::leave() {
    if (owner_ == 0) return;
    const pid_t self = sys::getpid();
    {
        const LockGuard guard(ledger.lock, self);
        for (SharedMarks*& member : ledger.members) {
            if (ledger.owner != self || member != this) continue;
            member = nullptr;
            ledger.nr_members.fetch_sub(1);
        }
        owner_ = 0;
    }
    heap_free(entries_, capacity_ * sizeof(Entry));
    entries_ = nullptr;
    capacity_ = 0;
}

bool SharedMarks::grow(size_t max_pages) {
    const size_t capacity = std::bit_ceil(max_pages * 2 + 2);
    if (owner_ == 0 || capacity <= capacity_) return true;
    auto* entries = static_cast<Entry*>(heap_allocate(capacity * sizeof(Entry)));
    if (entries == nullptr) return false;
    Entry* const old_entries = entries_;
    const size_t old_capacity = capacity_;
    {
        const LockGuard guard(ledger.lock, owner_);
        entries_ = entries;
        capacity_ = capacity;
        nr_used_ = 0;
    }
    heap_free(old_entries, old_capacity * sizeof(Entry));
    return true;
}

void SharedMarks::begin_interval() {
    joins_seen_ = ledger.joins.load();
    crowded_ = ledger.nr_members.load() > 1;
    nr_used_ = 0;
    if (owner_ == 0) return;
    const LockGuard guard(ledger.lock, owner_);
    if (++interval_ != 0) return;
    for (size_t i = 0; i < capacity_; ++i) entries_[i] = {};  // the counter went round
    interval_ = 1;
}

// Under the lock. nullptr: not there, or full.
SharedMarks::Entry* SharedMarks::find(uint64_t unit, bool insert) {
    size_t slot = slot_of(unit, capacity_);
    while (entries_[slot].interval == interval_) {
        if (entries_[slot].unit == unit) return &entries_[slot];
        slot = (slot + 1) & (capacity_ - 1);
    }
    if (!insert || (nr_used_ + 1) * 2 > capacity_) return nullptr;
    ++nr_used_;
    entries_[slot] = Entry{.unit = unit, .interval = interval_};
    return &entries_[slot];
}

// Under the lock: visit(member's bit, entry) for the entries of the other members.
template <typename Visit>
void SharedMarks::for_others(uint64_t unit, Visit visit) {
    for (size_t i = 0; i < kMaxContexts; ++i) {
        SharedMarks* member = ledger.members[i];
        if (member == nullptr || member == this) continue;
        if (Entry* entry = member->find(unit, false)) visit(uint64_t{1} << i, *entry);
    }
}

bool SharedMarks::begin(uint64_t unit, AccessCheck way) {
    const LockGuard guard(ledger.lock, owner_);
    Entry* own = find(unit, true);
    if (own == nullptr) return false;
    if (own->state == State::kNone) own->state = State::kArming;  // else: for another sample of the same page
    own->way = static_cast<uint8_t>(way);
    own->marked = 0;
    for_others(unit, [own](uint64_t bit, Entry& other) {
        if (other.state != State::kArmed) return;
        if (other.way != own->way) other.lost = true;
        ++other.busy;
        own->marked |= bit;
    });
    return own->marked != 0;
}

// Under the lock.
void SharedMarks::end(Entry& own, bool wiped) {
    for_others(own.unit, [&own, wiped](uint64_t bit, Entry& other) {
        if ((own.marked & bit) != 0 && other.busy != 0) {
            --other.busy;
            other.hit |= wiped;
        } else {
            // It was armed while this context was at it: nobody can say whether before or after the wiping.
            other.disturbed |= wiped;
        }
    });
    own.marked = 0;
}

void SharedMarks::finish(uint64_t unit, bool wiped) {
    const LockGuard guard(ledger.lock, owner_);
    Entry unnoted{.unit = unit};  // there was no room: the others are told all the same
    Entry* own = find(unit, false);
    if (own == nullptr) own = &unnoted;
    own->state = State::kArmed;
    end(*own, wiped);
}

void SharedMarks::abandon(uint64_t unit) {
    const LockGuard guard(ledger.lock, owner_);
    Entry* own = find(unit, false);
    if (own == nullptr) return;
    own->state = State::kNone;
    end(*own, false);
}

Blind SharedMarks::judge(uint64_t unit, bool& accessed) {
    const bool others_joined = ledger.joins.load() != joins_seen_;
    if (!crowded_) return others_joined && !accessed ? Blind::kOtherContext : Blind::kNot;
    Entry own{.disturbed = true};  // where there was no room for an entry
    {
        const LockGuard guard(ledger.lock, owner_);
        if (const Entry* found = find(unit, false)) own = *found;
    }
    if (own.lost) return Blind::kOtherContext;
    accessed |= own.hit;
    const bool no_is_sure = !own.disturbed && own.busy == 0 && !others_joined;
    return accessed || no_is_sure ? Blind::kNot : Blind::kOtherContext;
}

}  // namespace damon
