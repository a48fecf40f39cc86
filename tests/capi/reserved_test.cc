// Members that a later release may give a meaning: who sets them today is told.
#include "toy.h"

namespace damon::test {
namespace {

void expect_refused(Context& context, int result, const char* name) {
    EXPECT_EQ(result, -EINVAL) << name;
    EXPECT_NE(errmsg_of(context).find(name), std::string::npos) << errmsg_of(context);
}

TEST(Reserved, MembersMustBeZero) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    damos* const scheme = damon_ctx_scheme(context, 0);
    const Report before = report_of(context);

    damon_attrs attrs = quick_attrs();
    attrs.aggr_us = 9'000;
    attrs.reserved = 7;
    expect_refused(context, damon_ctx_set_attrs(context, &attrs), "damon_attrs has 7");
    damos_filter filter;
    damos_filter_init(&filter);
    filter.reserved = 7;
    expect_refused(context, damos_add_filter(scheme, &filter), "damos_filter has 7");
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.target_value = 1;
    goal.reserved = 7;
    expect_refused(context, damos_add_quota_goal(scheme, &goal), "damos_quota_goal has 7");
    EXPECT_TRUE(report_of(context) == before);

    ASSERT_EQ(context.start(), 0);
    damos_walk_control walk;
    damos_walk_control_init(&walk);
    walk.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) {};
    walk.reserved = 7;
    expect_refused(context, damos_walk(context, &walk), "damos_walk_control has 7");
    walk.reserved = 0;
    walk.reserved2 = 9;
    expect_refused(context, damos_walk(context, &walk), "damos_walk_control has 9");
}

// A caller of an older release has no such member; what lies there is not its.
TEST(Reserved, MembersBehindTheCallersStructureAreNotLookedAt) {
    Context context;
    damos_params params;
    damos_params_init(&params);
    params.size = offsetof(damos_params, target_nid);
    params.flags = 1u << 7;
    damos* const scheme = damos_new(&params);
    ASSERT_NE(scheme, nullptr);
    EXPECT_EQ(damon_ctx_add_scheme(context, scheme), 0) << errmsg_of(context);
}

// damos_new cannot say why it fails, so the context says it.
TEST(Reserved, UnknownFlagsOfASchemeAreNamedWhereItIsAdded) {
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    damos* const scheme = scheme_of([](damos_params& p) { p.flags = 1u << 7; });
    ASSERT_NE(scheme, nullptr);
    expect_refused(context, damon_ctx_add_scheme(context, scheme), "schemes[1].flags is 0x80");
    damos_params params;
    damos_params_init(&params);
    ASSERT_EQ(damos_set_params(scheme, &params), 0);
    EXPECT_EQ(damon_ctx_add_scheme(context, scheme), 0) << errmsg_of(context);
}

}  // namespace
}  // namespace damon::test
