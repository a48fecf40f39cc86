// A small hot set in real memory is found by surveys, within their budget.
#include <damon_c.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr size_t kSpaceMiB = 512;

using Context = std::unique_ptr<damon_ctx, void (*)(damon_ctx*)>;

Context context_of(const Memory& memory, uint64_t seed, uint64_t survey_bp) {
    Context ctx(damon_ctx_new(), damon_ctx_free);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.max_overhead_permil = 0;
    attrs.survey_bp = survey_bp;
    EXPECT_EQ(damon_ctx_set_attrs(ctx.get(), &attrs), 0);
    EXPECT_EQ(damon_ctx_set_seed(ctx.get(), seed), 0);
    EXPECT_EQ(damon_ctx_add_range(ctx.get(), memory.data(), memory.bytes(), 0), 0);
    return ctx;
}

// Windows until F1 is 0.9; `limit` + 1: not within so many.
unsigned windows_until_found(damon_ctx* ctx, AddressRange hot, unsigned limit) {
    std::vector<damon_region_info> regions(2'000);
    uint64_t seq = 0;
    for (unsigned window = 1; window <= limit; ++window) {
        if (damon_snapshot_wait(ctx, seq, 10'000) != 0) break;
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx, regions.data(), regions.size(), &info);
        if (nr < 0) break;
        seq = info.seq;
        uint64_t found = 0;
        uint64_t both = 0;
        for (const damon_region_info& region : std::span(regions.data(), static_cast<size_t>(nr))) {
            if (2 * uint64_t{region.nr_accesses} < info.max_nr_accesses) continue;
            const AddressRange common = hot.intersection({region.start, region.end});
            found += region.end - region.start;
            if (!common.empty()) both += common.size();
        }
        if (10 * 2 * both >= 9 * (found + hot.size())) return window;
    }
    return limit + 1;
}

// Somebody who writes each page of a range every millisecond or so.
class Writer {
public:
    explicit Writer(AddressRange range) : thread_([this, range] { run(range); }) {}
    ~Writer() {
        quit_ = true;
        thread_.join();
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

private:
    void run(AddressRange range) {
        while (!quit_) {
            for (uint64_t page = range.start; page < range.end; page += page_bytes()) {
                auto* byte = reinterpret_cast<volatile char*>(page);
                *byte = static_cast<char>(*byte + 1);
            }
            usleep(500);
        }
    }
    std::atomic<bool> quit_{false};
    std::thread thread_;
};

TEST(SurveyOfRealMemory, FindsAMebibyteSoonAndKeepsWithinItsBudget) {
    if (sanitized()) return declared_skip("sanitizer", "its worker costs several times as much");
    if (!undeclared_memory_can_be_seen()) return;
    const Memory memory(kSpaceMiB * kMiB / page_bytes());
    memset(memory.data(), 1, memory.bytes());
    const uint64_t start = memory.address(0) + 300 * kMiB + 5 * page_bytes();
    const AddressRange hot{start, start + kMiB};
    const Writer writer(hot);
    const bool emulated = getenv("DAMON_IN_VM") != nullptr;
    unsigned nr_soon = 0;
    for (uint64_t seed = 1; seed <= 5 && nr_soon < 3; ++seed) {
        const Context ctx = context_of(memory, seed, DAMON_SURVEY_DEFAULT);
        damon_ctx* list[] = {ctx.get()};
        ASSERT_EQ(damon_start(list, 1, 0), 0);
        const unsigned windows = windows_until_found(ctx.get(), hot, 25);
        EXPECT_EQ(damon_stop(list, 1), 0);
        nr_soon += windows <= (emulated ? 20u : 15u);
        RecordProperty("windows_" + std::to_string(seed), static_cast<int>(windows));
        damon_ctx_stats stats;
        damon_ctx_stats_init(&stats);
        ASSERT_EQ(damon_ctx_get_stats(ctx.get(), &stats), 0);
        EXPECT_GT(stats.survey_cpu_ns, 0u);
        // A full bucket at the start, what comes in within the 25 windows, and one round beyond what is left of it. In
        // an emulated machine one round alone costs several times as much.
        EXPECT_LE(stats.survey_cpu_ns, emulated ? UINT64_MAX : uint64_t{8'000'000});
    }
    EXPECT_GE(nr_soon, 3u);
}

TEST(SurveyOfRealMemory, WithoutABudgetAsksNothing) {
    if (!undeclared_memory_can_be_seen()) return;
    const Memory memory(4'096);
    memset(memory.data(), 1, memory.bytes());
    const Writer writer({memory.address(100), memory.address(200)});
    const Context ctx = context_of(memory, 1, 0);
    damon_ctx* list[] = {ctx.get()};
    ASSERT_EQ(damon_start(list, 1, 0), 0);
    windows_until_found(ctx.get(), {memory.address(0), memory.address(1)}, 5);
    EXPECT_EQ(damon_stop(list, 1), 0);
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    ASSERT_EQ(damon_ctx_get_stats(ctx.get(), &stats), 0);
    EXPECT_EQ(stats.survey_cpu_ns, 0u);
}

TEST(SurveyOfRealMemory, IsRefusedWhereNobodyCanServeIt) {
    Context ctx(damon_ctx_new(), damon_ctx_free);
    ASSERT_EQ(damon_ctx_add_target(ctx.get(), damon_target_new()), 0);
    ASSERT_EQ(damon_ctx_set_access_check(ctx.get(), DAMON_ACCESS_CHECK_REPORT), 0);
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.survey_bp = 10;
    ASSERT_EQ(damon_ctx_set_attrs(ctx.get(), &attrs), 0);
    damon_ctx* list[] = {ctx.get()};
    EXPECT_EQ(damon_start(list, 1, 0), -EOPNOTSUPP);
    char text[200] = "";
    damon_ctx_errmsg(ctx.get(), text, sizeof text);
    EXPECT_NE(strstr(text, "survey_bp"), nullptr) << text;
    attrs.survey_bp = DAMON_SURVEY_DEFAULT;
    ASSERT_EQ(damon_ctx_set_attrs(ctx.get(), &attrs), 0);
    EXPECT_EQ(damon_start(list, 1, 0), 0);
    EXPECT_EQ(damon_stop(list, 1), 0);
}

}  // namespace
}  // namespace damon::test
