// Contexts of one process share the marks of the pages: the kernel keeps one mark a page, whoever set it. So a context
// that arms a page again must pass on the evidence that it wipes away. This file is the process-wide ledger of who has
// which page armed at this moment. A context that runs alone pays one load per interval.
//
// Arming a page is: begin, the system calls, finish. Looking at it is: the system call, then judge.
//
// A member may also have whole ranges armed (TrackedPages, SpanPages), by userfaultfd: every page of them counts as
// armed by it, all the time. It arms them by begin_range, system calls and wiped, end_range.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/fork_safe_lock.h"
#include "base/system.h"
#include "ops/access_check.h"
#include "ops/linux/registration/span_pages.h"
#include "ops/linux/registration/tracked_pages.h"

namespace damon {

// One context's part of the ledger; its worker's own. Not movable while joined.
class ArmedPageLedger {
public:
    static constexpr size_t kMaxContexts = 32;

    ArmedPageLedger() = default;
    ~ArmedPageLedger() { leave(); }
    ArmedPageLedger(const ArmedPageLedger&) = delete;
    ArmedPageLedger& operator=(const ArmedPageLedger&) = delete;

    // Takes part, with room for `max_pages` armed at a time; pages beyond are unknown where others run. 0, -ENOMEM, or
    // -EUSERS: kMaxContexts take part already.
    int join(size_t max_pages, uint64_t huge_bytes);
    void leave();
    // Makes room for more; what is armed at this moment becomes unknown where others run. False: out of memory, as it
    // was.
    bool grow(size_t max_pages);

    // A new interval: what this context had armed counts no more.
    void begin_interval();
    // All were judged, and the marks lifted or left: nothing is armed by this context.
    void end_interval();

    // Whether any other context takes part; where not, the calls below are not needed.
    bool crowded() const { return crowded_; }

    // About to arm `unit` (a page's address, or the name of a huge page, see unit_of). True: another context has it
    // armed, so look at it once more before arming it, and pass to finish what was seen.
    bool begin(uint64_t unit, AccessCheck way);
    // It is armed. `wiped`: the mark that stood there said "accessed", and was set anew.
    void finish(uint64_t unit, bool wiped);
    // Not armed after all; nothing was wiped.
    void abandon(uint64_t unit);
    // Watched by its absence alone, which only dropping its entry again can disturb.
    void note_absent(uint64_t unit);

    // Around the lifting of marks. True: others take part, so ask for each unit whether it may be lifted.
    // `own`: a member of the same context, which does not count; NULL: there is none.
    bool begin_lifting(const ArmedPageLedger* own = nullptr);
    void end_lifting();
    // False: another context has `unit` armed, or is arming it, and will lift the mark when it has looked. True: until
    // end_lift nobody who arms it will trust the mark.
    bool begin_lift(uint64_t unit);
    void end_lift(uint64_t unit);

    // --- of members that have whole ranges armed ---

    // Before join, or under the lock; null: none for now. The pages are the caller's and stay until leave.
    void set_tracked(TrackedPages* tracked) { tracked_ = tracked; }
    // The same for the spans of a survey, which are armed for a while only.
    void set_spans(SpanPages* spans) { spans_ = spans; }
    // change(), under the lock that guards all members' tracked pages.
    template <typename Change>
    static void change_tracked(Change change) {
        const LockGuard guard(lock(), current_process());
        change();
    }
    // Around the calls that arm `range` anew; between them, what they found written and set anew.
    void begin_range(AddressRange range);
    void wiped(std::span<const AddressRange> written);
    void end_range(AddressRange range);
    // Around the lifting of marks in `range`: the first part of it that no other member has armed as a whole; empty:
    // there is none. What others have armed there one by one, or as a span of a survey, is unknown to them.
    AddressRange begin_lifting_range(AddressRange range);
    void end_lifting_range(AddressRange part);
    // Marks in `range` were dropped, or are about to be: of what was written before, and what was not, nothing is
    // known.
    static void lose_tracked(AddressRange range, Unknown why);
    // Whether another member has the page armed so.
    bool is_tracked(uint64_t page);
    static bool any_tracked(AddressRange range);
    // Another member has joined since begin_interval: before each batch of calls that arm.
    void notice_joins();

    // What the mark's own answer is worth. `accessed` is that answer, and may be turned into yes. kNot: it holds.
    UnknownReason judge(uint64_t unit, bool& accessed);

    // The name of a page, or of the huge page around it.
    static uint64_t unit_of(uint64_t page, uint64_t huge_bytes, bool huge) {
        return huge ? (page & ~(huge_bytes - 1)) | 1 : page;
    }

private:
    enum State : uint8_t {
        kNone,    // not armed by this context
        kArming,  // between begin and finish
        kArmed,
        kLifting,  // between begin_lift and end_lift
    };
    struct Entry {
        uint64_t unit = 0;
        uint32_t busy_by = 0;   // bit of each other member between begin and finish: a "no" may be its doing
        uint16_t interval = 0;  // of the owner; another one counts as empty
        uint8_t state : 2 = kNone;
        uint8_t way : 3 = 0;        // kAuto: watched by absence
        uint8_t hit : 1 = 0;        // accessed: another saw it before it wiped the mark
        uint8_t disturbed : 1 = 0;  // wiped at about the time of arming: a "no" of the mark cannot be trusted
        uint8_t lost : 1 = 0;       // another way was used on it: the mark says nothing
    };
    static_assert(sizeof(Entry) == 16);

    static ForkSafeLock& lock();
    template <typename Visit>
    void for_armed_by_others(AddressRange range, Visit visit);
    template <typename Visit>
    static void for_tracked(const ArmedPageLedger* but, Visit visit);
    bool tracked_by_others(uint64_t unit) const;

    // What a unit covers, for pages of any size: the first byte, or the huge page.
    AddressRange part_of(uint64_t unit) const {
        const uint64_t start = unit & ~uint64_t{1};
        return {start, start + ((unit & 1) != 0 ? huge_bytes_ : 1)};
    }
    uint64_t base_of(uint64_t unit) const { return unit & ~(huge_bytes_ - 1); }
    template <typename Visit>
    void visit_overlapping(uint64_t unit, Visit visit);
    template <typename Visit>
    void for_others(uint64_t unit, Visit visit);
    Entry* find(uint64_t unit);
    Entry* insert(uint64_t unit);
    void end(const Entry& own, bool wiped);
    void forget_entries();
    void lose_spans_of_others(AddressRange range);

    // A hash table whose entries of one huge page all lie in one run.
    Entry* entries_ = nullptr;
    size_t capacity_ = 0;
    size_t nr_used_ = 0;
    TrackedPages* tracked_ = nullptr;
    SpanPages* spans_ = nullptr;
    uint64_t huge_bytes_ = 0;
    uint32_t bit_ = 0;  // of this member
    uint16_t interval_ = 0;
    uint64_t joins_seen_ = 0;
    bool crowded_ = false;
    std::atomic<bool> lifting_{false};  // marks of any pages, without asking
    pid_t owner_ = 0;                   // 0: not joined
};

}  // namespace damon
