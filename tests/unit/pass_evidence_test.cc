// What passes over accessed bits add to what samples know (M-37).
#include "engine/monitor/pass_evidence.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/schemes/matching.h"
#include "support/toy_engine.h"

namespace damon::test {
namespace {

PassWindow touched(AddressRange range) { return {.range = range, .present_bytes = range.size(), .touched_bytes = 1}; }
PassWindow untouched(AddressRange range, uint64_t idle_us) {
    return {.range = range, .idle_us = idle_us, .present_bytes = range.size()};
}
PassWindow unknown(AddressRange range, Unknown why = Unknown::kSharedWithChild) {
    return {.range = range, .present_bytes = range.size(), .unknown = why};
}
PassWindow absent(AddressRange range) { return {.range = range}; }

PassEvidence evidence_of(std::vector<PassWindow> windows) {
    PassEvidence evidence;
    EXPECT_TRUE(evidence.take(windows));
    return evidence;
}

RegionInfo writes_only(AddressRange range) {
    return {
        .start = range.start, .end = range.end, .age_us = 900, .idle_us = 900, .age = 9, .flags = kRegionWritesOnly};
}
RegionInfo in_vain(AddressRange range) {
    RegionInfo info = writes_only(range);
    info.flags = kRegionUnknown;
    info.idle_us = kU64Max;
    info.unknown_reason = Unknown::kHugePage;
    return info;
}
RegionInfo with(const std::vector<PassWindow>& windows, RegionInfo info) {
    add_pass_evidence(evidence_of(windows), 100, info);
    return info;
}

TEST(PassEvidence, WhatWasTouchedIsNotColdWhateverSamplesSaw) {
    const RegionInfo info = with({untouched({0, 100}, 500), touched({100, 200})}, writes_only({0, 200}));
    EXPECT_EQ(info.flags, kRegionWritesOnly | kRegionReferenced);
    EXPECT_EQ(info.nr_accesses, 1u);
    EXPECT_EQ(info.idle_us, 0u);
}

TEST(PassEvidence, WhatWasUntouchedIsAsOldAsPassesSawIt) {
    const RegionInfo info = with({untouched({0, 100}, 500), untouched({100, 200}, 330)}, writes_only({0, 200}));
    EXPECT_EQ(info.flags, kRegionWritesOnly | kRegionReferenced);
    EXPECT_EQ(info.nr_accesses, 0u);
    EXPECT_EQ(info.idle_us, 330u);
    EXPECT_EQ(info.age_us, 330u);
    EXPECT_EQ(info.age, 3u);
    EXPECT_EQ(with({untouched({0, 200}, 5'000)}, writes_only({0, 200})).age, 9u) << "no older than samples saw it";
}

TEST(PassEvidence, HowOftenIsForTheSamplesToSay) {
    RegionInfo info = writes_only({0, 100});
    info.nr_accesses = 7;
    info.idle_us = 0;
    EXPECT_EQ(with({touched({0, 100})}, info).nr_accesses, 7u);
    EXPECT_EQ(with({untouched({0, 100}, 300)}, info).nr_accesses, 7u) << "since the last pass";
    EXPECT_EQ(with({untouched({0, 100}, 300)}, info).age, 9u);
}

TEST(PassEvidence, WhatSamplesCannotLookAtIsKnown) {
    const RegionInfo cold = with({untouched({0, 100}, 400)}, in_vain({0, 100}));
    EXPECT_EQ(cold.flags, kRegionReferenced);
    EXPECT_EQ(cold.idle_us, 400u);
    EXPECT_EQ(cold.age, 4u);
    EXPECT_EQ(cold.unknown_reason, Unknown::kNone);
    RegionInfo stale = in_vain({0, 100});
    stale.nr_accesses = 5;  // of a window long ago
    EXPECT_EQ(with({untouched({0, 100}, 400)}, stale).nr_accesses, 0u);
    EXPECT_EQ(with({touched({0, 100})}, stale).nr_accesses, 1u);
}

TEST(PassEvidence, OneUnknownWindowMakesTheRegionAsWithoutPasses) {
    for (const PassWindow& window : {unknown({100, 200}), absent({100, 200}), untouched({110, 200}, 900)}) {
        for (RegionInfo info : {writes_only({0, 200}), in_vain({0, 200})}) {
            const RegionInfo seen = with({untouched({0, 100}, 900), window}, info);
            if (window.unknown != Unknown::kNone) info.unknown_reason = window.unknown;
            EXPECT_EQ(seen, info);
        }
    }
    EXPECT_EQ(with({untouched({0, 190}, 900)}, writes_only({0, 200})), writes_only({0, 200}));
    EXPECT_EQ(with({untouched({10, 200}, 900)}, writes_only({0, 200})), writes_only({0, 200}));
}

TEST(PassEvidence, IsNotAskedWhereSamplesSeeReads) {
    RegionInfo info = writes_only({0, 100});
    info.flags = 0;
    EXPECT_EQ(with({touched({0, 100})}, info), info);
}

TEST(PassEvidence, SchemesActOnWhatPassesSawUntouchedForLongEnough) {
    SchemeParams scheme;
    scheme.action = DamosAction::kPageout;
    scheme.pattern.max_nr_accesses = 0;
    scheme.pattern.min_age = 4;
    const auto acts = [&](const RegionInfo& info) {
        return scheme_matches(scheme, info) && !unseen_reads_spare(scheme, info);
    };
    EXPECT_FALSE(acts(writes_only({0, 100})));
    EXPECT_FALSE(acts(in_vain({0, 100})));
    for (const auto& info : {writes_only({0, 100}), in_vain({0, 100})}) {
        EXPECT_FALSE(acts(with({touched({0, 100})}, info)));
        EXPECT_FALSE(acts(with({untouched({0, 100}, 399)}, info)));
        EXPECT_TRUE(acts(with({untouched({0, 100}, 400)}, info)));
        EXPECT_FALSE(acts(with({unknown({0, 100})}, info)));
    }
}

TEST(PassEvidence, BordersAreWhereItDiffers) {
    const PassEvidence evidence =
        evidence_of({untouched({100, 200}, 300), untouched({200, 300}, 599), touched({300, 400}), touched({400, 500}),
                     unknown({500, 600}), absent({600, 700})});
    std::vector<uint64_t> borders;
    for (uint64_t at = 0; (at = evidence.next_border(at, 1000)) < 1000;) borders.push_back(at);
    EXPECT_EQ(borders, (std::vector<uint64_t>{100, 300, 500}));
    EXPECT_EQ(evidence.next_border(150, 300), 300u) << "the end of what was asked for";
    EXPECT_FALSE(evidence_of({untouched({0, 10}, 100), untouched({10, 20}, 250)}).alike_around(10));
}

// Regions of toy numbers in which nothing is ever seen, by samples that see writes only.
class PassEngine : public testing::Test {
protected:
    PassEngine() : engine_(started_engine(toy_params({{{0, 1'000}}}))) {}

    void window(bool look = true) {
        for (int i = 0; i < 10; ++i) {
            for (Sample& sample : engine_.plan()) {
                sample.seen = look ? Seen::kNo : Seen::kUnknown;
                sample.unknown = Unknown::kHugePage;
                sample.writes_only = true;
            }
            (void)engine_.record_samples();
            (void)engine_.finish();
        }
    }
    std::vector<RegionInfo> regions() {
        std::vector<RegionInfo> regions(engine_.nr_regions());
        EXPECT_EQ(engine_.read_regions(regions, true), regions.size());
        return regions;
    }
    uint64_t bytes_of(bool (*is)(const RegionInfo& info)) {
        uint64_t bytes = 0;
        for (const RegionInfo& region : regions()) bytes += is(region) ? region.end - region.start : 0;
        return bytes;
    }
    static bool is_cold(const RegionInfo& info) {
        return (info.flags & kRegionReferenced) != 0 && info.nr_accesses == 0 && info.age >= 2;
    }
    static bool is_hot(const RegionInfo& info) {
        return (info.flags & kRegionReferenced) != 0 && info.nr_accesses != 0;
    }

    const std::vector<PassWindow> windows_ = {untouched({0, 400}, 1'000), touched({400, 480}),
                                              untouched({480, 900}, 1'000), unknown({900, 1'000})};
    Engine engine_;
};

TEST_F(PassEngine, RegionsAreCutWhereEvidenceDiffersAndStayApart) {
    for (int i = 0; i < 5; ++i) window();
    engine_.take_passes(windows_);
    EXPECT_EQ(bytes_of(is_cold), 820u);
    EXPECT_EQ(bytes_of(is_hot), 80u);
    for (int i = 0; i < 20; ++i) {
        window();
        EXPECT_EQ(bytes_of(is_cold), 820u) << i;
        EXPECT_EQ(bytes_of(is_hot), 80u) << i;
    }
    engine_.take_passes({});
    EXPECT_EQ(bytes_of(is_cold), 0u);
}

TEST_F(PassEngine, RegionsThatNobodyCanLookAtAgeByPasses) {
    for (int i = 0; i < 5; ++i) window(false);
    engine_.take_passes(windows_);
    EXPECT_EQ(bytes_of(is_cold), 0u) << "as old as nothing";
    for (int i = 0; i < 3; ++i) window(false);
    EXPECT_EQ(bytes_of(is_cold), 820u);
    EXPECT_EQ(bytes_of(is_hot), 80u);
}

// More differences than regions: what is left mixed counts as touched.
TEST_F(PassEngine, WithoutRoomForMoreRegionsNothingTouchedBecomesCold) {
    Params params = toy_params({{{0, 1'000}}});
    params.attrs.max_nr_regions = 20;
    engine_ = started_engine(params);
    std::vector<PassWindow> windows;
    for (uint64_t at = 0; at < 1'000; at += 10) {
        windows.push_back(at % 20 == 0 ? touched({at, at + 10}) : untouched({at, at + 10}, 1'000));
    }
    for (int i = 0; i < 5; ++i) window();
    engine_.take_passes(windows);
    for (int i = 0; i < 10; ++i) {
        for (const RegionInfo& region : regions()) {
            if (!is_cold(region)) continue;
            EXPECT_EQ(region.start / 10, (region.end - 1) / 10);
            EXPECT_EQ(region.start / 10 % 2, 1u);
        }
        EXPECT_LE(engine_.nr_regions(), 20u);
        window();
    }
}

TEST_F(PassEngine, ACopyKnowsTheSame) {
    engine_.take_passes(windows_);
    Engine copy;
    ASSERT_TRUE(copy.copy_from(engine_));
    EXPECT_TRUE(copy == engine_);
    copy.take_passes({});
    EXPECT_FALSE(copy == engine_);
}

TEST(PassParams, AreRefusedWhereNobodyReadsAccessedBitsAndBeyondAMinute) {
    Params params = toy_params({{{0, 1'000}}});
    OpsTraits traits = toy_traits();
    params.attrs.referenced_us = 1;
    traits.has_passes = false;
    EXPECT_EQ(Engine::validate(params, traits).error(), -EOPNOTSUPP);
    traits.has_passes = true;
    EXPECT_TRUE(Engine::validate(params, traits).ok());
    params.attrs.referenced_us = 60'000'001;
    EXPECT_EQ(Engine::validate(params, traits).error(), -EINVAL);
}

}  // namespace
}  // namespace damon::test
