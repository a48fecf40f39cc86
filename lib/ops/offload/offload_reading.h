// What the kernel's DAMON reports of its regions and schemes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/observation.h"
#include "ops/offload/sysfs_tree.h"

namespace damon {

// What to read of each tried region besides its range, nr_accesses and age: each is one more file.
struct ReadOf {
    bool filter_passed = false;
    size_t nr_probes = 0;
};

// Appends the regions that the scheme was tried on when that was last asked for (K-5), in the order of the walk. 0 or a
// negative errno.
int read_tried_regions(const SysfsTree& tree, size_t scheme_idx, ReadOf what, Vector<TriedRegion>& tried);

// A statistic that this kernel does not have is 0.
SchemeStats read_scheme_stats(const SysfsTree& tree, size_t scheme_idx);

// Which target a tried region belongs to: the kernel does not say. Tried regions come target by target in address
// order, as `regions` do, which must live as long.
class TargetFinder {
public:
    explicit TargetFinder(std::span<const RegionInfo> regions) : regions_(regions) {}
    // Of regions in the order of one scheme's walk; 0 where no target lies there.
    uint32_t target_of(uint64_t start, uint64_t end);

private:
    std::span<const RegionInfo> regions_;
    size_t next_ = 0;
};

// Statistics of the kernel's schemes count by position and begin at 0 with each run; the context's go on. Positions are
// the kernel's, its own schemes of this library included.
class StatBook {
public:
    // Begins a run: nothing was counted.
    void clear() { last_.clear(); }
    [[nodiscard]] bool reserve(size_t nr_schemes) { return last_.reserve(nr_schemes); }
    // As many positions as the kernel has schemes now; new ones begin at 0. False: out of memory.
    [[nodiscard]] bool resize(size_t nr_schemes) { return last_.resize(nr_schemes); }
    // What the scheme's statistics have grown by since they were last handed in.
    SchemeStats grown(size_t scheme_idx, const SchemeStats& now);

private:
    Vector<SchemeStats> last_;
};

}  // namespace damon
