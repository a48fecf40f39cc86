// Passes over the accessed bits of this process's page tables: which windows of memory were touched, by reads or
// writes, since the last pass. Only of memory that the program promised not to remap (promise), since each window is
// made a mapping of its own: /proc/self/smaps counts the bits of a mapping. MADV_COLD clears them, a window a call.
// Where that cannot be done (a filter of system calls refuses userfaultfd, or Linux is older than 6.7) mappings stay as
// they are, and each is a window. Finer it cannot be told: where one part of a mapping is cleared, what is in use there
// is marked again before smaps can be read, and looks like what is idle.
//
// A pass is made in small steps, each of which holds the address space for less than 100 us, with rests in between in
// which other threads get it:
//
//     if (passes.begin(...))
//         while (passes.step(...).rest_ns != 0) ... rest ...
//         ... passes.answers() ...
//
// What could not be told is unknown, with its reason, and never untouched.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/range_tree.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/pass_window.h"
#include "ops/linux/passes/stall_scan.h"
#include "ops/linux/passes/window_plan.h"
#include "ops/linux/registration/exclusion.h"
#include "ops/linux/registration/left_registrations.h"
#include "os/accessed_bits.h"
#include "os/lock.h"
#include "os/page_sizes.h"
#include "os/range_scan.h"
#include "os/smaps.h"

namespace damon {

struct PassRequest {
    bool wanted = false;   // false: no more passes, windows are taken back
    bool all = false;      // all private memory is promised
    bool sampled = false;  // access checks register the memory too, and unregister it at the end of the run
};

struct PassStep {
    uint64_t rest_ns = 0;    // before the next step; 0: the pass is over
    AddressRange disturbed;  // marks of access checks there went
    uint64_t grown = 0;      // by how much uffd_epoch grew for it
};

class AccessedPasses {
public:
    AccessedPasses() = default;
    ~AccessedPasses() { close(); }
    AccessedPasses(const AccessedPasses&) = delete;
    AccessedPasses& operator=(const AccessedPasses&) = delete;

    // --- any thread ---

    // The range is not remapped, grown or unmapped until it is withdrawn. 0; -EEXIST: overlaps another; -ENOMEM.
    int promise(AddressRange range);
    // The mappings there are as without passes when it returns. False: it was not promised.
    bool withdraw(AddressRange range);

    // --- the worker ---

    // Begins a pass. False: there is nothing to do.
    [[nodiscard]] bool begin(const PassRequest& request, Exclusion& exclusion);
    PassStep step(uint64_t now_ns, Exclusion& exclusion);
    bool under_way() const { return stage_ != Stage::kIdle; }
    // The accessed bits in `range` may have been cleared by somebody else.
    void disturb(AddressRange range);
    // What keeps passes from (some of) the memory that was promised; 0: nothing. The same text stands once.
    Status obstacle() const { return obstacle_; }

    // What is known, in address order; changes with generation(). False: out of memory.
    [[nodiscard]] bool answers(Vector<PassWindow>& out);
    uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
    // What the program paid for the bits that the last pass cleared: an access to each page that was touched.
    uint64_t refault_ns() const { return refault_ns_; }

    // A pass that is under way is given up, and windows are taken back by release_some. What is known stays.
    void rest();
    // The same, for good: the next run knows nothing.
    void end();
    // Takes a window back. For how long to rest before the next call; 0: all mappings are as without passes.
    uint64_t release_some();

private:
    enum class Stage : uint8_t { kIdle, kScan, kUndo, kSplit, kRead, kClear };
    struct Window {
        AddressRange range;
        bool second = false;
        bool hard_start = false;
        bool split = false;               // is a mapping of its own, as far as we know
        bool gone = false;                // withdrawn
        bool resumed = false;             // time passed that does not count
        bool met = false;                 // by this pass
        Unknown failed = Unknown::kNone;  // why it could not be split or cleared
        // Since the last complete pass:
        Unknown unknown = Unknown::kNone;
        uint64_t cleared_ns = 0;  // 0: never
        uint64_t untold_us = 0;   // time that its bits were watched
        uint64_t touched_bytes = 0;
        uint64_t present_bytes = 0;
        uint64_t idle_us = 0;
        PassWindow told;
    };

    void close();
    bool forked() const;
    bool open(bool wanted, bool sampled);
    int open_userfaultfd(bool sampled);
    bool plan(const PassRequest& request, const Exclusion& exclusion);
    bool list_promised(bool all, const Exclusion& exclusion, Vector<AddressRange>& out) const;
    bool read_mappings();
    bool plan_whole_mappings(size_t max_windows);
    bool list_large_reads();
    void cut_at_stall();
    bool take_plan(std::span<const PlannedWindow> planned);
    PassStep next_step(uint64_t now_ns, const Exclusion& exclusion);
    PassStep scan_step();
    PassStep undo_step();
    PassStep split_step();
    PassStep read_step(uint64_t now_ns);
    PassStep clear_step(uint64_t now_ns, const Exclusion& exclusion);
    AddressRange next_part(const Window& window);
    bool is_sparse(const Window& window) const;
    void choose_part(const Window& window, uint64_t took_ns);
    void meet(const SmapsEntry& entry, uint64_t now_ns);
    void finish();
    void report(Window& window, bool reclaimed);
    // Whether a huge page may be there that smaps does not count, and so not as accessed either.
    bool may_hide_huge_page(const Window& window) const;
    uint64_t take_back(AddressRange range);

    mutable Mutex mutex_;  // of everything that withdraw may touch: promised_, windows_
    RangeTree promised_;
    Vector<Window> windows_;  // sorted, disjoint
    Vector<AddressRange> dropped_;
    WindowPlan plan_;
    Vector<PlannedWindow> planned_;
    Vector<AddressRange> promised_list_;
    Vector<AddressRange> large_;  // mappings that may take long to read
    StallScan stalls_;
    bool planned_withdrawn_ = false;  // part of what is planned
    PageSizes sizes_;
    SmapsFile smaps_;
    AccessedBitsTurn turn_;
    ReclaimScans scans_;
    bool scans_known_ = false;
    uint64_t last_scans_ = 0;  // when the pass before began
    bool last_scans_known_ = false;
    bool keeps_bits_ = false;  // reclaim does
    std::atomic<uint64_t> generation_{1};
    uint64_t uffd_generation_ = 0;
    uint64_t refault_ns_ = 0;
    pid_t owner_ = 0;  // 0: not open
    Stage stage_ = Stage::kIdle;
    size_t at_ = 0;        // the window that the stage has come to
    size_t to_clear_ = 0;  // windows before it are cleared
    bool large_reads_ = false;
    uint64_t clear_from_ = 0;   // inside of the window that is being cleared
    uint64_t clear_bytes_ = 0;  // of the next part of it
    RangeScan scan_;            // of windows that are whole mappings
    Status obstacle_;
    bool hides_huge_pages_ = false;
    bool whole_ = false;  // windows are the mappings as they are
    bool ending_ = false;
    bool wanted_ = false;
    bool sampled_ = false;
    Vector<LeftRegistration> left_;  // of windows that were taken back, for the end of the run
};

}  // namespace damon
