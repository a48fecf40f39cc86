// Runs N sampling intervals of the engine at 1,000 regions and nothing else, for an instruction counter: the difference
// between two values of N, divided by the difference in what was counted, is the cost of one of these.
//
//   instructions_bench N        prints the number of region-samples, merging and splitting included
//   instructions_bench N KIND   a pass of eight schemes in every interval (scheme_pass.h); prints how many regions the
//                               schemes visited, to be taken beyond the cost of the same intervals without
#include <cstdio>
#include <cstdlib>

#include "scheme_pass.h"

int main(int argc, char** argv) {
    using namespace damon;
    const long nr_intervals = argc > 1 ? strtol(argv[1], nullptr, 10) : 1'000;
    const bool with_schemes = argc > 2;
    Params params;
    Engine engine;
    if (with_schemes) {
        const auto kind = static_cast<bench::PassKind>(strtol(argv[2], nullptr, 10));
        if (!bench::add_schemes(kind, params)) return 1;
    }
    if (!bench::start_heap(params, engine)) return 1;
    unsigned long long samples = 0;
    unsigned long long visits = 0;
    for (long i = 0; i < nr_intervals; ++i) {
        bench::sample(engine);
        samples += engine.nr_regions();
        visits += engine.nr_regions() * engine.nr_schemes();
        bench::pass(engine, static_cast<uint64_t>(i) * params.attrs.sample_us);
        engine.finish();
    }
    printf("%llu\n", with_schemes ? visits : samples);
    return 0;
}
