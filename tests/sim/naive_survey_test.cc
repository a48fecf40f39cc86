// What a survey makes of one hit, against a second implementation that is written from the rules (docs/surveys.md,
// Method 3 to 6) as simply as can be: it sees all pages at once, and knows no spans, rounds and edges.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/survey/found_runs.h"
#include "engine/survey/zoom.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using Verdict = Zoom::Verdict;

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr size_t kMapPages = 128;

// Pages of a region that are hot all the time, or never.
struct World {
    std::vector<bool> hot;
    size_t hit = 0;  // the page that a sample hit

    size_t size() const { return hot.size(); }
    bool is_hot(size_t page) const { return page < hot.size() && hot[page]; }
    std::string text() const {
        std::string text = "hit " + std::to_string(hit) + " of " + std::to_string(size()) + ", hot from";
        for (size_t page = 0; page < size(); ++page) {
            if (hot[page] != (page != 0 && hot[page - 1])) text += " " + std::to_string(page);
        }
        return text;
    }
};

struct Outcome {
    Verdict verdict = Verdict::kInconclusive;
    size_t first = 0, end = 0;  // of the run that was found
    bool operator==(const Outcome&) const = default;
};

// At most a quarter of the pages is hot, or at least three quarters.
bool is_sparse(size_t nr_hot, size_t nr) { return nr_hot * 4 <= nr; }
bool is_dense(size_t nr_hot, size_t nr) { return nr_hot * 4 >= nr * 3; }

size_t count_hot(const World& world, size_t first, size_t end) {
    return static_cast<size_t>(
        std::count(world.hot.begin() + static_cast<long>(first), world.hot.begin() + static_cast<long>(end), true));
}

// The hot pages around one in [first, end), across single holes.
Outcome run_around(const World& world, size_t page, size_t first, size_t end) {
    Outcome run{Verdict::kFound, page, page + 1};
    const auto hot = [&](size_t at) { return at >= first && at < end && world.is_hot(at); };
    while (hot(run.end) || hot(run.end + 1)) ++run.end;
    while (run.first > first && (hot(run.first - 1) || (run.first > first + 1 && hot(run.first - 2)))) --run.first;
    return run;
}

Outcome naive(const World& world) {
    if (!world.is_hot(world.hit)) return {};
    // The map: half of it below the page, all of it in the region.
    const size_t map_pages = std::min(kMapPages, world.size());
    const size_t wanted = world.hit < kMapPages / 2 ? 0 : world.hit - kMapPages / 2;
    const size_t map_first = std::min(wanted, world.size() - map_pages);
    const size_t map_end = map_first + map_pages;
    const Outcome local = run_around(world, world.hit, map_first, map_end);
    const size_t inside = count_hot(world, local.first, local.end);
    const size_t outside = count_hot(world, map_first, map_end) - inside;
    const size_t nr_pages = local.end - local.first;
    if (nr_pages < 4 || !is_dense(inside, nr_pages) || !is_sparse(outside, map_pages - nr_pages)) {
        return {Verdict::kRefuted};
    }
    const bool goes_on =
        (local.first == map_first && map_first != 0) || (local.end == map_end && map_end != world.size());
    const Outcome run = goes_on ? run_around(world, world.hit, 0, world.size()) : local;
    if (run.first == 0 && run.end == world.size()) return {Verdict::kRefuted};
    return run;
}

Outcome followed(const World& world, uint64_t region_start, uint64_t random) {
    const AddressRange region{region_start, region_start + world.size() * kPage};
    Zoom zoom(region, region_start + world.hit * kPage + random % kPage, kPage);
    Verdict verdict = Verdict::kGoesOn;
    for (int round = 0; round < 100 && verdict == Verdict::kGoesOn; ++round) {
        Span spans[Zoom::kMaxSpans];
        const size_t nr = zoom.ask(spans, random += 0x1234'5678'9abc'def1);
        for (Span& span : std::span(spans, nr)) {
            EXPECT_TRUE(region.covers(span.range()));
            for (unsigned page = 0; page < span.nr_pages; ++page) {
                span.known.set(page);
                if (world.is_hot((span.start - region_start) / kPage + page)) span.hit.set(page);
            }
        }
        verdict = zoom.answer({spans, nr});
    }
    if (verdict != Verdict::kFound) return {verdict};
    return {verdict, (zoom.run().start - region_start) / kPage, (zoom.run().end - region_start) / kPage};
}

class NaiveSurvey : public testing::Test {
protected:
    uint64_t below(uint64_t limit) { return random_() % limit; }
    void set(World& world, size_t first, size_t end) {
        for (size_t page = first; page < std::min(end, world.size()); ++page) world.hot[page] = true;
    }
    void compare(const World& world) {
        const uint64_t region_start = (below(3) == 0 ? 0 : below(1 << 20)) * kPage;
        const Outcome right = naive(world);
        const Outcome found = followed(world, region_start, random_());
        ASSERT_EQ(found.verdict, right.verdict) << world.text();
        ASSERT_EQ(found, right) << found.first << " to " << found.end << ", not " << right.first << " to " << right.end
                                << ": " << world.text();
        ++nr_[static_cast<size_t>(right.verdict)];
    }
    uint64_t nr(Verdict verdict) const { return nr_[static_cast<size_t>(verdict)]; }

private:
    std::mt19937_64 random_{20261128};
    uint64_t nr_[4] = {};
};

// Pages at random, of any density, with a run that may have holes; as far as the map of 128 pages shows.
TEST_F(NaiveSurvey, MakesTheSameOfPagesAtRandom) {
    for (int i = 0; i < 20'000; ++i) {
        World world;
        world.hot.resize(1 + below(kMapPages));  // all of it is in the map
        const uint64_t permil = below(4) == 0 ? below(1'001) : below(60);
        for (size_t page = 0; page < world.size(); ++page) world.hot[page] = below(1'000) < permil;
        const size_t first = below(world.size());
        set(world, first, first + 1 + below(1 + below(world.size())));
        for (uint64_t holes = below(8); holes != 0; --holes) world.hot[below(world.size())] = false;
        world.hit = below(8) == 0 ? below(world.size()) : first;
        ASSERT_NO_FATAL_FAILURE(compare(world));
    }
    for (const Verdict verdict : {Verdict::kFound, Verdict::kRefuted, Verdict::kInconclusive}) {
        EXPECT_GE(nr(verdict), 500u) << static_cast<int>(verdict);
    }
}

// Runs of any size at any place in regions of up to 64 MiB, where nothing else is hot.
TEST_F(NaiveSurvey, FindsTheSameRuns) {
    for (int i = 0; i < 20'000; ++i) {
        World world;
        world.hot.resize(kMapPages + below(uint64_t{1} << (1 + below(14))));
        const size_t nr_pages = 1 + below(std::min<uint64_t>(world.size(), uint64_t{1} << below(15)));
        const size_t first = below(world.size() - nr_pages + 1);
        set(world, first, first + nr_pages);
        world.hit = first + below(nr_pages);
        ASSERT_NO_FATAL_FAILURE(compare(world));
    }
    EXPECT_GE(nr(Verdict::kFound), 10'000u);
    EXPECT_GE(nr(Verdict::kRefuted), 500u);
}

// A hole before the last pages of a run that is longer than the map: bridged, but where one of the few pages that are
// asked on the way is the hole itself, which then is the end.
TEST_F(NaiveSurvey, BridgesAHoleBeforeTheEndOfALongRun) {
    int nr_bridged = 0;
    for (int i = 0; i < 2'000; ++i) {
        World world;
        world.hot.resize(20'000);
        const size_t first = 100 + below(5'000);
        const size_t end = first + 300 + below(10'000);
        set(world, first, end);
        const size_t lower_hole = first + 1 + below(4);
        const size_t upper_hole = end - 2 - below(4);
        world.hot[lower_hole] = world.hot[upper_hole] = false;
        world.hit = first + 150;
        const Outcome right = naive(world);
        ASSERT_EQ(right, (Outcome{Verdict::kFound, first, end}));
        const Outcome found = followed(world, 0, below(UINT64_MAX));
        ASSERT_EQ(found.verdict, Verdict::kFound) << world.text();
        ASSERT_TRUE(found.first == first || found.first == lower_hole + 1) << found.first << ": " << world.text();
        ASSERT_TRUE(found.end == end || found.end == upper_hole) << found.end << ": " << world.text();
        nr_bridged += found == right;
    }
    EXPECT_GE(nr_bridged, 1'600);
}

// Method 7: the borders of the regions after a window in which runs were found.
std::set<uint64_t> naive_cuts(std::set<uint64_t> borders, std::vector<AddressRange> runs, RunLimits limits) {
    std::ranges::stable_sort(runs, std::greater<>(), &AddressRange::size);
    const uint64_t most = std::max(limits.max_nr_regions / 4, std::min<uint64_t>(limits.max_nr_regions, 40));
    for (const AddressRange run : runs) {
        const uint64_t start = run.start / limits.min_region_sz * limits.min_region_sz;
        const uint64_t end = (run.end + limits.min_region_sz - 1) / limits.min_region_sz * limits.min_region_sz;
        const size_t nr_regions = borders.size() - 1;
        // It would be a small part of its region.
        if (2 * run.size() < end - start || nr_regions + 2 > most) continue;
        borders.insert(start);
        borders.insert(end);
    }
    return borders;
}

TEST_F(NaiveSurvey, CutsTheSameRegions) {
    constexpr uint64_t kEnd = uint64_t{1} << 30;
    for (int i = 0; i < 2'000; ++i) {
        const RunLimits limits{4 + below(below(2) == 0 ? 20 : 400), kPage << below(10), 20};
        std::set<uint64_t> borders{0, kEnd};
        for (uint64_t nr = below(8); nr != 0; --nr) borders.insert((1 + below(kEnd / (8 * kMiB) - 1)) * 8 * kMiB);
        std::vector<Region> before;
        for (auto at = borders.begin(); std::next(at) != borders.end(); ++at) {
            before.push_back(test::region_at({*at, *std::next(at)}, 3, 7));
        }
        RegionList regions = test::list_of({before});
        ASSERT_TRUE(regions.reserve(1'000));
        FoundRuns found;
        ASSERT_TRUE(found.reserve(limits.max_nr_regions));
        std::vector<AddressRange> runs;
        for (uint64_t nr = below(16), start = 0; nr != 0;
             --nr) {  // apart, for what is cut next to each other is joined
            start += (1 + below(1'000)) * 16 * kPage;
            const uint64_t end = start + (4 + below(uint64_t{1} << below(13))) * kPage;
            if (end > kEnd) break;
            runs.push_back({start, end});
            start = end;
        }
        for (const AddressRange run : runs) found.add(0, run);
        found.end_window(regions, limits);
        std::set<uint64_t> after{kEnd};
        for (size_t at = 0; at < regions.nr_regions(); ++at) {
            const Region& region = regions.at(0, at);
            after.insert(region.range.start);
            ASSERT_TRUE(region.nr_accesses == 3 && region.age == 7) << "no count and no age is written";
        }
        ASSERT_EQ(after, naive_cuts(borders, runs, limits))
            << "max_nr_regions " << limits.max_nr_regions << ", min_region_sz " << limits.min_region_sz;
    }
}

}  // namespace
}  // namespace damon
