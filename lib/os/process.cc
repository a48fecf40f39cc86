#include "os/process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <new>

namespace damon {
namespace {

using Cell = std::atomic<pid_t>;

constexpr size_t kCellBytes = 4096;  // the system rounds it up to a page

constinit Cell no_cell{0};
constinit std::atomic<Cell*> kept{nullptr};

// A page that a child of fork finds zeroed, whoever called fork and however (Linux 4.14).
Cell* make_cell() {
    void* page = mmap(nullptr, kCellBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return &no_cell;
    // An emulator of user space (qemu) takes any advice and follows none: what it answers is worth nothing there.
    const bool knows_advice = madvise(page, kCellBytes, -1) != 0;
    const bool wiped = knows_advice && madvise(page, kCellBytes, MADV_WIPEONFORK) == 0;
    Cell* fresh = wiped ? ::new (page) Cell(0) : &no_cell;
    Cell* before = nullptr;
    if (!kept.compare_exchange_strong(before, fresh)) fresh = before;
    if (fresh != page) munmap(page, kCellBytes);
    return fresh;
}

// Process ids have no more bits than these (PID_MAX_LIMIT).
constexpr int kPidBits = 22;
constexpr uint32_t kNrGenerations = 1u << (31 - kPidBits);

// How many forks lie behind this process that it knows of. A child begins with its parent's.
constinit std::atomic<uint32_t> generation{0};

pid_t identity_of(pid_t pid, uint32_t forks) {
    return static_cast<pid_t>(static_cast<uint32_t>(pid) | forks % kNrGenerations << kPidBits);
}

}  // namespace

pid_t pid_of(pid_t process_id) { return process_id & ((1 << kPidBits) - 1); }

bool call_in_children(void (*fn)()) { return pthread_atfork(nullptr, nullptr, fn) == 0; }

bool process_is_dumpable() { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1; }

pid_t process_id() {
    Cell* cell = kept.load(std::memory_order_acquire);
    if (cell == nullptr) cell = make_cell();
    if (cell == &no_cell) return getpid();
    pid_t self = cell->load(std::memory_order_relaxed);
    if (self != 0) return self;
    const uint32_t mine = generation.load(std::memory_order_relaxed) + 1;
    self = identity_of(getpid(), mine);
    pid_t faster = 0;
    if (!cell->compare_exchange_strong(faster, self)) return faster;
    generation.store(mine, std::memory_order_relaxed);
    return self;
}

}  // namespace damon
