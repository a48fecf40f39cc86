// Settings with which a scheme could never do anything are refused at start and commit, and name their field (Q-38,
// else it runs, does nothing, and nobody is told.
#include "toy.h"

namespace damon::test {
namespace {

struct Vain {
    const char* field;
    std::function<void(damon_ctx*)> set;
};

void add(damon_ctx* ctx, const std::function<void(damos_params&)>& change) {
    ASSERT_EQ(damon_ctx_add_scheme(ctx, scheme_of(change)), 0) << errmsg_of(ctx);
}

void add_filtered(damon_ctx* ctx, std::vector<std::function<void(damos_filter&)>> filters) {
    damos* scheme = scheme_of();
    for (const auto& change : filters) {
        damos_filter filter;
        damos_filter_init(&filter);
        filter.matching = filter.allow = 1;
        change(filter);
        ASSERT_EQ(damos_add_filter(scheme, &filter), 0);
    }
    ASSERT_EQ(damon_ctx_add_scheme(ctx, scheme), 0) << errmsg_of(ctx);
}

const Vain kVain[] = {
    {"quota.sz", [](damon_ctx* ctx) { add(ctx, [](damos_params& p) { p.quota.sz = kPage - 1; }); }},
    {"pattern.max_sz", [](damon_ctx* ctx) { add(ctx, [](damos_params& p) { p.pattern.max_sz = kPage - 1; }); }},
    {"min_age_us",
     [](damon_ctx* ctx) {
         add(ctx, [](damos_params& p) {
             p.min_age_us = 60'000'000;
             p.pattern.max_age = 5;
         });
     }},
    {"target_idx",
     [](damon_ctx* ctx) {
         add_filtered(ctx, {[](damos_filter& f) {
                          f.type = DAMOS_FILTER_TARGET;
                          f.target_idx = 5;
                      }});
     }},
    {"max_bytes",
     [](damon_ctx* ctx) {
         add_filtered(ctx, {[](damos_filter& f) {
                          f.type = DAMOS_FILTER_HUGEPAGE_SIZE;
                          f.max_bytes = 4095;
                      }});
     }},
};

TEST(VainSettings, AreRefusedAtTheStartByTheirField_Q83) {
    for (const Vain& vain : kVain) {
        Context ctx(true);
        vain.set(ctx);
        EXPECT_EQ(ctx.start(), -EINVAL) << vain.field;
        EXPECT_NE(errmsg_of(ctx).find(std::string("schemes[0].")), std::string::npos) << errmsg_of(ctx);
        EXPECT_NE(errmsg_of(ctx).find(vain.field), std::string::npos) << errmsg_of(ctx);
    }
}

TEST(VainSettings, AreRefusedInACommitAndChangeNothing_Q83) {
    for (const bool running : {true, false}) {
        for (const Vain& vain : kVain) {
            Context ctx(true);
            Context src(true);
            vain.set(src);
            if (running) {
                ASSERT_EQ(ctx.start(), 0);
            }
            EXPECT_EQ(damon_commit_ctx(ctx, src), -EINVAL) << vain.field;
            EXPECT_NE(errmsg_of(ctx).find(vain.field), std::string::npos) << errmsg_of(ctx);
            EXPECT_EQ(damon_ctx_nr_schemes(ctx), 0u);
        }
    }
}

// The same values where something can come of them.
TEST(VainSettings, WhatCanActIsTaken_Q83) {
    Context ctx(true);
    add(ctx, [](damos_params& p) {
        p.quota.sz = kPage;
        p.pattern.max_sz = kPage;
        p.min_age_us = 25'000;
        p.pattern.max_age = 5;
    });
    const auto no_target = [](damos_filter& f) {
        f.type = DAMOS_FILTER_TARGET;
        f.target_idx = 5;
    };
    const auto another_target = [&](damos_filter& f) {
        no_target(f);
        f.matching = 0;
    };
    const auto rejected = [&](damos_filter& f) {
        no_target(f);
        f.allow = 0;
    };
    const auto anonymous = [](damos_filter& f) { f.type = DAMOS_FILTER_ANON; };
    add_filtered(ctx, {no_target, another_target});
    add_filtered(ctx, {rejected});
    add_filtered(ctx, {no_target, anonymous});  // the default of S-33
    EXPECT_EQ(ctx.start(), 0) << errmsg_of(ctx);
}

// Of real memory: what a filter's range must touch, and which nodes and memory groups there are.
TEST(VainSettings, WhatThisMachineDoesNotHaveIsRefused_Q83) {
    const auto start = [](const std::function<void(damon_ctx*)>& set, const char* field) {
        alignas(kPage) static char memory[4 * kPage];
        damon_ctx* ctx = damon_ctx_new();
        const auto base = reinterpret_cast<uint64_t>(memory);
        ASSERT_EQ(damon_ctx_add_target(ctx, target_of({{base, base + sizeof memory}})), 0);
        set(ctx);
        EXPECT_EQ(damon_start(&ctx, 1, 0), -EINVAL) << field;
        EXPECT_NE(errmsg_of(ctx).find(field), std::string::npos) << errmsg_of(ctx);
        damon_ctx_free(ctx);
    };
    start(
        [](damon_ctx* ctx) {
            add(ctx, [](damos_params& p) {
                p.action = DAMOS_MIGRATE_COLD;
                p.target_nid = 900;
            });
        },
        "target_nid");
    start(
        [](damon_ctx* ctx) {
            damos* scheme = scheme_of([](damos_params& p) { p.action = DAMOS_MIGRATE_HOT; });
            const damos_migrate_dest dests[] = {{0, 1}, {900, 1}};
            ASSERT_EQ(damos_set_migrate_dests(scheme, dests, 2), 0);
            ASSERT_EQ(damon_ctx_add_scheme(ctx, scheme), 0);
        },
        "migrate_dests[1].nid");
    start(
        [](damon_ctx* ctx) {
            damos* scheme = scheme_of();
            damos_quota_goal goal;
            damos_quota_goal_init(&goal);
            goal.metric = DAMOS_QUOTA_NODE_MEMCG_FREE_BP;
            goal.nid = 0;
            goal.target_value = 5000;
            goal.memcg_id = ~uint64_t{0};
            ASSERT_EQ(damos_add_quota_goal(scheme, &goal), 0);
            ASSERT_EQ(damon_ctx_add_scheme(ctx, scheme), 0);
        },
        "goals[0].memcg_id");
    start(
        [](damon_ctx* ctx) {
            add_filtered(ctx, {[](damos_filter& f) {
                             f.type = DAMOS_FILTER_MEMCG;
                             f.memcg_id = ~uint64_t{0};
                         }});
        },
        "memcg_id");
    start(
        [](damon_ctx* ctx) {
            add_filtered(ctx, {[](damos_filter& f) {
                             f.type = DAMOS_FILTER_ADDR;
                             f.addr_start = kPage;
                             f.addr_end = 3 * kPage;
                         }});
        },
        "addr_start");
}

}  // namespace
}  // namespace damon::test
