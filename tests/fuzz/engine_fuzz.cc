// Instruction lists: bytes choose parameters, intervals, commits, coverage, pauses and restarts of an engine. It must
// stay valid after every instruction and equal to the naive engine. The first byte chooses with or without schemes.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "fuzz/fuzz_target.h"
#include "support/random_run.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace damon::test;
    constexpr uint64_t kMostIntervals = 3'000;
    if (size == 0) return 0;
    ByteDraws draws({data + 1, size - 1});
    RandomRun run(draws, data[0] % 4 != 0);
    const std::string report = run.run(kMostIntervals);
    if (report.empty()) return 0;
    fprintf(stderr, "interval %llu: %s", static_cast<unsigned long long>(run.nr_intervals()), report.c_str());
    abort();
}
