// Changes of the input whose effect on the result is known exactly, so that no oracle is needed.
//
// What is truly invariant, given one stream of random numbers: addresses as such mean nothing (shift), sizes matter
// only by their ratios as long as every division comes out even (scale), and durations only by theirs (stretch). The
// order of targets matters to the streams, as samples and cuts are drawn in region order; where the answers depend on
// the target alone and nothing is split, it does not (permutation).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "support/random_params.h"
#include "support/synthetic_world.h"

namespace damon::test {
namespace {

constexpr uint64_t kIntervals = 600;
constexpr uint64_t kRuns = 40;

// How the addresses of one run relate to those of the run it is compared with.
struct Transform {
    uint64_t shift = 0;
    uint64_t scale = 1;

    uint64_t there(uint64_t address) const { return address * scale + shift; }
    uint64_t back(uint64_t address) const { return (address - shift) / scale; }
    AddressRange there(AddressRange range) const { return {there(range.start), there(range.end)}; }
    AddressRange back(AddressRange range) const { return {back(range.start), back(range.end)}; }
};

// An engine in a synthetic world whose pages are those of the untransformed run.
class SyntheticRun {
public:
    SyntheticRun(uint64_t seed, Transform transform, uint64_t page)
        : seed_(seed), transform_(transform), world_(seed, page) {}

    void start(const Params& params, const OpsTraits& traits) {
        const Status status = engine.prepare(params, traits);
        ASSERT_TRUE(status.ok()) << status.text();
        engine.start(seed_);
    }

    void interval() {
        const uint64_t tick = engine.passed_sample_intervals();
        engine.plan();
        const std::span<Sample> samples = engine.samples();
        const std::span<uint8_t> hits = engine.probe_hits();
        for (size_t i = 0; i < samples.size(); ++i) {
            Sample asked = samples[i];
            asked.addr = transform_.back(asked.addr);
            samples[i].seen = world_.look(asked, tick);
            if (i < hits.size()) hits[i] = world_.probe_hits(asked, tick);
        }
        engine.record_samples();
        if (engine.apply_begin(tick * 400)) apply(tick);
        engine.finish();
    }

    // The regions as those of the untransformed run.
    std::vector<Region> regions() const {
        std::vector<Region> all;
        for (size_t target = 0; target < engine.nr_targets(); ++target) {
            for (size_t i = 0; i < engine.regions().nr_regions_of(target); ++i) {
                all.push_back(engine.regions().at(target, i));
                all.back().range = transform_.back(all.back().range);
            }
        }
        return all;
    }
    std::vector<SchemeStats> statistics() const {
        std::vector<SchemeStats> all;
        for (size_t i = 0; i < engine.nr_schemes(); ++i) all.push_back(engine.scheme(i).stats);
        return all;
    }

    Engine engine;

private:
    void apply(uint64_t tick) {
        for (MetricQuery& query : engine.metric_queries()) {
            query.answer = world_.measure(query, tick).value_or(0);
            query.answered = true;
        }
        ActionRequest request;
        while (engine.next_request(request)) {
            ActionRequest asked = request;
            asked.range = transform_.back(request.range);
            Outcome outcome = world_.apply(asked, tick);
            outcome.score = world_.score(asked);
            engine.complete(outcome);
        }
    }

    uint64_t seed_;
    Transform transform_;
    SyntheticWorld world_;
};

Params transformed(const Params& params, Transform transform) {
    Params copy;
    EXPECT_TRUE(copy.copy_from(params));
    copy.min_region_sz *= transform.scale;
    for (TargetParams& target : copy.targets) {
        for (AddressRange& range : target.ranges) range = transform.there(range);
    }
    for (SchemeParams& scheme : copy.schemes) {
        for (DamosFilter& filter : scheme.core_filters) {
            if (filter.type == FilterType::kAddr) filter.range = transform.there(filter.range);
        }
    }
    return copy;
}

void expect_equal_runs(uint64_t seed, const Params& params, const OpsTraits& traits, Transform transform) {
    SyntheticRun plain(seed, {}, params.min_region_sz);
    SyntheticRun other(seed, transform, params.min_region_sz);
    plain.start(params, traits);
    other.start(transformed(params, transform), traits);
    for (uint64_t i = 0; i < kIntervals; ++i) {
        plain.interval();
        other.interval();
        ASSERT_TRUE(plain.regions() == other.regions()) << "seed " << seed << ", interval " << i;
        ASSERT_TRUE(plain.statistics() == other.statistics()) << "seed " << seed << ", interval " << i;
    }
}

struct Scene {
    ParamsStyle style;
    OpsTraits traits;
    Params params;
};

Scene random_scene(uint64_t seed, bool with_schemes) {
    RandomDraws draws(seed);
    Scene scene;
    scene.style = random_style(draws, with_schemes);
    scene.style.base = 0;
    scene.style.units = 300;
    scene.style.granularity = draws.pick<uint64_t>({1, 4, 4096});
    scene.traits = random_traits(draws, scene.style);
    do {
        scene.params = random_params(draws, scene.style, scene.traits);
    } while (!Engine::validate(scene.params, scene.traits).ok());
    return scene;
}

TEST(Metamorphic, ShiftedAddressesGiveShiftedRegions) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        const Scene scene = random_scene(seed, true);
        const uint64_t shift = scene.params.min_region_sz * (seed % 7 + 1) * 0x10000;
        expect_equal_runs(seed, scene.params, scene.traits, {.shift = shift});
    }
}

// One range that min_nr_regions divides into whole granules, so that M-22 rounds nothing.
TEST(Metamorphic, LargerUnitsGiveLargerRegions) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        Scene scene = random_scene(seed, false);
        scene.params.targets.clear();
        TargetParams target;
        const uint64_t granules = scene.params.attrs.least_nr_regions() * 24;
        ASSERT_TRUE(target.ranges.push_back({0, scene.params.min_region_sz * granules}));
        ASSERT_TRUE(scene.params.targets.push_back(std::move(target)));
        scene.params.attrs.intervals_goal = {};
        expect_equal_runs(seed, scene.params, scene.traits, {.scale = uint64_t{1} << seed % 9});
    }
}

// Means of times are rounded down, 37 times as finely on one side.
bool equal_within_rounding(std::vector<Region> expected, std::vector<Region> found) {
    constexpr uint64_t kMost = 37 * kIntervals;
    if (expected.size() != found.size()) return false;
    for (size_t i = 0; i < found.size(); ++i) {
        if (absolute_difference(expected[i].age_us, found[i].age_us) > kMost) return false;
        if (absolute_difference(expected[i].idle_us, found[i].idle_us) > kMost) return false;
        expected[i].age_us = found[i].age_us;
        expected[i].idle_us = found[i].idle_us;
    }
    return expected == found;
}

TEST(Metamorphic, LongerIntervalsGiveTheSameRegions) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        Scene scene = random_scene(seed, false);
        Attrs& attrs = scene.params.attrs;
        if (attrs.sample_us == 0) continue;
        attrs.intervals_goal = {};
        SyntheticRun plain(seed, {}, scene.params.min_region_sz);
        plain.start(scene.params, scene.traits);
        attrs.sample_us *= 37;
        attrs.aggr_us *= 37;
        attrs.ops_update_us *= 37;
        SyntheticRun longer(seed, {}, scene.params.min_region_sz);
        longer.start(scene.params, scene.traits);
        for (uint64_t i = 0; i < kIntervals; ++i) {
            plain.interval();
            longer.interval();
            std::vector<Region> expected = plain.regions();
            for (Region& region : expected) {
                region.age_us *= 37;
                region.idle_us *= 37;
            }
            ASSERT_TRUE(equal_within_rounding(expected, longer.regions())) << "seed " << seed << ", interval " << i;
        }
    }
}

// Every page of a target is alike, and every region as small as may be, so that nothing is split at random.
class UniformTargets {
public:
    UniformTargets(uint64_t seed, std::vector<uint32_t> order) : seed_(seed), order_(std::move(order)) {
        Params params;
        params.min_region_sz = 128;
        params.attrs.sample_us = 10;
        params.attrs.aggr_us = 100;
        params.attrs.min_nr_regions = 12;
        for (const uint32_t who : order_) {
            TargetParams target;
            EXPECT_TRUE(target.ranges.push_back({who * 1024u, who * 1024u + 128}));
            EXPECT_TRUE(target.ranges.push_back({who * 1024u + 256, who * 1024u + 256 + 128 * who}));
            EXPECT_TRUE(params.targets.push_back(std::move(target)));
        }
        EXPECT_TRUE(params.schemes.resize(1));
        params.schemes[0].action = DamosAction::kPageout;
        params.schemes[0].pattern.max_nr_accesses = 4;
        EXPECT_TRUE(engine.prepare(params, {.has_apply = true}).ok());
        engine.start(seed);
    }

    void interval() {
        for (Sample& sample : engine.plan()) sample.seen = hot(order_[sample.target_idx]) ? Seen::kYes : Seen::kNo;
        engine.record_samples();
        if (engine.apply_begin(0)) {
            ActionRequest request;
            while (engine.next_request(request)) {
                Outcome outcome;
                outcome.applied = request.range.size();
                engine.complete(outcome);
            }
        }
        engine.finish();
    }

    // The regions of target `who`, wherever it stands.
    std::vector<Region> regions_of(uint32_t who) const {
        const auto place = std::find(order_.begin(), order_.end(), who) - order_.begin();
        std::vector<Region> regions;
        for (size_t i = 0; i < engine.regions().nr_regions_of(place); ++i) {
            regions.push_back(engine.regions().at(place, i));
        }
        return regions;
    }

    Engine engine;

private:
    bool hot(uint32_t who) const {
        const uint64_t phase = engine.passed_sample_intervals() / 30;
        return Random(seed_ * 1000 + phase * 10 + who).between(0, 10) >= 5;
    }

    uint64_t seed_;
    std::vector<uint32_t> order_;
};

TEST(Metamorphic, PermutedTargetsGivePermutedRegions) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        UniformTargets plain(seed, {1, 2, 3});
        UniformTargets permuted(seed, {3, 1, 2});
        for (uint64_t i = 0; i < kIntervals; ++i) {
            plain.interval();
            permuted.interval();
            for (const uint32_t who : {1u, 2u, 3u}) {
                ASSERT_TRUE(plain.regions_of(who) == permuted.regions_of(who)) << "seed " << seed << ", interval " << i;
            }
            ASSERT_TRUE(plain.engine.scheme(0).stats == permuted.engine.scheme(0).stats) << "seed " << seed;
        }
        ASSERT_GT(plain.engine.scheme(0).stats.nr_applied, 0u);
    }
}

// but for the baselines of pressure goals, which the scene leaves out.
TEST(Metamorphic, CommittingThePresentParametersChangesNothing) {
    for (uint64_t seed = 1; seed <= kRuns; ++seed) {
        Scene scene = random_scene(seed, true);
        for (SchemeParams& scheme : scene.params.schemes) {
            for (QuotaGoal& goal : scheme.goals) goal.metric = QuotaMetric::kUserInput;
        }
        SyntheticRun plain(seed, {}, scene.params.min_region_sz);
        plain.start(scene.params, scene.traits);
        for (uint64_t i = 0; i < kIntervals; ++i) {
            plain.interval();
            if (i % 17 != 0) continue;
            Engine before;
            ASSERT_TRUE(before.copy_from(plain.engine));
            Params present;
            ASSERT_TRUE(present.copy_from(plain.engine.params()));
            ASSERT_TRUE(plain.engine.commit(present, scene.traits, nullptr).ok());
            ASSERT_TRUE(before == plain.engine) << "seed " << seed << ", interval " << i;
        }
    }
}

}  // namespace
}  // namespace damon::test
