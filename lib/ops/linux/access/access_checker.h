// How one context sees the accesses of its own process: picks an access check for each sample's mapping, arms, looks,
// disarms. What each check does is a row of access_check_table.h. Only the worker calls it.
//
// It never touches target memory, never makes an access or system call of the program fail, never splits a huge page
// and never loses data. What it cannot see it calls unknown, with the reason counted.
//
//   page when armed    how it is watched                          answer
//   not mapped         nothing is done                            unknown
//   hole or swapped    nothing is done (fact 8)                   present later: accessed
//   present            by the first check that can                by that check
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "model/sample.h"
#include "ops/linux/access/checks/access_check_row.h"
#include "ops/linux/access/checks/check_tools.h"
#include "ops/linux/access/visibility.h"
#include "ops/linux/registration/call_pieces.h"

namespace damon {

class AccessChecker {
public:
    AccessChecker() = default;
    ~AccessChecker() { stop(); }
    AccessChecker(const AccessChecker&) = delete;
    AccessChecker& operator=(const AccessChecker&) = delete;

    // `choice`: kAuto, or a check of pages. Takes room for `max_samples` at a time; more are served too, but less well
    // where several contexts run. Fails where no check works at all, with the reason.
    Status start(AccessCheck choice, size_t max_samples, RegisterWhen when = RegisterWhen::kSeen);
    // Ends the run; what it holds is given back by release_some. In a forked child that only closes what was inherited.
    void end();
    // end, and all that is left at once.
    void stop();

    // More samples than start knew of. False: out of memory, everything is as before.
    bool grow(size_t max_samples);

    // The mappings may have changed: reads them anew. `visit` (may be null) is told of each, as by ProcMaps::read_all.
    // False: they could not be read.
    bool refresh(ProcMaps::Visit visit = nullptr, void* context = nullptr);
    // What a reading sees for the first time has stood for a reading after so long; readings that come sooner, because
    // samples found mappings gone, do not count for that. 0, as long as nothing is said: all count.
    void settle_after_us(uint64_t us) { settle_ns_ = us * 1000; }
    // For visit: whether the mapping is registered with a userfaultfd of the program's own, as samples found out. It is
    // made sure of at each reading.
    bool is_foreign(const Mapping& mapping);

    // What time it is, before each arm and look.
    void set_now(uint64_t now_us) { now_us_ = now_us; }
    // Right after a look it builds on what that saw: accesses in between may count as if they came after.
    void arm(std::span<Sample> samples);
    // `samples` are those of the last arm.
    void look(std::span<Sample> samples);
    // Memory may have changed by this thread's own doing.
    void forget() { tools_.page_states.clear(); }
    // Surveys: room for so many spans at a time, none without; then spans as Ops::arm_spans and look_spans say. Those
    // that are not armed are unknown.
    bool reserve_spans(size_t max_spans);
    bool serves_spans() const;
    void arm_spans(std::span<Span> spans);
    void look_spans(std::span<Span> spans);

    // Marks in `range` went, by this thread's own doing: of `samples`, those of the last arm, the ones there have no
    // answer. `grown`: by how much uffd_epoch grew for it.
    void give_up(std::span<Sample> samples, AddressRange range, uint64_t grown);
    // There is no look at what was armed: release_some lifts those marks, or the next arm does. Mappings stay
    // registered, because the kernel unregisters page by page (fact 16).
    void disarm();
    // Of the ranges that the context tracks, while a pause makes all of them unknown; else NULL.
    void set_paused_tracker(const ArmedPageLedger* ledger) { paused_tracker_ = ledger; }
    // Gives back a piece of what disarm and end left. Returns for how many nanoseconds to rest before the next call; 0:
    // nothing is left.
    uint64_t release_some();

    // How accesses to the memory at `address` are seen, and up to which address that holds. `mapping` covers it, and
    // was read just now.
    Visibility visibility(const Mapping& mapping, uint64_t address, uint64_t& until);

    // For actions: what they must keep away from, and the end of the first piece of `range` that one of them may take.
    Exclusion& exclusion() { return tools_.exclusion; }
    uint64_t end_of_action(AddressRange range);

    const AccessStatistics& statistics() const { return tools_.statistics; }

private:
    bool forked() const;
    int open(size_t max_samples);
    Status choose(AccessCheck choice);
    void give_up(bool (*given_up)(const AccessCheckRow& row));
    std::span<const AccessCheckRow* const> enabled() const { return {enabled_, nr_enabled_}; }

    void arm_batch(std::span<Sample> samples);
    bool arm_unseen(Sample& sample, uint64_t page);
    void arm_seen(Sample& sample, Page page);
    CachedMapping* read_again(CachedMapping* known, Page page);
    UnknownReason arm_present(Sample& sample, CachedMapping& mapping, Page page);
    void own_ahead(uint64_t page);
    void watch_absence_of(Sample& sample, uint64_t page);
    bool use_page_states() const;
    void note_armed(const AccessCheckRow& row, uint64_t page);
    void lift_armed(size_t max_pages);
    void keep_files();

    // span_arming.cc
    const AccessCheckRow* row_for(const CachedMapping& mapping, AddressRange part);
    void look_at(Span& span);
    void lift_span(const AccessCheckRow& row, AddressRange part, unsigned first, const PageMap& marked);
    void lift_left_span();

    // release.cc
    bool sweep_some();
    bool unregister_some();
    void begin_unregistering();
    void leave_to_others();
    AddressRange next_piece(CachedMapping*& mapping);
    void close();

    const AccessCheckRow* row_of(const Sample& sample) const;
    void look_batch(std::span<Sample> samples);
    UnknownReason judge(const Sample& sample, uint32_t state, bool& accessed);
    void answer(Sample& sample, uint32_t state);

    CheckTools tools_;
    const AccessCheckRow* enabled_[kNrAccessChecks] = {};  // at work here, best first
    size_t nr_enabled_ = 0;
    const AccessCheckRow* by_id_[kNrAccessChecks] = {};  // the same
    bool keeps_page_states_ = false;
    void (*look_before_)(CheckTools&, std::span<const uint64_t>, std::span<uint32_t>) = nullptr;
    uint64_t generation_ = 0;  // of the userfaultfd that the registrations are with
    bool has_uffd_ = false;
    pid_t owner_ = 0;  // 0: not started
    uint64_t epoch_ = 0;
    uint64_t now_us_ = 0;
    uint64_t looked_us_ = 0;
    uint64_t settle_ns_ = 0;
    uint64_t settled_ns_ = 0;               // the last reading that counted
    Vector<AddressRange> foreign_;          // in address order, as of the last reading
    Vector<AddressRange> foreign_reading_;  // the reading under way
    Vector<uint64_t> armed_;  // by checks that lift at the look, until then: a page's address + AccessCheck
    AddressRange piece_;      // of the release: what of its mapping is left
    size_t release_idx_ = 0;  // the mapping after that
    UnregisteringLength unregistering_length_;
    bool ending_ = false;
    bool unregistering_ = false;
    bool spans_left_ = false;  // nobody looks at those that are armed: their marks are to be lifted
    const ArmedPageLedger* paused_tracker_ = nullptr;
    bool swept_ = true;       // no mark is left of checks that leave them
    bool disturbed_ = false;  // marks were dropped by another context between arm and look
};

}  // namespace damon
