// The engine against the naive engine: same seed, same inputs, equal regions, statistics and deadlines after every
// step. DAMON_TEST_INTERVALS=<n> runs longer, DAMON_TEST_SEED=<seed> repeats one run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "support/random_run.h"

namespace damon::test {
namespace {

constexpr uint64_t kIntervalsOfOneRun = 1'500;

uint64_t from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

// Returns the intervals that passed.
uint64_t run_seed(uint64_t seed, bool with_schemes, const char* test) {
    RandomDraws draws(seed);
    RandomRun run(draws, with_schemes);
    const std::string report = run.run(kIntervalsOfOneRun);
    if (!report.empty()) {
        ADD_FAILURE() << "seed " << seed << ", interval " << run.nr_intervals() << ": " << report
                      << "repeat: DAMON_TEST_SEED=" << seed << " sim_tests --gtest_filter=" << test;
    }
    return run.nr_intervals();
}

void run_many(uint64_t intervals, bool with_schemes, const char* test) {
    if (std::getenv("DAMON_TEST_SEED") != nullptr) {
        run_seed(from_environment("DAMON_TEST_SEED", 0), with_schemes, test);
        return;
    }
    intervals = from_environment("DAMON_TEST_INTERVALS", intervals);
    for (uint64_t seed = 1; intervals > 0 && !testing::Test::HasFailure(); ++seed) {
        const uint64_t passed = run_seed(seed, with_schemes, test);
        intervals -= std::min(intervals, std::max<uint64_t>(passed, 1));
    }
}

TEST(Differential, MonitoringEqualsTheNaiveEngine) {
    run_many(200'000, false, "Differential.MonitoringEqualsTheNaiveEngine");
}

TEST(Differential, SchemesEqualTheNaiveEngine) { run_many(150'000, true, "Differential.SchemesEqualTheNaiveEngine"); }

}  // namespace
}  // namespace damon::test
