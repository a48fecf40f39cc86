// The oracle itself against the vectors that the rules give: a differential test is worth what its oracle is worth.
#include "support/naive_engine.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace damon::test {
namespace {

NaiveRegion region(uint64_t start, uint64_t end, uint32_t nr_accesses = 0, uint32_t age = 0) {
    NaiveRegion made;
    made.start = start;
    made.end = end;
    made.nr_accesses = nr_accesses;
    made.age = age;
    return made;
}

// "[0,40)n1a5 [40,80)n5a5"
std::string text(const NaiveRegions& regions) {
    std::string all;
    for (const NaiveRegion& each : regions) {
        if (!all.empty()) all += " ";
        all += "[" + std::to_string(each.start) + "," + std::to_string(each.end) + ")n" +
               std::to_string(each.nr_accesses) + "a" + std::to_string(each.age);
    }
    return all;
}

std::string set_regions(NaiveRegions regions, std::vector<AddressRange> ranges, uint64_t granularity = 1) {
    return naive_set_regions(regions, ranges, granularity) ? text(regions) : "refused";
}

Params params_of(uint64_t sample_us, uint64_t aggr_us, uint64_t min_region_sz, uint64_t most) {
    Params params;
    params.attrs.sample_us = sample_us;
    params.attrs.aggr_us = aggr_us;
    params.attrs.min_nr_regions = 3;
    params.attrs.max_nr_regions = most;
    params.min_region_sz = min_region_sz;
    EXPECT_TRUE(params.targets.resize(1));
    return params;
}

std::vector<Sample> unseen(size_t count) {
    std::vector<Sample> samples(count);
    for (Sample& sample : samples) sample.seen = Seen::kNo;
    return samples;
}

// A naive engine with one target and a world of fixed answers.
class Stage {
public:
    explicit Stage(const Params& params, OpsTraits traits = {.has_apply = true}) : traits_(traits) {
        engine.prepare(params, traits);
    }

    void start(std::vector<AddressRange> ranges) {
        EXPECT_TRUE(engine.set_target_ranges(0, ranges, 1));
        engine.start({Random(1), Random(2)});
    }

    // One interval in which every region is seen accessed or none is.
    void interval(bool accessed) {
        std::vector<Sample> samples = engine.plan();
        for (Sample& sample : samples) sample.seen = accessed ? Seen::kYes : Seen::kNo;
        engine.record_samples(samples, {}, engine.sleep_us());
    }
    bool apply() {
        requests.clear();
        const NaiveWorld world{
            .apply =
                [this](const NaiveRequest& request) {
                    requests.push_back(request);
                    return outcome;
                },
            .score = [](const NaiveRequest&) { return 0u; },
            .measure = [](const MetricQuery&) { return std::nullopt; },
        };
        return engine.apply(now_us, world);
    }

    NaiveRegions& regions() { return engine.targets()[0].regions; }

    NaiveEngine engine;
    OpsTraits traits_;
    Outcome outcome;
    uint64_t now_us = 0;
    std::vector<NaiveRequest> requests;
};

TEST(NaiveSetRegions, GivesTheVectorsOfM11) {
    EXPECT_EQ(set_regions({region(0, 80, 1), region(80, 120, 2)}, {{0, 40}, {40, 120}}), "[0,40)n1a0 [40,120)n2a0");
    EXPECT_EQ(set_regions({region(0, 80, 1)}, {{0, 40}, {50, 70}}), "[0,40)n1a0 [50,70)n0a0");
    EXPECT_EQ(set_regions({region(4, 16, 1), region(24, 32, 2)}, {{8, 28}}), "[8,16)n1a0 [16,24)n0a0 [24,28)n2a0");
    EXPECT_EQ(set_regions({region(0, 10)}, {}), "");
}

TEST(NaiveSetRegions, RefusesWhatM8Refuses) {
    EXPECT_EQ(set_regions({}, {{5, 5}}), "refused");
    EXPECT_EQ(set_regions({}, {{0, 10}, {9, 20}}), "refused");
    EXPECT_EQ(set_regions({}, {{0, 9}, {10, 20}}, 8), "refused");
    EXPECT_EQ(set_regions({}, {{0, 8}, {8, 20}}, 8), "[0,8)n0a0 [8,24)n0a0");
}

TEST(NaiveMerge, AveragesByWeightAndKeepsTheLeftHistoryOfM20) {
    NaiveRegions regions{region(0, 100, 10, 9), region(100, 300, 20, 21)};
    naive_merge_left(regions, std::next(regions.begin()));
    EXPECT_EQ(text(regions), "[0,300)n16a17");

    regions = {region(0, 10, 4, 4), region(10, 40, 5, 10)};
    regions.front().last_nr_accesses = 4;
    regions.back().last_nr_accesses = 6;
    naive_merge_left(regions, std::next(regions.begin()));
    EXPECT_EQ(text(regions), "[0,40)n4a8");
    EXPECT_EQ(regions.front().last_nr_accesses, 4u);
}

// Ten regions of ten with these counts at the last sampling interval of a window of 20.
std::string merged(std::initializer_list<uint32_t> counts, uint64_t most, uint64_t fewest) {
    Params params = params_of(1, 20, 1, most);
    params.attrs.min_nr_regions = fewest;
    Stage stage(params);
    stage.start({{0, 100}});
    for (int i = 0; i < 19; ++i) stage.interval(false);
    NaiveRegions regions;
    for (const uint32_t count : counts) {
        regions.push_back(region(regions.size() * 10, regions.size() * 10 + 10, count, 4));
        regions.back().last_nr_accesses = count;
    }
    stage.engine.plan();
    stage.regions() = regions;
    stage.engine.record_samples(unseen(regions.size()), {}, stage.engine.sleep_us());
    return text(stage.regions());
}

TEST(NaiveMerge, EscalatesAsInTheVectorsOfM21) {
    EXPECT_EQ(merged({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 3, 1), "[0,40)n1a5 [40,80)n5a5 [80,100)n8a5");
    EXPECT_EQ(merged({0, 20, 0, 20, 0, 20, 0, 20, 0, 20}, 4, 1), "[0,100)n8a5");
    EXPECT_EQ(merged({0, 20, 0, 20, 0, 20, 0, 20, 0, 20}, 6, 5),
              "[0,20)n10a5 [20,40)n10a5 [40,60)n10a5 [60,80)n10a5 [80,100)n10a5");
}

TEST(NaiveMinimum, GivesTheVectorsOfM22) {
    const struct {
        uint64_t total, granularity, fewest, count;
    } vectors[] = {{10, 1, 10, 10}, {10, 1, 15, 10}, {10, 2, 10, 5}, {20, 4, 4, 3}};
    for (const auto& vector : vectors) {
        Params params = params_of(1, 10, vector.granularity, 100);
        params.attrs.min_nr_regions = vector.fewest;
        Stage stage(params);
        stage.start({{0, vector.total}});
        EXPECT_EQ(stage.engine.nr_regions(), vector.count) << vector.total << " by " << vector.fewest;
    }
}

TEST(NaiveSplit, GivesTheCountsOfM26) {
    const struct {
        uint64_t before, least, most;
    } vectors[] = {{500, 1000, 1000}, {501, 751, 752},  {600, 900, 900},
                   {900, 990, 990},   {990, 999, 1000}, {1000, 1000, 1000}};
    for (const auto& vector : vectors) {
        Stage stage(params_of(1, 1, 1, 1000));
        stage.start({{0, 3000}});
        stage.engine.record_samples(unseen(stage.engine.plan().size()), {}, stage.engine.sleep_us());
        stage.regions().clear();
        for (uint64_t i = 0; i < vector.before; ++i) stage.regions().push_back(region(i * 1000, i * 1000 + 1000));
        stage.engine.finish();
        EXPECT_GE(stage.engine.nr_regions(), vector.least) << vector.before;
        EXPECT_LE(stage.engine.nr_regions(), vector.most) << vector.before;
    }
}

TEST(NaiveAttrs, ConvertsLikeTheVectorsOfM30) {
    Params params = params_of(10, 1000, 1, 100);
    Stage stage(params);
    stage.start({{0, 30}});
    stage.regions() = {region(0, 30, 0, 20)};
    stage.regions().front().last_nr_accesses = 15;
    const auto commit = [&](uint64_t sample_us, uint64_t aggr_us) {
        params.attrs.sample_us = sample_us;
        params.attrs.aggr_us = aggr_us;
        EXPECT_TRUE(stage.engine.commit(params, stage.traits_, nullptr));
        const NaiveRegion& only = stage.regions().front();
        return std::to_string(only.last_nr_accesses) + "," + std::to_string(only.age);
    };
    EXPECT_EQ(commit(100, 10'000), "15,2");
    EXPECT_EQ(commit(10, 1000), "15,20");
    EXPECT_EQ(commit(1, 1000), "150,20");
}

TEST(NaiveTuning, GivesTheVectorsOfM33) {
    const struct {
        uint32_t count;
        uint64_t sample_us;
    } vectors[] = {{0, 80'000}, {1, 75'000}, {2, 70'000}, {4, 60'000}, {20, 20'000}};
    for (const auto& vector : vectors) {
        Params params = params_of(40'000, 800'000, 1, 100);
        params.attrs.intervals_goal = {
            .access_bp = 400, .aggrs = 1, .min_sample_us = 5'000, .max_sample_us = 10'000'000};
        Stage stage(params);
        stage.start({{0, 100}});
        for (int i = 0; i < 20; ++i) {
            stage.interval(false);
            if (i < 19) stage.engine.finish();
        }
        stage.regions() = {region(0, 10, vector.count), region(10, 100)};
        stage.engine.finish();
        EXPECT_EQ(stage.engine.attrs().sample_us, vector.sample_us) << vector.count;
        EXPECT_EQ(stage.engine.attrs().aggr_us, vector.sample_us * 20);
    }
}

Params with_scheme(Params params, uint64_t apply_interval_us) {
    EXPECT_TRUE(params.schemes.resize(1));
    params.schemes[0].apply_interval_us = apply_interval_us;
    return params;
}

TEST(NaiveCadence, AppliesAndUpdatesAtTheTicksOfL15) {
    Params params = with_scheme(params_of(10, 100, 1000, 100), 30);
    params.attrs.ops_update_us = 250;
    Stage stage(std::move(params));
    stage.start({{0, 1000}});
    std::string seen;
    std::string updates;
    for (int tick = 1; tick <= 27; ++tick) {
        stage.interval(tick <= 13);
        if (stage.apply()) seen += std::to_string(tick) + ":" + std::to_string(stage.requests[0].nr_accesses) + " ";
        if (stage.engine.finish()) updates += std::to_string(tick) + " ";
    }
    EXPECT_EQ(seen, "3:3 6:6 9:9 12:10 15:8 18:5 21:2 24:1 27:0 ");
    EXPECT_EQ(updates, "25 ");
}

// S-18: one scheme, one region, one pass.
std::string applied(Params params, AddressRange range) {
    Stage stage(std::move(params));
    stage.start({range});
    stage.regions() = {region(range.start, range.end)};
    stage.interval(false);
    stage.apply();
    const SchemeStats& stats = stage.engine.schemes()[0].stats;
    return std::to_string(stats.nr_tried) + "/" + std::to_string(stats.sz_tried) + " " + text(stage.regions());
}

TEST(NaiveApply, GivesTheVectorsOfS18) {
    Params params = with_scheme(params_of(1, 100, 4, 100), 1);
    DamosFilter filter{.type = FilterType::kAddr, .matching = true, .range = {8, 32}};
    ASSERT_TRUE(params.schemes[0].core_filters.push_back(filter));
    params.attrs.min_nr_regions = 3;
    Params reject;
    ASSERT_TRUE(reject.copy_from(params));
    EXPECT_EQ(applied(std::move(reject), {0, 16}), "1/8 [0,8)n0a0 [8,16)n0a0");
    params.schemes[0].core_filters[0].allow = true;
    EXPECT_EQ(applied(std::move(params), {8, 40}), "1/24 [8,32)n0a0 [32,40)n0a0");

    Params quota = with_scheme(params_of(1, 100, 4, 100), 1);
    quota.schemes[0].quota.sz = 8;
    EXPECT_EQ(applied(std::move(quota), {0, 32}), "1/8 [0,8)n0a0 [8,32)n0a0");
}

TEST(NaiveApply, GoesRoundTheAddressSpaceAsInS25) {
    Params params = with_scheme(params_of(1, 1000, 1, 100), 1);
    params.schemes[0].quota.sz = 35;
    Stage stage(std::move(params));
    stage.start({{0, 90}});
    ASSERT_EQ(stage.engine.nr_regions(), 3u);
    std::string passes;
    for (int pass = 0; pass < 4; ++pass) {
        stage.interval(false);
        stage.now_us += 1;
        ASSERT_TRUE(stage.apply());
        for (const NaiveRequest& request : stage.requests) {
            passes += std::to_string(request.range.start) + "-" + std::to_string(request.range.end) + " ";
        }
        passes += "| ";
        stage.engine.finish();
    }
    EXPECT_EQ(passes, "0-30 30-35 | 35-60 60-70 | 70-90 | 0-30 30-35 | ");
}

TEST(NaiveQuota, GivesTheVectorsOfS23AndS27) {
    const auto charge = [](uint64_t size, uint64_t done, uint32_t num, uint32_t denom) {
        NaiveScheme scheme;
        scheme.params.quota.fail_charge_num = num;
        scheme.params.quota.fail_charge_denom = denom;
        scheme.charge(size, done);
        return scheme.charged_sz;
    };
    EXPECT_EQ(charge(1000, 700, 1, 1024), 700u);
    EXPECT_EQ(charge(1'048'576, 0, 1, 4096), 256u);
    EXPECT_EQ(charge(4096, 8192, 1, 2), 4096u);

    EXPECT_EQ(naive_feed(900'000, 200), 1'782'000u);
    EXPECT_EQ(naive_feed(20'000, 5'000), 30'000u);
    EXPECT_EQ(naive_feed(1'000'000, 12'000), 800'000u);
    EXPECT_EQ(naive_feed(1'000'000, 19'999), 10'000u);
    EXPECT_EQ(naive_feed(10'500, 15'000), 10'000u);
    EXPECT_EQ(naive_feed(10'000, 0), 20'000u);
}

TEST(NaiveQuota, GrowsFromOneUnitUntilTheTwelfthWindowOfS28) {
    Params params = with_scheme(params_of(1, 1000, 4096, 100), 1);
    params.schemes[0].quota.reset_interval_ms = 1;
    ASSERT_TRUE(params.schemes[0].goals.push_back(QuotaGoal{.target_value = 100}));
    Stage stage(std::move(params));
    stage.start({{0, 1u << 20}});
    for (uint64_t window = 1; window <= 12; ++window) {
        stage.interval(false);
        stage.now_us += 1000;
        stage.apply();
        EXPECT_EQ(stage.engine.schemes()[0].esz, uint64_t{1} << window);
        EXPECT_EQ(stage.requests.empty(), window < 12);
        stage.engine.finish();
    }
    EXPECT_EQ(stage.engine.schemes()[0].stats.qt_exceeds, 11u);
}

TEST(NaiveScore, GivesTheVectorsOfS37) {
    const auto hot = [](uint32_t sum, uint64_t most, uint32_t age, uint32_t weight_nr, uint32_t weight_age) {
        const QuotaParams weights{.weight_nr_accesses = weight_nr, .weight_age = weight_age};
        return naive_hot_score(sum, uint64_t{age} * 100'000, most, weights);
    };
    EXPECT_EQ(hot(10, 20, 100, 1, 1), 52u);
    EXPECT_EQ(hot(0, 20, 1200, 0, 1), 38u);
    EXPECT_EQ(hot(0, 20, 0, 0, 1), 49u);
    EXPECT_EQ(hot(20, 20, 1200, 1, 1), 79u);
    EXPECT_EQ(hot(1, 200, 0, 1, 1), 24u);
    EXPECT_EQ(hot(20, 20, 7, 0, 0), 0u);
}

TEST(NaiveWatermarks, FollowTheVectorOfS29) {
    Params params = with_scheme(params_of(1, 100, 1, 100), 0);
    params.schemes[0].wmarks = {
        .metric = WatermarkMetric::kFreeMemRate, .high = 500, .mid = 400, .low = 200, .interval_us = 7};
    Stage stage(std::move(params));
    std::string active;
    for (const int32_t value : {450, 501, 450, 399, 450, 199, 250}) {
        active += stage.engine.watermark_wait_us(value) == 0 ? "1" : "0";
    }
    EXPECT_EQ(active, "1001101");
}

}  // namespace
}  // namespace damon::test
