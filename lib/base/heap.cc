#include "base/heap.h"

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/fork_safe_lock.h"
#include "base/system.h"

namespace damon {
namespace {

// Blocks of a power of two up to kLargestClass come from free lists over chunks; larger ones are mappings of their own.
constexpr size_t kSmallestClass = 16;
constexpr size_t kLargestClass = 32 * 1024;
constexpr size_t kNrClasses = 12;  // 16 B ... 32 KiB
constexpr size_t kChunkBytes = 256 * 1024;

struct FreeBlock {
    FreeBlock* next;
};

std::atomic<HeapFaultHook> fault_hook{nullptr};
std::atomic<size_t> bytes_in_use{0};
std::atomic<FreeBlock*> free_lists[kNrClasses];
std::atomic<uintptr_t> chunk_next;
std::atomic<uintptr_t> chunk_end;

// What it guards is atomic not for other threads but for a child of fork: the child finds the stores below up to some
// point, in their order, and after each of them everything is whole. The worst that an owner lost in a fork leaves
// behind is one unused block or chunk in the child.
constinit ForkSafeLock heap_lock;

size_t class_of(size_t bytes) {
    return bytes <= kSmallestClass ? 0 : std::bit_width(bytes - 1) - std::bit_width(kSmallestClass - 1);
}

void* take_from_chunk(size_t class_bytes) {
    if (chunk_next + class_bytes > chunk_end) {
        void* chunk = map_pages(kChunkBytes);
        if (chunk == nullptr) return nullptr;
        chunk_end = 0;  // full, whatever chunk_next says
        chunk_next = reinterpret_cast<uintptr_t>(chunk);
        chunk_end = chunk_next + kChunkBytes;
    }
    const uintptr_t block = chunk_next;
    chunk_next = block + class_bytes;
    return reinterpret_cast<void*>(block);
}

}  // namespace

void* heap_allocate(size_t bytes) {
    const HeapFaultHook hook = fault_hook.load(std::memory_order_acquire);
    if (hook != nullptr && hook(bytes)) return nullptr;
    void* block = nullptr;
    if (bytes > kLargestClass) {
        block = map_pages(bytes);
    } else {
        const size_t block_class = class_of(bytes);
        const size_t class_bytes = kSmallestClass << block_class;
        const LockGuard lock(heap_lock, current_process());
        FreeBlock* head = free_lists[block_class];
        if (head != nullptr) {
            free_lists[block_class] = head->next;
            block = head;
            memset(block, 0, class_bytes);
        } else {
            block = take_from_chunk(class_bytes);
        }
    }
    if (block != nullptr) bytes_in_use.fetch_add(bytes, std::memory_order_relaxed);
    return block;
}

void heap_free(void* block, size_t bytes) {
    if (block == nullptr) return;
    bytes_in_use.fetch_sub(bytes, std::memory_order_relaxed);
    if (bytes > kLargestClass) {
        unmap_pages(block, bytes);
        return;
    }
    const size_t block_class = class_of(bytes);
    auto* freed = static_cast<FreeBlock*>(block);
    const LockGuard lock(heap_lock, current_process());
    freed->next = free_lists[block_class];
    free_lists[block_class] = freed;
}

void heap_set_fault_hook(HeapFaultHook hook) { fault_hook.store(hook, std::memory_order_release); }

size_t heap_bytes_in_use() { return bytes_in_use.load(std::memory_order_relaxed); }

}  // namespace damon
