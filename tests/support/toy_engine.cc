#include "support/toy_engine.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace damon::test {
namespace {

// Fuzz targets use these, too: no macros of GoogleTest.
void must(bool done, const char* what = "no memory for a toy") {
    if (done) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

}  // namespace

Params toy_params(std::initializer_list<std::vector<AddressRange>> targets) {
    Params params;
    params.attrs.sample_us = 10;
    params.attrs.aggr_us = 100;
    params.attrs.ops_update_us = kU64Max;
    params.min_region_sz = 1;
    for (const auto& ranges : targets) {
        TargetParams target;
        for (const AddressRange range : ranges) must(target.ranges.push_back(range));
        must(params.targets.push_back(std::move(target)));
    }
    return params;
}

OpsTraits toy_traits() { return {.has_apply = true, .has_probes = true, .score = ScoreSource::kBuiltin}; }

Params copy_of(const Params& params) {
    Params copy;
    must(copy.copy_from(params));
    return copy;
}

Engine started_engine(const Params& params, uint64_t seed) {
    Engine engine;
    const Status status = engine.prepare(params, toy_traits());
    must(status.ok(), status.text());
    engine.start(seed);
    return engine;
}

World accesses_in(std::vector<AddressRange> ranges) {
    return [ranges = std::move(ranges)](const Sample& sample) {
        for (const AddressRange range : ranges) {
            if (range.contains(sample.addr)) return Seen::kYes;
        }
        return Seen::kNo;
    };
}

Due sample_once(Engine& engine, const World& world) {
    for (Sample& sample : engine.plan()) sample.seen = world(sample);
    return engine.record_samples();
}

bool run_interval(Engine& engine, const World& world) {
    sample_once(engine, world);
    return engine.finish();
}

void run_intervals(Engine& engine, uint64_t nr_intervals, const World& world) {
    for (uint64_t i = 0; i < nr_intervals; ++i) run_interval(engine, world);
}

std::vector<Region> regions_of(const RegionList& list, size_t target_idx) {
    std::vector<Region> regions;
    for (size_t i = 0; i < list.nr_regions_of(target_idx); ++i) regions.push_back(list.at(target_idx, i));
    return regions;
}

std::vector<Region> regions_of(const Engine& engine, size_t target_idx) {
    return regions_of(engine.regions(), target_idx);
}

RegionList list_of(std::initializer_list<std::vector<Region>> targets, size_t capacity) {
    RegionList list;
    must(list.reserve(capacity) && list.resize_targets(targets.size()));
    size_t target_idx = 0;
    for (const auto& regions : targets) {
        for (const Region& region : regions) {
            const size_t index = list.nr_regions_of(target_idx);
            must(list.insert(target_idx, index, region.range));
            list.at(target_idx, index) = region;
        }
        ++target_idx;
    }
    return list;
}

Region region_at(AddressRange range, uint32_t nr_accesses, uint32_t age, uint32_t last_nr_accesses) {
    return {.range = range, .nr_accesses = nr_accesses, .last_nr_accesses = last_nr_accesses, .age = age};
}

}  // namespace damon::test
