// Runs N sampling intervals of the engine at 1,000 regions and nothing else, for an instruction counter: the difference
// between two values of N, divided by the difference in samples, is the cost of one region-sample, merging and
// splitting included. Prints the number of region-samples.
#include <cstdio>
#include <cstdlib>

#include "engine/engine.h"

int main(int argc, char** argv) {
    using namespace damon;
    const long nr_intervals = argc > 1 ? strtol(argv[1], nullptr, 10) : 1'000;
    Params params;
    params.attrs.min_nr_regions = params.attrs.max_nr_regions = 1'000;
    const AddressRange heap = {uint64_t{1} << 40, (uint64_t{1} << 40) + (uint64_t{1} << 30)};
    Engine engine;
    if (!params.targets.resize(1) || !params.targets[0].ranges.push_back(heap) ||
        !engine.prepare(params, OpsTraits()).ok()) {
        return 1;
    }
    engine.start(1);
    unsigned long long samples = 0;
    for (long i = 0; i < nr_intervals; ++i) {
        engine.plan();
        for (Sample& sample : engine.samples()) sample.seen = (sample.addr >> 20) % 10 == 0 ? Seen::kYes : Seen::kNo;
        samples += engine.samples().size();
        engine.fold();
        engine.finish();
    }
    printf("%llu\n", samples);
    return 0;
}
