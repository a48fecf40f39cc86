// Priority of regions under a quota (S-36, S-37, the score column of 5.2).
#include "engine/schemes/score.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

struct Weights {
    uint32_t nr_accesses;
    uint32_t age;
};

QuotaParams quota_with(Weights weights) {
    QuotaParams quota;
    quota.weight_nr_accesses = weights.nr_accesses;
    quota.weight_age = weights.age;
    return quota;
}

struct Vector37 {
    ScoreInput input;
    Weights weights;
    uint32_t hot;
    uint32_t cold;
};

TEST(Score, FollowsTheVectorsOfS37) {
    const Vector37 vectors[] = {
        {{10, 20, 10'000'000}, {1, 1}, 52, 47}, {{0, 20, 120'000'000}, {0, 1}, 38, 61},
        {{0, 20, 0}, {0, 1}, 49, 50},           {{20, 20, 120'000'000}, {1, 1}, 79, 20},
        {{1, 200, 0}, {1, 1}, 24, 75},          {{20, 20, 120'000'000}, {0, 0}, 0, 99},
    };
    for (const Vector37& vector : vectors) {
        const QuotaParams quota = quota_with(vector.weights);
        EXPECT_EQ(hot_score(vector.input, quota), vector.hot);
        EXPECT_EQ(cold_score(vector.input, quota), vector.cold);
    }
}

TEST(Score, EachWeightDecidesAloneWhereTheOtherIsZero) {
    const ScoreInput busy_young{20, 20, 0};
    EXPECT_EQ(hot_score(busy_young, quota_with({1, 0})), 99u);
    EXPECT_EQ(hot_score(busy_young, quota_with({0, 1})), 49u);
    EXPECT_EQ(hot_score(busy_young, quota_with({1, 3})), 61u);  // (100 + 3 * 50) / 4 = 62
    EXPECT_EQ(hot_score(busy_young, quota_with({3, 1})), 86u);  // (3 * 100 + 50) / 4 = 87
}

TEST(Score, BelowOnePercentRanksAsNeverAccessed) {
    const QuotaParams quota = quota_with({1, 1});
    const ScoreInput rare{1, 200, 60'000'000};
    const ScoreInput never{0, 200, 60'000'000};
    EXPECT_EQ(hot_score(rare, quota), hot_score(never, quota));
}

TEST(Score, IgnoresTheSizeWeight) {
    QuotaParams quota = quota_with({1, 1});
    const ScoreInput input{10, 20, 10'000'000};
    const uint32_t without = hot_score(input, quota);
    quota.weight_sz = 1'000;
    EXPECT_EQ(hot_score(input, quota), without);
}

TEST(Score, StaysInRangeForCountsAboveTheMaximumAndHugeValues) {
    const QuotaParams quota = quota_with({UINT32_MAX, UINT32_MAX});
    const ScoreInput hottest{UINT32_MAX, 1, UINT64_MAX};
    EXPECT_EQ(hot_score(hottest, quota), 99u);
    EXPECT_EQ(cold_score(hottest, quota), 0u);
    const ScoreInput coldest{0, 1, UINT64_MAX};
    EXPECT_EQ(hot_score(coldest, quota), 0u);
}

TEST(Score, FollowsTheTableOf52) {
    const ScoreInput input{20, 20, 120'000'000};
    const QuotaParams quota = quota_with({1, 1});
    const auto both = [&](DamosAction action) {
        return std::pair(action_score(ScoreSource::kBuiltin, action, input, quota),
                         action_score(ScoreSource::kPhysical, action, input, quota));
    };
    for (const DamosAction action :
         {DamosAction::kWillneed, DamosAction::kCold, DamosAction::kHugepage, DamosAction::kNohugepage,
          DamosAction::kCollapse, DamosAction::kStat, DamosAction::kCallback}) {
        EXPECT_EQ(both(action), std::pair(99u, 99u)) << static_cast<int>(action);
    }
    EXPECT_EQ(both(DamosAction::kPageout), std::pair(20u, 20u));
    EXPECT_EQ(both(DamosAction::kMigrateCold), std::pair(20u, 20u));
    EXPECT_EQ(both(DamosAction::kMigrateHot), std::pair(79u, 79u));
    EXPECT_EQ(both(DamosAction::kLruPrio), std::pair(99u, 79u));
    EXPECT_EQ(both(DamosAction::kLruDeprio), std::pair(99u, 20u));
}

}  // namespace
}  // namespace damon
