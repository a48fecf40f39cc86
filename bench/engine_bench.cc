// The engine alone, in virtual time: sampling intervals and region-samples per second.
#include <benchmark/benchmark.h>

#include "engine/engine.h"

namespace damon {
namespace {

constexpr uint64_t kHeapStart = uint64_t{1} << 40;
constexpr uint64_t kHeapBytes = uint64_t{1} << 30;

// A tenth of the heap is hot; the test is cheap, so that the engine is what is measured.
void answer(std::span<Sample> samples) {
    for (Sample& sample : samples) {
        const bool hot = sample.addr - kHeapStart < kHeapBytes / 10;
        sample.seen = hot ? Seen::kYes : Seen::kNo;
    }
}

bool start(Engine& engine, const Attrs& attrs) {
    Params params;
    params.attrs = attrs;
    OpsTraits traits;
    if (!params.targets.resize(1) || !params.targets[0].ranges.push_back({kHeapStart, kHeapStart + kHeapBytes}) ||
        !engine.prepare(params, traits).ok()) {
        return false;
    }
    engine.start(1);
    return true;
}

void run_interval(Engine& engine) {
    engine.plan();
    answer(engine.samples());
    engine.record_samples();
    engine.finish();
}

// Default attributes: the engine keeps as few regions as the heap needs.
void IntervalsAtDefaults(benchmark::State& state) {
    Engine engine;
    if (!start(engine, Attrs())) return state.SkipWithError("no memory");
    for (int i = 0; i < 10'000; ++i) run_interval(engine);
    for (auto _ : state) run_interval(engine);
    state.SetItemsProcessed(state.iterations());
    state.counters["regions"] = static_cast<double>(engine.nr_regions());
}
BENCHMARK(IntervalsAtDefaults);

// The cost of one region-sample where there are many: the minimum count holds the number up.
void RegionSamples(benchmark::State& state) {
    Engine engine;
    Attrs attrs;
    attrs.min_nr_regions = static_cast<uint64_t>(state.range(0));
    attrs.max_nr_regions = attrs.min_nr_regions;
    if (!start(engine, attrs)) return state.SkipWithError("no memory");
    for (int i = 0; i < 1'000; ++i) run_interval(engine);
    uint64_t samples = 0;
    for (auto _ : state) {
        run_interval(engine);
        samples += engine.nr_regions();
    }
    state.SetItemsProcessed(static_cast<int64_t>(samples));
    state.counters["bytes_per_region"] =
        static_cast<double>(engine.reserved_bytes()) / static_cast<double>(engine.region_capacity());
}
BENCHMARK(RegionSamples)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace damon

BENCHMARK_MAIN();
