#include "os/page_sizes.h"

#include <unistd.h>

#include <atomic>

#include "os/own_file.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// What the system said; 0: nothing yet. It holds until the next boot.
constinit std::atomic<uint64_t> told_huge_bytes{0};

uint64_t read_huge_bytes() {
    const ScopedFile file(sys::open_read("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), FileKind::kKernel);
    char text[32] = {};
    const ssize_t length = file.fd() < 0 ? file.fd() : sys::read(file.fd(), text, sizeof text - 1);
    uint64_t bytes = 0;
    for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; ++i) bytes = bytes * 10 + (text[i] - '0');
    return (bytes & (bytes - 1)) == 0 ? bytes : 0;
}

}  // namespace

PageSizes read_page_sizes() {
    PageSizes sizes;
    const long base = sysconf(_SC_PAGESIZE);
    if (base > 0) sizes.base_bytes = static_cast<uint64_t>(base);
    // One page of 8-byte entries: 512 * 4 KiB = 2 MiB, 2,048 * 16 KiB = 32 MiB, 8,192 * 64 KiB = 512 MiB.
    sizes.huge_bytes = sizes.base_bytes * (sizes.base_bytes / 8);
    uint64_t told = told_huge_bytes.load(std::memory_order_relaxed);
    if (told == 0) told = read_huge_bytes();
    if (told <= sizes.base_bytes) return sizes;
    told_huge_bytes.store(told, std::memory_order_relaxed);
    sizes.huge_bytes = told;
    return sizes;
}

}  // namespace damon
