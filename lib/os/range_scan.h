// What the page tables of a process say of whole ranges, as runs of pages in the same state. PAGEMAP_SCAN (Linux 6.7)
// reports all of it; before, the entries of /proc/PID/pagemap hold presence, swap and whether a page is of a file, but
// not huge pages. Looking never touches the pages.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "model/address_range.h"
#include "os/own_file.h"
#include "os/uapi.h"

namespace damon {

// Neighbouring pages in one state: uapi::kPage{Present,Swapped,File,Huge,Zero}; 0: a hole.
struct PageRun {
    AddressRange range;
    uint32_t state = 0;

    bool present() const { return (state & uapi::kPagePresent) != 0; }
    bool huge() const { return (state & uapi::kPageHuge) != 0; }
};

class RangeScan {
public:
    RangeScan() = default;
    ~RangeScan() { close(); }
    RangeScan(const RangeScan&) = delete;
    RangeScan& operator=(const RangeScan&) = delete;

    // `pid` 0: this process. 0 or a negative errno; of another process the kernel asks for the right to trace it.
    int open(pid_t pid, uint64_t page_bytes);
    void close();
    // Open, and not closed by the program meanwhile.
    bool is_open() const { return file_.is_ours(); }
    // Whether kPageHuge is told.
    bool sees_huge() const { return can_scan_; }

    // Whether memory that was never populated costs next to nothing.
    bool passes_holes() const { return can_scan_; }

    // The first page of `range` that is present or swapped out, with `only_anonymous` of those that are of no file. 1:
    // `page` is its address; 0: there is none; or a negative errno.
    int find_populated(AddressRange range, bool only_anonymous, uint64_t& page);

    // The front of `range`, which lies in one mapping: its runs in address order, without gaps, the first from
    // range.start on; holes are runs too. `until` is how far they reach: less than range.end where `runs` is full or
    // much was looked at. Returns how many, at least 1 for a range that is not empty, or a negative errno. Pages that
    // are not mapped (any more) read as holes.
    int look(AddressRange range, std::span<PageRun> runs, uint64_t& until);

private:
    int scan(AddressRange range, std::span<PageRun> runs, uint64_t& until);
    int read(AddressRange range, std::span<PageRun> runs, uint64_t& until);
    int find_by_reading(AddressRange range, bool only_anonymous, uint64_t& page);

    OwnFile file_;
    bool can_scan_ = false;
    uint64_t page_bytes_ = 4096;
};

}  // namespace damon
