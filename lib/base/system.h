// What base/ asks of the operating system. lib/os/system.cc answers; a port writes that file anew.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace damon {

// Zeroed, readable and writable pages of our own; nullptr when the system has none. `bytes` is rounded up to pages.
void* map_pages(size_t bytes);
void unmap_pages(void* pages, size_t bytes);

// The calling process; another one in a child of fork.
pid_t current_process();

// Lets another thread run.
void yield_processor();

}  // namespace damon
