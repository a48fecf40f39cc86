// What the page tables say of single pages, through /proc/self/pagemap: PAGEMAP_SCAN (Linux 6.7), else the file's own
// entries, which hold only presence. Looking never touches the pages.
#pragma once

#include <cstdint>
#include <span>

#include "model/address_range.h"
#include "os/own_file.h"
#include "os/uapi.h"

namespace damon {

// Gets what a scan saw of a range: ascending runs of pages that are accessed or not present; the rest is marked.
struct RunSink {
    void* owner;
    void (*add)(void* owner, AddressRange range, uint64_t page_bytes, std::span<const uapi::PageRegion> runs);
};

class PageScan {
public:
    // What look answers: uapi::kPage* bits and kMapped, 0 for an address where nothing is mapped, or kFailed where the
    // kernel did not answer. Without PAGEMAP_SCAN everything is taken for mapped.
    static constexpr uint32_t kMarked = 1u << 29;  // of look_marked: protected by userfaultfd, in either mode
    static constexpr uint32_t kMapped = 1u << 30;
    static constexpr uint32_t kFailed = 1u << 31;

    PageScan() = default;
    ~PageScan() { close(); }
    PageScan(const PageScan&) = delete;
    PageScan& operator=(const PageScan&) = delete;

    // 0 or a negative errno. The file describes the process that opened it, also after a fork.
    int open(uint64_t page_bytes);
    void close();
    // Open, and not closed by the program meanwhile.
    bool is_open() const { return file_.is_ours(); }

    // Whether write protection and its states can be read and set: needs PAGEMAP_SCAN.
    bool can_scan() const { return can_scan_; }
    // Why not: a negative errno; -ENOTTY: the kernel does not know it.
    int scan_error() const { return scan_error_; }
    // Asks also for uapi::kPageAccessed, which older kernels refuse to know.
    void ask_for_accessed() { categories_ |= uapi::kPageAccessed; }

    // The state of each page, `pages` in any order; ascending neighbours are asked for together where that is cheaper.
    void look(std::span<const uint64_t> pages, std::span<uint32_t> states);

    // The same, and first of all whether the page is marked. Of a marked page only kMarked, kMapped and presence are
    // reported. PAGEMAP_SCAN alone cannot tell a page that is read-write-protected from one of a mapping that is not
    // registered.
    void look_marked(std::span<const uint64_t> pages, std::span<uint32_t> states);

    // The same as look where most pages are read-write-protected, of which nothing is told but that they are present:
    // neighbours, not further apart than `max_gap_pages`, cost less. `keep` gets all that was seen, of neighbours what
    // lies between them too. Pages of no mapping and of one that is not registered look like protected ones.
    void look_protected(std::span<const uint64_t> pages, std::span<uint32_t> states, uint64_t max_gap_pages,
                        const RunSink* keep);

    // How far from the start of `range` there are no more than `max_pages` pages that are present or swapped out: a
    // bound for what a call takes that walks them. Holes are passed over.
    uint64_t reach(AddressRange range, uint64_t max_pages);

    // Whether any page of the range is marked.
    bool any_marked(AddressRange range);

    // Write-protects one page if it is present and not part of a huge mapping. 1: armed; 0: nothing there to arm, or it
    // is huge; -EPERM: the mapping is not registered for asynchronous write protection; or another negative errno. The
    // kernel does all of it in one step, so no huge page can be split by a race.
    // `written`: whether the page was not armed before, or had been written since.
    int arm_written(uint64_t page, bool& written);

    // The front of `range`, which lies in one mapping: runs of pages in order, with kPagePresent, kPageSwapped,
    // kPageHuge, kPageWritten and kPageWpAllowed. Left out are those that are present, small and write-protected, so
    // that it costs little where most are. `until` is how far they reach. How many, or a negative errno.
    int look_unarmed(AddressRange range, std::span<uapi::PageRegion> runs, uint64_t& until);

    // Where the first page of `range` lies that is not write-protected, present or not; the end: all of them are. Costs
    // a third of look_unarmed. 0 or a negative errno.
    int first_unarmed(AddressRange range, uint64_t& found);

    // Write-protects the written pages of the front of `range` that are present or swapped out, in no huge mapping, and
    // in one that is registered for asynchronous write protection; returns which they were. As look_unarmed; -EPERM:
    // some of it is not registered so.
    int arm_written_runs(AddressRange range, std::span<uapi::PageRegion> runs, uint64_t& until);

    // As look_unarmed with read-write protection: kPagePresent, kPageSwapped, kPageHuge and kPageAccessed. Left out are
    // the pages that are present and not accessed, and all that are present in mappings that are not registered.
    int look_accessed(AddressRange range, std::span<uapi::PageRegion> runs, uint64_t& until);

    // Whether the first page of `range` that is present or swapped out lies in a mapping that is registered for
    // asynchronous protection of `mode` (uapi::kRegisterMode*): 1 or 0; or a negative errno, -ENOENT: there is no such
    // page.
    int registered(AddressRange range, uint64_t mode);

private:
    int first_populated(AddressRange range, uint64_t categories, uapi::PageRegion& page);
    int scan_runs(AddressRange range, uapi::ScanArguments& arguments, std::span<uapi::PageRegion> runs,
                  uint64_t& until);
    size_t scan_group(std::span<const uint64_t> pages, std::span<uint32_t> states, bool only_unprotected,
                      const RunSink* keep);
    void read_group(std::span<const uint64_t> pages, std::span<uint32_t> states);

    OwnFile file_;
    bool try_scan();

    bool can_scan_ = false;
    int scan_error_ = 0;
    uint64_t page_bytes_ = 4096;
    uint64_t categories_ = 0;
};

}  // namespace damon
