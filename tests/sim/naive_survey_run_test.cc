// Whole runs of surveys against a second implementation (support/naive_survey.h): what is asked, and when, what becomes
// of the answers, how the budget holds them back, what is asked again, what is cut and what waits. Parts of it alone
// are in naive_survey_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "engine/survey/survey.h"
#include "support/naive_survey.h"
#include "support/toy_engine.h"

namespace damon::test {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

// Memory with hot runs, some of which come and go, and pages that nobody can look at.
class HotMemory {
public:
    HotMemory(uint64_t seed, uint64_t nr_pages) : random_(seed), nr_pages_(nr_pages) { change(); }

    void change() {
        runs_.clear();
        for (uint64_t nr = below(12); nr != 0; --nr) {
            const uint64_t pages = 1 + below(uint64_t{1} << below(below(6) == 0 ? 16 : 9));
            const uint64_t first = below(nr_pages_);
            const uint64_t density = below(3) == 0 ? 1 + below(1'000) : 1'000;
            runs_.push_back({first, std::min(first + pages, nr_pages_), density, below(5) == 0 ? 1 + below(30) : 0});
        }
        noise_ = below(3) == 0 ? below(40) : 0;
        // Here nobody can look, into which a run may reach.
        dark_.clear();
        for (uint64_t nr = below(4) == 0 ? below(4) : 0; nr != 0 && !runs_.empty(); --nr) {
            const HotRun& run = runs_[below(runs_.size())];
            const uint64_t first = run.first + below(run.end - run.first);
            dark_.push_back({first, first + below(1 << 16)});
        }
        unknown_ = below(3) == 0 ? below(300) : 0;
    }
    bool is_hot(uint64_t page, uint64_t now) {
        for (const HotRun& run : runs_) {
            const bool awake = run.period == 0 || now / run.period % 2 == 0;
            if (run.first <= page && page < run.end && awake && below(1'000) < run.permil) return true;
        }
        return below(10'000) < noise_;
    }
    bool is_known(uint64_t page) {
        for (const AddressRange zone : dark_) {
            if (zone.contains(page)) return false;
        }
        return below(1'000) >= unknown_;
    }
    void answer(Span& span, uint64_t now) {
        for (unsigned i = 0; i < span.nr_pages; ++i) {
            const uint64_t page = span.start / kPage + i;
            if (is_known(page)) span.known.set(i);
            if (is_hot(page, now)) span.hit.set(i);
        }
    }
    // One where something is hot, if there is.
    uint64_t page_of_interest() {
        if (runs_.empty() || below(4) == 0) return below(nr_pages_);
        const HotRun& run = runs_[below(runs_.size())];
        return run.first + below(run.end - run.first);
    }
    uint64_t below(uint64_t limit) { return random_() % limit; }

private:
    struct HotRun {
        uint64_t first, end, permil, period;
    };
    std::mt19937_64 random_;
    uint64_t nr_pages_;
    std::vector<HotRun> runs_;
    std::vector<AddressRange> dark_;  // page numbers
    uint64_t noise_ = 0;
    uint64_t unknown_ = 0;
};

std::vector<NaiveSurveyed> copy_of(RegionList& regions) {
    std::vector<NaiveSurveyed> copy;
    for (size_t target = 0; target < regions.nr_targets(); ++target) {
        for (size_t i = 0; i < regions.nr_regions_of(target); ++i) {
            const Region& region = regions.at(target, i);
            copy.push_back({region.range, static_cast<uint32_t>(target), region.nr_accesses, region.last_nr_accesses});
        }
    }
    return copy;
}

std::vector<NaiveSurveyed> copy_of(const Engine& engine) {
    std::vector<NaiveSurveyed> copy;
    for (size_t target = 0; target < engine.nr_targets(); ++target) {
        for (const Region& region : regions_of(engine, target)) {
            copy.push_back({region.range, static_cast<uint32_t>(target), region.nr_accesses, region.last_nr_accesses});
        }
    }
    return copy;
}

void add(NaiveSurvey::Counts& sum, const NaiveSurvey::Counts& more) {
    sum.zooms += more.zooms;
    sum.retries += more.retries;
    sum.given_up += more.given_up;
    sum.found += more.found;
    sum.refuted += more.refuted;
    sum.cut += more.cut;
    sum.not_cut += more.not_cut;
    sum.dry += more.dry;
    sum.waited += more.waited;
    sum.crowded += more.crowded;
    sum.contrasts += more.contrasts;
}

// A survey without an engine: regions, counts and prices are whatever chance gives.
class LooseRun {
public:
    explicit LooseRun(uint64_t seed) : memory_(seed, kPages), regions_(list_of({{}, {}}, 2'000)) {
        for (size_t target = 0; target < 2; ++target) {
            const uint64_t skewed = below(4) == 0 ? below(kPage) : 0;  // a region need not begin with a page
            const uint64_t end = target == 0 ? kPages * kPage / 2 : kPages * kPage;
            EXPECT_TRUE(regions_.insert(target, 0, {target * (kPages * kPage / 2) + skewed, end}));
        }
        prices_ = below(3);
        change_terms();
        survey_.start(seed);
        naive_.start();
    }
    void run(int nr_intervals) {
        for (int i = 0; i < nr_intervals && !testing::Test::HasFatalFailure(); ++i) interval();
    }
    const NaiveSurvey::Counts& counts() const { return naive_.counts(); }

private:
    static constexpr uint64_t kPages = 1 << 17;

    uint64_t below(uint64_t limit) { return memory_.below(limit); }
    void change_terms() {
        NaiveSurvey::Terms terms;
        terms.share_bp = below(12) == 0 ? 0 : 12 * (1 + below(10));  // as long as it is a multiple, nothing is rounded
        terms.window = 1 + below(below(2) == 0 ? 8 : 150);
        terms.max_nr_regions = 40 + below(400);
        terms.min_region_sz = kPage << (below(2) == 0 ? 0 : below(8));
        naive_.set_terms(terms);
        Attrs attrs;
        attrs.sample_us = 5'000;
        attrs.aggr_us = terms.window * attrs.sample_us;
        attrs.max_nr_regions = terms.max_nr_regions;
        ASSERT_TRUE(survey_.prepare(attrs, terms.share_bp, kPage));
        left_ = terms.window;
    }
    void charge() {
        const uint64_t ns = below(below(20) == 0 ? 3'000'000 : prices_ == 0 ? 2'000 : 60'000);
        survey_.charge(ns);
        naive_.charge(ns);
        spent_ns_ += ns;
        ASSERT_EQ(survey_.budget().spent_ns(), spent_ns_);
    }
    void interval() {
        ASSERT_EQ(survey_.follows(regions_.nr_regions()), naive_.follows(regions_.nr_regions()));
        ASSERT_EQ(survey_.spreads_samples(regions_.nr_regions()), naive_.spreads_samples(regions_.nr_regions()));
        std::vector<Sample> samples;
        for (const NaiveSurveyed& region : copy_of(regions_)) {
            Sample sample;
            const uint64_t at = memory_.page_of_interest() * kPage + below(kPage);
            const uint64_t some = region.range.start + below(region.range.size());
            sample.addr = region.range.contains(at) ? at : some;
            sample.target_idx = region.target_idx;
            sample.region = region.range;
            sample.seen = memory_.is_hot(sample.addr / kPage, now_) ? Seen::kYes : Seen::kNo;
            if (below(40) == 0) sample.seen = Seen::kUnknown;
            if (naive_.waits_for(sample.target_idx, sample.addr)) sample.seen = Seen::kNo;
            samples.push_back(sample);
        }
        const std::span<Span> armed = survey_.arm(5'000);
        std::string wrong = naive_.arm(armed, 5'000);
        ASSERT_EQ(wrong, "") << "armed in interval " << now_;
        if (!armed.empty()) charge();
        const std::span<Span> looked = survey_.look();
        wrong = naive_.look(looked);
        ASSERT_EQ(wrong, "") << "interval " << now_;
        for (Span& span : looked) memory_.answer(span, now_);
        const std::vector<Span> answered(looked.begin(), looked.end());
        if (!answered.empty()) charge();
        const uint64_t elapsed_us = below(10) == 0 ? below(12'000'000) : 4'000 + below(3'000);
        const std::vector<NaiveSurveyed> surveyed = copy_of(regions_);
        survey_.follow(samples, regions_.all(), elapsed_us);
        naive_.follow(answered, samples, surveyed, elapsed_us);
        ++now_;
        if (below(400) == 0) {
            survey_.forget();
            naive_.forget();
        }
        if (--left_ == 0) end_window();
    }
    void end_window() {
        const NaiveSurvey::Terms terms = naive_.terms();
        left_ = terms.window;
        for (size_t target = 0; target < 2; ++target) {
            for (size_t i = 0; i < regions_.nr_regions_of(target); ++i) {
                Region& region = regions_.at(target, i);
                region.nr_accesses = static_cast<uint32_t>(below(3) == 0   ? below(terms.window + 1)
                                                           : below(2) == 0 ? terms.window
                                                                           : 0);
            }
        }
        const std::vector<NaiveSurveyed> wanted = naive_.end_window(copy_of(regions_), 2);
        survey_.end_window(regions_, {terms.max_nr_regions, terms.min_region_sz, terms.window});
        const std::vector<NaiveSurveyed> got = copy_of(regions_);
        ASSERT_EQ(got.size(), wanted.size()) << "regions after interval " << now_;
        for (size_t i = 0; i < got.size(); ++i) {
            ASSERT_EQ(got[i].range, wanted[i].range) << "region " << i << " after interval " << now_;
            ASSERT_EQ(got[i].nr_accesses, wanted[i].nr_accesses);
        }
        for (size_t target = 0; target < 2; ++target) {
            for (size_t i = 0; i < regions_.nr_regions_of(target); ++i) {
                Region& region = regions_.at(target, i);
                region.last_nr_accesses = region.nr_accesses;
                region.nr_accesses = 0;
                const bool whole = naive_.keeps_whole(
                    {region.range, static_cast<uint32_t>(target), region.nr_accesses, region.last_nr_accesses});
                ASSERT_EQ(survey_.keeps_whole(static_cast<uint32_t>(target), region), whole) << region.range.start;
            }
        }
        merge_and_split();
        if (below(6) == 0) memory_.change();
        if (below(20) == 0) change_terms();
    }
    void merge_and_split() {
        for (size_t target = 0; target < 2; ++target) {
            for (size_t i = 1; i < regions_.nr_regions_of(target); ++i) {
                if (below(4) == 0) regions_.merge_into_previous(target, i--);
            }
            for (size_t i = 0; i < regions_.nr_regions_of(target); ++i) {
                if (below(8) != 0) continue;
                const uint64_t left = below(regions_.at(target, i).size()) / kPage * kPage;
                if (left == 0 || regions_.nr_regions() >= 120) continue;
                ASSERT_TRUE(regions_.split_at(target, i, left));
            }
        }
    }

    HotMemory memory_;
    RegionList regions_;
    Survey survey_;
    NaiveSurvey naive_;
    uint64_t prices_ = 0;
    uint64_t spent_ns_ = 0;
    uint64_t left_ = 0;
    uint64_t now_ = 0;
};

TEST(NaiveSurveyRun, AsksCutsAndSpendsTheSame) {
    NaiveSurvey::Counts seen;
    for (uint64_t seed = 1; seed <= 400 && !testing::Test::HasFatalFailure(); ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        LooseRun run(seed);
        run.run(1'500);
        add(seen, run.counts());
    }
    if (testing::Test::HasFatalFailure()) return;
    // Nothing of the rules was left out.
    EXPECT_GE(seen.zooms, 10'000u);
    EXPECT_GE(seen.retries, 5'000u);
    EXPECT_GE(seen.given_up, 1'000u);
    EXPECT_GE(seen.found, 1'000u);
    EXPECT_GE(seen.refuted, 1'000u);
    EXPECT_GE(seen.cut, 500u);
    EXPECT_GE(seen.not_cut, 100u);
    EXPECT_GE(seen.dry, 1'000u);
    EXPECT_GE(seen.waited, 10'000u);
    EXPECT_GE(seen.crowded, 1'000u);
    EXPECT_GE(seen.contrasts, 500u);
}

// The same inside of the engine: samples, cuts at the end of a window, and what random splits leave alone.
class EngineRun {
public:
    explicit EngineRun(uint64_t seed) : memory_(seed, kPages) {
        Params params = toy_params({{{0, kPages / 4 * kPage}, {kPages / 2 * kPage, kPages * kPage}}});
        params.min_region_sz = kPage << (below(3) == 0 ? below(10) : 0);
        terms_.window = 5 + below(40);
        terms_.max_nr_regions = 40 + below(600);
        terms_.share_bp = 12 * (1 + below(10));
        terms_.min_region_sz = params.min_region_sz;
        params.attrs.sample_us = 5'000;
        params.attrs.aggr_us = terms_.window * 5'000;
        params.attrs.max_nr_regions = terms_.max_nr_regions;
        params.attrs.survey_bp = terms_.share_bp;
        OpsTraits traits = toy_traits();
        traits.span_page_bytes = kPage;
        const Status status = engine_.prepare(params, traits);
        EXPECT_TRUE(status.ok()) << status.text();
        engine_.start(seed);
        naive_.set_terms(terms_);
        naive_.start();
    }
    void run(int nr_intervals) {
        for (int i = 0; i < nr_intervals && !testing::Test::HasFatalFailure(); ++i) interval();
    }
    const NaiveSurvey::Counts& counts() const { return naive_.counts(); }
    uint64_t nr_points() const { return nr_points_; }
    uint64_t nr_chances() const { return nr_chances_; }
    uint64_t nr_whole() const { return nr_whole_; }

private:
    static constexpr uint64_t kPages = 1 << 16;

    uint64_t below(uint64_t limit) { return memory_.below(limit); }
    void charge() {
        const uint64_t ns = below(below(30) == 0 ? 2'000'000 : 30'000);
        engine_.charge_survey(ns);
        naive_.charge(ns);
    }
    // Method 1: from one interval to the next a region's sample moves on by the golden part of it, all round.
    void check_points(std::span<const Sample> samples) {
        const bool points = naive_.spreads_samples(engine_.nr_regions());
        for (const Sample& sample : samples) {
            ASSERT_TRUE(sample.region.contains(sample.addr));
            const auto before =
                std::ranges::find_if(points_, [&](const Sample& each) { return each.region == sample.region; });
            if (before == points_.end()) continue;
            const auto size = static_cast<unsigned __int128>(sample.region.size());
            const auto step = static_cast<uint64_t>(kGolden * size >> 64);
            const uint64_t moved = (sample.addr - before->addr + sample.region.size()) % sample.region.size();
            const bool is_next = moved == step || moved == (step + 1) % sample.region.size();
            if (points && had_points_) {
                ASSERT_TRUE(is_next) << moved << " of " << sample.region.size();
                ++nr_points_;
            } else if (!points) {
                ASSERT_FALSE(is_next && sample.region.size() > kPage * kPage) << "as if there were room";
                ++nr_chances_;
            }
        }
        points_.assign(samples.begin(), samples.end());
        had_points_ = points;
    }
    void interval() {
        const std::span<Sample> samples = engine_.plan();
        ASSERT_EQ(samples.size(), engine_.nr_regions());
        ASSERT_NO_FATAL_FAILURE(check_points(samples));
        const std::span<Span> armed = engine_.spans_to_arm();
        ASSERT_EQ(naive_.arm(armed, 5'000), "") << "armed in interval " << now_;
        if (!armed.empty()) charge();
        const std::span<Span> looked = engine_.spans_to_look_at();
        ASSERT_EQ(naive_.look(looked), "") << "interval " << now_;
        for (Span& span : looked) memory_.answer(span, now_);
        const std::vector<Span> answered(looked.begin(), looked.end());
        if (!answered.empty()) charge();
        for (Sample& sample : samples) {
            const bool hot = memory_.is_hot(sample.addr / kPage, now_);
            sample.seen = hot && !naive_.waits_for(sample.target_idx, sample.addr) ? Seen::kYes : Seen::kNo;
        }
        const std::vector<Sample> asked(samples.begin(), samples.end());
        const std::vector<NaiveSurveyed> surveyed = copy_of(engine_);
        const Due due = engine_.record_samples(5'000);
        naive_.follow(answered, asked, surveyed, 5'000);
        ++now_;
        if (due.aggregation) {
            ASSERT_NO_FATAL_FAILURE(end_window());
        } else {
            (void)engine_.finish();
        }
    }
    void end_window() {
        const std::vector<NaiveSurveyed> cut = naive_.end_window(copy_of(engine_), 1);
        (void)engine_.finish();
        const std::vector<NaiveSurveyed> after = copy_of(engine_);
        const auto begins = [&](uint64_t border) {
            return std::ranges::any_of(after,
                                       [border](const NaiveSurveyed& each) { return each.range.start == border; });
        };
        for (NaiveSurveyed region : cut) {
            ASSERT_TRUE(begins(region.range.start)) << "no border at " << region.range.start << " after " << now_;
            region.last_nr_accesses = region.nr_accesses;
            if (!naive_.keeps_whole(region)) continue;
            ASSERT_TRUE(
                std::ranges::any_of(after, [&](const NaiveSurveyed& each) { return each.range == region.range; }))
                << "split at random: " << region.range.start << " after " << now_;
            ++nr_whole_;
        }
        if (below(40) == 0) memory_.change();
    }

    HotMemory memory_;
    NaiveSurvey::Terms terms_;
    Engine engine_;
    NaiveSurvey naive_;
    std::vector<Sample> points_;  // of the interval before
    bool had_points_ = false;
    uint64_t nr_points_ = 0;
    uint64_t nr_chances_ = 0;
    uint64_t nr_whole_ = 0;
    uint64_t now_ = 0;
};

TEST(NaiveSurveyRun, InsideOfTheEngineToo) {
    NaiveSurvey::Counts seen;
    uint64_t nr_points = 0;
    uint64_t nr_chances = 0;
    uint64_t nr_whole = 0;
    for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFatalFailure(); ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        EngineRun run(seed);
        run.run(3'000);
        add(seen, run.counts());
        nr_points += run.nr_points();
        nr_chances += run.nr_chances();
        nr_whole += run.nr_whole();
    }
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_GE(seen.found, 300u);
    EXPECT_GE(seen.cut, 200u);
    EXPECT_GE(seen.refuted, 100u);
    EXPECT_GE(nr_points, 100'000u);
    EXPECT_GE(nr_chances, 10'000u);
    EXPECT_GE(nr_whole, 1'000u);
}

}  // namespace
}  // namespace damon::test
