// Surveys, part by part: a zoom against memory whose hot pages are known, the budget, what becomes of found runs.
#include "engine/survey/survey.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "engine/survey/zoom.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::list_of;
using test::region_at;

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

using IsHot = std::function<bool(uint64_t page)>;

struct Followed {
    Zoom zoom;
    Zoom::Verdict verdict = Zoom::Verdict::kGoesOn;
    unsigned nr_rounds = 0;
    unsigned nr_pages = 0;
    std::set<uint64_t> asked;  // page numbers
};

void answer(Span& span, const IsHot& is_hot, const IsHot& is_known) {
    for (unsigned page = 0; page < span.nr_pages; ++page) {
        const uint64_t number = span.start / kPage + page;
        if (!is_known(number)) continue;
        span.known.set(page);
        if (is_hot(number)) span.hit.set(page);
    }
}

Followed follow(
    AddressRange region, uint64_t address, const IsHot& is_hot, const IsHot& is_known = [](uint64_t) { return true; }) {
    Followed followed{Zoom(region, address, kPage), Zoom::Verdict::kGoesOn, 0, 0, {}};
    while (followed.verdict == Zoom::Verdict::kGoesOn && followed.nr_rounds < 100) {
        Span spans[Zoom::kMaxSpans];
        const size_t nr =
            followed.zoom.ask(spans, 0x1234'5678'9abc'def0u * static_cast<uint64_t>(++followed.nr_rounds));
        for (Span& span : std::span(spans, nr)) {
            EXPECT_GE(span.start, region.start);
            EXPECT_LE(span.range().end, region.end);
            EXPECT_TRUE(span.nr_pages >= 1 && span.nr_pages <= Span::kMaxPages);
            answer(span, is_hot, is_known);
            followed.nr_pages += span.nr_pages;
            for (uint64_t page = 0; page < span.nr_pages; ++page) followed.asked.insert(span.start / kPage + page);
        }
        followed.verdict = followed.zoom.answer({spans, nr});
    }
    return followed;
}

IsHot within(AddressRange range) {
    return [range](uint64_t page) { return range.contains(page * kPage); };
}

TEST(Zoom, FindsTheExactBoundsOfEveryRun) {
    for (const uint64_t pages : {4ull, 5ull, 16ull, 100ull, 128ull, 129ull, 256ull, 1'000ull, 5'000ull, 100'000ull}) {
        for (const uint64_t offset : {0ull, 1ull, 77ull, 90'000ull}) {
            const AddressRange run{kGiB + offset * kPage, kGiB + (offset + pages) * kPage};
            const AddressRange region{kGiB, 2 * kGiB};
            for (const uint64_t part : {uint64_t{0}, pages / 3, pages - 1}) {
                SCOPED_TRACE(testing::Message() << pages << " pages at " << offset << ", hit at " << part);
                const Followed followed = follow(region, run.start + part * kPage + 7, within(run));
                ASSERT_EQ(followed.verdict, Zoom::Verdict::kFound);
                EXPECT_EQ(followed.zoom.run(), run);
                EXPECT_LE(followed.nr_rounds, 12u);
                EXPECT_LE(followed.nr_pages, 450u);
            }
        }
    }
}

TEST(Zoom, FindsARunAtTheLowestAddressesAndInATebibyte) {
    EXPECT_EQ(follow({0, kGiB}, 5 * kPage, within({0, kMiB})).zoom.run(), (AddressRange{0, kMiB}));
    const AddressRange run{300 * kGiB + kPage, 300 * kGiB + 105 * kMiB};
    const Followed followed = follow({0, 1024 * kGiB}, 300 * kGiB + 50 * kMiB, within(run));
    EXPECT_EQ(followed.verdict, Zoom::Verdict::kFound);
    EXPECT_EQ(followed.zoom.run(), run);
}

TEST(Zoom, TakesTheWholeRegionForNoRun) {
    EXPECT_EQ(follow({kGiB, 2 * kGiB}, kGiB + 9 * kPage, [](uint64_t) { return true; }).verdict,
              Zoom::Verdict::kRefuted);
    const AddressRange small{kGiB, kGiB + 20 * kPage};
    EXPECT_EQ(follow(small, kGiB, within(small)).verdict, Zoom::Verdict::kRefuted);
}

TEST(Zoom, RefutesScatteredPagesAndRunsOfThree) {
    const uint64_t hit = (kGiB + 100 * kMiB) / kPage / 3 * 3;
    EXPECT_EQ(follow({kGiB, 2 * kGiB}, hit * kPage, [](uint64_t page) { return page % 3 == 0; }).verdict,
              Zoom::Verdict::kRefuted);
    EXPECT_EQ(follow({kGiB, 2 * kGiB}, hit * kPage, within({hit * kPage, (hit + 3) * kPage})).verdict,
              Zoom::Verdict::kRefuted);
}

TEST(Zoom, BridgesSingleHoles) {
    const AddressRange run{kGiB + kMiB, kGiB + kMiB + 40 * kPage};
    const auto is_hot = [&](uint64_t page) { return within(run)(page) && page % 10 != 3; };
    EXPECT_EQ(follow({kGiB, 2 * kGiB}, run.start, is_hot).zoom.run(), run);
}

TEST(Zoom, APageThatIsNotHitAgainIsInconclusive) {
    unsigned nr_asked = 0;
    const auto never = [&](uint64_t) {
        ++nr_asked;
        return false;
    };
    EXPECT_EQ(follow({kGiB, 2 * kGiB}, kGiB + kMiB, never).verdict, Zoom::Verdict::kInconclusive);
    EXPECT_EQ(nr_asked, 2u);  // of three two hits are needed
}

TEST(Zoom, WhatIsUnknownIsNeitherHotNorARunsEndByItself) {
    const auto nothing = [](uint64_t) { return false; };
    const auto all = [](uint64_t) { return true; };
    EXPECT_EQ(follow({kGiB, 2 * kGiB}, kGiB + kMiB, all, nothing).verdict, Zoom::Verdict::kInconclusive);
}

TEST(SurveyBudget, NoTenSecondsCostMoreThanTheirShare) {
    for (const uint64_t share_bp : {1ull, 10ull, 100ull, 3'333ull}) {
        SurveyBudget budget;
        budget.start(share_bp);
        uint64_t spent_ns = 0;
        for (int i = 0; i < 2'000; ++i) {  // of 5 ms
            while (budget.may_begin()) {
                budget.charge(1);
                ++spent_ns;
                budget.charge(999);
                spent_ns += 999;
            }
            budget.pass(5'000);
        }
        EXPECT_LE(spent_ns, 10'000'000'000 * share_bp / 10'000 + 1'000) << share_bp;
        EXPECT_GE(spent_ns, 9'900'000'000 * share_bp / 10'000) << share_bp;
    }
}

TEST(SurveyBudget, WhatHasBegunGoesOnForALittle) {
    SurveyBudget budget;
    budget.start(10);
    while (budget.may_begin()) budget.charge(10'000);
    EXPECT_TRUE(budget.may_go_on(5'000));
    budget.charge(20'000);
    EXPECT_FALSE(budget.may_go_on(5'000));
    budget.pass(1'000'000);
    EXPECT_TRUE(budget.may_begin());
}

constexpr RunLimits kLimits{1'000, kPage, 20};

TEST(FoundRuns, BecomeRegionsOfTheirOwnWithTheParentsCounters) {
    RegionList regions = list_of({{region_at({0, kGiB}, 3, 7)}});
    ASSERT_TRUE(regions.reserve(10));
    FoundRuns runs;
    ASSERT_TRUE(runs.reserve(1'000));
    runs.add(0, {kMiB, 2 * kMiB});
    runs.end_window(regions, kLimits);
    ASSERT_EQ(regions.nr_regions(), 3u);
    EXPECT_EQ(regions.at(0, 1).range, (AddressRange{kMiB, 2 * kMiB}));
    EXPECT_EQ(regions.at(0, 1).nr_accesses, 3u);
    EXPECT_EQ(regions.at(0, 1).age, 7u);
    EXPECT_TRUE(regions.is_valid());
}

// Five runs in the first of so many regions.
RegionList with_five_runs(size_t nr_regions, uint64_t max_nr_regions) {
    std::vector<Region> all = {region_at({0, kGiB})};
    for (uint64_t i = 1; i < nr_regions; ++i) all.push_back(region_at({kGiB + i * kMiB, kGiB + (i + 1) * kMiB}));
    RegionList regions = list_of({all});
    EXPECT_TRUE(regions.reserve(nr_regions + 20));
    FoundRuns runs;
    EXPECT_TRUE(runs.reserve(max_nr_regions));
    for (uint64_t i = 1; i <= 5; ++i) runs.add(0, {i * 10 * kMiB, i * 10 * kMiB + i * kMiB});
    runs.end_window(regions, {max_nr_regions, kPage, 20});
    EXPECT_FALSE(runs.is_news(0, 10 * kMiB));  // found all the same
    return regions;
}

TEST(FoundRuns, TakeAQuarterOfTheRegionsAtMostTheLargestFirst) {
    const RegionList regions = with_five_runs(96, 400);
    ASSERT_EQ(regions.nr_regions(), 100u);
    EXPECT_EQ(regions.at(0, 3).range, (AddressRange{50 * kMiB, 55 * kMiB}));
    EXPECT_EQ(regions.at(0, 1).range, (AddressRange{40 * kMiB, 44 * kMiB}));
}

TEST(FoundRuns, TakeUpToFortyRegionsOrAllThatThereMayBeWhereThatIsMore) {
    EXPECT_EQ(with_five_runs(1, 20).nr_regions(), 11u);
    EXPECT_EQ(with_five_runs(1, 8).nr_regions(), 7u);
    EXPECT_EQ(with_five_runs(36, 100).nr_regions(), 40u);
}

TEST(FoundRuns, AreNotCutAtRandomWhileTheyAreHot) {
    RegionList regions = list_of({{region_at({0, kGiB})}});
    ASSERT_TRUE(regions.reserve(10));
    FoundRuns runs;
    ASSERT_TRUE(runs.reserve(1'000));
    runs.add(0, {kMiB, 2 * kMiB});
    for (int window = 0; window < 10; ++window) {
        runs.end_window(regions, kLimits);
        ASSERT_EQ(regions.nr_regions(), 3u);
        Region& run = regions.at(0, 1);
        EXPECT_TRUE(runs.keeps_whole(0, run, 20)) << window;
        EXPECT_FALSE(runs.keeps_whole(0, regions.at(0, 0), 20));
        run.nr_accesses = run.last_nr_accesses = 16;
    }
    regions.at(0, 1).nr_accesses = 15;
    runs.end_window(regions, kLimits);
    EXPECT_FALSE(runs.keeps_whole(0, regions.at(0, 1), 20));
    EXPECT_EQ(runs.size(), 0u);
}

TEST(FoundRuns, AlignToTheSmallestRegionSize) {
    RegionList regions = list_of({{region_at({0, kGiB})}});
    ASSERT_TRUE(regions.reserve(10));
    FoundRuns runs;
    ASSERT_TRUE(runs.reserve(1'000));
    runs.add(0, {10 * kMiB, 10 * kMiB + 16 * kPage});  // a small part of a smallest region
    runs.add(0, {100 * kMiB + kPage, 106 * kMiB - kPage});
    runs.end_window(regions, {1'000, 2 * kMiB, 20});
    ASSERT_EQ(regions.nr_regions(), 3u);
    EXPECT_EQ(regions.at(0, 1).range, (AddressRange{100 * kMiB, 106 * kMiB}));
}

TEST(QuietRegions, WaitTwiceAsLongEachTime) {
    QuietRegions quiet;
    ASSERT_TRUE(quiet.reserve());
    for (const unsigned windows : {1u, 2u, 4u, 8u, 16u, 32u, 64u, 64u}) {
        quiet.refuted(0, {0, kGiB});
        for (unsigned i = 0; i < windows; ++i) {
            EXPECT_TRUE(quiet.waits(0, kMiB)) << windows << ", " << i;
            EXPECT_FALSE(quiet.waits(1, kMiB));
            quiet.end_window();
        }
        EXPECT_FALSE(quiet.waits(0, kMiB));
    }
}

TEST(QuietRegions, ForgetTheOldestWhereThereAreTooMany) {
    QuietRegions quiet;
    ASSERT_TRUE(quiet.reserve());
    for (uint64_t i = 0; i <= QuietRegions::kMax; ++i) quiet.refuted(0, {i * kMiB, (i + 1) * kMiB});
    EXPECT_FALSE(quiet.waits(0, 0));
    EXPECT_TRUE(quiet.waits(0, QuietRegions::kMax * kMiB));
}

TEST(Survey, SamplesLeaveNoGap) {
    Survey survey;
    ASSERT_TRUE(survey.prepare(Attrs{}, 10, kPage));
    survey.start(3);
    RegionList regions = list_of({{region_at({kGiB, 2 * kGiB})}});
    std::set<uint64_t> addresses;
    constexpr uint64_t kSamples = 1'000;
    for (uint64_t tick = 0; tick < kSamples; ++tick) {
        Sample sample;
        survey.draw_samples(regions, {&sample, 1}, tick);
        addresses.insert(sample.addr);
    }
    uint64_t previous = kGiB;
    for (const uint64_t address : addresses) {
        EXPECT_LE(address - previous, 2 * kGiB / kSamples);
        previous = address;
    }
    EXPECT_LE(2 * kGiB - previous, 2 * kGiB / kSamples);
}

}  // namespace
}  // namespace damon
