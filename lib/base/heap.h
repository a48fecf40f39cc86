// The library's own memory: mmap-backed, so that libdamon never calls the host program's malloc, new or free and can
// be embedded in an allocator. Any thread. Never throws.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace damon {

// 16-byte aligned memory, zeroed; nullptr when the system has none (or the fault hook says so). `bytes` may be 0.
void* heap_allocate(size_t bytes);

// `block` came from heap_allocate with the same `bytes`; nullptr is fine.
void heap_free(void* block, size_t bytes);

// Tests: called before every allocation; returning true makes that allocation fail. nullptr removes the hook.
using HeapFaultHook = bool (*)(size_t bytes);
void heap_set_fault_hook(HeapFaultHook hook);

// Bytes in blocks that are now handed out. For leak tests and statistics.
size_t heap_bytes_in_use();

template <typename T, typename... Arguments>
T* heap_new(Arguments&&... arguments) {
    void* block = heap_allocate(sizeof(T));
    return block == nullptr ? nullptr : ::new (block) T(std::forward<Arguments>(arguments)...);
}

template <typename T>
void heap_delete(T* object) {
    if (object == nullptr) return;
    object->~T();
    heap_free(object, sizeof(T));
}

}  // namespace damon
