// Residency in virtual time: what actions do to simulated memory, and what the accesses do afterwards.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "ops/sim/sim_ops.h"

namespace damon {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kSecond = 1'000'000;

SimRange mapped(uint64_t start, uint64_t end, uint32_t flags = 0) {
    SimRange range;
    range.range = {start, end};
    range.flags = flags;
    return range;
}

SimPattern constant(uint64_t start, uint64_t end, uint64_t rate_millihz) {
    SimPattern pattern;
    pattern.range = {start, end};
    pattern.rate_millihz = rate_millihz;
    return pattern;
}

Outcome act(SimOps& sim, const SchemeParams& scheme, uint64_t start, uint64_t end) {
    ActionRequest request;
    request.scheme = &scheme;
    request.range = {start, end};
    return sim.apply(request);
}

Outcome act(SimOps& sim, DamosAction action, uint64_t start, uint64_t end) {
    SchemeParams scheme;
    scheme.action = action;
    return act(sim, scheme, start, end);
}

TEST(SimMemory, PageoutOfColdMemoryStaysOut) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 10 * kMiB)).ok());
    EXPECT_EQ(act(sim, DamosAction::kPageout, 2 * kMiB, 5 * kMiB).applied, 3 * kMiB);
    EXPECT_EQ(act(sim, DamosAction::kPageout, 2 * kMiB, 5 * kMiB).applied, 0u);  // already out: nothing changed
    sim.set_now(86'400 * kSecond);
    const SimStat stat = sim.stat();
    EXPECT_EQ(stat.resident_bytes, 7 * kMiB);
    EXPECT_EQ(stat.swapped_bytes, 3 * kMiB);
    EXPECT_EQ(stat.paged_out_bytes, 3 * kMiB);
    EXPECT_EQ(stat.refault_bytes, 0u);
    EXPECT_EQ(stat.stall_ns, 0u);
}

// S-38, as on real memory: page by page, not by regions.
TEST(SimMemory, ActionsThatPresumeColdnessSpareWhatIsNotSeen) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    ASSERT_TRUE(sim.add_range(mapped(4 * kMiB, 6 * kMiB, kSimRangeWritesOnly)).ok());
    ASSERT_TRUE(sim.add_range(mapped(6 * kMiB, 7 * kMiB, kSimRangeOpaque)).ok());
    SchemeParams scheme;
    scheme.action = DamosAction::kPageout;
    ActionRequest request;
    request.scheme = &scheme;
    request.range = {4 * kMiB, 8 * kMiB};
    request.unseen = UnseenRule::kSpareUnseenReads;
    Outcome outcome = sim.apply(request);
    EXPECT_EQ(outcome.applied, 0u);
    EXPECT_TRUE(outcome.unseen_all(request.range.size())) << "what is behind it is no memory";
    request.range.start = 0;
    outcome = sim.apply(request);
    EXPECT_EQ(outcome.applied, 4 * kMiB);
    EXPECT_EQ(outcome.spared, 3 * kMiB);
    request.unseen = UnseenRule::kSpareUnknown;
    outcome = sim.apply(request);
    EXPECT_EQ(outcome.applied, 2 * kMiB);
    EXPECT_EQ(outcome.unseen, 1 * kMiB);
}

TEST(SimMemory, AccessesBringPagesBackAtTheirRate) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 10 * kMiB)).ok());
    ASSERT_TRUE(sim.add_pattern(constant(0, 10 * kMiB, 1'000)).ok());  // once a second
    EXPECT_EQ(act(sim, DamosAction::kPageout, 0, 10 * kMiB).applied, 10 * kMiB);
    sim.set_now(kSecond);
    const double back = static_cast<double>(sim.stat().refault_bytes) / (10 * kMiB);
    EXPECT_NEAR(back, 1 - std::exp(-1), 1e-6);
    EXPECT_EQ(sim.stat().resident_bytes, sim.stat().refault_bytes);
    // Looking often changes nothing.
    for (uint64_t now = kSecond; now < 2 * kSecond; now += 1'000) {
        sim.set_now(now);
        ASSERT_EQ(sim.stat().evicted_bytes + sim.stat().resident_bytes, 10 * kMiB);
    }
    sim.set_now(60 * kSecond);
    EXPECT_EQ(sim.stat().resident_bytes, 10 * kMiB);
    EXPECT_EQ(sim.stat().refault_bytes, 10 * kMiB);
    EXPECT_EQ(sim.stat().stall_ns, 2560 * sim.memory().machine().refault_ns);
}

TEST(SimMemory, PressureIsTheStallOfRefaults) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    ASSERT_TRUE(sim.add_pattern(constant(0, 4 * kMiB, kU64Max)).ok());
    act(sim, DamosAction::kPageout, 0, 4 * kMiB);
    sim.set_now(1);
    MetricQuery query;
    query.metric = QuotaMetric::kSomeMemPsiUs;
    sim.measure({&query, 1});
    EXPECT_TRUE(query.answered);
    EXPECT_EQ(query.answer, 1'024 * sim.memory().machine().refault_ns / 1'000);
}

TEST(SimMemory, AnonymousMemoryNeedsSwap) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    ASSERT_TRUE(sim.add_range(mapped(8 * kMiB, 12 * kMiB, kSimRangeFile)).ok());
    SimMachine machine;
    machine.swap_bytes = kMiB;
    ASSERT_TRUE(sim.set_machine(machine).ok());
    EXPECT_EQ(act(sim, DamosAction::kPageout, 0, 4 * kMiB).applied, kMiB);
    EXPECT_EQ(act(sim, DamosAction::kPageout, 0, 4 * kMiB).applied, 0u);
    EXPECT_EQ(act(sim, DamosAction::kPageout, 8 * kMiB, 12 * kMiB).applied, 4 * kMiB);
    EXPECT_EQ(sim.stat().swapped_bytes, kMiB);
    EXPECT_EQ(act(sim, DamosAction::kWillneed, 0, 4 * kMiB).applied, kMiB);
    EXPECT_EQ(act(sim, DamosAction::kPageout, 0, kMiB).applied, kMiB);
}

TEST(SimMemory, LockedMemoryRefuses) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB, kSimRangeLocked)).ok());
    for (const DamosAction action : {DamosAction::kPageout, DamosAction::kCold, DamosAction::kLruDeprio}) {
        EXPECT_EQ(act(sim, action, 0, 4 * kMiB).applied, 0u);
    }
    EXPECT_EQ(sim.stat().resident_bytes, 4 * kMiB);
}

TEST(SimMemory, AccessedMemoryIsActiveUntilAged) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 8 * kMiB)).ok());
    ASSERT_TRUE(sim.add_pattern(constant(0, 2 * kMiB, 1'000'000)).ok());
    EXPECT_EQ(sim.stat().active_bytes, 0u);
    sim.set_now(kSecond);
    EXPECT_EQ(sim.stat().active_bytes, 2 * kMiB);
    act(sim, DamosAction::kCold, 0, 8 * kMiB);
    EXPECT_EQ(sim.stat().active_bytes, 0u);
    sim.set_now(2 * kSecond);
    EXPECT_EQ(sim.stat().active_bytes, 2 * kMiB);
    act(sim, DamosAction::kLruPrio, 4 * kMiB, 8 * kMiB);
    MetricQuery query;
    query.metric = QuotaMetric::kActiveMemBp;
    sim.measure({&query, 1});
    EXPECT_EQ(query.answer, 7'500u);
    query.metric = QuotaMetric::kInactiveMemBp;
    sim.measure({&query, 1});
    EXPECT_EQ(query.answer, 2'500u);
}

TEST(SimMemory, UntouchedMemoryIsPopulatedByAccesses) {
    SimOps sim;
    SimRange sparse = mapped(0, uint64_t{1} << 40);
    sparse.resident_bp = 0;
    ASSERT_TRUE(sim.add_range(sparse).ok());
    ASSERT_TRUE(sim.add_pattern(constant(uint64_t{1} << 30, (uint64_t{1} << 30) + kMiB, 1'000'000)).ok());
    EXPECT_EQ(sim.stat().resident_bytes, 0u);
    EXPECT_EQ(sim.free_memory_permil(), 1'000);
    sim.set_now(3'600 * kSecond);
    EXPECT_EQ(sim.stat().resident_bytes, kMiB);
    EXPECT_EQ(sim.stat().fault_bytes, kMiB);
    EXPECT_EQ(sim.stat().refault_bytes, 0u);
    EXPECT_EQ(sim.memory().nr_extents(), 3u);
}

TEST(SimMemory, MigrationMovesWhatFits) {
    SimOps sim;
    SimMachine machine;
    machine.nr_nodes = 2;
    machine.node_bytes[0] = 64 * kMiB;
    machine.node_bytes[1] = 6 * kMiB;
    ASSERT_TRUE(sim.set_machine(machine).ok());
    ASSERT_TRUE(sim.add_range(mapped(0, 16 * kMiB)).ok());
    SchemeParams scheme;
    scheme.action = DamosAction::kMigrateCold;
    scheme.target_nid = 1;
    EXPECT_EQ(act(sim, scheme, 0, 4 * kMiB).applied, 4 * kMiB);
    EXPECT_EQ(act(sim, scheme, 4 * kMiB, 16 * kMiB).applied, 2 * kMiB);
    EXPECT_EQ(act(sim, scheme, 4 * kMiB, 16 * kMiB).applied, 0u);
    EXPECT_EQ(sim.stat().node_used_bytes[1], 6 * kMiB);
    MetricQuery query;
    query.metric = QuotaMetric::kNodeMemFreeBp;
    query.nid = 0;
    sim.measure({&query, 1});
    EXPECT_EQ(query.answer, 8'437u);  // 54 of 64 MiB
    query.nid = 5;
    sim.measure({&query, 1});
    EXPECT_EQ(query.answer, kBp);
    scheme.target_nid = 5;
    EXPECT_EQ(act(sim, scheme, 0, 16 * kMiB).applied, 0u);
}

TEST(SimMemory, DestinationsShareByWeight) {
    SimOps sim;
    SimMachine machine;
    machine.nr_nodes = 3;
    for (uint64_t& bytes : machine.node_bytes) bytes = 64 * kMiB;
    ASSERT_TRUE(sim.set_machine(machine).ok());
    ASSERT_TRUE(sim.add_range(mapped(0, 16 * kMiB)).ok());
    SchemeParams scheme;
    scheme.action = DamosAction::kMigrateHot;
    ASSERT_TRUE(scheme.migrate_dests.push_back({.nid = 1, .weight = 3}));
    ASSERT_TRUE(scheme.migrate_dests.push_back({.nid = 2, .weight = 1}));
    EXPECT_EQ(act(sim, scheme, 0, 16 * kMiB).applied, 16 * kMiB);
    EXPECT_EQ(sim.stat().node_used_bytes[0], 0u);
    EXPECT_EQ(sim.stat().node_used_bytes[1], 12 * kMiB);
    EXPECT_EQ(sim.stat().node_used_bytes[2], 4 * kMiB);
}

TEST(SimMemory, CollapseFillsWholeHugePages) {
    SimOps sim;
    SimRange sparse = mapped(0, 8 * kMiB);
    sparse.resident_bp = 2'500;
    ASSERT_TRUE(sim.add_range(sparse).ok());
    EXPECT_EQ(act(sim, DamosAction::kHugepage, 0, 8 * kMiB).applied, 0u);  // holes: khugepaged leaves it
    EXPECT_EQ(act(sim, DamosAction::kCollapse, kMiB, 7 * kMiB).applied, 4 * kMiB);
    EXPECT_EQ(sim.stat().huge_bytes, 4 * kMiB);
    EXPECT_EQ(sim.stat().resident_bytes, 5 * kMiB);
    EXPECT_EQ(act(sim, DamosAction::kNohugepage, 0, 8 * kMiB).applied, 4 * kMiB);
    EXPECT_EQ(sim.stat().huge_bytes, 0u);
}

TEST(SimMemory, OpsFiltersChooseByProperty) {
    SimOps sim;
    SimRange file = mapped(4 * kMiB, 8 * kMiB, kSimRangeFile);
    file.memcg_id = 3;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    ASSERT_TRUE(sim.add_range(file).ok());
    ASSERT_TRUE(sim.add_pattern(constant(0, kMiB, 1'000'000)).ok());
    sim.set_now(kSecond);
    SchemeParams scheme;
    scheme.action = DamosAction::kStat;
    ASSERT_TRUE(scheme.ops_filters.resize(1));
    DamosFilter& filter = scheme.ops_filters[0];
    filter.matching = true;
    filter.allow = true;
    ActionRequest request;
    request.scheme = &scheme;
    request.range = {0, 8 * kMiB};
    request.ops_filters_default_reject = true;
    const auto passed = [&](FilterType type) {
        filter.type = type;
        return sim.apply(request).filter_passed;
    };
    EXPECT_EQ(passed(FilterType::kAnon), 4 * kMiB);
    EXPECT_EQ(passed(FilterType::kYoung), kMiB);
    EXPECT_EQ(passed(FilterType::kActive), kMiB);
    EXPECT_EQ(passed(FilterType::kUnmapped), 0u);
    filter.memcg_id = 3;
    EXPECT_EQ(passed(FilterType::kMemcg), 4 * kMiB);
    filter.range = {4096, 4096};
    EXPECT_EQ(passed(FilterType::kHugepageSize), 8 * kMiB);
    request.core_filters_allowed = true;  // S-32
    EXPECT_EQ(passed(FilterType::kUnmapped), 8 * kMiB);
}

TEST(SimMemory, ActionsTakeTheTimeOfTheirPages) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    const Outcome outcome = act(sim, DamosAction::kPageout, 0, 4 * kMiB);
    EXPECT_EQ(outcome.elapsed_ns, 1'024 * sim.memory().machine().action_ns[2]);
    EXPECT_EQ(act(sim, DamosAction::kPageout, 0, 4 * kMiB).elapsed_ns, 0u);
    EXPECT_EQ(sim.stat().action_ns, outcome.elapsed_ns);
    EXPECT_EQ(sim.stat().nr_actions, 2u);
}

TEST(SimMemory, UnalignedRequestsRoundUpToPages) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, kMiB)).ok());
    EXPECT_EQ(act(sim, DamosAction::kPageout, 1, 4097).applied, 4096u);  // S-4
    Extent extent;
    ASSERT_TRUE(sim.memory().extent_at(0, 0, 0, extent));
    EXPECT_EQ(extent.evicted, 0u);
    ASSERT_TRUE(sim.memory().extent_at(0, 4096, 0, extent));
    EXPECT_EQ(extent.evicted, 4096u);
}

TEST(SimMemory, ANewPatternCountsFromNowOn) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    act(sim, DamosAction::kPageout, 0, 4 * kMiB);
    sim.set_now(10 * kSecond);
    ASSERT_TRUE(sim.add_pattern(constant(kMiB, 2 * kMiB, kU64Max)).ok());
    EXPECT_EQ(sim.stat().refault_bytes, 0u);
    sim.set_now(11 * kSecond);
    EXPECT_EQ(sim.stat().refault_bytes, kMiB);
    EXPECT_EQ(sim.stat().evicted_bytes, 3 * kMiB);
}

TEST(SimMemory, CutsHealWhenTheyMeanNothing) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 4 * kMiB)).ok());
    for (uint64_t start = 0; start < 4 * kMiB; start += 64 * 1024) {
        act(sim, DamosAction::kPageout, start, start + 64 * 1024);
        ASSERT_LE(sim.memory().nr_extents(), 2u);
    }
    EXPECT_EQ(sim.memory().nr_extents(), 1u);
}

// Any sequence of actions and waits keeps the books: every byte is present, paged out or untouched.
TEST(SimMemory, NoByteIsLostInAnySequence) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        Random random(seed);
        SimOps sim(seed);
        SimMachine machine;
        machine.nr_nodes = 2;
        machine.node_bytes[1] = 20 * kMiB;
        machine.swap_bytes = random.between(0, 2) == 0 ? UINT64_MAX : 9 * kMiB;
        ASSERT_TRUE(sim.set_machine(machine).ok());
        SimRange sparse = mapped(0, 32 * kMiB);
        sparse.resident_bp = 5'000;
        ASSERT_TRUE(sim.add_range(sparse).ok());
        ASSERT_TRUE(sim.add_range(mapped(40 * kMiB, 64 * kMiB, kSimRangeFile)).ok());
        SimPattern moving = constant(0, 32 * kMiB, 3'000);
        moving.kind = SimPatternKind::kMoving;
        moving.period_us = 7 * kSecond;
        moving.window_bytes = 3 * kMiB;
        ASSERT_TRUE(sim.add_pattern(moving).ok());
        ASSERT_TRUE(sim.add_pattern(constant(44 * kMiB, 50 * kMiB, 300)).ok());
        SimStat before;
        for (int step = 0; step < 400; ++step) {
            sim.set_now(sim.now_us() + random.between(0, kSecond));
            SchemeParams scheme;
            scheme.action = static_cast<DamosAction>(random.between(0, kNrDamosActions));
            scheme.target_nid = static_cast<int32_t>(random.between(0, 2));
            const uint64_t start = 4096 * random.between(0, 16 * 1024);
            act(sim, scheme, start, start + 4096 * random.between(1, 4096));
            const SimStat now = sim.stat();
            ASSERT_TRUE(sim.memory().is_valid()) << step;
            ASSERT_EQ(now.resident_bytes + now.evicted_bytes + now.untouched_bytes, 56 * kMiB) << step;
            ASSERT_EQ(now.node_used_bytes[0] + now.node_used_bytes[1], now.resident_bytes) << step;
            ASSERT_LE(now.swapped_bytes, machine.swap_bytes) << step;
            ASSERT_GE(now.refault_bytes, before.refault_bytes) << step;
            ASSERT_GE(now.fault_bytes, before.fault_bytes) << step;
            ASSERT_LE(now.active_bytes, now.resident_bytes) << step;
            before = now;
        }
    }
}

TEST(SimMemory, TooManyExtentsAreJoinedAndNothingIsLost) {
    SimOps sim;
    ASSERT_TRUE(sim.add_range(mapped(0, 1'024 * kMiB)).ok());
    for (uint64_t page = 0; page < 2 * SimMemory::kMaxExtents; page += 2) {
        act(sim, DamosAction::kPageout, page * 4096, page * 4096 + 4096);
        ASSERT_LE(sim.memory().nr_extents(), SimMemory::kMaxExtents);
    }
    // Averaging spreads what is out over its neighbours, so a page may find itself out in part already.
    const SimStat stat = sim.stat();
    EXPECT_EQ(stat.evicted_bytes, stat.paged_out_bytes);
    EXPECT_EQ(stat.evicted_bytes + stat.resident_bytes, 1'024 * kMiB);
    EXPECT_LE(stat.evicted_bytes, SimMemory::kMaxExtents * 4096);
    EXPECT_GE(stat.evicted_bytes, SimMemory::kMaxExtents * 4096 / 100 * 90);
    EXPECT_TRUE(sim.memory().is_valid());
}

}  // namespace
}  // namespace damon
