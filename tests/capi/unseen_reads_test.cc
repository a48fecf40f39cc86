// Custom operations that see writes only: schemes that presume coldness pass over such regions (S-38).
#include "toy.h"

namespace damon::test {
namespace {

// Ten windows of one scheme on memory that nobody writes; how often it was tried.
uint64_t tried(int32_t action, uint32_t flags, uint32_t table_flags) {
    Context ctx(true);
    damon_operations table = ctx.ops().table();
    table.flags = table_flags;
    EXPECT_EQ(damon_ctx_set_custom_ops(ctx, &table, &ctx.ops()), 0);
    const auto change = [&](damos_params& params) {
        params.action = action;
        params.pattern.max_nr_accesses = 0;
        params.flags = flags;
        params.target_nid = 0;
        params.action_fn = [](void*, damon_ctx*, const damon_region_info* region, size_t) -> uint64_t {
            EXPECT_NE(region->flags & DAMON_REGION_WRITES_ONLY, 0u);
            return 0;
        };
    };
    EXPECT_EQ(damon_ctx_add_scheme(ctx, scheme_of(change)), 0);
    EXPECT_EQ(ctx.start(), 0) << errmsg_of(ctx);
    EXPECT_EQ(ctx.step(50), 0);
    damos_stat stat;
    damos_stat_init(&stat);
    EXPECT_EQ(damon_ctx_get_scheme_stat(ctx, 0, &stat), 0);
    return stat.nr_tried;
}

TEST(UnseenReads, RegionsOfCustomOperationsThatSeeWritesOnlyArePassedOver) {
    for (const int32_t action : {DAMOS_PAGEOUT, DAMOS_COLD, DAMOS_LRU_DEPRIO, DAMOS_MIGRATE_COLD}) {
        EXPECT_EQ(tried(action, 0, DAMON_OPERATIONS_WRITES_ONLY), 0u) << action;
        EXPECT_NE(tried(action, DAMOS_ALLOW_UNSEEN_READS, DAMON_OPERATIONS_WRITES_ONLY), 0u) << action;
        EXPECT_NE(tried(action, 0, 0), 0u) << action;
    }
}

TEST(UnseenReads, ACallbackIsCalledAndTold) { EXPECT_NE(tried(DAMOS_CALLBACK, 0, DAMON_OPERATIONS_WRITES_ONLY), 0u); }

}  // namespace
}  // namespace damon::test
