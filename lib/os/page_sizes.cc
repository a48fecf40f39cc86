#include "os/page_sizes.h"

#include <unistd.h>

#include "os/syscalls.h"

namespace damon {

PageSizes read_page_sizes() {
    PageSizes sizes;
    const long base = sysconf(_SC_PAGESIZE);
    if (base > 0) sizes.base_bytes = static_cast<uint64_t>(base);
    // One page of 8-byte entries: 512 * 4 KiB = 2 MiB, 2,048 * 16 KiB = 32 MiB, 8,192 * 64 KiB = 512 MiB.
    sizes.huge_bytes = sizes.base_bytes * (sizes.base_bytes / 8);

    const int fd = sys::open_read("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
    char text[32] = {};
    const ssize_t length = fd < 0 ? fd : sys::read(fd, text, sizeof text - 1);
    sys::close(fd);
    uint64_t told = 0;
    for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; ++i) told = told * 10 + (text[i] - '0');
    if (told > sizes.base_bytes && (told & (told - 1)) == 0) sizes.huge_bytes = told;
    return sizes;
}

}  // namespace damon
