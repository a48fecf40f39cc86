#include "engine/monitor/conversion.h"

#include "base/arithmetic.h"

namespace damon {
namespace {

uint64_t convert_count(uint64_t count, const IntervalChange& change) {
    const uint64_t share_bp = mul_div(count, kBp, change.before.max_nr_accesses());
    return mul_div(share_bp, change.after.max_nr_accesses(), kBp);
}

void convert_region(Region& region, const IntervalChange& change) {
    region.last_nr_accesses = saturate_u32(convert_count(region.last_nr_accesses, change));
    region.nr_accesses = change.aggregating ? 0 : saturate_u32(convert_count(region.nr_accesses, change));
    for (unsigned probe = 0; probe < change.nr_probes; ++probe) {
        region.last_probe_hits[probe] = saturate_u8(convert_count(region.last_probe_hits[probe], change));
        region.probe_hits[probe] =
            change.aggregating ? uint8_t{0} : saturate_u8(convert_count(region.probe_hits[probe], change));
    }
    if (change.aggregating) {
        region.evidence = region.unknown_reason = 0;
        region.nr_answered = region.nr_unknown = 0;
    }
    region.age = saturate_u32(mul_div(region.age, change.before.aggr_us, change.after.aggr_us));
}

}  // namespace

void convert_results(std::span<Region> regions, const IntervalChange& change) {
    if (change.before.sample_us == 0 || change.before.aggr_us == 0) return;
    if (change.after.sample_us == 0 || change.after.aggr_us == 0) return;
    for (Region& region : regions) convert_region(region, change);
}

}  // namespace damon
