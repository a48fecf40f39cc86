// S-38 in an apply pass: what is not seen is not taken for cold, and what the operations spared was not tried.
#include "unit/apply_fixture.h"

namespace damon::test {
namespace {

class ApplyUnseen : public ApplyFixture {
protected:
    // Three regions of 10, the second of which sees writes only.
    void add_regions() {
        add_target({3, 10});
        Region& middle = regions_.at(0, 1);
        middle.evidence = middle.last_evidence = kEvidenceAnswered | kEvidenceWritesOnly;
        for (size_t i = 0; i < 3; ++i) regions_.at(0, i).age = 7;
    }
};

TEST_F(ApplyUnseen, OperationsThatCannotTellPagesAreNotAskedAboutSuchARegion) {
    add_regions();
    add_scheme(DamosAction::kPageout);
    EXPECT_EQ(applied(pass()), (Ranges{{0, 10}, {20, 30}}));
    EXPECT_EQ(states_[0].stats.nr_tried, 2u);
    EXPECT_EQ(regions_.at(0, 1).age, 7u);
}

TEST_F(ApplyUnseen, OperationsThatCanAreAskedAndToldWhatToSpare) {
    add_regions();
    traits_.obeys_unseen_rule = true;
    add_scheme(DamosAction::kPageout);
    std::vector<UnseenRule> rules;
    apply_ = [&](const ActionRequest& request) {
        rules.push_back(request.unseen);
        return Outcome{};
    };
    EXPECT_EQ(applied(pass()).size(), 3u);
    EXPECT_EQ(rules, std::vector<UnseenRule>(3, UnseenRule::kSpareUnseenReads));
}

// Nobody can look into a huge page under write protection, and only NOHUGEPAGE ends that.
TEST_F(ApplyUnseen, HugePagesThatNobodyLooksIntoCanBeSplit_S38) {
    add_target({3, 10});
    for (size_t i = 1; i < 3; ++i) {
        Region& region = regions_.at(0, i);
        region.evidence = region.last_evidence = kEvidenceUnknown;
        const Unknown reason = i == 1 ? Unknown::kHugePage : Unknown::kPermission;
        region.unknown_reason = region.last_unknown_reason = static_cast<uint8_t>(reason);
    }
    for (const DamosAction action : {DamosAction::kNohugepage, DamosAction::kHugepage, DamosAction::kPageout}) {
        add_scheme(action);
    }
    std::vector<Ranges> acted_on(3);
    for (const Asked& asked : pass()) {
        if (asked.kind == RequestKind::kApply) acted_on[asked.scheme_idx].push_back(asked.range);
    }
    EXPECT_EQ(acted_on[0], (Ranges{{0, 10}, {10, 20}}));
    EXPECT_EQ(acted_on[1], (Ranges{{0, 10}}));
    EXPECT_EQ(acted_on[2], (Ranges{{0, 10}}));
}

TEST_F(ApplyUnseen, TheFlagOfTheSchemeSparesOnlyWhatCannotBeLookedAt) {
    add_regions();
    add_scheme(DamosAction::kPageout).flags = kAllowUnseenReads;
    UnseenRule rule{};
    apply_ = [&](const ActionRequest& request) {
        rule = request.unseen;
        return Outcome{};
    };
    EXPECT_EQ(applied(pass()).size(), 3u);
    EXPECT_EQ(rule, UnseenRule::kSpareUnknown);
}

TEST_F(ApplyUnseen, ActionsThatPresumeNothingAreForAllRegions) {
    add_regions();
    add_scheme(DamosAction::kCallback);
    UnseenRule rule{};
    apply_ = [&](const ActionRequest& request) {
        rule = request.unseen;
        return Outcome{};
    };
    EXPECT_EQ(applied(pass()).size(), 3u);
    EXPECT_EQ(rule, UnseenRule::kAct);
}

TEST_F(ApplyUnseen, WhereOnlyAttributesAreMonitoredNothingIsTakenForCold) {  // P-5
    add_regions();
    cadence_.latched_attributes_only = true;
    add_scheme(DamosAction::kPageout);
    UnseenRule rule = UnseenRule::kSpareUnknown;
    apply_ = [&](const ActionRequest& request) {
        rule = request.unseen;
        return Outcome{};
    };
    EXPECT_EQ(applied(pass()).size(), 3u);
    EXPECT_EQ(rule, UnseenRule::kAct);
}

TEST_F(ApplyUnseen, ARegionThatWasSparedWholeWasNotTried) {
    add_regions();
    traits_.obeys_unseen_rule = true;
    add_scheme(DamosAction::kPageout).quota.sz = 100;
    apply_ = [](const ActionRequest& request) {
        const uint64_t size = request.range.size();
        if (request.range.start == 10) return Outcome{.elapsed_ns = 5, .spared = size, .unseen = size};
        return Outcome{.applied = size};
    };
    pass();
    EXPECT_EQ(states_[0].stats.nr_tried, 2u);
    EXPECT_EQ(states_[0].stats.sz_tried, 20u);
    EXPECT_EQ(states_[0].quota.charged_sz, 20u);
    EXPECT_EQ(regions_.at(0, 1).age, 7u) << "nothing happened to it";
    EXPECT_EQ(regions_.at(0, 0).age, 0u);
}

TEST_F(ApplyUnseen, WhatWasSparedForAnotherReasonCostsNothingAndMakesTheRegionYoung) {
    add_regions();
    add_scheme(DamosAction::kHugepage).quota.sz = 100;
    apply_ = [](const ActionRequest& request) { return Outcome{.spared = request.range.size()}; };
    pass();
    EXPECT_EQ(states_[0].stats, (SchemeStats{.nr_snapshots = 1}));
    EXPECT_EQ(states_[0].quota.charged_sz, 0u);
    EXPECT_EQ(regions_.at(0, 1).age, 0u) << "or it would outrank all others for ever";
}

TEST_F(ApplyUnseen, WhatWasTriedOfARegionIsCountedAndCharged) {
    add_target({1, 10});
    add_scheme(DamosAction::kPageout).quota.sz = 100;
    apply_ = [](const ActionRequest&) { return Outcome{.applied = 3, .spared = 6, .unseen = 6}; };
    pass();
    EXPECT_EQ(states_[0].stats.sz_tried, 4u);
    EXPECT_EQ(states_[0].stats.sz_applied, 3u);
    EXPECT_EQ(states_[0].quota.charged_sz, 4u);
}

// A quota for one region: were the spared one ranked, it would take the place of the others.
TEST_F(ApplyUnseen, RankingLeavesOutWhatWillBeSpared) {
    add_regions();
    traits_.obeys_unseen_rule = true;
    traits_.score = ScoreSource::kBuiltin;
    regions_.at(0, 0).age = regions_.at(0, 2).age = 2;
    regions_.at(0, 1).age = 60;
    SchemeParams& scheme = add_scheme(DamosAction::kPageout);
    scheme.quota.sz = 10;
    scheme.quota.weight_age = 1;
    apply_ = [](const ActionRequest& request) {
        const uint64_t size = request.range.size();
        if (request.range.start == 10) return Outcome{.spared = size, .unseen = size};
        return Outcome{.applied = size};
    };
    pass();
    EXPECT_EQ(states_[0].stats.sz_applied, 10u);
}

}  // namespace
}  // namespace damon::test
