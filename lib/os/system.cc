#include "base/system.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

namespace damon {

void* map_pages(size_t bytes) {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

void unmap_pages(void* pages, size_t bytes) { munmap(pages, bytes); }

pid_t current_process() { return getpid(); }

void yield_processor() { sched_yield(); }

}  // namespace damon
