// Pages between two NUMA nodes. Where they lie is what move_pages(2) says of them.
#include <algorithm>
#include <vector>

#include "acted_on.h"
#include "ops/linux/syscalls.h"
#include "scheme_run.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

class TwoNodes : public testing::Test {
protected:
    static constexpr size_t kPages = 2'000;

    void SetUp() override {
        memory_.fill();
        move_all_to(0);
        if (move_all_to(1) != kPages) return declared_skip("numa-nodes", "memory cannot be moved to a node 1");
        ASSERT_EQ(move_all_to(0), kPages);
    }
    // How many pages are there afterwards.
    size_t move_all_to(int node) {
        const std::vector<int> nodes(kPages, node);
        (void)sys::move_pages(0, addresses(0, kPages), nodes, status_);
        return nr_pages_on(node, 0, kPages);
    }
    size_t nr_pages_on(int node, size_t first, size_t last) {
        const std::vector<uint64_t> pages = addresses(first, last);
        std::vector<int> status(pages.size());
        EXPECT_EQ(sys::move_pages(0, pages, {}, status), 0);
        return static_cast<size_t>(std::count(status.begin(), status.end(), node));
    }
    std::vector<uint64_t> addresses(size_t first, size_t last) const {
        std::vector<uint64_t> pages;
        for (size_t page = first; page < last; ++page) pages.push_back(memory_.address(page));
        return pages;
    }
    AddressRange range(size_t first, size_t last) const { return {memory_.address(first), memory_.address(last)}; }

    Memory memory_{kPages};
    std::vector<int> status_ = std::vector<int>(kPages);
};

TEST_F(TwoNodes, PagesMoveToTheNodeAskedForAndOnlyThose) {
    for (const DamosAction action : {DamosAction::kMigrateHot, DamosAction::kMigrateCold}) {
        ASSERT_EQ(move_all_to(0), kPages);
        Acting migrate(action);
        migrate.scheme.target_nid = 1;
        EXPECT_EQ(migrate.apply(range(500, 1'500)).applied, 1'000 * page_bytes());
        EXPECT_EQ(nr_pages_on(1, 500, 1'500), 1'000u);
        EXPECT_EQ(nr_pages_on(0, 0, 500), 500u);
        EXPECT_EQ(nr_pages_on(0, 1'500, kPages), 500u);
        // What is there already does not count.
        EXPECT_EQ(migrate.apply(range(0, 1'500)).applied, 500 * page_bytes());
        EXPECT_TRUE(memory_.is_as_filled());
    }
}

// S-8: by weight, page by page.
TEST_F(TwoNodes, DestinationsShareByWeight) {
    Acting migrate(DamosAction::kMigrateCold);
    migrate.scheme.target_nid = 900;  // not looked at where there are destinations
    ASSERT_TRUE(migrate.scheme.migrate_dests.push_back({.nid = 0, .weight = 3}));
    ASSERT_TRUE(migrate.scheme.migrate_dests.push_back({.nid = 1, .weight = 1}));
    EXPECT_EQ(migrate.apply(memory_.range()).applied, kPages / 4 * page_bytes());
    EXPECT_EQ(nr_pages_on(1, 0, kPages), kPages / 4);
    EXPECT_EQ(nr_pages_on(0, 0, kPages), kPages / 4 * 3);
    EXPECT_TRUE(memory_.is_as_filled());
}

// A whole run: what is used goes to one node, what is not to the other.
TEST_F(TwoNodes, HotAndColdMemoryPartUnderTheMonitor) {
    if (!undeclared_memory_can_be_seen()) return;
    constexpr size_t kHotPages = kPages / 4;
    SchemeRun run(memory_.range());
    run.add([](damos_params& params) {
        params.action = DAMOS_MIGRATE_COLD;
        params.pattern.max_nr_accesses = 0;
        params.pattern.min_age = 5;
        params.target_nid = 1;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    const auto use_hot_part = [&] {
        for (size_t page = 0; page < kHotPages; ++page) memory_.write(page);
    };
    run.windows(30, use_hot_part);
    EXPECT_EQ(nr_pages_on(0, 0, kHotPages), kHotPages);
    EXPECT_GE(nr_pages_on(1, kHotPages, kPages), (kPages - kHotPages) * 19 / 20);
    EXPECT_EQ(run.stat().sz_applied, nr_pages_on(1, 0, kPages) * page_bytes());

    // And back where it is used: what was on the slow node alone moves.
    damon_ctx* ctx = run;
    ASSERT_EQ(damon_stop(&ctx, 1), 0);
    ASSERT_EQ(move_all_to(1), kPages);
    ASSERT_EQ(damon_ctx_remove_scheme(run, 0), 0);
    run.add([](damos_params& params) {
        params.action = DAMOS_MIGRATE_HOT;
        params.pattern.min_nr_accesses = 15;
        params.target_nid = 0;
    });
    run.restart_clock();
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(30, use_hot_part);
    EXPECT_GE(nr_pages_on(0, 0, kHotPages), kHotPages * 19 / 20);
    EXPECT_GE(nr_pages_on(1, kHotPages, kPages), (kPages - kHotPages) * 19 / 20);
    EXPECT_TRUE(memory_.is_as_filled());
}

}  // namespace
}  // namespace damon::test
