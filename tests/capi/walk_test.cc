// damos_walk: what it reports is what was tried.
#include "toy.h"

namespace damon::test {
namespace {

struct Tried {
    std::vector<damon_region_info> acted_on;
    std::vector<damon_region_info> walked;
    uint64_t nr_mismatches = 0;
};

uint64_t act(void* data, damon_ctx*, const damon_region_info* region, size_t) {
    static_cast<Tried*>(data)->acted_on.push_back(*region);
    return region->end - region->start;
}

void note(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t) {
    auto* tried = static_cast<Tried*>(data);
    tried->walked.push_back(*region);
    const bool same = scheme_idx == 0 && !tried->acted_on.empty() && tried->acted_on.back().start == region->start &&
                      tried->acted_on.back().end == region->end;
    tried->nr_mismatches += !same;
}

TEST(Walk, ReportsTheRegionsThatWereTriedAndNoOthers) {
    Tried tried;
    Context context;
    context.ops().hot_start = 50 * kPage;
    context.ops().hot_end = 80 * kPage;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of([&tried](damos_params& params) {
                                       params.action = DAMOS_CALLBACK;
                                       params.action_fn = act;
                                       params.action_data = &tried;
                                       params.pattern.min_nr_accesses = 1;
                                   })),
              0);
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 20);
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.walk_fn = note;
    control.data = &tried;
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(on_worker(context, [&tried] { tried.acted_on.clear(); }), 0);
        tried.walked.clear();
        ASSERT_EQ(damos_walk(context, &control), 0);
        EXPECT_FALSE(tried.walked.empty());
        EXPECT_EQ(tried.nr_mismatches, 0u);
        for (const damon_region_info& region : tried.walked) EXPECT_GT(region.nr_accesses, 0u);
    }
    ASSERT_EQ(context.stop(), 0);
}

}  // namespace
}  // namespace damon::test
