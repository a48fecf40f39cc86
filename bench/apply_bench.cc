// What a pass of schemes costs in the engine, before any action is done: 1,000 regions x 8 schemes x 8 filters.
#include <benchmark/benchmark.h>

#include "scheme_pass.h"

namespace damon::bench {
namespace {

void ApplyWalk(benchmark::State& state) {
    Params params;
    Engine engine;
    if (!add_schemes(static_cast<PassKind>(state.range(0)), params) || !start_heap(params, engine)) {
        return state.SkipWithError("no memory");
    }
    uint64_t now_us = 0;
    uint64_t visited = 0;
    uint64_t asked = 0;
    for (auto _ : state) {
        state.PauseTiming();
        now_us += params.attrs.sample_us;
        sample(engine);
        visited += engine.nr_regions() * kNrSchemes;
        state.ResumeTiming();
        asked += pass(engine, now_us);
        state.PauseTiming();
        engine.finish();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(static_cast<int64_t>(visited));
    state.counters["regions"] = static_cast<double>(engine.nr_regions());
    state.counters["asked_of_visited"] = static_cast<double>(asked) / static_cast<double>(visited);
}
BENCHMARK(ApplyWalk)->ArgName("kind")->DenseRange(0, kNrPassKinds - 1);

}  // namespace
}  // namespace damon::bench

BENCHMARK_MAIN();
