// The workload generator touches what it says it touches: checked with mincore() and counts, without a clock.
#include "workload.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace damon::test {
namespace {

using Owned = std::unique_ptr<workload, void (*)(workload*)>;

Owned scenario(const char* name, uint64_t bytes) { return {workload_scenario(name, bytes), workload_free}; }

Owned parse(const char* text, std::string* error = nullptr) {
    char message[200] = "";
    Owned parsed{workload_parse(text, message, sizeof message), workload_free};
    if (error != nullptr) *error = message;
    return parsed;
}

std::vector<workload_range> hot_ranges(const Owned& w, size_t phase) {
    std::vector<workload_range> ranges(workload_hot_ranges(w.get(), phase, nullptr, 0));
    workload_hot_ranges(w.get(), phase, ranges.data(), ranges.size());
    return ranges;
}

bool is_hot(const std::vector<workload_range>& ranges, uint64_t address) {
    for (const workload_range& range : ranges) {
        if (range.start <= address && address < range.end) return true;
    }
    return false;
}

// Pages of all regions that are present.
std::vector<uint64_t> present_pages(const Owned& w) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    std::vector<uint64_t> present;
    for (size_t region = 0; region < workload_nr_regions(w.get()); ++region) {
        const workload_range range = workload_region_range(w.get(), region);
        std::vector<unsigned char> pages((range.end - range.start + page - 1) / page);
        EXPECT_EQ(mincore(reinterpret_cast<void*>(range.start), range.end - range.start, pages.data()), 0);
        for (size_t i = 0; i < pages.size(); ++i) {
            if ((pages[i] & 1) != 0) present.push_back(range.start + i * page);
        }
    }
    return present;
}

TEST(Workload, TouchesExactlyItsHotRanges) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    for (size_t i = 0; workload_scenario_name(i) != nullptr; ++i) {
        SCOPED_TRACE(workload_scenario_name(i));
        const Owned w = scenario(workload_scenario_name(i), 4'000'000);
        ASSERT_NE(w, nullptr);
        ASSERT_EQ(workload_map(w.get(), WORKLOAD_ANON, 0), 0);
        const size_t phase = workload_nr_phases(w.get()) / 2;
        EXPECT_GT(workload_run_rounds(w.get(), phase, 100), 0u);
        const std::vector<workload_range> hot = hot_ranges(w, phase);
        const std::vector<uint64_t> present = present_pages(w);
        for (const uint64_t address : present) ASSERT_TRUE(is_hot(hot, address)) << address;
        uint64_t hot_bytes = 0;
        for (const workload_range& range : hot) hot_bytes += range.end - range.start;
        EXPECT_EQ(present.size() * page, hot_bytes);
    }
}

TEST(Workload, AccessesLeaveTheContentAlone) {
    for (const workload_memory memory : {WORKLOAD_ANON, WORKLOAD_SHARED, WORKLOAD_HUGE}) {
        const Owned w = parse(
            "region a 1M\n"
            "region b 3M\n"
            "phase one 10\n"
            "access a rand 8 2 w\n"
            "access b seq 4096 1 w 64K 128K\n");
        ASSERT_NE(w, nullptr);
        ASSERT_EQ(workload_map(w.get(), memory, 1), 0);
        EXPECT_EQ(workload_map(w.get(), memory, 1), -EBUSY);
        workload_run_rounds(w.get(), 0, 1'000);
        EXPECT_EQ(workload_damaged_pages(w.get()), 0u);
        // The check is not unknown.
        *reinterpret_cast<volatile uint64_t*>(workload_region_range(w.get(), 1).start) = 0;
        EXPECT_EQ(workload_damaged_pages(w.get()), 1u);
    }
}

TEST(Workload, HotRangesOfOverlappingAccessesAreJoined) {
    const Owned w = parse(
        "region a 1M   # a comment\n"
        "\n"
        "phase one 10\n"
        "access a seq 64 1 r 0 100000\n"
        "access a rand 64 3 r 50000 100000\n"
        "access a rand 64 0 r 500000 100000\n"
        "access a rand 64 1 w 900000 1000\n");
    ASSERT_NE(w, nullptr);
    ASSERT_EQ(workload_map(w.get(), WORKLOAD_ANON, 0), 0);
    const uint64_t start = workload_region_range(w.get(), 0).start;
    const std::vector<workload_range> hot = hot_ranges(w, 0);
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    ASSERT_EQ(hot.size(), 2u);
    EXPECT_EQ(hot[0].start, start);
    EXPECT_EQ(hot[0].end, start + (150'000 + page - 1) / page * page);
    EXPECT_EQ(hot[1].start, start + 900'000 / page * page);
}

TEST(Workload, PhasesRepeatForEver) {
    const Owned w = parse("region a 1M\nphase one 10\nphase two 30\n");
    ASSERT_NE(w, nullptr);
    EXPECT_EQ(workload_phase_at(w.get(), 9), 0u);
    EXPECT_EQ(workload_phase_at(w.get(), 10), 1u);
    EXPECT_EQ(workload_phase_at(w.get(), 39), 1u);
    EXPECT_EQ(workload_phase_at(w.get(), 40), 0u);
}

TEST(Workload, WeightsShareTheAccesses) {
    const Owned w = parse("region a 1M\nphase one 10\naccess a seq 8 3 r\naccess a rand 8 5 w\n");
    ASSERT_NE(w, nullptr);
    ASSERT_EQ(workload_map(w.get(), WORKLOAD_ANON, 0), 0);
    EXPECT_EQ(workload_run_rounds(w.get(), 0, 10), 10u * 64 * (3 + 5));
}

TEST(Workload, WrongLinesAreNamed) {
    const struct {
        const char* text;
        const char* message;
    } cases[] = {
        {"", "line 1: there is no phase"},
        {"region a\n", "line 1: region NAME LENGTH is wanted"},
        {"region a 1M\nregion a 1M\n", "line 2: a region has this name already"},
        {"region a 0\n", "line 1: the number must not be 0"},
        {"region a 99999999999G\n", "line 1: region NAME LENGTH is wanted"},
        {"region a -1\n", "line 1: region NAME LENGTH is wanted"},
        {"region a 1M\nphase p 10\naccess b seq 8 1 r\n", "line 3: no region has this name so far"},
        {"region a 1M\nphase p 10\naccess a up 8 1 r\n", "line 3: the order is seq or rand"},
        {"region a 1M\naccess a seq 8 1 r\n", "line 2: a phase must come before"},
        {"region a 1M\nphase p 10\naccess a seq 7 1 r\n", "line 3: a phase must come before"},
        {"region a 1M\nphase p 10\naccess a seq 8 1 r 512K 513K\n", "line 3: a phase must come before"},
        {"jump 3\n", "line 1: the first word is region, phase, access or rest"},
    };
    for (const auto& wrong : cases) {
        std::string error;
        EXPECT_EQ(parse(wrong.text, &error), nullptr) << wrong.text;
        EXPECT_EQ(error.find(wrong.message), 0u) << error;
    }
}

}  // namespace
}  // namespace damon::test
