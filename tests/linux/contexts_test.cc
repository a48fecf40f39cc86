// Several contexts over the same memory: no context eats the evidence of another.
#include <gtest/gtest.h>

#include <memory>

#include "base/random.h"
#include "ops/linux/registration/declared_ranges.h"
#include "watched.h"

namespace damon::test {
namespace {

class Contexts : public testing::TestWithParam<AccessCheck> {
protected:
    Contexts()
        : a_(GetParam()),
          b_(GetParam()),
          memory_(16 * 8, GetParam() == AccessCheck::kZap ? Kind::kShared : Kind::kAnonymous),
          declared_(GetParam() == AccessCheck::kZap && shared_declare(memory_.range()) == 0) {
        memory_.fill();
        of_a_ = samples();
        of_b_ = samples();
    }
    ~Contexts() override { EXPECT_TRUE(!declared_ || shared_withdraw(memory_.range()) == 0); }

    bool works() const { return a_.works() && b_.works(); }
    // Eight pages, far enough apart for fault-around.
    std::vector<Sample> samples() const { return memory_.samples({0, 16, 32, 48, 64, 80, 96, 112}); }
    void touch(size_t sample) { memory_.write(16 * sample); }
    std::string look(Checker& checker, std::vector<Sample>& samples) {
        checker->look(samples);
        return plain_answers(samples);
    }

    Checker a_;
    Checker b_;
    Memory memory_;
    bool declared_;
    std::vector<Sample> of_a_;
    std::vector<Sample> of_b_;
};
INSTANTIATE_TEST_SUITE_P(Ways, Contexts,
                         testing::Values(AccessCheck::kUffdWp, AccessCheck::kUffdRwp, AccessCheck::kZap), way_name);

TEST_P(Contexts, ArmingAgainDoesNotEatTheOthersEvidence) {
    if (!works()) return;
    a_->arm(of_a_);
    touch(3);
    b_->arm(of_b_);
    touch(5);
    EXPECT_EQ(look(a_, of_a_), "nnnynynn");
    EXPECT_EQ(look(b_, of_b_), "nnnnnynn");
}

TEST_P(Contexts, EachSeesWhatHappenedSinceItsOwnArming) {
    if (!works()) return;
    b_->arm(of_b_);
    for (size_t i = 0; i < 4; ++i) {
        a_->arm(of_a_);
        touch(i);
        EXPECT_EQ(look(a_, of_a_), std::string("nnnnnnnn").replace(i, 1, "y"));
    }
    EXPECT_EQ(look(b_, of_b_), "yyyynnnn");
}

TEST_P(Contexts, DisarmingOneCostsTheOtherOneIntervalAtMost) {
    if (!works()) return;
    a_->arm(of_a_);
    b_->arm(of_b_);
    touch(1);
    b_->disarm();
    const std::string seen = look(a_, of_a_);
    for (size_t i = 0; i < 8; ++i) EXPECT_TRUE(seen[i] == '?' || seen[i] == (i == 1 ? 'y' : 'n')) << seen;
    a_->arm(of_a_);
    touch(2);
    EXPECT_EQ(look(a_, of_a_), "nnynnnnn");
}

TEST_P(Contexts, StoppingOneLeavesTheOtherWorking) {
    if (!works()) return;
    {
        Checker c(GetParam());
        auto of_c = samples();
        c->arm(of_c);
    }
    a_->arm(of_a_);
    touch(7);
    EXPECT_EQ(look(a_, of_a_), "nnnnnnny");
}

// Any order of arming, touching, looking and disarming, against the truth: an answer is right or unknown, and unknown
// only where somebody disarmed.
TEST_P(Contexts, AnyOrderGivesTrueAnswers) {
    if (!works()) return;
    constexpr uint64_t kSeed = 20260101;
    Random random(kSeed);
    Checker c(GetParam());
    Checker* checkers[3] = {&a_, &b_, &c};
    std::vector<Sample> armed[3] = {samples(), samples(), samples()};
    bool touched[3][8] = {};
    bool is_armed[3] = {};
    bool excused[3] = {};
    size_t nr_unknown = 0;
    for (int step = 0; step < 3000; ++step) {
        const size_t who = random.between(0, 3);
        const uint64_t what = random.between(0, 100);
        if (what < 30) {
            (*checkers[who])->arm(armed[who]);
            is_armed[who] = true;
            excused[who] = false;
            for (bool& page : touched[who]) page = false;
        } else if (what < 60) {
            const size_t page = random.between(0, 8);
            touch(page);
            for (auto& pages : touched) pages[page] = true;
        } else if (what < 62) {
            (*checkers[who])->disarm();
            is_armed[who] = false;
            for (bool& other : excused) other = true;
        } else if (is_armed[who]) {
            const std::string seen = look(*checkers[who], armed[who]);
            for (size_t page = 0; page < 8; ++page) {
                if (seen[page] == '?') {
                    EXPECT_TRUE(excused[who]) << "seed " << kSeed << " step " << step << " page " << page;
                    ++nr_unknown;
                } else {
                    ASSERT_EQ(seen[page], touched[who][page] ? 'y' : 'n')
                        << "seed " << kSeed << " step " << step << " page " << page;
                }
            }
            is_armed[who] = false;
        }
    }
    EXPECT_LT(nr_unknown, 1500u);
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST(ContextsOfDifferentWays, NeverBelieveTheOthersDoing) {
    Checker writes(AccessCheck::kUffdWp);
    Checker zap(AccessCheck::kZap);
    if (!writes.works() || !zap.works()) return;
    Memory memory(64, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    auto of_writes = memory.samples({0, 20, 40});
    auto of_zap = of_writes;
    for (int round = 0; round < 3; ++round) {
        writes->arm(of_writes);
        zap->arm(of_zap);
        memory.read(20);
        writes->look(of_writes);
        zap->look(of_zap);
        EXPECT_EQ(answers(of_zap), "NYN");
        // Its marks went with the page table entries; where there was no entry from the start, it knows.
        EXPECT_EQ(answers(of_writes), round == 0 ? "???" : "N?N");
    }
    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

}  // namespace
}  // namespace damon::test
