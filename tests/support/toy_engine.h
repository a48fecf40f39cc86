// A monitor with toy numbers, driven by hand: what engine tests are made of.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include "engine/engine.h"

namespace damon::test {

// Intervals 10 / 100 / never, 10 to 1,000 regions, granularity 1, one target per list of ranges.
Params toy_params(std::initializer_list<std::vector<AddressRange>> targets);

// Ops that can do everything.
OpsTraits toy_traits();

// Deep copy; the test fails where memory is short.
Params copy_of(const Params& params);

// An engine that has begun a run with these parameters.
Engine started_engine(const Params& params, uint64_t seed = 1);

using World = std::function<Seen(const Sample&)>;
// Answers kYes where the sampled address lies in one of the ranges.
World accesses_in(std::vector<AddressRange> ranges);

// plan, answer, record; no schemes, no finish.
Due sample_once(Engine& engine, const World& world);
// One whole interval. Returns what finish said.
bool run_interval(Engine& engine, const World& world);
void run_intervals(Engine& engine, uint64_t nr_intervals, const World& world);

std::vector<Region> regions_of(const Engine& engine, size_t target_idx);
std::vector<Region> regions_of(const RegionList& list, size_t target_idx);

// A list with `capacity` slots and one target for each list of regions.
RegionList list_of(std::initializer_list<std::vector<Region>> targets, size_t capacity = 1'000);
Region region_at(AddressRange range, uint32_t nr_accesses = 0, uint32_t age = 0, uint32_t last_nr_accesses = 0);

}  // namespace damon::test
