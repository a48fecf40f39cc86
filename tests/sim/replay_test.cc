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

// The last input in which somebody looked at memory; the size of the log if there is none.
size_t last_look(const InputLog& log) {
    for (size_t i = log.size(); i > 0; --i) {
        const LookInput* look = std::get_if<LookInput>(&log[i - 1]);
        if (look != nullptr && !look->seen.empty()) return i - 1;
    }
    return log.size();
}

TEST(Replay, WithAnotherAnswerGivesAnotherEngine) {
    uint64_t compared = 0;
    uint64_t equal = 0;
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        RandomDraws draws(seed);
        RandomRun run(draws, false);
        run.pair().record();
        ASSERT_EQ(run.run(kIntervals), "") << "seed " << seed;
        InputLog log = run.pair().log();
        const size_t last = last_look(log);
        if (last == log.size() || run.pair().naive().attributes_only()) continue;
        Seen& seen = std::get<LookInput>(log[last]).seen[0];
        seen = seen == Seen::kYes ? Seen::kNo : Seen::kYes;
        Engine other;
        replay(log, 0, last + 1, other);
        Engine same;
        replay(run.pair().log(), 0, last + 1, same);
        equal += other == same;
        ++compared;
    }
    EXPECT_GT(compared, kRuns / 4);
    EXPECT_LE(equal, compared / 20) << "one answer in a region that was looked at in vain says nothing (M-36)";
}

}  // namespace
}  // namespace damon::test
