// Page-level filters, probes and weighted destinations, on page states made up (S-8, S-30, S-32, P-2).
#include "ops/linux/actions/page_filter.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ops/linux/actions/action_executor.h"
#include "ops/linux/actions/migrate.h"

namespace damon {
namespace {

constexpr uint32_t kAnonPage = uapi::kPagePresent;
constexpr uint32_t kFilePage = uapi::kPagePresent | uapi::kPageFile;
constexpr uint32_t kHugePage = uapi::kPagePresent | uapi::kPageHuge;
constexpr uint32_t kSwapped = uapi::kPageSwapped;
constexpr uint32_t kZeroPage = uapi::kPagePresent | uapi::kPageZero;
constexpr uint32_t kHole = 0;

PageView view(uint32_t state) {
    return {state, (state & uapi::kPageHuge) != 0 ? uint64_t{2} << 20 : uint64_t{4096}, 77};
}

class PageFilter : public testing::Test {
protected:
    void add(FilterType type, bool matching, bool allow) {
        DamosFilter filter;
        filter.type = type;
        filter.matching = matching;
        filter.allow = allow;
        filter.memcg_id = 77;
        filter.range = {4096, 65536};
        ASSERT_TRUE(scheme_.ops_filters.push_back(filter));
        request_.scheme = &scheme_;
        request_.ops_filters_default_reject = allow;
    }
    bool passes(uint32_t state) { return page_passes(request_, view(state)); }

    SchemeParams scheme_;
    ActionRequest request_;
};

TEST_F(PageFilter, AnonymousIsWhatIsNotOfAFileNorTheZeroPage) {
    add(FilterType::kAnon, true, true);
    EXPECT_TRUE(passes(kAnonPage));
    EXPECT_TRUE(passes(kHugePage));
    EXPECT_TRUE(passes(kSwapped));
    EXPECT_FALSE(passes(kFilePage));
    EXPECT_FALSE(passes(kZeroPage));
    EXPECT_FALSE(passes(kHole));
}

TEST_F(PageFilter, TheFirstThatMatchesDecidesS30) {
    add(FilterType::kUnmapped, true, false);
    add(FilterType::kAnon, false, true);
    EXPECT_FALSE(passes(kHole));
    EXPECT_TRUE(passes(kFilePage));
    EXPECT_FALSE(passes(kAnonPage));  // none matches, and the last one allows: reject
}

TEST_F(PageFilter, CoreFiltersThatAllowedPassEverythingS32) {
    add(FilterType::kAnon, true, false);
    EXPECT_FALSE(passes(kAnonPage));
    request_.core_filters_allowed = true;
    EXPECT_TRUE(passes(kAnonPage));
}

TEST_F(PageFilter, SizesAreInclusive) {
    add(FilterType::kHugepageSize, true, true);
    EXPECT_TRUE(passes(kAnonPage));
    EXPECT_FALSE(passes(kHugePage));
    EXPECT_FALSE(passes(kSwapped));
}

TEST_F(PageFilter, GroupIsThatOfTheProcess) {
    add(FilterType::kMemcg, true, true);
    EXPECT_TRUE(passes(kFilePage));
    scheme_.ops_filters[0].memcg_id = 78;
    EXPECT_FALSE(passes(kFilePage));
    EXPECT_FALSE(page_passes(request_, {kFilePage, 4096, 0}));
}

TEST_F(PageFilter, MissingPagesAreLookedAtOnlyWhereTheyAreAskedFor) {
    add(FilterType::kAnon, true, true);
    scheme_.action = DamosAction::kPageout;
    EXPECT_TRUE(page_is_considered(request_, kAnonPage));
    EXPECT_FALSE(page_is_considered(request_, kHole));
    scheme_.action = DamosAction::kWillneed;
    EXPECT_TRUE(page_is_considered(request_, kSwapped));
    scheme_.action = DamosAction::kStat;
    add(FilterType::kUnmapped, true, true);
    EXPECT_TRUE(page_is_considered(request_, kHole));
}

TEST(PageProbe, VerdictsOfP2) {
    ProbeParams probe;
    EXPECT_TRUE(page_hits(probe, view(kHole)));
    ProbeFilter anon;
    anon.matching = true;
    anon.allow = true;
    ASSERT_TRUE(probe.filters.push_back(anon));
    EXPECT_TRUE(page_hits(probe, view(kAnonPage)));
    EXPECT_FALSE(page_hits(probe, view(kFilePage)));
    probe.filters[0].matching = false;
    EXPECT_TRUE(page_hits(probe, view(kHole)));
    EXPECT_FALSE(page_hits(probe, view(kAnonPage)));
}

Status validate_with(DamosAction action, FilterType type) {
    Params params;
    SchemeParams scheme;
    scheme.action = action;
    scheme.target_nid = 0;
    DamosFilter filter;
    filter.type = type;
    EXPECT_TRUE(scheme.ops_filters.push_back(filter));
    EXPECT_TRUE(params.schemes.push_back(std::move(scheme)));
    return ActionExecutor::validate(params);
}

TEST(ActionExecutorValidate, NamesTheFieldThatCannotBeServed) {
    EXPECT_TRUE(validate_with(DamosAction::kPageout, FilterType::kAnon).ok());
    EXPECT_TRUE(validate_with(DamosAction::kMigrateHot, FilterType::kUnmapped).ok());
    const Status young = validate_with(DamosAction::kPageout, FilterType::kYoung);
    EXPECT_EQ(young.error(), -EOPNOTSUPP);
    EXPECT_NE(strstr(young.text(), "schemes[0].ops_filters[0].type is DAMOS_FILTER_YOUNG: "), nullptr) << young.text();
    EXPECT_EQ(validate_with(DamosAction::kPageout, FilterType::kActive).error(), -EOPNOTSUPP);
    const Status prio = validate_with(DamosAction::kLruPrio, FilterType::kAnon);
    EXPECT_EQ(prio.error(), -EOPNOTSUPP);
    EXPECT_NE(strstr(prio.text(), "schemes[0].action is DAMOS_LRU_PRIO: "), nullptr) << prio.text();
}

TEST(ActionExecutorValidate, MigrationNeedsADestination) {
    Params params;
    SchemeParams scheme;
    scheme.action = DamosAction::kMigrateCold;
    ASSERT_TRUE(params.schemes.push_back(std::move(scheme)));
    const Status none = ActionExecutor::validate(params);
    EXPECT_EQ(none.error(), -EINVAL);
    EXPECT_NE(strstr(none.text(), "schemes[0].target_nid is -1"), nullptr) << none.text();
    ASSERT_TRUE(params.schemes[0].migrate_dests.push_back({1, 1}));
    EXPECT_TRUE(ActionExecutor::validate(params).ok());
}

TEST(MigrateDestination, WeightsShareTheBlocksS8) {
    const MigrateDest dests[] = {{.nid = 4, .weight = 2}, {.nid = 7, .weight = 0}, {.nid = 9, .weight = 1}};
    const int expected[] = {4, 4, 9, 4, 4, 9};
    for (uint64_t block = 0; block < 6; ++block) {
        EXPECT_EQ(destination_of(block * 4096 + 17, 4096, 3, dests), expected[block]) << block;
    }
    EXPECT_EQ(destination_of(0, 4096, 3, {}), 3);
    const MigrateDest nothing[] = {{.nid = 4, .weight = 0}};
    EXPECT_EQ(destination_of(0, 4096, 3, nothing), -1);
}

}  // namespace
}  // namespace damon
