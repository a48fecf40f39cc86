#include "base/system.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "os/clock.h"
#include "os/futex.h"
#include "os/own_pages.h"
#include "os/process.h"

namespace damon {
namespace {

// Where our pages are; free where `start` is 0. Without locks: a child of fork may find it half-way through a change.
// What finds no slot is not listed, and harms nobody.
struct OwnPages {
    std::atomic<uintptr_t> start{0};
    std::atomic<uintptr_t> end{0};
};
constexpr size_t kMostListed = 256;
constinit OwnPages own_pages[kMostListed];

void list(uintptr_t start, size_t bytes) {
    for (OwnPages& slot : own_pages) {
        uintptr_t free = 0;
        if (!slot.start.compare_exchange_strong(free, start, std::memory_order_acq_rel)) continue;
        slot.end.store(start + bytes, std::memory_order_release);
        return;
    }
}

void unlist(uintptr_t start) {
    for (OwnPages& slot : own_pages) {
        if (slot.start.load(std::memory_order_acquire) != start) continue;
        slot.end.store(0, std::memory_order_release);
        slot.start.store(0, std::memory_order_release);
        return;
    }
}

}  // namespace

void* map_pages(size_t bytes) {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return nullptr;
    list(reinterpret_cast<uintptr_t>(pages), bytes);
    return pages;
}

void unmap_pages(void* pages, size_t bytes) {
    unlist(reinterpret_cast<uintptr_t>(pages));
    munmap(pages, bytes);
}

bool list_own_pages(Vector<AddressRange>& pages) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    for (const OwnPages& slot : own_pages) {
        const uint64_t start = slot.start.load(std::memory_order_acquire);
        const uint64_t end = slot.end.load(std::memory_order_acquire);
        if (start == 0 || end <= start) continue;
        if (!pages.push_back({start, end + (page - end % page) % page})) return false;
    }
    std::sort(pages.begin(), pages.end(),
              [](const AddressRange& left, const AddressRange& right) { return left.start < right.start; });
    return true;
}

pid_t current_process() { return process_id(); }

void sleep_while_equal(const std::atomic<uint32_t>& word, uint32_t value) {
    constexpr uint64_t kMostNs = 1'000'000;
    futex_wait(word, value, Clock().now_ns() + kMostNs);
}

void wake_all(const std::atomic<uint32_t>& word) { futex_wake_all(word); }

}  // namespace damon
