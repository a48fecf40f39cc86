// A run is its input log: replay(log) == run, for whole runs and for copies taken on the way.
#include <gtest/gtest.h>

#include "support/random_run.h"

namespace damon::test {
namespace {

constexpr uint64_t kIntervals = 400;
constexpr uint64_t kRuns = 40;

TEST(Replay, OfARecordedLogGivesAnEqualEngine) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        RandomDraws draws(seed);
        RandomRun run(draws, true);
        run.pair().record();
        ASSERT_EQ(run.run(kIntervals), "") << "seed " << seed;
        Engine again;
        const InputLog& log = run.pair().log();
        replay(log, 0, log.size(), again);
        ASSERT_TRUE(again == run.pair().engine()) << "seed " << seed << "\nrun:\n"
                                                  << describe_regions(run.pair().engine()) << "replay:\n"
                                                  << describe_regions(again);
    }
}

TEST(Replay, GoesOnFromACopyAsFromTheOriginal) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        RandomDraws draws(seed);
        RandomRun run(draws, true);
        run.pair().record();
        ASSERT_EQ(run.run(kIntervals), "") << "seed " << seed;
        const InputLog& log = run.pair().log();
        const size_t middle = log.size() / 2;
        Engine original;
        replay(log, 0, middle, original);
        Engine copy;
        ASSERT_TRUE(copy.copy_from(original));
        ASSERT_TRUE(copy == original) << "seed " << seed;
        replay(log, middle, log.size(), copy);
        ASSERT_TRUE(copy == run.pair().engine()) << "seed " << seed;
        // The original did not notice.
        replay(log, middle, log.size(), original);
        ASSERT_TRUE(original == copy) << "seed " << seed;
    }
}

TEST(Replay, WithAnotherAnswerGivesAnotherEngine) {
    RandomDraws draws(3);
    RandomRun run(draws, true);
    run.pair().record();
    ASSERT_EQ(run.run(kIntervals), "");
    InputLog log = run.pair().log();
    size_t last = log.size();
    while (!std::holds_alternative<LookInput>(log[--last])) {
    }
    LookInput& look = std::get<LookInput>(log[last]);
    ASSERT_FALSE(look.seen.empty());
    look.seen[0] = look.seen[0] == Seen::kYes ? Seen::kNo : Seen::kYes;
    Engine other;
    replay(log, 0, last + 1, other);
    Engine same;
    replay(run.pair().log(), 0, last + 1, same);
    EXPECT_FALSE(other == same);
}

}  // namespace
}  // namespace damon::test
