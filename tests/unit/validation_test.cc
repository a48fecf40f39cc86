// What start and commit refuse, and with which words (O-2, O-3, M-8, P-8, A-18, A-21, Q-26, Q-27).
#include "engine/monitor/validation.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <utility>

#include "support/heap_fault.h"
#include "support/toy_engine.h"

namespace damon {
namespace {

using test::toy_params;
using test::toy_traits;

std::string refusal(const Params& params, const OpsTraits& traits = toy_traits()) {
    const Status status = Engine::validate(params, traits);
    EXPECT_EQ(status.error(), status.ok() ? 0 : -EINVAL);
    return status.text();
}

TEST(Validation, DefaultsAreFine) { EXPECT_EQ(refusal(Params()), ""); }

TEST(Validation, NamesTheAttributeThatIsWrong_O2) {
    Params params = toy_params({{{0, 100}}});
    params.attrs.min_nr_regions = 2;
    EXPECT_EQ(refusal(params), "min_nr_regions 2 must be at least 3");
    params.attrs.min_nr_regions = 11;
    params.attrs.max_nr_regions = 10;
    EXPECT_EQ(refusal(params), "min_nr_regions 11 must not exceed max_nr_regions 10");
    params.attrs.max_nr_regions = 11;
    params.attrs.sample_us = 101;
    EXPECT_EQ(refusal(params), "sample_us 101 must not exceed aggr_us 100");
    params.attrs.sample_us = 0;
    EXPECT_EQ(refusal(params), "") << "0 is allowed";
}

TEST(Validation, ChecksTheIntervalsGoalOnlyWhereItIsOn_O3) {
    Params params = toy_params({{{0, 100}}});
    params.attrs.intervals_goal = {.access_bp = 400, .aggrs = 0, .min_sample_us = 50, .max_sample_us = 20};
    EXPECT_EQ(refusal(params), "");
    params.attrs.intervals_goal.aggrs = 1;
    EXPECT_EQ(refusal(params), "intervals_goal.min_sample_us 50 must not exceed intervals_goal.max_sample_us 20");
    params.attrs.intervals_goal.min_sample_us = 11;
    EXPECT_EQ(refusal(params),
              "sample_us 10 must be between intervals_goal.min_sample_us 11 and intervals_goal.max_sample_us 20");
    params.attrs.intervals_goal.min_sample_us = 10;
    EXPECT_EQ(refusal(params), "");
}

TEST(Validation, TheGoalIsLookedAtFirst_O2) {
    Params params = toy_params({{{0, 100}}});
    params.attrs.intervals_goal = {.access_bp = 4, .aggrs = 1, .min_sample_us = 2, .max_sample_us = 1};
    params.attrs.min_nr_regions = 0;
    EXPECT_EQ(refusal(params), "intervals_goal.min_sample_us 2 must not exceed intervals_goal.max_sample_us 1");
}

TEST(Validation, GranularityIsAPowerOfTwo_A18) {
    Params params = toy_params({{{0, 100}}});
    for (const uint64_t wrong : {0, 3, 4095}) {
        params.min_region_sz = wrong;
        EXPECT_EQ(refusal(params), "min_region_sz " + std::to_string(wrong) + " must be a power of two");
    }
}

TEST(Validation, NamesTheRangeThatIsWrong_M8) {
    EXPECT_EQ(refusal(toy_params({{{0, 10}}, {{0, 10}, {5, 20}}})),
              "target 1: range 1 [0x5, 0x14) must start at 0xa or above, where the one before it ends in units of 1");
    EXPECT_EQ(refusal(toy_params({{{7, 7}}})), "target 0: range 0 [0x7, 0x7) must end above its start");
}

Params with_weights(std::initializer_list<uint32_t> weights, uint64_t aggr_us) {
    Params params = toy_params({{{0, 100}}});
    params.attrs.sample_us = 1;
    params.attrs.aggr_us = aggr_us;
    for (const uint32_t weight : weights) {
        ProbeParams probe;
        probe.weight = weight;
        EXPECT_TRUE(params.probes.push_back(std::move(probe)));
    }
    return params;
}

TEST(Validation, VectorsOfP8) {
    EXPECT_EQ(refusal(with_weights({100}, 255)), "");
    EXPECT_EQ(refusal(with_weights({100}, 256)), "aggr_us 256 is 256 samples, weighted probes take at most 255");
    EXPECT_EQ(refusal(with_weights({16'843'009}, 255)), "");
    EXPECT_NE(refusal(with_weights({16'843'010}, 255)), "");
    EXPECT_EQ(refusal(with_weights({4'294'967'295}, 1)), "");
    EXPECT_EQ(refusal(with_weights({4'294'967'295, 1}, 1)),
              "probe weights are 4294967296 in all, at most 4294967295 with 1 samples in an aggregation");
    EXPECT_EQ(refusal(with_weights({0}, 1'000'000)), "");
}

TEST(Validation, MoreThanFourProbesAreTooMany_Q26) {
    EXPECT_EQ(refusal(with_weights({0, 0, 0, 0}, 10)), "");
    EXPECT_EQ(refusal(with_weights({0, 0, 0, 0, 0}, 10)), "5 probes are too many, at most 4");
}

TEST(Validation, WeightsNeedOpsThatHaveProbes_Q27) {
    OpsTraits traits = toy_traits();
    traits.has_probes = false;
    EXPECT_EQ(refusal(with_weights({0}, 10), traits), "");
    EXPECT_EQ(refusal(with_weights({2, 3}, 10), traits),
              "probes have weights (5 in all) but these operations have no probes");
}

TEST(Validation, ATargetThatIsNotThereCannotBeObsolete_A21) {
    Params params = toy_params({{{0, 100}}, {{0, 100}}});
    params.targets[1].obsolete = true;
    Engine engine;
    EXPECT_STREQ(engine.prepare(params, toy_traits()).text(),
                 "target 1 of the source is obsolete, and the destination has only 0 targets");
    engine = test::started_engine(toy_params({{{0, 100}}}));
    EXPECT_STREQ(engine.commit(params, toy_traits(), nullptr).text(),
                 "target 1 of the source is obsolete, and the destination has only 1 targets");
}

TEST(Validation, WhatIsRefusedLeavesTheEngineAsItWas_I13) {
    Engine engine = test::started_engine(toy_params({{{0, 1'000}}}));
    test::run_intervals(engine, 57, test::accesses_in({{0, 300}}));
    Engine before;
    ASSERT_TRUE(before.copy_from(engine));
    Params wrong = toy_params({{{0, 500}}});
    wrong.attrs.aggr_us = 5;
    EXPECT_EQ(engine.commit(wrong, toy_traits(), nullptr).error(), -EINVAL);
    EXPECT_TRUE(engine == before);
    EXPECT_EQ(engine.prepare(wrong, toy_traits()).error(), -EINVAL);
    EXPECT_TRUE(engine == before);
    const AddressRange upside_down{9, 3};
    EXPECT_EQ(engine.set_target_ranges(0, {&upside_down, 1}, 1).error(), -EINVAL);
    EXPECT_TRUE(engine == before);
}

TEST(Validation, MoreRegionsThanThereIsMemoryForAreRefusedWithAText) {
    Params params = toy_params({{{0, 1'000}}});
    Engine engine;
    const test::HeapFault fault(0);
    const Status status = engine.prepare(params, toy_traits());
    EXPECT_EQ(status.error(), -ENOMEM);
    EXPECT_STREQ(status.text(), "no memory for max_nr_regions 1000, 1 targets and 0 schemes");
}

TEST(Validation, AGoalThatNoIntervalsCanMeetIsRefused) {
    Attrs attrs;
    attrs.intervals_goal = {.access_bp = 0, .aggrs = 1, .min_sample_us = 1, .max_sample_us = 10'000};
    EXPECT_STREQ(validate_attrs(attrs).text(), "intervals_goal.access_bp 0 must be from 1 to 10000 (bp)");
    attrs.intervals_goal.access_bp = 10'001;
    EXPECT_STREQ(validate_attrs(attrs).text(), "intervals_goal.access_bp 10001 must be from 1 to 10000 (bp)");
    attrs.intervals_goal = {};
    EXPECT_TRUE(validate_attrs(attrs).ok()) << "without tuning nothing looks at it";
}

TEST(Validation, MoreRegionsThanAnyMemoryHoldsAreRefused) {
    Attrs attrs;
    attrs.max_nr_regions = uint64_t{1} << 63;
    EXPECT_STREQ(validate_attrs(attrs).text(), "max_nr_regions 9223372036854775808 must be at most 1073741824");
}

}  // namespace
}  // namespace damon
