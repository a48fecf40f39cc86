// Probes through the C interface, on this process's real memory (P-1 to P-9), and reading them.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "support/heap_fault.h"
#include "toy.h"

namespace damon::test {
namespace {

damon_probe* anon_probe(uint32_t weight = 0) {
    damon_probe* probe = damon_probe_new();
    damon_probe_filter filter;
    damon_probe_filter_init(&filter);
    filter.type = DAMON_PROBE_FILTER_ANON;
    filter.matching = 1;
    filter.allow = 1;
    EXPECT_EQ(damon_probe_add_filter(probe, &filter), 0);
    EXPECT_EQ(damon_probe_set_weight(probe, weight), 0);
    return probe;
}

// A mapping whose first half was written: anonymous pages there, holes behind them. Stepped by hand.
class ProbedMemory : public testing::Test {
protected:
    ProbedMemory()
        : data_(static_cast<char*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        madvise(data_, kBytes, MADV_NOHUGEPAGE);
        memset(data_, 1, kBytes / 2);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.sample_us = 1000;
        attrs.aggr_us = 20'000;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0);
        EXPECT_EQ(damon_ctx_set_ops(ctx_, DAMON_OPS_FVADDR), 0);
        EXPECT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
        EXPECT_EQ(damon_ctx_add_target(ctx_, target_of({{start(), start() + kBytes}})), 0);
    }
    ~ProbedMemory() override {
        damon_ctx_free(ctx_);
        munmap(data_, kBytes);
    }

    uint64_t start() const { return reinterpret_cast<uint64_t>(data_); }
    void step(int count) {
        for (; count > 0; --count) ASSERT_EQ(damon_step(ctx_, now_us_ += 1000), 0);
    }
    // The share of hits of probe 0 in [from, to) of the mapping, weighted by size, in percent.
    uint64_t percent(uint64_t from, uint64_t to) {
        std::vector<damon_region_info> regions(2000);
        std::vector<damon_probe_hits> hits(2000);
        const int nr = damon_snapshot_read_probes(ctx_, regions.data(), hits.data(), 2000, nullptr);
        EXPECT_GT(nr, 0);
        uint64_t sum = 0;
        uint64_t bytes = 0;
        for (int i = 0; i < nr; ++i) {
            const uint64_t left = std::max(regions[i].start, start() + from);
            const uint64_t right = std::min(regions[i].end, start() + to);
            if (left >= right) continue;
            sum += (right - left) * hits[i].hits[0];
            bytes += (right - left) * 20;
        }
        return bytes == 0 ? 0 : 100 * sum / bytes;
    }

    static constexpr uint64_t kBytes = 1024 * kPage;
    char* data_;
    damon_ctx* ctx_ = damon_ctx_new();
    uint64_t now_us_ = 0;
};

TEST_F(ProbedMemory, WeightedProbesDrawTheRegionsP4) {
    ASSERT_EQ(damon_ctx_add_probe(ctx_, anon_probe(1)), 0);
    ASSERT_EQ(damon_start(&ctx_, 1, 0), 0);
    step(20 * 40);
    EXPECT_GE(percent(0, kBytes / 2), 95u);
    EXPECT_LE(percent(kBytes / 2, kBytes), 5u);
    // No access was asked for, and none armed.
    EXPECT_EQ(stats_of(ctx_).nr_samples, 0u);
}

TEST_F(ProbedMemory, ProbesWithoutWeightAreByProductsP6) {
    ASSERT_EQ(damon_ctx_add_probe(ctx_, anon_probe()), 0);
    ASSERT_EQ(damon_ctx_nr_probes(ctx_), 1u);
    ASSERT_NE(damon_ctx_probe(ctx_, 0), nullptr);
    ASSERT_EQ(damon_start(&ctx_, 1, 0), 0);
    step(20);
    EXPECT_GT(stats_of(ctx_).nr_samples, 0u);
    EXPECT_GE(percent(0, kBytes / 2), 70u);  // regions do not follow the border
    EXPECT_LE(percent(kBytes / 2, kBytes), 30u);
}

TEST_F(ProbedMemory, ACommitBringsProbesAndTakesThemAwayP9) {
    ASSERT_EQ(damon_start(&ctx_, 1, 0), 0);
    step(20);
    damon_ctx* wanted = damon_ctx_new();
    damon_attrs attrs = attrs_of(ctx_);
    ASSERT_EQ(damon_ctx_set_attrs(wanted, &attrs), 0);
    ASSERT_EQ(damon_ctx_add_target(wanted, target_of({})), 0);
    ASSERT_EQ(damon_ctx_add_probe(wanted, anon_probe(3)), 0);
    ASSERT_EQ(damon_commit_ctx(ctx_, wanted), 0);
    EXPECT_EQ(damon_ctx_nr_probes(ctx_), 1u);
    step(20 * 10);
    EXPECT_GE(percent(0, kBytes / 2), 80u);
    EXPECT_EQ(damon_probe_set_weight(damon_ctx_probe(ctx_, 0), 1), -EBUSY);
    ASSERT_EQ(damon_ctx_remove_probe(wanted, 0), 0);
    ASSERT_EQ(damon_commit_ctx(ctx_, wanted), 0);
    EXPECT_EQ(damon_ctx_nr_probes(ctx_), 0u);
    step(40);
    EXPECT_EQ(percent(0, kBytes), 0u);
    damon_ctx_free(wanted);
}

// Whatever allocation of a commit fails: it is refused and without effect, or it is done in full.
TEST_F(ProbedMemory, ACommitOutOfMemoryIsRefusedOrWhole) {
    memset(data_, 1, kBytes);
    damon_ctx* wanted = damon_ctx_new();
    damon_attrs attrs = attrs_of(ctx_);
    ASSERT_EQ(damon_ctx_set_attrs(wanted, &attrs), 0);
    for (uint64_t i = 0; i < 8; ++i) {
        ASSERT_EQ(damon_ctx_add_target(wanted, target_of({{start() + i * kBytes / 8, start() + (i + 1) * kBytes / 8}})),
                  0);
    }
    ASSERT_EQ(damon_ctx_add_probe(wanted, anon_probe(1)), 0);
    uint64_t nr_refused = 0;
    bool reached = true;
    for (uint64_t fail_at = 0; reached; ++fail_at) {
        SCOPED_TRACE(fail_at);
        ASSERT_EQ(damon_start(&ctx_, 1, 0), 0);
        now_us_ = 0;
        step(20);
        int result = 0;
        {
            const HeapFault fault(fail_at);
            result = damon_commit_ctx(ctx_, wanted);
            reached = fault.hit();
        }
        nr_refused += result == -ENOMEM;
        ASSERT_TRUE(result == 0 || result == -ENOMEM) << result;
        ASSERT_EQ(damon_ctx_nr_targets(ctx_), result == 0 ? 8u : 1u);
        step(20 * 3);
        EXPECT_EQ(percent(0, kBytes), result == 0 ? 100u : 0u);
        // A context that has not been changed yet, for the next round.
        ASSERT_EQ(damon_stop(&ctx_, 1), 0);
        if (result != 0) continue;
        while (damon_ctx_nr_targets(ctx_) > 1) ASSERT_EQ(damon_ctx_remove_target(ctx_, 1), 0);
        ASSERT_EQ(damon_ctx_remove_probe(ctx_, 0), 0);
        const damon_addr_range whole = {start(), start() + kBytes};
        ASSERT_EQ(damon_target_set_regions(damon_ctx_target(ctx_, 0), &whole, 1), 0);
    }
    EXPECT_GT(nr_refused, 10u);
    damon_ctx_free(wanted);
}

TEST(Probes, BelongToOneContextAndAreFourAtMost) {
    damon_ctx* ctx = damon_ctx_new();
    damon_probe* probe = anon_probe();
    for (int i = 0; i < DAMON_MAX_PROBES; ++i) ASSERT_EQ(damon_ctx_add_probe(ctx, anon_probe()), 0);
    EXPECT_EQ(damon_ctx_add_probe(ctx, probe), -EINVAL);
    EXPECT_NE(errmsg_of(ctx).find("has 4 probes already"), std::string::npos) << errmsg_of(ctx);
    EXPECT_EQ(damon_ctx_add_probe(ctx, damon_ctx_probe(ctx, 0)), -EINVAL);
    EXPECT_EQ(damon_ctx_remove_probe(ctx, 4), -EINVAL);
    EXPECT_EQ(damon_ctx_remove_probe(ctx, 3), 0);
    EXPECT_EQ(damon_ctx_add_probe(ctx, probe), 0);
    EXPECT_EQ(damon_ctx_add_probe(ctx, nullptr), -EINVAL);
    damon_probe_free(probe);  // belongs to the context: stays
    EXPECT_EQ(damon_ctx_nr_probes(ctx), 4u);
    damon_ctx_free(ctx);
}

TEST(Probes, WrongFiltersAreRefused) {
    damon_probe* probe = damon_probe_new();
    damon_probe_filter filter;
    damon_probe_filter_init(&filter);
    filter.type = 3;
    EXPECT_EQ(damon_probe_add_filter(probe, &filter), -EINVAL);
    filter.type = DAMON_PROBE_FILTER_HUGEPAGE_SIZE;
    filter.min_bytes = 2;
    filter.max_bytes = 1;
    EXPECT_EQ(damon_probe_add_filter(probe, &filter), -EINVAL);
    filter.max_bytes = 2;
    filter.allow = 2;
    EXPECT_EQ(damon_probe_add_filter(probe, &filter), -EINVAL);
    filter.allow = 1;
    EXPECT_EQ(damon_probe_add_filter(probe, &filter), 0);
    EXPECT_EQ(damon_probe_add_filter(probe, nullptr), -EINVAL);
    EXPECT_EQ(damon_probe_add_filter(nullptr, &filter), -EINVAL);
    damon_probe_free(probe);
}

TEST(Probes, ReadingThemNeedsRoomForBoth) {
    Context context(true);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(context.step(6), 0);
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    damon_region_info region;
    damon_probe_hits hits;
    EXPECT_EQ(damon_snapshot_read_probes(context, &region, &hits, 1, &info), -ENOSPC);
    EXPECT_GT(info.nr_regions, 1u);
    EXPECT_EQ(damon_snapshot_read_probes(context, &region, nullptr, 1, &info), -EINVAL);
    EXPECT_EQ(damon_snapshot_read_probes(nullptr, &region, &hits, 1, &info), -EINVAL);
}

}  // namespace
}  // namespace damon::test
