#include "os/accessed_bits.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/arithmetic.h"
#include "os/metrics_text.h"
#include "os/own_file.h"
#include "os/page_sizes.h"
#include "os/process.h"
#include "os/range_scan.h"
#include "os/syscalls.h"
#include "os/text_parts.h"

namespace damon {
namespace {

constexpr int kCold = 20;  // MADV_COLD, which older headers lack

// Of the thread, since those of the process are empty once its first thread has ended.
constexpr char kClearRefs[] = "/proc/thread-self/clear_refs";
constexpr char kStatus[] = "/proc/thread-self/status";
constexpr char kRollup[] = "/proc/thread-self/smaps_rollup";

// Bytes of text, at most `size`; or a negative errno.
ssize_t read_text(const char* path, char* text, size_t size) {
    const ScopedFile file(sys::open_read(path), FileKind::kKernel);
    if (file.fd() < 0) return file.fd();
    size_t filled = 0;
    while (filled < size) {
        const ssize_t got = sys::pread(file.fd(), text + filled, size - filled, filled);
        if (got < 0) return got;
        if (got == 0) break;
        filled += static_cast<size_t>(got);
    }
    return static_cast<ssize_t>(filled);
}

bool kilobytes(std::string_view text, std::string_view name, uint64_t& bytes) {
    uint64_t kb = 0;
    if (!meminfo_value(text, name, kb) || kb > UINT64_MAX / 1024) return false;
    bytes = kb * 1024;
    return true;
}

// clear_refs leaves the processors' own copies of the page tables, in which a page stays accessed. MADV_COLD of memory
// that was accessed drops them, and that of a whole huge page drops all.
int drop_cached_translations() {
    const PageSizes sizes = read_page_sizes();
    const size_t mapped = 2 * sizes.huge_bytes;
    int error = 0;
    void* memory = sys::mmap(mapped, -1, error);
    if (memory == nullptr) return error;
    const uint64_t start = align_up(reinterpret_cast<uint64_t>(memory), sizes.huge_bytes);
    (void)sys::madvise(start, sizes.huge_bytes, MADV_NOHUGEPAGE);  // refused where there are no huge pages
    error = sys::madvise(start, sizes.huge_bytes, MADV_DONTFORK);
    if (error == 0) {
        *reinterpret_cast<volatile char*>(start) = 1;
        *reinterpret_cast<volatile char*>(start + sizes.huge_bytes - sizes.base_bytes) = 1;
        error = sys::madvise(start, sizes.huge_bytes, kCold);
    }
    (void)sys::munmap(memory, mapped);
    return error;
}

// The process whose bits are taken.
constinit std::atomic<pid_t> taken_by{0};

}  // namespace

bool AccessedBitsTurn::take() {
    const pid_t self = process_id();
    if (owner_ == self) return true;
    pid_t seen = taken_by.load();
    while (seen != self) {
        if (!taken_by.compare_exchange_weak(seen, self)) continue;
        owner_ = self;
        return true;
    }
    return false;
}

void AccessedBitsTurn::release() {
    if (owner_ != 0 && owner_ == process_id()) taken_by.store(0);
    owner_ = 0;
}

bool parse_accessed_bytes(std::string_view rollup, AccessedBytes& bytes) {
    uint64_t shared = 0;
    uint64_t own = 0;
    if (!kilobytes(rollup, "Rss", bytes.present) || !kilobytes(rollup, "Referenced", bytes.accessed)) return false;
    (void)kilobytes(rollup, "Shared_Hugetlb", shared);  // not told by a kernel without hugetlbfs
    (void)kilobytes(rollup, "Private_Hugetlb", own);
    bytes.hugetlb = shared + own;
    return true;
}

int clear_accessed_bits() {
    const ScopedFile file(sys::open_write_at(AT_FDCWD, kClearRefs), FileKind::kKernel);
    if (file.fd() < 0) return file.fd();
    const ssize_t written = sys::write(file.fd(), "1", 1);
    return written < 0 ? static_cast<int>(written) : drop_cached_translations();
}

int read_accessed_bytes(AccessedBytes& bytes) {
    char text[2048];
    const ssize_t length = read_text(kRollup, text, sizeof text);
    if (length < 0) return static_cast<int>(length);
    return parse_accessed_bytes({text, static_cast<size_t>(length)}, bytes) ? 0 : -EIO;
}

bool parse_held_memory(std::string_view status, HeldMemory& held) {
    return kilobytes(status, "VmRSS", held.present) && kilobytes(status, "VmPTE", held.tables);
}

int read_held_memory(HeldMemory& held) {
    char text[4096];
    const ssize_t length = read_text(kStatus, text, sizeof text);
    if (length < 0) return static_cast<int>(length);
    return parse_held_memory({text, static_cast<size_t>(length)}, held) ? 0 : -EIO;
}

int ReclaimScans::read() {
    const ScopedFile file(sys::open_read("/proc/vmstat"), FileKind::kKernel);
    if (file.fd() < 0) return file.fd();
    char text[1024];
    size_t kept = 0;  // of a line that the last part of the text began
    uint64_t offset = 0;
    pages_ = 0;
    for (;;) {
        const ssize_t got = sys::pread(file.fd(), text + kept, sizeof text - kept, offset);
        if (got < 0) return static_cast<int>(got);
        if (got == 0) return 0;
        offset += static_cast<uint64_t>(got);
        const std::string_view part{text, kept + static_cast<size_t>(got)};
        const size_t last = part.rfind('\n');
        if (last == part.npos) return -EIO;  // no line is as long
        pages_ += reclaim_scanned_pages(text_front(part, last + 1));
        kept = part.size() - last - 1;
        memmove(text, text + last + 1, kept);
    }
}

bool smaps_may_hide_huge_pages() {
    char text[8];
    const ssize_t length = read_text("/proc/sys/kernel/numa_balancing", text, sizeof text);
    if (length == -ENOENT || (length > 0 && text[0] == '0')) return false;  // not built in, or switched off
    // A kernel that has PAGEMAP_SCAN is newer.
    RangeScan scan;
    return scan.open(0, read_page_sizes().base_bytes) != 0 || !scan.passes_holes();
}

bool reclaim_keeps_accessed_bits() {
    char text[32];
    const ssize_t length = read_text("/sys/kernel/mm/lru_gen/enabled", text, sizeof text);
    // Where sysfs describes memory, but not of this, the kernel was built without it.
    if (length == -ENOENT) return ScopedFile(sys::open_read("/sys/kernel/mm"), FileKind::kKernel).fd() >= 0;
    return length > 0 && text_begins({text, static_cast<size_t>(length)}, "0x0000");
}

}  // namespace damon
