#include "ops/linux/access/zap.h"

#include <sys/mman.h>

#include "base/arithmetic.h"
#include "ops/linux/access/probe_answer.h"
#include "os/page_scan.h"
#include "os/syscalls.h"

namespace damon {

bool Zapper::may_zap(uint64_t page) {
    if (verified_.contains(page)) return true;
    verified_ = {};
    if (!pin_.range().contains(page) && !pin_.pin(page)) return false;
    Mapping mapping;
    if (maps_.find(page, mapping) != 0 || !mapping.shared) return false;
    if (mapping.page_bytes > sizes_.base_bytes) return false;  // hugetlb: not tried
    verified_ = pin_.range().intersection(mapping.range);
    return verified_.contains(page);
}

UnknownReason Zapper::zap(uint64_t page, bool huge) {
    AddressRange unit{page, page + sizes_.base_bytes};
    if (huge) {
        unit.start = align_down(page, sizes_.huge_bytes);
        unit.end = unit.start + sizes_.huge_bytes;
    }
    if (!verified_.covers(unit)) return huge ? UnknownReason::kHuge : UnknownReason::kNotDeclared;
    // EINVAL: locked in memory. Nothing was dropped then.
    return sys::madvise(unit.start, unit.size(), MADV_DONTNEED) == 0 ? UnknownReason::kNone : UnknownReason::kRefused;
}

AccessCheckProbe probe_zap() {
    const PageSizes sizes = read_page_sizes();
    int error = 0;
    auto* memory = static_cast<volatile char*>(shared_map(sizes.base_bytes, error));
    if (memory == nullptr) return probe_failed(error, "no shared memory to try it on");
    const uint64_t page = reinterpret_cast<uint64_t>(memory);
    AccessCheckProbe probe = probe_failed(-EIO, "a dropped page did not read as dropped, or lost its content");
    PageScan scan;
    ProcMaps maps;
    if ((error = scan.open(sizes.base_bytes)) != 0) {
        probe = probe_failed(error, "cannot open /proc/self/pagemap");
    } else if ((error = maps.open(0)) != 0) {
        probe = probe_failed(error, "cannot open /proc/self/maps");
    } else {
        *memory = 42;
        uint32_t states[2] = {PageScan::kFailed, PageScan::kFailed};
        Zapper zapper(maps, sizes);
        const bool zapped = zapper.may_zap(page) && zapper.zap(page, false) == UnknownReason::kNone;
        scan.look({&page, 1}, {&states[0], 1});
        const bool kept = *memory == 42;
        scan.look({&page, 1}, {&states[1], 1});
        const bool dropped = (states[0] & (uapi::kPagePresent | PageScan::kFailed)) == 0;
        const bool back = (states[1] & (uapi::kPagePresent | PageScan::kFailed)) == uapi::kPagePresent;
        if (zapped && kept && dropped && back) probe = probe_works("declared shared ranges", true);
    }
    (void)shared_unmap(const_cast<char*>(memory), sizes.base_bytes);
    return probe;
}

}  // namespace damon
