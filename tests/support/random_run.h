// A run of the engine and its naive counterpart that is drawn from random numbers or from the bytes of a fuzzer.
#pragma once

#include <cstdint>
#include <string>

#include "support/draws.h"
#include "support/engine_pair.h"
#include "support/random_params.h"

namespace damon::test {

class RandomRun {
public:
    // Draws parameters, too. The world's seed is drawn like everything else.
    RandomRun(Draws& draws, bool with_schemes);

    // Until `intervals` sampling intervals have passed, the draws are exhausted, or the engines differ: then the
    // report, else an empty text.
    std::string run(uint64_t intervals);

    uint64_t nr_intervals() const { return nr_intervals_; }
    const EnginePair& pair() const { return pair_; }
    EnginePair& pair() { return pair_; }

private:
    enum class Step {
        kInterval,
        kCommit,
        kSetRanges,
        kTargetValid,
        kGoalValue,
        kWatermarks,
        kPasses,
        kPause,
        kRestart
    };

    Step next_step();
    std::string begin();
    std::string take(Step step);
    std::string interval(bool with_commit);
    uint64_t elapsed_us();
    uint64_t wait_us();
    std::string commit();
    std::string commit_amid_the_pass();
    std::string set_ranges();
    std::string passes();
    std::string target_valid();
    std::string goal_value();

    Draws& draws_;
    ParamsStyle style_;
    OpsTraits traits_;
    EnginePair pair_;
    uint64_t now_us_ = 1;
    uint64_t nr_intervals_ = 0;
    bool dear_ = false;  // the limit on the cost binds
};

}  // namespace damon::test
