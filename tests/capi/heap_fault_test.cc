// Every allocation of a context's life fails once: a documented error, nothing changed, nothing lost.
#include "support/heap_fault.h"

#include "base/heap.h"
#include "toy.h"

namespace damon::test {
namespace {

// One step of a life; true where it failed for lack of memory, and then it was without effect.
bool out_of_memory(int result) {
    EXPECT_TRUE(result == 0 || result == -ENOMEM) << result;
    return result == -ENOMEM;
}

damos* rich_scheme() {
    damos* scheme = scheme_of([](damos_params& p) { p.quota.sz = 16 * kPage; });
    if (scheme == nullptr) return nullptr;
    damos_filter filter;
    damos_filter_init(&filter);
    filter.type = DAMOS_FILTER_ADDR;
    filter.addr_start = 20 * kPage;
    filter.addr_end = 30 * kPage;
    damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.target_value = 100;
    if (out_of_memory(damos_add_filter(scheme, &filter)) || out_of_memory(damos_add_quota_goal(scheme, &goal))) {
        damos_free(scheme);
        return nullptr;
    }
    return scheme;
}

bool fill(damon_ctx* ctx, ToyOps& toy, size_t nr_targets) {
    const damon_operations ops = toy.table();
    const damon_attrs attrs = quick_attrs();
    if (out_of_memory(damon_ctx_set_custom_ops(ctx, &ops, &toy))) return false;
    if (out_of_memory(damon_ctx_set_attrs(ctx, &attrs))) return false;
    if (out_of_memory(damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL))) return false;
    if (out_of_memory(damon_ctx_set_min_region_sz(ctx, kPage))) return false;
    for (size_t i = 0; i < nr_targets; ++i) {
        damon_target* target = damon_target_new();
        if (target == nullptr) return false;
        const damon_addr_range range = {(1 + 1000 * i) * kPage, (200 + 1000 * i) * kPage};
        if (out_of_memory(damon_target_set_regions(target, &range, 1)) ||
            out_of_memory(damon_ctx_add_target(ctx, target))) {
            EXPECT_EQ(damon_ctx_nr_targets(ctx), i);
            damon_target_free(target);
            return false;
        }
        damos* scheme = rich_scheme();
        if (scheme == nullptr || out_of_memory(damon_ctx_add_scheme(ctx, scheme))) {
            EXPECT_EQ(damon_ctx_nr_schemes(ctx), i);
            damos_free(scheme);
            return false;
        }
    }
    return true;
}

bool commit_more(damon_ctx* ctx, damon_ctx* source) {
    const Report before = report_of(ctx);
    if (!out_of_memory(damon_commit_ctx(ctx, source))) return true;
    EXPECT_TRUE(report_of(ctx) == before);
    return false;
}

bool run(damon_ctx* ctx, damon_ctx* source) {
    const Report before = report_of(ctx);
    if (out_of_memory(damon_start(&ctx, 1, 0))) {
        EXPECT_TRUE(report_of(ctx) == before);
        EXPECT_EQ(damon_nr_running_ctxs(), 0);
        return false;
    }
    uint64_t now = 0;
    for (int i = 0; i < 12; ++i) EXPECT_EQ(damon_step(ctx, now += 1000), 0);
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.fn = [](void*) { return 0; };
    const bool added = !out_of_memory(damon_call(ctx, &control));
    const bool committed = commit_more(ctx, source);
    for (int i = 0; i < 12; ++i) EXPECT_EQ(damon_step(ctx, now += 1000), 0);
    EXPECT_EQ(damon_stop(&ctx, 1), 0);
    return added && committed;
}

// True where the whole of it went through.
bool live() {
    ToyOps ops;
    damon_ctx* ctx = damon_ctx_new();
    if (ctx == nullptr) return false;
    damon_ctx* source = damon_ctx_new();
    const bool done = source != nullptr && fill(ctx, ops, 1) && fill(source, ops, 3) && run(ctx, source) &&
                      commit_more(ctx, source) && run(ctx, source);
    damon_ctx_free(source);
    damon_ctx_free(ctx);
    return done;
}

TEST(HeapFault, EveryAllocationOfAContextsLifeMayFail) {
    ASSERT_TRUE(live());
    const size_t in_use = heap_bytes_in_use();
    uint64_t nr_survived = 0;
    uint64_t fail_at = 0;
    for (bool reached = true; reached; ++fail_at) {
        SCOPED_TRACE(fail_at);
        {
            const HeapFault fault(fail_at);
            nr_survived += live();
            reached = fault.hit();
        }
        ASSERT_EQ(heap_bytes_in_use(), in_use);
        ASSERT_EQ(damon_nr_running_ctxs(), 0);
        if (HasFailure()) return;
    }
    EXPECT_GT(fail_at, 40u);
    RecordProperty("allocations", static_cast<int>(fail_at));
    // The last round reached no fault; samples of custom operations are asked again where a copy of them found no room.
    EXPECT_GE(nr_survived, 1u);
}

TEST(HeapFault, DeclaredMemoryCanBeGivenBackWithoutMemory) {
    void* mapped = damon_shared_map(4 * kPage);
    void* declared = damon_shared_map(4 * kPage);
    ASSERT_NE(mapped, nullptr);
    ASSERT_NE(declared, nullptr);
    const HeapFault fault(0);
    EXPECT_EQ(damon_shared_unmap(mapped, 4 * kPage), 0);
    EXPECT_EQ(damon_shared_withdraw(declared, 4 * kPage), 0);
    EXPECT_EQ(damon_shared_declare(declared, 4 * kPage), 0) << "there are places left";
    EXPECT_EQ(damon_shared_unmap(declared, 4 * kPage), 0);
}

}  // namespace
}  // namespace damon::test
