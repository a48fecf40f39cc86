#include "ops/linux/registration/armed_page_ledger.h"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/fork_safe_lock.h"
#include "base/heap.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// Guarded by the lock, except for the counters. Of a forked child nobody takes part: it starts with an empty list.
struct Ledger {
    ForkSafeLock lock;
    pid_t owner = 0;
    ArmedPageLedger* members[ArmedPageLedger::kMaxContexts] = {};
    std::atomic<uint32_t> nr_members{0};
    std::atomic<uint64_t> joins{0};  // a "no" of an interval in which another joined cannot be trusted
};
constinit Ledger ledger;

constexpr uint8_t kByAbsence = static_cast<uint8_t>(AccessCheck::kAuto);

bool may_disturb(unsigned way, unsigned other) {
    return other != kByAbsence || way == static_cast<unsigned>(AccessCheck::kZap);
}

// A quarter more than the pages, so that runs stay short and always end.
size_t capacity_for(size_t max_pages) { return max_pages + max_pages / 4 + 4; }

}  // namespace

int ArmedPageLedger::join(size_t max_pages, uint64_t huge_bytes) {
    leave();
    const pid_t self = process_id();
    const size_t capacity = capacity_for(max_pages);
    auto* entries = static_cast<Entry*>(heap_allocate(capacity * sizeof(Entry)));
    if (entries == nullptr) return -ENOMEM;
    bool joined = false;
    {
        const LockGuard guard(ledger.lock, self);
        if (ledger.owner != self) {
            for (ArmedPageLedger*& member : ledger.members) member = nullptr;
            ledger.nr_members.store(0);
            ledger.owner = self;
        }
        for (size_t i = 0; i < kMaxContexts && !joined; ++i) {
            if (ledger.members[i] != nullptr) continue;
            ledger.members[i] = this;
            bit_ = 1u << i;
            joined = true;
        }
        if (joined) {
            entries_ = entries;
            capacity_ = capacity;
            huge_bytes_ = huge_bytes;
            nr_used_ = 0;
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

void ArmedPageLedger::leave() {
    if (owner_ == 0) return;
    const pid_t self = process_id();
    {
        const LockGuard guard(ledger.lock, self);
        for (ArmedPageLedger*& member : ledger.members) {
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

bool ArmedPageLedger::grow(size_t max_pages) {
    const size_t capacity = capacity_for(max_pages);
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

void ArmedPageLedger::begin_interval() {
    joins_seen_ = ledger.joins.load();
    crowded_ = ledger.nr_members.load() > 1;
    if (owner_ == 0) return;
    const LockGuard guard(ledger.lock, owner_);
    forget_entries();
}

void ArmedPageLedger::end_interval() {
    if (owner_ == 0 || !crowded_) return;
    const LockGuard guard(ledger.lock, owner_);
    forget_entries();
}

// Under the lock.
void ArmedPageLedger::forget_entries() {
    nr_used_ = 0;
    if (++interval_ != 0) return;
    for (size_t i = 0; i < capacity_; ++i) entries_[i] = {};  // the counter went round
    interval_ = 1;
}

// Everything below that touches entries runs under the lock.

// visit(entry) for this member's entries that overlap the unit.
template <typename Visit>
void ArmedPageLedger::visit_overlapping(uint64_t unit, Visit visit) {
    const uint64_t base = base_of(unit);
    const uint64_t hash = (base / huge_bytes_ * 0x9e3779b97f4a7c15) >> 32;
    for (size_t slot = hash * capacity_ >> 32; entries_[slot].interval == interval_;
         ++slot == capacity_ ? slot = 0 : 0) {
        Entry& entry = entries_[slot];
        const bool same = entry.unit == unit || ((entry.unit | unit) & 1) != 0;
        if (base_of(entry.unit) == base && same) visit(entry);
    }
}

// visit(entry) for the other members' entries that overlap the unit.
template <typename Visit>
void ArmedPageLedger::for_others(uint64_t unit, Visit visit) {
    for (ArmedPageLedger* member : ledger.members) {
        if (member != nullptr && member != this) member->visit_overlapping(unit, visit);
    }
}

ArmedPageLedger::Entry* ArmedPageLedger::find(uint64_t unit) {
    Entry* found = nullptr;
    visit_overlapping(unit, [&found, unit](Entry& entry) {
        if (entry.unit == unit) found = &entry;
    });
    return found;
}

// nullptr: full.
ArmedPageLedger::Entry* ArmedPageLedger::insert(uint64_t unit) {
    if (Entry* found = find(unit)) return found;
    if (nr_used_ + 2 > capacity_) return nullptr;  // one stays empty, for runs to end
    ++nr_used_;
    const uint64_t hash = (base_of(unit) / huge_bytes_ * 0x9e3779b97f4a7c15) >> 32;
    size_t slot = hash * capacity_ >> 32;
    while (entries_[slot].interval == interval_) {
        if (++slot == capacity_) slot = 0;
    }
    entries_[slot] = {};
    entries_[slot].unit = unit;
    entries_[slot].interval = interval_;
    return &entries_[slot];
}

bool ArmedPageLedger::begin(uint64_t unit, AccessCheck way) {
    const LockGuard guard(ledger.lock, owner_);
    Entry* own = insert(unit);
    if (own == nullptr) return false;
    if (own->state == kNone) own->state = kArming;  // else: for another sample of the same page
    own->way = static_cast<uint8_t>(way) & 7;
    bool armed_by_others = tracked_by_others(unit);
    for (const ArmedPageLedger* member : ledger.members) {
        if (member != nullptr && member != this && member->lifting_.load()) own->lost = 1;
    }
    for_others(unit, [&](Entry& other) {
        if (other.state == kLifting) own->lost = 1;
        if (other.state != kArmed) return;
        if (!may_disturb(own->way, other.way)) return;
        if (other.way != own->way && other.way != kByAbsence) other.lost = 1;
        other.busy_by |= bit_;
        armed_by_others = true;
    });
    return armed_by_others;
}

void ArmedPageLedger::end(const Entry& own, bool wiped) {
    if (wiped) for_tracked(this, [part = part_of(own.unit)](auto& tracked) { tracked.hit(part); });
    for_others(own.unit, [&](Entry& other) {
        if ((other.busy_by & bit_) != 0) {
            other.busy_by &= ~bit_;
            if (wiped) other.hit = 1;
        } else if (wiped && may_disturb(own.way, other.way)) {
            // It was armed while this context was at it: nobody can say whether before or after the wiping.
            other.disturbed = 1;
        }
    });
}

void ArmedPageLedger::finish(uint64_t unit, bool wiped) {
    const LockGuard guard(ledger.lock, owner_);
    Entry unnoted;  // there was no room: the others are told all the same
    unnoted.unit = unit;
    unnoted.way = static_cast<uint8_t>(AccessCheck::kZap) & 7;
    Entry* own = find(unit);
    if (own == nullptr) own = &unnoted;
    own->state = kArmed;
    end(*own, wiped);
}

void ArmedPageLedger::abandon(uint64_t unit) {
    const LockGuard guard(ledger.lock, owner_);
    Entry* own = find(unit);
    if (own == nullptr) return;
    own->state = kNone;
    end(*own, false);
}

void ArmedPageLedger::note_absent(uint64_t unit) {
    const LockGuard guard(ledger.lock, owner_);
    Entry* own = insert(unit);
    if (own == nullptr || own->state != kNone) return;
    own->state = kArmed;
    own->way = kByAbsence;
}

// Who joins after the number was read sees that marks are being lifted before it arms anything.
bool ArmedPageLedger::begin_lifting(const ArmedPageLedger* own) {
    lifting_.store(true);
    if (ledger.nr_members.load() <= 1) return false;
    {
        const LockGuard guard(ledger.lock, owner_);
        const bool others = std::ranges::any_of(ledger.members, [this, own](const ArmedPageLedger* member) {
            return member != nullptr && member != this && member != own;
        });
        if (!others) return false;
    }
    lifting_.store(false);
    return true;
}

void ArmedPageLedger::end_lifting() { lifting_.store(false); }

bool ArmedPageLedger::begin_lift(uint64_t unit) {
    if (owner_ == 0) return false;
    const LockGuard guard(ledger.lock, owner_);
    bool taken = tracked_by_others(unit);
    for_others(unit, [&taken](const Entry& other) {
        const bool marks = other.state == kArming || other.state == kArmed;
        taken = taken || (marks && other.way != kByAbsence);
    });
    Entry* own = insert(unit);
    if (own != nullptr) own->state = taken ? kNone : kLifting;
    return own != nullptr && !taken;
}

void ArmedPageLedger::end_lift(uint64_t unit) {
    const LockGuard guard(ledger.lock, owner_);
    if (Entry* own = find(unit)) own->state = kNone;
}

// visit(pages) for those of members but one.
template <typename Visit>
void ArmedPageLedger::for_tracked(const ArmedPageLedger* but, Visit visit) {
    for (const ArmedPageLedger* member : ledger.members) {
        if (member == nullptr || member == but) continue;
        if (member->tracked_ != nullptr) visit(*member->tracked_);
        if (member->spans_ != nullptr && !member->spans_->empty()) visit(*member->spans_);
    }
}

bool ArmedPageLedger::tracked_by_others(uint64_t unit) const {
    bool tracked = false;
    const AddressRange part = part_of(unit);
    for_tracked(this, [&tracked, part](const auto& pages) { tracked = tracked || pages.overlaps(part); });
    return tracked;
}

ForkSafeLock& ArmedPageLedger::lock() { return ledger.lock; }

bool ArmedPageLedger::is_tracked(uint64_t page) {
    const LockGuard guard(ledger.lock, owner_);
    return tracked_by_others(page);
}

bool ArmedPageLedger::any_tracked(AddressRange range) {
    if (ledger.nr_members.load() == 0) return false;
    bool any = false;
    const LockGuard guard(ledger.lock, current_process());
    for_tracked(nullptr, [&any, range](const auto& pages) { any = any || pages.overlaps(range); });
    return any;
}

void ArmedPageLedger::lose_tracked(AddressRange range, Unknown why) {
    if (ledger.nr_members.load() == 0) return;
    const LockGuard guard(ledger.lock, current_process());
    for_tracked(nullptr, [range, why](auto& pages) { pages.lose(range, why); });
}

void ArmedPageLedger::notice_joins() { crowded_ = crowded_ || ledger.nr_members.load() > 1; }

// visit(entry) for the pages in `range` that others have armed one by one, or are arming.
template <typename Visit>
void ArmedPageLedger::for_armed_by_others(AddressRange range, Visit visit) {
    for (ArmedPageLedger* member : ledger.members) {
        if (member == nullptr || member == this || member->nr_used_ == 0) continue;
        for (size_t i = 0; i < member->capacity_; ++i) {
            Entry& entry = member->entries_[i];
            const bool counts =
                entry.interval == member->interval_ && (entry.state == kArmed || entry.state == kArming);
            if (counts && entry.way != kByAbsence && range.contains(entry.unit & ~uint64_t{1})) visit(entry);
        }
    }
}

void ArmedPageLedger::begin_range(AddressRange range) {
    const LockGuard guard(ledger.lock, owner_);
    for_armed_by_others(range, [this](Entry& entry) {
        if (entry.state == kArmed) entry.busy_by |= bit_;
    });
}

void ArmedPageLedger::wiped(std::span<const AddressRange> written) {
    if (written.empty()) return;
    const LockGuard guard(ledger.lock, owner_);
    for (const AddressRange part : written) {
        if (tracked_ != nullptr) tracked_->hit(part);
        if (spans_ != nullptr) spans_->hit(part);
        for_tracked(this, [part](auto& pages) { pages.hit(part); });
    }
    for_armed_by_others({written.front().start, written.back().end}, [&](Entry& entry) {
        const uint64_t page = entry.unit & ~uint64_t{1};
        for (const AddressRange part : written) {
            if (!part.contains(page)) continue;
            // As in end(): armed meanwhile, it may have been written before or after.
            const bool before = (entry.busy_by & bit_) != 0;
            if (before) {
                entry.hit = 1;
            } else {
                entry.disturbed = 1;
            }
        }
    });
}

void ArmedPageLedger::end_range(AddressRange range) {
    const LockGuard guard(ledger.lock, owner_);
    for_armed_by_others(range, [this](Entry& entry) { entry.busy_by &= ~bit_; });
}

void ArmedPageLedger::lose_spans_of_others(AddressRange range) {
    for (const ArmedPageLedger* member : ledger.members) {
        if (member != nullptr && member != this && member->spans_ != nullptr)
            member->spans_->lose(range, Unknown::kOther);
    }
}

AddressRange ArmedPageLedger::begin_lifting_range(AddressRange range) {
    lifting_.store(true);
    const LockGuard guard(ledger.lock, owner_);
    for (const ArmedPageLedger* member : ledger.members) {
        if (member == nullptr || member == this || member->tracked_ == nullptr) continue;
        range = member->tracked_->front_without(range);
    }
    if (range.empty()) return range;
    for_armed_by_others(range, [](Entry& entry) { entry.lost = 1; });
    lose_spans_of_others(range);
    return range;
}

// Spans do not ask whether marks are being lifted: those that were armed meanwhile are lost too.
void ArmedPageLedger::end_lifting_range(AddressRange part) {
    lifting_.store(false);
    if (part.empty()) return;
    const LockGuard guard(ledger.lock, owner_);
    lose_spans_of_others(part);
}

UnknownReason ArmedPageLedger::judge(uint64_t unit, bool& accessed) {
    const bool others_joined = ledger.joins.load() != joins_seen_;
    if (!crowded_) return others_joined && !accessed ? UnknownReason::kOtherContext : UnknownReason::kNone;
    Entry own;
    own.disturbed = 1;  // where there was no room for an entry
    {
        const LockGuard guard(ledger.lock, owner_);
        if (const Entry* found = find(unit)) own = *found;
    }
    if (own.lost != 0) return UnknownReason::kOtherContext;
    accessed |= own.hit != 0;
    const bool no_is_sure = own.disturbed == 0 && own.busy_by == 0 && !others_joined;
    return accessed || no_is_sure ? UnknownReason::kNone : UnknownReason::kOtherContext;
}

}  // namespace damon
