// Contexts with passes over accessed bits on real memory, driven by hand.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "damon_c.h"
#include "ops/linux/access/access_check_table.h"
#include "os/proc_maps.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {

inline constexpr uint64_t kWindowBytes = 2u << 20;

// Mappings of this process in `range`.
inline size_t mappings_in(AddressRange range) {
    struct Count {
        AddressRange range;
        size_t nr;
    } count{range, 0};
    ProcMaps maps;
    uint64_t bad_lines = 0;
    EXPECT_EQ(maps.open(0), 0);
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* into = static_cast<Count*>(context);
        into->nr += mapping.range.intersects(into->range);
    };
    EXPECT_EQ(maps.read_all(visit, &count, bad_lines), 0);
    return count.nr;
}

// A manually driven context of one stable range, with a pass every `kPassSteps` steps of 5 ms.
class PassRun {
public:
    static constexpr uint64_t kSampleUs = 5'000;
    static constexpr int kPassSteps = 20;

    explicit PassRun(AddressRange range, int32_t check = DAMON_ACCESS_CHECK_AUTO) : PassRun(check) {
        void* const start = reinterpret_cast<void*>(range.start);
        EXPECT_EQ(damon_ctx_add_range(ctx_, start, range.size(), DAMON_RANGE_STABLE), 0) << errmsg();
    }
    // Without targets.
    explicit PassRun(int32_t check = DAMON_ACCESS_CHECK_AUTO) {
        EXPECT_EQ(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL), 0);
        EXPECT_EQ(damon_ctx_set_seed(ctx_, 1), 0);
        EXPECT_EQ(damon_ctx_set_access_check(ctx_, check), 0);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.referenced_us = kPassSteps * kSampleUs;
        EXPECT_EQ(damon_ctx_set_attrs(ctx_, &attrs), 0) << errmsg();
    }
    ~PassRun() { damon_ctx_free(ctx_); }
    PassRun(const PassRun&) = delete;
    PassRun& operator=(const PassRun&) = delete;
    operator damon_ctx*() { return ctx_; }

    int start() { return damon_start(&ctx_, 1, 0); }
    int stop() { return damon_stop(&ctx_, 1); }
    void passes(
        int count, const std::function<void()>& touch = [] {}) {
        for (int i = 0; i < count * kPassSteps; ++i) {
            touch();
            ASSERT_EQ(damon_step(ctx_, now_us_ += kSampleUs), 0);
        }
    }
    std::vector<damon_region_info> regions() {
        std::vector<damon_region_info> regions(1'100);
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        const int nr = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        EXPECT_GE(nr, 0);
        regions.resize(nr < 0 ? 0 : static_cast<size_t>(nr));
        return regions;
    }
    // Bytes of `part` in regions that `is` holds for.
    uint64_t bytes(AddressRange part, const std::function<bool(const damon_region_info&)>& is) {
        uint64_t sum = 0;
        for (const damon_region_info& region : regions()) {
            const AddressRange common = AddressRange{region.start, region.end}.intersection(part);
            if (!common.empty() && is(region)) sum += common.size();
        }
        return sum;
    }
    std::string errmsg() {
        char text[256] = {};
        damon_ctx_errmsg(ctx_, text, sizeof text);
        return text;
    }

private:
    damon_ctx* ctx_ = damon_ctx_new();
    uint64_t now_us_ = 0;
};

inline bool is_cold(const damon_region_info& region) {
    return (region.flags & (DAMON_REGION_UNKNOWN | DAMON_REGION_REFERENCED)) == DAMON_REGION_REFERENCED &&
           region.nr_accesses == 0 && region.age >= 3 && region.idle_us >= 300'000;
}

// Whether samples see reads too, so that nobody needs passes.
inline bool passes_are_needed() {
    if (sanitized()) {
        declared_skip("sanitizer", "its shadow memory lies below, which takes long to read");
        return false;
    }
    if (access_check_probe(DAMON_ACCESS_CHECK_UFFD_RWP).available) {
        declared_skip("passes", "samples see reads here");
        return false;
    }
    const bool splits = access_check_probe(DAMON_ACCESS_CHECK_UFFD_WP).available;
    if (splits && access_check_probe(DAMON_ACCESS_CHECK_REFERENCED).available) return true;
    declared_skip("uffd-wp", "needs write protection alone");
    return false;
}

class Passes : public testing::Test {
protected:
    static constexpr size_t kWindows = 30;
    static constexpr size_t kPagesPerWindow = 512;

    void SetUp() override {
        works_ = passes_are_needed();
        if (!works_) return;
        memory_.fill();
        mappings_before_ = mappings_in(memory_.range());
    }
    AddressRange windows(size_t first, size_t count) const {
        const uint64_t start = memory_.range().start + first * kWindowBytes;
        return {start, start + count * kWindowBytes};
    }
    void read_windows(size_t first, size_t count) const {
        for (size_t page = first * kPagesPerWindow; page < (first + count) * kPagesPerWindow; ++page)
            memory_.read(page);
    }

    Memory memory_{kWindows * kPagesPerWindow, Kind::kAnonymous, kWindowBytes};
    bool works_ = false;
    size_t mappings_before_ = 0;
};

}  // namespace damon::test
