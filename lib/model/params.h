// Everything that describes a run, as one value: what damon_start and damon_commit_ctx hand to the engine and the ops.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "base/vector.h"
#include "model/address_range.h"
#include "model/attrs.h"
#include "model/probe.h"
#include "model/scheme.h"

namespace damon {

// Values are part of the C ABI; the first three follow O-11.
enum class OpsId : int32_t {
    kVaddr = 0,
    kFvaddr = 1,
    kPaddr = 2,
    kCustom = 16,
    kSim = 17,
    kKernelVaddr = 18,
    kKernelFvaddr = 19,
    kKernelPaddr = 20,
};

// What targets without ranges cover; values are part of the C ABI.
enum CoverageFlags : uint32_t {
    kCoverFiles = 1u << 0,
    kCoverThreeAreas = 1u << 1,
    kCoverStable = 1u << 2,
};

struct TargetParams {
    int32_t pid = 0;              // 0: this process
    bool obsolete = false;        // read in the source of a commit only
    Vector<AddressRange> ranges;  // given by the user; may be empty

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const TargetParams& other) {
        if (!ranges.copy_from(other.ranges)) return false;
        pid = other.pid;
        obsolete = other.obsolete;
        return true;
    }
    bool operator==(const TargetParams&) const = default;
};

struct Params {
    Attrs attrs;
    uint64_t min_region_sz = 4096;  // power of two, core units
    uint64_t addr_unit = 1;         // physical back-end only
    OpsId ops_id = OpsId::kVaddr;
    int32_t access_check = 0;  // DAMON_ACCESS_CHECK_*; 0: automatic, per mapping
    uint32_t coverage = 0;     // CoverageFlags
    Vector<TargetParams> targets;
    Vector<SchemeParams> schemes;
    Vector<ProbeParams> probes;

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const Params& other) {
        if (!targets.copy_from(other.targets) || !schemes.copy_from(other.schemes) || !probes.copy_from(other.probes)) {
            return false;
        }
        attrs = other.attrs;
        min_region_sz = other.min_region_sz;
        addr_unit = other.addr_unit;
        ops_id = other.ops_id;
        access_check = other.access_check;
        coverage = other.coverage;
        return true;
    }
    bool operator==(const Params&) const = default;
};

// only a target that exists can be obsolete; the destination of a commit has `nr_existing`.
Status check_obsolete_targets(const Params& params, size_t nr_existing);

}  // namespace damon
