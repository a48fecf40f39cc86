// Whole runs through the C interface: the monitor learns what is hot on real memory, and a scheme acts on the rest.
// Driven by hand: a test touches what it wants touched between two steps, nothing sleeps or races.
#include "scheme_run.h"

#include <gtest/gtest.h>

#include <functional>

#include "acted_on.h"
#include "ops/linux/registration/declared_ranges.h"
#include "os/page_sizes.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

// A mapping of a file, of which the first fifth is read in every sampling interval.
class ColdFile : public testing::Test {
protected:
    static constexpr size_t kPages = 4000;
    static constexpr size_t kHotPages = kPages / 5;

    void SetUp() override {
        if (!memory_.works()) return;
        memory_.touch(0, kPages);
        ASSERT_EQ(present_bytes(memory_.range()), kPages * page_bytes());
        ASSERT_EQ(shared_declare(memory_.range()), 0);  // so that reads of it can be seen on any kernel
    }
    void TearDown() override {
        if (memory_.works()) {
            EXPECT_EQ(shared_withdraw(memory_.range()), 0);
        }
    }
    uint64_t cold_bytes() const { return in_memory_bytes(memory_.range(kHotPages, kPages)); }
    std::function<void()> read_hot() {
        return [this] { memory_.touch(0, kHotPages); };
    }

    FileMemory memory_{kPages, MAP_SHARED};
};

TEST_F(ColdFile, LosesItsColdPartAndKeepsItsHotOne) {
    if (!memory_.works()) return;
    SchemeRun run(memory_.range());
    run.add([](damos_params& params) {
        params.action = DAMOS_PAGEOUT;
        params.pattern.max_nr_accesses = 0;
        params.min_age_us = 1'000'000;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(9, read_hot());
    EXPECT_EQ(cold_bytes(), (kPages - kHotPages) * page_bytes());  // nothing is as old as that yet
    EXPECT_EQ(run.stat().nr_tried, 0u);
    run.windows(40, read_hot());
    EXPECT_LE(cold_bytes(), (kPages - kHotPages) * page_bytes() / 20);
    EXPECT_LE(present_bytes(memory_.range(kHotPages, kPages)), cold_bytes());  // and so does the resident set
    memory_.touch(0, kHotPages);
    EXPECT_EQ(present_bytes(memory_.range(0, kHotPages)), kHotPages * page_bytes());
    EXPECT_GE(run.stat().sz_applied, (kPages - kHotPages) * page_bytes() * 19 / 20);
    EXPECT_EQ(run.actions().applied_bytes[DAMOS_PAGEOUT], run.stat().sz_applied);
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(ColdFile, QuotaBoundsWhatIsPagedOutInAWindow) {
    if (!memory_.works()) return;
    SchemeRun run(memory_.range());
    run.add([](damos_params& params) {
        params.action = DAMOS_PAGEOUT;
        params.pattern.max_nr_accesses = 0;
        params.quota.sz = 64 * 4096;
        params.quota.reset_interval_ms = 100;
        params.quota.weight_age = 1;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    uint64_t before = 0;
    for (int window = 0; window < 30; ++window) {
        run.windows(1, read_hot());
        const uint64_t now = run.stat().sz_applied;
        ASSERT_LE(now - before, 64u * 4096) << "window " << window;
        before = now;
    }
    EXPECT_GT(run.stat().qt_exceeds, 20u);
    EXPECT_GE(before, 20u * 64 * 4096 / 2);
}

TEST_F(ColdFile, AFilterOnAnonymousMemoryLeavesTheFileAlone) {
    if (!memory_.works()) return;
    SchemeRun run(memory_.range());
    damos* scheme = run.add([](damos_params& params) {
        params.action = DAMOS_PAGEOUT;
        params.pattern.max_nr_accesses = 0;
    });
    damos_filter filter;
    damos_filter_init(&filter);
    filter.type = DAMOS_FILTER_ANON;
    filter.matching = 0;
    ASSERT_EQ(damos_add_filter(scheme, &filter), 0);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(10, read_hot());
    EXPECT_GT(run.stat().sz_tried, 0u);
    EXPECT_EQ(run.stat().sz_applied, 0u);
    EXPECT_EQ(run.stat().sz_ops_filter_passed, 0u);
}

TEST(RealScheme, RefusedSchemesNameTheField) {
    Memory memory(16);
    SchemeRun run(memory.range());
    run.add([](damos_params& params) { params.action = DAMOS_LRU_PRIO; });
    EXPECT_EQ(run.start(), -EOPNOTSUPP);
    EXPECT_NE(run.errmsg().find("schemes[0].action is DAMOS_LRU_PRIO: "), std::string::npos) << run.errmsg();
    ASSERT_EQ(damon_ctx_remove_scheme(run, 0), 0);
    run.add([](damos_params& params) { params.action = DAMOS_MIGRATE_COLD; });
    EXPECT_EQ(run.start(), -EINVAL);
    EXPECT_NE(run.errmsg().find("schemes[0].target_nid is -1"), std::string::npos) << run.errmsg();
}

// The marks of the monitor and a collapse meet on the same pages. Regions of whole huge pages, or none would fit.
TEST(RealScheme, HotMemoryBecomesHugeUnderTheMonitor) {
    if (!has_huge_pages()) return declared_skip("huge-pages", "transparent huge pages are off");
    if (!access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp)).available) {
        return declared_skip("uffd-wp", "no write protection");
    }
    const uint64_t huge = read_page_sizes().huge_bytes;
    const size_t pages = huge / page_bytes();
    Memory memory(16 * pages, Kind::kAnonymous, huge);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_NOHUGEPAGE), 0);
    memory.fill();
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_HUGEPAGE), 0);
    SchemeRun run(memory.range());
    ASSERT_EQ(damon_ctx_set_min_region_sz(run, huge), 0);
    run.add([](damos_params& params) {
        params.action = DAMOS_COLLAPSE;
        params.pattern.min_nr_accesses = 15;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(10, [&] {
        for (size_t page = 0; page < 8 * pages; ++page) memory.write(page);
    });
    // The kernel's own daemon wakes up at the first advice on the machine, and may have been there first.
    const auto huge_bytes = static_cast<uint64_t>(smaps_kb(memory.address(0), "AnonHugePages")) * 1024;
    EXPECT_GE(huge_bytes, 6 * huge);
    EXPECT_LE(run.stat().sz_applied, huge_bytes);
    EXPECT_GT(run.stat().sz_applied + run.actions().skipped_bytes[DAMOS_SKIP_ALREADY_SO], 0u);
    EXPECT_TRUE(memory.is_as_filled());
}

}  // namespace
}  // namespace damon::test
