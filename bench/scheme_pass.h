// A pass of schemes over many regions, as two benchmarks use it: one times it, the other counts its instructions.
#pragma once

#include <cstdint>

#include "engine/engine.h"

namespace damon::bench {

inline constexpr uint64_t kHeapStart = uint64_t{1} << 40;
inline constexpr uint64_t kHeapBytes = uint64_t{1} << 30;
inline constexpr uint64_t kNrRegions = 1'000;
inline constexpr size_t kNrSchemes = 8;
inline constexpr size_t kNrFilters = 8;

enum class PassKind : int32_t {
    kNothingMatches = 0,  // every access pattern refuses every region
    kAllMatch = 1,        // every region passes every filter of every scheme, and is handed to the ops
    kAllRanked = 2,       // the same with a quota that suffices: every region is ranked first
    kAllRejected = 3,     // the last filter of every scheme refuses every region
};
inline constexpr int kNrPassKinds = 4;

// Eight schemes of eight filters each, of which only the last one decides: seven address ranges beside the heap, and
// the target. They count only (kStat), so that nothing but the pass itself differs between two runs.
inline bool add_schemes(PassKind kind, Params& params) {
    for (size_t i = 0; i < kNrSchemes; ++i) {
        SchemeParams scheme;
        scheme.apply_interval_us = params.attrs.sample_us;
        if (kind == PassKind::kNothingMatches) scheme.pattern.min_age = UINT32_MAX;
        if (kind == PassKind::kAllRanked) {
            scheme.quota.sz = 2 * kHeapBytes;
            scheme.quota.weight_nr_accesses = scheme.quota.weight_age = 1;
        }
        for (uint64_t filter_idx = 0; filter_idx < kNrFilters; ++filter_idx) {
            DamosFilter filter;
            filter.type = filter_idx + 1 < kNrFilters ? FilterType::kAddr : FilterType::kTarget;
            filter.matching = true;
            filter.allow = kind != PassKind::kAllRejected;
            filter.range = {filter_idx << 20, (filter_idx + 1) << 20};
            if (!scheme.core_filters.push_back(filter)) return false;
        }
        if (!params.schemes.push_back(std::move(scheme))) return false;
    }
    return true;
}

// Regions that keep their number: the smallest number is the largest too, and all are of one size.
inline bool start_heap(Params& params, Engine& engine) {
    params.attrs.min_nr_regions = params.attrs.max_nr_regions = kNrRegions;
    OpsTraits traits;
    traits.has_apply = true;
    traits.score = ScoreSource::kBuiltin;
    if (!params.targets.resize(1) || !params.targets[0].ranges.push_back({kHeapStart, kHeapStart + kHeapBytes}) ||
        !engine.prepare(params, traits).ok()) {
        return false;
    }
    engine.start(1);
    return true;
}

// A sampling interval up to where schemes are applied. A tenth of the heap is hot.
inline void sample(Engine& engine) {
    engine.plan();
    for (Sample& sample : engine.samples()) {
        sample.seen = (sample.addr >> 20) % 10 == 0 ? Seen::kYes : Seen::kNo;
    }
    engine.record_samples();
}

// Returns how many actions were asked for.
inline uint64_t pass(Engine& engine, uint64_t now_us) {
    uint64_t nr_asked = 0;
    if (!engine.apply_begin(now_us)) return 0;
    ActionRequest request;
    while (engine.next_request(request)) {
        ++nr_asked;
        engine.complete({});
    }
    return nr_asked;
}

}  // namespace damon::bench
