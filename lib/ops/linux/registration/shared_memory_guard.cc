#include "ops/linux/registration/shared_memory_guard.h"

namespace damon {

bool SharedMemoryGuard::admits(uint64_t page, ProcMaps& maps, PageSizes sizes) {
    if (verified_.contains(page)) return true;
    verified_ = {};
    if (!pin_.range().contains(page) && !pin_.pin(page)) return false;
    Mapping mapping;
    if (maps.find(page, mapping) != 0 || !mapping.shared) return false;
    if (mapping.page_bytes > sizes.base_bytes) return false;  // hugetlb: not tried
    verified_ = pin_.range().intersection(mapping.range);
    return verified_.contains(page);
}

void SharedMemoryGuard::release() {
    pin_.unpin();
    verified_ = {};
}

}  // namespace damon
