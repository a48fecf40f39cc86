#include "os/range_scan.h"

#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr uint64_t kCategories =
    uapi::kPageFile | uapi::kPagePresent | uapi::kPageSwapped | uapi::kPageZero | uapi::kPageHuge;
constexpr size_t kMaxFound = 64;
constexpr size_t kMaxEntries = 512;

// Runs that follow each other and are in the same state become one.
class RunList {
public:
    explicit RunList(std::span<PageRun> runs) : runs_(runs) {}

    // False: full, and the run was not taken.
    bool add(AddressRange range, uint32_t state) {
        if (range.empty()) return true;
        if (count_ != 0 && runs_[count_ - 1].state == state) {
            runs_[count_ - 1].range.end = range.end;
            return true;
        }
        if (count_ == runs_.size()) return false;
        runs_[count_++] = {range, state};
        return true;
    }
    int count() const { return static_cast<int>(count_); }
    uint64_t end(uint64_t otherwise) const { return count_ == 0 ? otherwise : runs_[count_ - 1].range.end; }

private:
    std::span<PageRun> runs_;
    size_t count_ = 0;
};

uint32_t state_of(uint64_t entry) {
    return ((entry & uapi::kEntryPresent) != 0 ? uapi::kPagePresent : 0) |
           ((entry & uapi::kEntrySwapped) != 0 ? uapi::kPageSwapped : 0) |
           ((entry & uapi::kEntryFile) != 0 ? uapi::kPageFile : 0);
}

}  // namespace

int RangeScan::open(pid_t pid, uint64_t page_bytes) {
    close();
    char path[32] = "/proc/thread-self/pagemap";
    if (pid != 0) snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    page_bytes_ = page_bytes;
    uapi::PageRegion region{};
    uapi::ScanArguments arguments;
    arguments.end = page_bytes;
    arguments.vec = reinterpret_cast<uint64_t>(&region);
    arguments.vec_len = 1;
    arguments.return_mask = kCategories;
    for (int tries = 0; tries < kTriesToOpen; ++tries) {
        if (const int error = open_proc_file(file_, path)) return error;
        can_scan_ = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments) >= 0;
        if (can_scan_ || file_.is_ours()) break;
    }
    return 0;
}

void RangeScan::close() {
    file_.close();
    can_scan_ = false;
}

int RangeScan::look(AddressRange range, std::span<PageRun> runs, uint64_t& until) {
    DAMON_CHECK(!range.empty() && !runs.empty());
    until = range.start;
    return can_scan_ ? scan(range, runs, until) : read(range, runs, until);
}

int RangeScan::find_populated(AddressRange range, bool only_anonymous, uint64_t& page) {
    DAMON_CHECK(!range.empty());
    if (!can_scan_) return find_by_reading(range, only_anonymous, page);
    uapi::PageRegion found{};
    uapi::ScanArguments arguments;
    arguments.start = range.start;
    arguments.end = range.end;
    arguments.vec = reinterpret_cast<uint64_t>(&found);
    arguments.vec_len = 1;
    arguments.max_pages = 1;
    arguments.category_anyof_mask = uapi::kPagePresent | uapi::kPageSwapped;
    if (only_anonymous) arguments.category_inverted = arguments.category_mask = uapi::kPageFile;
    arguments.return_mask = arguments.category_anyof_mask;
    const long count = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments);
    page = found.start;
    return static_cast<int>(count);
}

int RangeScan::find_by_reading(AddressRange range, bool only_anonymous, uint64_t& page) {
    PageRun runs[16];
    while (!range.empty()) {
        uint64_t until = 0;
        const int nr_runs = read(range, runs, until);
        if (nr_runs < 0) return nr_runs;
        for (int i = 0; i < nr_runs; ++i) {
            const bool populated = (runs[i].state & (uapi::kPagePresent | uapi::kPageSwapped)) != 0;
            if (!populated || (only_anonymous && (runs[i].state & uapi::kPageFile) != 0)) continue;
            page = runs[i].range.start;
            return 1;
        }
        range.start = until;
    }
    return 0;
}

int RangeScan::scan(AddressRange range, std::span<PageRun> runs, uint64_t& until) {
    uapi::PageRegion found[kMaxFound];
    uapi::ScanArguments arguments;
    arguments.start = range.start;
    arguments.end = range.end;
    arguments.vec = reinterpret_cast<uint64_t>(found);
    // Each may come with a hole before it.
    arguments.vec_len = std::clamp<size_t>(runs.size() / 2, 1, kMaxFound);
    arguments.return_mask = kCategories;
    const long count = sys::ioctl(file_.number(), uapi::kPagemapScan, &arguments);
    if (count < 0) return static_cast<int>(count);
    const uint64_t walked = std::clamp(arguments.walk_end, range.start + page_bytes_, range.end);
    RunList list(runs);
    uint64_t at = range.start;
    for (long i = 0; i < count; ++i) {
        const AddressRange part = AddressRange{found[i].start, found[i].end}.intersection({at, walked});
        if (part.empty()) continue;
        if (!list.add({at, part.start}, 0) || !list.add(part, static_cast<uint32_t>(found[i].categories))) break;
        at = part.end;
    }
    if (at < walked) (void)list.add({at, walked}, 0);
    until = list.end(walked);
    return list.count();
}

int RangeScan::read(AddressRange range, std::span<PageRun> runs, uint64_t& until) {
    uint64_t entries[kMaxEntries];
    const uint64_t nr_pages = std::min<uint64_t>(kMaxEntries, (range.size() + page_bytes_ - 1) / page_bytes_);
    const ssize_t bytes = sys::pread(file_.number(), entries, nr_pages * sizeof entries[0],
                                     range.start / page_bytes_ * sizeof entries[0]);
    if (bytes < 0) return static_cast<int>(bytes);
    const uint64_t nr_read = static_cast<uint64_t>(bytes) / sizeof entries[0];
    RunList list(runs);
    for (uint64_t i = 0; i < nr_pages; ++i) {
        const uint64_t start = range.start + i * page_bytes_;
        const uint32_t state = i < nr_read ? state_of(entries[i]) : 0;
        if (!list.add({start, std::min(start + page_bytes_, range.end)}, state)) break;
    }
    until = list.end(range.end);
    return list.count();
}

}  // namespace damon
