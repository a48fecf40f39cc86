// The simulator's arithmetic: exp(-x) without floating point, and when a page is hot.
#include "ops/sim/pulse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/random.h"
#include "ops/sim/pattern.h"
#include "ops/sim/survival.h"

namespace damon {
namespace {

TEST(Survival, AgreesWithTheExponential) {
    for (uint64_t nano = 1; nano < 44 * kNanoAccess; nano = nano * 21 / 20 + 1) {
        const double expected = std::exp(-static_cast<double>(nano) / 1e9);
        const double actual = static_cast<double>(silence_q64(nano)) / 0x1p64;
        // 1e-9 is not a binary fraction: the exponent is off by up to 2^-32 of an access.
        ASSERT_NEAR(actual, expected, 3e-10 * expected + 1e-18) << nano;
    }
}

TEST(Survival, EndsAreExact) {
    EXPECT_EQ(silence_q64(0), kU64Max);
    EXPECT_EQ(silence_q64(44 * kNanoAccess), 0u);
    EXPECT_EQ(silence_q64(kSurelyAccessed), 0u);
    EXPECT_EQ(untouched_part(12'345, 0), 12'345u);
    EXPECT_EQ(untouched_part(12'345, kSurelyAccessed), 0u);
    EXPECT_EQ(untouched_part(kU64Max, 0), kU64Max);
}

TEST(Survival, NeverGrowsWithMoreAccesses) {
    uint64_t previous = kU64Max;
    for (uint64_t nano = 0; nano < 3 * kNanoAccess; nano += 999'331) {
        ASSERT_LE(silence_q64(nano), previous) << nano;
        previous = silence_q64(nano);
    }
}

SimPulse random_pulse(Random& random) {
    SimPulse pulse;
    pulse.page_size = 4;
    pulse.range = {40, 40 + 4 * random.between(1, 12)};
    pulse.rate_millihz = 1'000'000'000;
    pulse.begin_us = random.between(0, 20);
    pulse.end_us = pulse.begin_us + random.between(1, 200);
    pulse.period_us = random.between(0, 30);
    if (pulse.period_us == 0) return pulse;
    pulse.phase_us = random.between(0, pulse.period_us);
    pulse.hot_us = random.between(1, pulse.period_us + 1);
    // A window that dwells at least a microsecond on each page, so that every visit shows at a whole microsecond.
    if (random.between(0, 2) == 0 && pulse.period_us >= pulse.nr_pages()) {
        pulse.window_pages = random.between(1, pulse.nr_pages() + 1);
    }
    return pulse;
}

TEST(Pulse, HotTimeIsTheSumOfHotMoments) {
    Random random(20261123);
    for (int round = 0; round < 20'000; ++round) {
        const SimPulse pulse = random_pulse(random);
        const uint64_t address = random.between(pulse.range.start, pulse.range.end);
        const uint64_t from = random.between(0, 260);
        const uint64_t until = from + random.between(0, 100);
        uint64_t sum = 0;
        for (uint64_t at = from; at < until; ++at) sum += pulse.hot_at(address, at) ? 1 : 0;
        ASSERT_EQ(pulse.hot_time_us(address, {from, until}), sum)
            << "round " << round << " of seed 20261123: address " << address << " [" << from << ", " << until << ")";
    }
}

TEST(Pulse, WindowAlwaysCoversSoManyPages) {
    Random random(7);
    for (int round = 0; round < 5'000; ++round) {
        const SimPulse pulse = random_pulse(random);
        if (!pulse.travels()) continue;
        const uint64_t at = random.between(pulse.begin_us, pulse.end_us);
        uint64_t hot_pages = 0;
        for (uint64_t a = pulse.range.start; a < pulse.range.end; a += 4) hot_pages += pulse.hot_at(a, at) ? 1 : 0;
        ASSERT_EQ(hot_pages, pulse.window_pages) << "round " << round << " of seed 7";
    }
}

TEST(Pulse, FastSweepMissesNoPage) {
    SimPulse pulse;
    pulse.range = {0, 1'000 * 4096};
    pulse.rate_millihz = kU64Max;
    pulse.period_us = 100;  // ten pages in a microsecond
    pulse.window_pages = 1;
    for (uint64_t address = 0; address < pulse.range.end; address += 4096) {
        ASSERT_EQ(pulse.expected_nano(address, {500, 600}), kSurelyAccessed) << address;
        ASSERT_EQ(pulse.hot_time_us(address, {500, 600}), 1u) << address;
    }
}

TEST(Pulse, DaysOfAccessesDoNotOverflow) {
    SimPulse pulse;
    pulse.range = {0, 4096};
    pulse.rate_millihz = uint64_t{1} << 40;
    EXPECT_EQ(pulse.expected_nano(0, {0, kU64Max / 4}), kSurelyAccessed);
    pulse.rate_millihz = 1'000;
    EXPECT_EQ(pulse.expected_nano(0, {0, 86'400'000'000}), 86'400 * kNanoAccess);
}

TEST(Pulse, WritesAreAShare) {
    SimPulse pulse;
    pulse.range = {0, 4096};
    pulse.rate_millihz = 1'000;
    pulse.writes_bp = 2'500;
    EXPECT_EQ(pulse.expected_nano(0, {0, 4'000'000}), 4 * kNanoAccess);
    EXPECT_EQ(pulse.expected_nano(0, {0, 4'000'000}, true), kNanoAccess);
    pulse.rate_millihz = kU64Max;
    EXPECT_EQ(pulse.expected_nano(0, {0, 1}, true), kSurelyAccessed);
    pulse.writes_bp = 0;
    EXPECT_EQ(pulse.expected_nano(0, {0, 1}, true), 0u);
}

// Which of the parts of a stepped pattern are hot, as a picture: one digit a step.
std::string hot_parts(SimPatternKind kind, uint32_t parts, int steps) {
    SimPattern pattern;
    pattern.kind = kind;
    pattern.range = {0, parts * 4096};
    pattern.rate_millihz = 1;
    pattern.nr_regions = parts;
    pattern.step_us = 10;
    EXPECT_TRUE(validate_pattern(pattern, 4096).ok());
    Vector<SimPulse> pulses;
    EXPECT_TRUE(append_pulses(pattern, 4096, pulses).ok());
    std::string picture;
    for (int step = 0; step < steps; ++step) {
        for (const SimPulse& pulse : pulses) {
            const bool begins = pulse.hot_at(pulse.range.start, static_cast<uint64_t>(step) * 10);
            EXPECT_EQ(begins, pulse.hot_at(pulse.range.start, static_cast<uint64_t>(step) * 10 + 9));
            if (begins) picture += static_cast<char>('0' + pulse.range.start / 4096);
        }
    }
    return picture;
}

TEST(Pattern, StairsGoUpAndStartAgain) { EXPECT_EQ(hot_parts(SimPatternKind::kStairs, 4, 10), "0123012301"); }

TEST(Pattern, ZigzagGoesUpAndDown) {
    EXPECT_EQ(hot_parts(SimPatternKind::kZigzag, 4, 12), "012321012321");
    EXPECT_EQ(hot_parts(SimPatternKind::kZigzag, 2, 5), "01010");
}

TEST(Pattern, UnevenPartsCoverTheWholeRange) {
    SimPattern pattern;
    pattern.kind = SimPatternKind::kStairs;
    pattern.range = {4096, 4096 * 12};
    pattern.rate_millihz = 1;
    pattern.nr_regions = 3;
    pattern.step_us = 1;
    Vector<SimPulse> pulses;
    ASSERT_TRUE(append_pulses(pattern, 4096, pulses).ok());
    ASSERT_EQ(pulses.size(), 3u);
    EXPECT_EQ(pulses[0].range.start, 4096u);
    EXPECT_EQ(pulses[0].range.end, pulses[1].range.start);
    EXPECT_EQ(pulses[1].range.end, pulses[2].range.start);
    EXPECT_EQ(pulses[2].range.end, 4096u * 12);
}

TEST(Pattern, EachWrongFieldIsNamed) {
    SimPattern good;
    good.range = {0, 8192};
    good.rate_millihz = 1;
    ASSERT_TRUE(validate_pattern(good, 4096).ok());
    const auto refused = [&](auto change, const char* word) {
        SimPattern bad = good;
        change(bad);
        const Status status = validate_pattern(bad, 4096);
        EXPECT_EQ(status.error(), -EINVAL) << word;
        EXPECT_NE(std::string(status.text()).find(word), std::string::npos) << status.text();
    };
    refused([](SimPattern& p) { p.range.end = 8191; }, "range");
    refused([](SimPattern& p) { p.range.end = 0; }, "range");
    refused([](SimPattern& p) { p.rate_millihz = 0; }, "rate_millihz");
    refused([](SimPattern& p) { p.writes_bp = 10'001; }, "writes_bp");
    refused([](SimPattern& p) { p.end_us = p.begin_us; }, "end_us");
    refused([](SimPattern& p) { p.kind = static_cast<SimPatternKind>(6); }, "kind");
    refused([](SimPattern& p) { p.kind = SimPatternKind::kPulse; }, "hot_us");
    refused([](SimPattern& p) { p.kind = SimPatternKind::kStairs; }, "nr_regions");
    refused([](SimPattern& p) { p.kind = SimPatternKind::kMoving; }, "period_us");
    refused([](SimPattern& p) { p.kind = SimPatternKind::kMoving, p.period_us = 1, p.window_bytes = 1; },
            "window_bytes");
    refused([](SimPattern& p) { p.kind = SimPatternKind::kZigzag, p.nr_regions = 3, p.step_us = 1; }, "nr_regions");
    refused([](SimPattern& p) { p.kind = SimPatternKind::kZigzag, p.nr_regions = 2; }, "step_us");
}

}  // namespace
}  // namespace damon
