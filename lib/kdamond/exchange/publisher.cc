#include "kdamond/exchange/publisher.h"

#include <cstring>

namespace damon {

bool Publisher::reserve(size_t nr_regions, size_t nr_schemes) {
    Vector<RegionInfo> regions;
    Vector<ProbeHits> hits;
    Vector<SchemeStatus> schemes;
    const bool more_regions = nr_regions > regions_.size();
    const bool more_schemes = nr_schemes > schemes_.size();
    if (more_regions && (!regions.resize(nr_regions) || !hits.resize(nr_regions))) return false;
    if (more_schemes && !schemes.resize(nr_schemes)) return false;
    const Lock lock(sync_.mutex);
    if (more_regions) {
        if (info_.nr_regions > 0) {
            memcpy(regions.data(), regions_.data(), info_.nr_regions * sizeof(RegionInfo));
            memcpy(hits.data(), hits_.data(), info_.nr_regions * sizeof(ProbeHits));
        }
        regions_.swap(regions);
        hits_.swap(hits);
    }
    if (more_schemes) {
        for (size_t i = 0; i < nr_schemes_; ++i) schemes[i] = schemes_[i];
        schemes_.swap(schemes);
    }
    return true;
}

SnapshotInfo Publisher::describe(const Engine& engine, uint64_t now_ns) const {
    const Attrs& attrs = engine.params().attrs;
    SnapshotInfo info;
    info.seq = info_.seq;
    info.time_ns = now_ns;
    info.sample_us = attrs.sample_us;
    info.aggr_us = attrs.aggr_us;
    info.nr_regions = engine.nr_regions();
    info.passed_sample_intervals = engine.passed_sample_intervals();
    info.max_nr_accesses = static_cast<uint32_t>(attrs.max_nr_accesses());
    info.nr_targets = static_cast<uint32_t>(engine.nr_targets());
    return info;
}

void Publisher::publish(const Engine& engine, uint64_t now_ns, uint64_t window_us) {
    const Lock lock(sync_.mutex);
    SnapshotInfo info = describe(engine, now_ns);
    info.window_us = window_us;
    ++info.seq;
    info.nr_regions = engine.read_regions(regions_.span(), false);
    (void)engine.read_probe_hits(hits_.span());
    for (const RegionInfo& region : regions_.span().first(info.nr_regions)) info.region_flags |= region.flags;
    info_ = info;
    sync_.callers.notify_all();
}

void Publisher::publish_schemes(const Engine& engine) {
    const Lock lock(sync_.mutex);
    nr_schemes_ = engine.nr_schemes();
    for (size_t i = 0; i < nr_schemes_; ++i) {
        const SchemeState& scheme = engine.scheme(i);
        schemes_[i] = {scheme.stats, scheme.quota.esz, scheme.activated};
    }
}

bool Publisher::read(void* out, void* hits, size_t capacity, SnapshotInfo& info) const {
    const Lock lock(sync_.mutex);
    info = info_;
    if (info_.nr_regions > capacity) return false;
    if (info_.nr_regions == 0) return true;
    memcpy(out, regions_.data(), info_.nr_regions * sizeof(RegionInfo));
    if (hits != nullptr) memcpy(hits, hits_.data(), info_.nr_regions * sizeof(ProbeHits));
    return true;
}

void Publisher::forget_scheme_locked(size_t scheme_idx) {
    if (scheme_idx >= nr_schemes_) return;
    for (size_t i = scheme_idx + 1; i < nr_schemes_; ++i) schemes_[i - 1] = schemes_[i];
    --nr_schemes_;
}

void Publisher::copy_regions(const Engine& engine, void* out) {
    engine.read_regions({static_cast<RegionInfo*>(out), engine.nr_regions()}, false);
}

bool Publisher::read_scheme(size_t scheme_idx, SchemeStatus& status) const {
    const Lock lock(sync_.mutex);
    if (scheme_idx >= nr_schemes_) return false;
    status = schemes_[scheme_idx];
    return true;
}

}  // namespace damon
