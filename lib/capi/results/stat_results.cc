#include <cerrno>

#include "capi/handles.h"
#include "capi/structs.h"
#include "model/idle_statistics.h"

namespace {

static_assert(sizeof(damon_stat_result::memory_idle_ms) == damon::kNrIdlePercentiles * sizeof(int64_t));

// The last snapshot in memory of its own. Regions may become more between two looks.
damon::Status copy_snapshot(const damon_ctx& ctx, damon::Vector<damon::RegionInfo>& regions,
                            damon::SnapshotInfo& info) {
    while (!ctx.kdamond.publisher().read(regions.data(), regions.size(), info)) {
        if (!regions.resize(info.nr_regions)) {
            return damon::Status::fail(-ENOMEM, "no memory for a copy of %llu regions",
                                       static_cast<unsigned long long>(info.nr_regions));
        }
    }
    regions.truncate(info.nr_regions);
    return {};
}

}  // namespace

void damon_stat_result_init(struct damon_stat_result* r) {
    if (r == nullptr) return;
    *r = {};
    r->size = sizeof *r;
}

int damon_stat_read(const damon_ctx* ctx, struct damon_stat_result* out) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_struct("damon_stat_result", out);
    damon::Vector<damon::RegionInfo> regions;
    damon::SnapshotInfo info;
    if (status.ok()) status = copy_snapshot(*ctx, regions, info);
    if (!status.ok()) return damon::report(ctx, status);
    damon_stat_result result{};
    result.size = sizeof result;
    result.seq = info.seq;
    result.aggr_us = info.aggr_us;
    result.bandwidth = damon::estimated_bandwidth(regions.span(), info.window_us);
    result.known_bytes = damon::idle_percentiles(regions.span(), info.window_us, result.memory_idle_ms);
    for (const damon::RegionInfo& region : regions) result.unknown_bytes += region.end - region.start;
    result.unknown_bytes -= result.known_bytes;
    damon::write_struct(result, out);
    return 0;
}
