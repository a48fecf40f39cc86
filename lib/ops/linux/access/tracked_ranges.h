// The ranges of a context that are kept armed as a whole, so that "which pages were touched since I asked?" has an
// exact answer at any time (DAMON_RANGE_TRACKED), by the program and by the kernel on its behalf. By asynchronous
// read-write protection where the kernel has it; else by write protection, which sees writes to base pages alone.
// Independent of the worker: the threads that ask look and arm anew, PAGEMAP_SCAN by pieces of 16 MiB, each of which
// holds the address space for some 50 us, with a rest between them.
//
// What was touched is known by the marks, which whoever arms or drops them shares through the ledger. A page that is
// not present is not armed: it counts as touched when it is there the next time. Unknown, until asked again: what was
// not mapped or was mapped anew, excluded memory, pages whose marks were lost; and huge pages, with read-write
// protection only those of which a part alone is tracked.
//
// While the context is paused nothing is armed: the worker lifts the marks piece by piece, and each question lifts one,
// so that a program that asks all the time leaves none; questions meanwhile are not answered, and the first one
// afterwards says that all is unknown and arms again.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "ops/linux/registration/armed_page_ledger.h"
#include "ops/linux/registration/exclusion.h"
#include "ops/linux/registration/tracked_pages.h"
#include "os/page_scan.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"

namespace damon {

struct TrackedAnswer {
    TrackedCounts counts;
    uint64_t present_bytes = 0;
};

// Any thread, one call at a time: a second query is refused, add and remove wait. All wait for a piece of release_some.
class TrackedRanges {
public:
    TrackedRanges() = default;
    // In the process that made it; in a child it only closes what was inherited.
    ~TrackedRanges();
    TrackedRanges(const TrackedRanges&) = delete;
    TrackedRanges& operator=(const TrackedRanges&) = delete;

    // Arms the range, whole pages, and keeps it so; 10 to 40 ms a present GiB. Takes a byte in 900 of it from the heap.
    Status add(AddressRange range);
    // Gives the marks back. False: it was not added.
    bool remove(AddressRange range);
    bool empty() const { return pages_.all().empty(); }
    // Of the ranges that were added.
    const ArmedPageLedger& ledger() const { return ledger_; }
    bool sees_reads() const { return mode_ == uapi::kRegisterModeRwp; }

    // Fills in what is not null of the units. 0; -ENOENT: not inside of one range; -EBUSY: a call is under way.
    int query(const TrackedUnits& units, TrackedAnswer& answer);
    // All ranges. 0, -ENOENT: there are none; -EBUSY.
    int query_all(TrackedAnswer& answer);

    // The context is paused from here on, or not any more. Returns at once.
    void set_paused(bool paused);
    // While it is paused: lifts some of the marks. Returns for how many nanoseconds to rest before the next call; 0:
    // nothing is left.
    uint64_t release_some();

private:
    Status open();
    void close();
    bool list_with(TrackedRange* added);
    void list_without(const TrackedRange* removed);
    void answer_units(TrackedRange& range, const TrackedUnits& units, TrackedAnswer& answer);
    void verify_files(uint64_t now_ns);
    AddressRange cold_front(const TrackedRange& range, AddressRange rest, uint64_t now_ns);
    bool shows_holes(AddressRange range);
    bool has_page_tables(AddressRange range) const;
    // Of a piece that is being asked about.
    struct Piece {
        TrackedRange* of = nullptr;
        uint64_t present_bytes = 0;
        bool full = true;     // all of it is private anonymous memory, present and armed
        bool shared = false;  // the mapping that is being looked at
    };
    Piece arm(TrackedRange& range, AddressRange piece);
    AddressRange arm_next(TrackedRange& range, AddressRange rest, TrackedAnswer& answer);
    void arm_mapped(AddressRange part, Piece& piece);
    void look(AddressRange part, AddressRange& to_arm, bool& unregistered, Piece& piece);
    void arm_written(AddressRange part, const Piece& piece);
    uint64_t arm_accessed(AddressRange part, const Piece& piece);
    void note_dropped(const Piece& piece, AddressRange looked, std::span<const uapi::PageRegion> found) const;
    void arm_runs(std::span<const uapi::PageRegion> found, bool lost);
    static bool protect(AddressRange run, uint64_t call_bytes);
    bool own(AddressRange part);
    int register_mappings(AddressRange range);
    void give_back(AddressRange range);
    bool lift_front(AddressRange& rest, Mapping& mapping);
    uint64_t lift_some();
    void lift_if_paused();
    void lose_all();
    bool is_resting();
    void rest();
    void wake();
    AddressRange pass_over(TrackedRange& range, AddressRange piece, TrackedAnswer& answer);
    uint64_t count_present(AddressRange range);

    TrackedPages pages_;  // guarded by the ledger's lock, and changed by who has the turn
    ArmedPageLedger ledger_;
    Exclusion exclusion_;
    PageScan scan_;
    ProcMaps maps_;
    PageSizes sizes_;
    uint64_t mode_ = 0;           // uapi::kRegisterMode*
    uint64_t verified_ns_ = 0;    // when the files were last found to be open
    bool swap_is_empty_ = false;  // then
    uint64_t generation_ = 0;     // of the userfaultfd that has the marks
    pid_t owner_ = 0;             // 0: not open
    std::atomic<bool> paused_{false};
    std::atomic<bool> gap_{false};  // a pause that the ranges have not rested for
    bool resting_ = false;          // since a pause: nothing counts as armed
    uint64_t lifted_to_ = 0;        // then: up to here nothing is
    std::atomic<uint32_t> busy_{0};
};

}  // namespace damon
