#include "os/page_scan.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// The cost model of asking for neighbours together. Measured on the development machine: a scan of one page 0.70 us; of
// n pages 0.65 us + 5.5 ns a page, 11 ns where every other page differs and is answered alone. So a hole of 64 pages
// between two samples costs no more than a call of its own.
constexpr uint64_t kMaxGapPages = 64;
// Bounds the answer of one call, and with it the memory on the stack.
constexpr size_t kMaxGroupPages = 1024;
constexpr size_t kMaxRegions = 128;

size_t group_size(std::span<const uint64_t> pages, uint64_t page_bytes, uint64_t max_gap_pages) {
    size_t size = 1;
    while (size < pages.size() && pages[size] >= pages[size - 1] &&
           pages[size] - pages[size - 1] <= max_gap_pages * page_bytes &&
           pages[size] - pages[0] < kMaxGroupPages * page_bytes) {
        ++size;
    }
    return size;
}

}  // namespace

// Behaviour, not version (fact 1): the page of this very variable is present and must be reported so.
bool PageScan::try_scan() {
    uapi::PageRegion region{};
    uapi::ScanArguments arguments;
    const uint64_t page = reinterpret_cast<uint64_t>(&region) & ~(page_bytes_ - 1);
    region.start = page;  // makes it present
    arguments.start = page;
    arguments.end = page + page_bytes_;
    arguments.vec = reinterpret_cast<uint64_t>(&region);
    arguments.vec_len = 1;
    arguments.return_mask = uapi::kPagePresent;
    const long found = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments);
    scan_error_ = found < 0 ? static_cast<int>(found) : -EIO;
    return found == 1 && region.start == page && region.categories == uapi::kPagePresent;
}

int PageScan::open(uint64_t page_bytes) {
    close();
    page_bytes_ = page_bytes;
    // Again where the program closed the file between the two calls.
    for (int tries = 0; tries < kTriesToOpen; ++tries) {
        if (const int error = open_proc_file(file_, "/proc/thread-self/pagemap")) return error;
        can_scan_ = try_scan();
        if (can_scan_ || file_.is_ours()) break;
    }
    categories_ = uapi::kPageWpAllowed | uapi::kPageWritten | uapi::kPagePresent | uapi::kPageSwapped | uapi::kPageHuge;
    return 0;
}

void PageScan::close() {
    file_.close();
    can_scan_ = false;
}

// Answers at least the first page; returns how many it answered (the answer of one call is bounded).
size_t PageScan::scan_group(std::span<const uint64_t> pages, std::span<uint32_t> states, bool only_unprotected,
                            const RunSink* keep) {
    uapi::PageRegion regions[kMaxRegions];
    uapi::ScanArguments arguments;
    arguments.start = pages.front();
    arguments.end = pages.back() + page_bytes_;
    arguments.vec = reinterpret_cast<uint64_t>(regions);
    // The kernel allocates, and clears, room for as many.
    arguments.vec_len = std::min<uint64_t>((arguments.end - arguments.start) / page_bytes_, kMaxRegions);
    arguments.return_mask = categories_;
    if (only_unprotected) {  // not present, or accessed
        arguments.category_inverted = uapi::kPagePresent;
        arguments.category_anyof_mask = uapi::kPagePresent | uapi::kPageAccessed;
    }
    const long found = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments);
    if (found < 0 || found > static_cast<long>(kMaxRegions)) {
        std::fill(states.begin(), states.end(), kFailed);
        return pages.size();
    }
    const uint64_t walked = std::max(arguments.walk_end, pages.front() + page_bytes_);
    const AddressRange told{pages.front(), std::min(walked, pages.back() + page_bytes_)};
    if (keep != nullptr) keep->add(keep->owner, told, page_bytes_, {regions, static_cast<size_t>(found)});
    const uint32_t left_out = only_unprotected ? kMapped | uapi::kPagePresent : 0;
    size_t answered = 0;
    for (long at = 0; answered < pages.size() && pages[answered] < walked; ++answered) {
        while (at < found && regions[at].end <= pages[answered]) ++at;
        const bool inside = at < found && regions[at].start <= pages[answered];
        states[answered] = inside ? static_cast<uint32_t>(regions[at].categories) | kMapped : left_out;
    }
    return answered;
}

// From the entries of the file: presence and marks.
void PageScan::read_group(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    uint64_t entries[kMaxGroupPages];
    const uint64_t first = pages.front() / page_bytes_;
    const size_t nr_entries = pages.back() / page_bytes_ - first + 1;
    const ssize_t bytes =
        sys::pread(file_.number(), entries, nr_entries * sizeof entries[0], first * sizeof entries[0]);
    for (size_t i = 0; i < pages.size(); ++i) {
        const size_t index = pages[i] / page_bytes_ - first;
        states[i] = kFailed;
        if (bytes < 0 || (index + 1) * sizeof entries[0] > static_cast<size_t>(bytes)) continue;
        states[i] = kMapped | ((entries[index] & uapi::kEntryPresent) != 0 ? uapi::kPagePresent : 0) |
                    ((entries[index] & uapi::kEntrySwapped) != 0 ? uapi::kPageSwapped : 0) |
                    ((entries[index] & uapi::kEntryMarked) != 0 ? kMarked : 0);
    }
}

void PageScan::look(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    DAMON_CHECK(pages.size() == states.size());
    while (!pages.empty()) {
        size_t answered = group_size(pages, page_bytes_, kMaxGapPages);
        if (can_scan_) {
            answered = scan_group(pages.first(answered), states.first(answered), false, nullptr);
        } else {
            read_group(pages.first(answered), states.first(answered));
        }
        pages = pages.subspan(answered);
        states = states.subspan(answered);
    }
}

void PageScan::look_protected(std::span<const uint64_t> pages, std::span<uint32_t> states, uint64_t max_gap_pages,
                              const RunSink* keep) {
    DAMON_CHECK(pages.size() == states.size() && can_scan_);
    while (!pages.empty()) {
        const size_t size = group_size(pages, page_bytes_, max_gap_pages);
        const size_t answered = scan_group(pages.first(size), states.first(size), true, keep);
        pages = pages.subspan(answered);
        states = states.subspan(answered);
    }
}

void PageScan::look_marked(std::span<const uint64_t> pages, std::span<uint32_t> states) {
    DAMON_CHECK(pages.size() == states.size() && can_scan_);
    for (size_t done = 0; done < pages.size();) {
        const size_t size = group_size(pages.subspan(done), page_bytes_, kMaxGapPages);
        read_group(pages.subspan(done, size), states.subspan(done, size));
        done += size;
    }
    // Runs of pages that are not marked.
    for (size_t first = 0; first < pages.size();) {
        size_t last = first;
        while (last < pages.size() && (states[last] & (kMarked | kFailed)) == 0) ++last;
        look(pages.subspan(first, last - first), states.subspan(first, last - first));
        first = last + 1;
    }
}

bool PageScan::any_marked(AddressRange range) {
    uint64_t entries[kMaxGroupPages];
    for (uint64_t page = range.start; page < range.end;) {
        const size_t wanted = std::min<uint64_t>((range.end - page) / page_bytes_, kMaxGroupPages);
        const ssize_t bytes =
            sys::pread(file_.number(), entries, wanted * sizeof entries[0], page / page_bytes_ * sizeof entries[0]);
        if (bytes < static_cast<ssize_t>(sizeof entries[0])) return false;
        const size_t got = static_cast<size_t>(bytes) / sizeof entries[0];
        for (size_t i = 0; i < got; ++i) {
            if ((entries[i] & uapi::kEntryMarked) != 0) return true;
        }
        page += got * page_bytes_;
    }
    return false;
}

uint64_t PageScan::reach(AddressRange range, uint64_t max_pages) {
    uapi::PageRegion regions[kMaxRegions];
    uapi::ScanArguments arguments;
    arguments.start = range.start;
    arguments.end = range.end;
    arguments.vec = reinterpret_cast<uint64_t>(regions);
    arguments.vec_len = kMaxRegions;
    arguments.max_pages = max_pages;
    arguments.category_anyof_mask = uapi::kPagePresent | uapi::kPageSwapped;
    arguments.return_mask = uapi::kPagePresent;
    const bool scanned = can_scan_ && sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments) >= 0;
    if (scanned && arguments.walk_end > range.start) return std::min(arguments.walk_end, range.end);
    return range.start + std::min(range.size(), max_pages * page_bytes_);
}

int PageScan::arm_written(uint64_t page, bool& written) {
    uapi::PageRegion region{};
    uapi::ScanArguments arguments;
    arguments.flags = uapi::kScanWpMatching | uapi::kScanCheckWpAsync;
    arguments.start = page;
    arguments.end = page + page_bytes_;
    arguments.vec = reinterpret_cast<uint64_t>(&region);
    arguments.vec_len = 1;
    arguments.category_mask = uapi::kPagePresent | uapi::kPageHuge;
    arguments.category_inverted = uapi::kPageHuge;
    arguments.return_mask = uapi::kPageWritten;
    const long armed = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments);
    written = armed == 1 && (region.categories & uapi::kPageWritten) != 0;
    return static_cast<int>(armed);
}

int PageScan::scan_runs(AddressRange range, uapi::ScanArguments& arguments, std::span<uapi::PageRegion> runs,
                        uint64_t& until) {
    arguments.start = range.start;
    arguments.end = range.end;
    arguments.vec = reinterpret_cast<uint64_t>(runs.data());
    arguments.vec_len = runs.size();
    const long found = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments);
    if (found > static_cast<long>(runs.size())) return -EIO;
    // A call that gets nowhere must not be made again for ever.
    if (found >= 0 && arguments.walk_end <= range.start) return -EIO;
    until = std::min(arguments.walk_end, range.end);
    return static_cast<int>(found);
}

int PageScan::look_unarmed(AddressRange range, std::span<uapi::PageRegion> runs, uint64_t& until) {
    uapi::ScanArguments arguments;
    // Each page that matches costs five times as much as one that does not.
    arguments.category_inverted = uapi::kPagePresent | uapi::kPageWpAllowed;
    arguments.category_anyof_mask =
        uapi::kPagePresent | uapi::kPageWpAllowed | uapi::kPageWritten | uapi::kPageHuge | uapi::kPageSwapped;
    arguments.return_mask =
        uapi::kPagePresent | uapi::kPageSwapped | uapi::kPageHuge | uapi::kPageWritten | uapi::kPageWpAllowed;
    return scan_runs(range, arguments, runs, until);
}

// The kernel has a shorter way for exactly these masks.
int PageScan::first_unarmed(AddressRange range, uint64_t& found) {
    uapi::ScanArguments arguments;
    arguments.max_pages = 1;
    arguments.category_mask = uapi::kPageWritten;
    arguments.return_mask = uapi::kPageWritten;
    uapi::PageRegion run;
    uint64_t until = 0;
    const int nr_runs = scan_runs(range, arguments, {&run, 1}, until);
    if (nr_runs < 0) return nr_runs;
    found = nr_runs == 0 ? until : run.start;
    return 0;
}

int PageScan::look_accessed(AddressRange range, std::span<uapi::PageRegion> runs, uint64_t& until) {
    uapi::ScanArguments arguments;
    arguments.category_inverted = uapi::kPagePresent;
    arguments.category_anyof_mask = uapi::kPagePresent | uapi::kPageAccessed;
    arguments.return_mask = uapi::kPagePresent | uapi::kPageSwapped | uapi::kPageHuge | uapi::kPageAccessed;
    return scan_runs(range, arguments, runs, until);
}

// 0, or a negative errno; -ENOENT: there is none.
int PageScan::first_populated(AddressRange range, uint64_t categories, uapi::PageRegion& page) {
    uapi::ScanArguments arguments;
    arguments.max_pages = 1;
    arguments.category_anyof_mask = uapi::kPagePresent | uapi::kPageSwapped;
    arguments.return_mask = categories;
    uint64_t until = 0;
    // A page without any of the categories that are asked for is reported too.
    const int found = scan_runs(range, arguments, {&page, 1}, until);
    return found > 0 ? 0 : found == 0 ? -ENOENT : found;
}

int PageScan::registered(AddressRange range, uint64_t mode) {
    const uint64_t shown = mode == uapi::kRegisterModeRwp ? uapi::kPageAccessed : uapi::kPageWpAllowed;
    uapi::PageRegion page;
    int error = first_populated(range, shown, page);
    if (error != 0 || (page.categories & shown) != 0) return error != 0 ? error : 1;
    if (mode == uapi::kRegisterModeWp) return 0;
    if (any_marked({page.start, page.start + page_bytes_})) return 1;
    // It may have been accessed between the two.
    error = first_populated({page.start, page.start + page_bytes_}, shown, page);
    return error != 0 ? error : (page.categories & shown) != 0;
}

int PageScan::arm_written_runs(AddressRange range, std::span<uapi::PageRegion> runs, uint64_t& until) {
    uapi::ScanArguments arguments;
    arguments.max_pages = kMaxGroupPages;  // some 40 us
    arguments.flags = uapi::kScanWpMatching | uapi::kScanCheckWpAsync;
    arguments.category_mask = uapi::kPageWritten | uapi::kPageHuge;
    arguments.category_anyof_mask = uapi::kPagePresent | uapi::kPageSwapped;
    arguments.category_inverted = uapi::kPageHuge;
    arguments.return_mask = uapi::kPageWritten;
    return scan_runs(range, arguments, runs, until);
}

}  // namespace damon
