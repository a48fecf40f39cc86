// What base/ asks of the operating system. lib/os/system.cc answers; a port writes that file anew.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace damon {

// Zeroed, readable and writable pages of our own; nullptr when the system has none. `bytes` is rounded up to pages.
void* map_pages(size_t bytes);
void unmap_pages(void* pages, size_t bytes);

// The calling process; another one in a child of fork.
pid_t current_process();

// Sleeps while `word` is `value`, until it is woken, at most a millisecond.
void sleep_while_equal(const std::atomic<uint32_t>& word, uint32_t value);
void wake_all(const std::atomic<uint32_t>& word);

}  // namespace damon
