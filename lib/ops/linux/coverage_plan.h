// Which ranges a target covers, from one reading of its process's mappings (M-1 to M-4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/address_range.h"
#include "model/memory_areas.h"
#include "ops/linux/memory_reading.h"
#include "ops/linux/three_regions.h"
#include "os/proc_maps.h"

namespace damon {

enum class CoverageRule : uint8_t {
    kGiven,       // what is mapped and usable inside of given ranges
    kMemory,      // this process's memory
    kThreeAreas,  // the whole address space without its two largest gaps: the kernel's rule
};

struct CoverageRequest {
    CoverageRule rule = CoverageRule::kThreeAreas;
    std::span<const AddressRange> given;  // kGiven
    size_t max_areas = 1;
    uint64_t granularity = 1;  // bounds lie on multiples of it, and of the page size; ranges that meet so are joined
    bool files = false;        // kMemory: files too
    bool may_stay = false;     // kMemory: the last answer may be good enough
};

// begin, every mapping in address order, finish. Worker only.
class CoveragePlan {
public:
    // 0 or a negative errno: kMemory cannot be asked for then.
    int open(uint64_t page_bytes);
    void close();
    bool sees_memory() const { return sees_memory_; }
    bool follows_memory() const { return request_.rule == CoverageRule::kMemory; }

    void begin(const CoverageRequest& request);
    void add(const Mapping& mapping);
    // False: the target keeps what it has.
    [[nodiscard]] bool finish(Vector<AddressRange>& ranges);

private:
    void add_given(AddressRange mapping);
    bool finish_memory(Vector<AddressRange>& ranges);
    bool last_areas_serve() const;
    bool finish_three(Vector<AddressRange>& ranges) const;

    uint64_t granularity() const;

    uint64_t page_bytes_ = 4096;
    bool sees_memory_ = false;
    CoverageRequest request_;
    bool failed_ = false;
    size_t next_given_ = 0;  // the first given range that ends above what was seen
    size_t last_given_ = 0;  // the one that the last piece lies in
    MemoryAreas areas_;
    MemoryReading reading_;
    ThreeRegions three_;
    Vector<AddressRange> last_areas_;
    uint64_t last_granularity_ = 0;
    uint64_t last_spare_bytes_ = 0;  // of the last areas: what was no memory when they were chosen
};

}  // namespace damon
