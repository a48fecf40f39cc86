// A scheme's parameters survive every copy, field by field (start and commit copy them).
#include <gtest/gtest.h>

#include "base/arithmetic.h"
#include "model/scheme.h"

namespace damon {
namespace {

DamosFilter core_filter() {
    DamosFilter filter;
    filter.type = FilterType::kAddr;
    return filter;
}

using Change = void (*)(SchemeParams&);

const Change kEveryField[] = {
    [](SchemeParams& s) { s.pattern.min_sz = 1; },
    [](SchemeParams& s) { s.pattern.max_sz = 1; },
    [](SchemeParams& s) { s.pattern.min_nr_accesses = 1; },
    [](SchemeParams& s) { s.pattern.max_nr_accesses = 1; },
    [](SchemeParams& s) { s.pattern.min_age = 1; },
    [](SchemeParams& s) { s.pattern.max_age = 1; },
    [](SchemeParams& s) { s.action = DamosAction::kCold; },
    [](SchemeParams& s) { s.target_nid = 1; },
    [](SchemeParams& s) { s.apply_interval_us = 1; },
    [](SchemeParams& s) { s.quota.reset_interval_ms = 1; },
    [](SchemeParams& s) { s.quota.ms = 1; },
    [](SchemeParams& s) { s.quota.sz = 1; },
    [](SchemeParams& s) { s.quota.weight_sz = 1; },
    [](SchemeParams& s) { s.quota.weight_nr_accesses = 1; },
    [](SchemeParams& s) { s.quota.weight_age = 1; },
    [](SchemeParams& s) { s.quota.goal_tuner = GoalTuner::kTemporal; },
    [](SchemeParams& s) { s.quota.fail_charge_num = 1; },
    [](SchemeParams& s) { s.quota.fail_charge_denom = 1; },
    [](SchemeParams& s) { s.wmarks.metric = WatermarkMetric::kFreeMemRate; },
    [](SchemeParams& s) { s.wmarks.high = 1; },
    [](SchemeParams& s) { s.wmarks.mid = 1; },
    [](SchemeParams& s) { s.wmarks.low = 1; },
    [](SchemeParams& s) { s.wmarks.interval_us = 1; },
    [](SchemeParams& s) { s.max_nr_snapshots = 1; },
    [](SchemeParams& s) { s.flags = kAllowUnseenReads; },
    [](SchemeParams& s) { s.min_age_us = 1; },
    [](SchemeParams& s) { s.callback_id = &s; },
    [](SchemeParams& s) { s.callback_data = &s; },
    [](SchemeParams& s) { EXPECT_TRUE(s.goals.push_back(QuotaGoal{.target_value = 1})); },
    [](SchemeParams& s) { EXPECT_TRUE(s.core_filters.push_back(core_filter())); },
    [](SchemeParams& s) { EXPECT_TRUE(s.ops_filters.push_back(DamosFilter())); },
    [](SchemeParams& s) { EXPECT_TRUE(s.migrate_dests.push_back(MigrateDest{.nid = 1, .weight = 1})); },
};

TEST(SchemeParams, EveryFieldIsComparedAndCopied) {
    const SchemeParams original;
    for (size_t field = 0; field < std::size(kEveryField); ++field) {
        SchemeParams changed;
        kEveryField[field](changed);
        EXPECT_FALSE(changed == original) << "field " << field;
        SchemeParams copy;
        ASSERT_TRUE(copy.copy_from(changed));
        EXPECT_TRUE(copy == changed) << "field " << field;
    }
}

TEST(SchemeStats, SizesSaturate) {
    SchemeStats stats{.sz_tried = kU64Max - 1, .sz_applied = kU64Max, .sz_ops_filter_passed = 5};
    stats += SchemeStats{.sz_tried = 3, .sz_applied = 3, .sz_ops_filter_passed = 3};
    EXPECT_EQ(stats.sz_tried, kU64Max);
    EXPECT_EQ(stats.sz_applied, kU64Max);
    EXPECT_EQ(stats.sz_ops_filter_passed, 8u);
}

}  // namespace
}  // namespace damon
