// Every system call of the actions may fail, at any point: nothing is claimed that was not done, and no byte changes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "acted_on.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"
#include "os/syscalls.h"

namespace damon::test {
namespace {

std::atomic<int> calls_made;
std::atomic<int> failing_call;  // 0: none
std::atomic<int> error_given;

int fail_one(sys::Call) { return ++calls_made == failing_call ? error_given.load() : 0; }

class FailingActions : public testing::TestWithParam<DamosAction> {
protected:
    void TearDown() override { sys::set_fault_hook(nullptr); }

    // One action on the memory with the nth call failing; how many calls there were.
    int act(AddressRange range, int nth, int error) {
        Acting acting(GetParam());
        acting.scheme.target_nid = 0;
        acting.filter(FilterType::kAnon, true, true);
        calls_made = 0;
        failing_call = nth;
        error_given = error;
        sys::set_fault_hook(fail_one);
        const Outcome outcome = acting.apply(range);
        sys::set_fault_hook(nullptr);
        EXPECT_LE(outcome.applied, range.size());
        EXPECT_LE(outcome.filter_passed, range.size());
        return calls_made;
    }
};

TEST_P(FailingActions, ClaimNothingAndChangeNothing) {
    const PageSizes sizes = read_page_sizes();
    Memory memory(3 * sizes.huge_bytes / page_bytes(), Kind::kAnonymous, sizes.huge_bytes);
    memory.fill();
    // A mapping of its own in the middle.
    ASSERT_EQ(madvise(memory.data(700), 100 * page_bytes(), MADV_DONTDUMP), 0);
    const int nr_calls = act(memory.range(), 0, 0);
    ASSERT_GT(nr_calls, 2);
    for (const int error : {EPERM, EINVAL, ENOMEM, EAGAIN, ENOSYS}) {
        for (int nth = 1; nth <= nr_calls; ++nth) act(memory.range(), nth, error);
    }
    EXPECT_TRUE(memory.is_as_filled());
}

INSTANTIATE_TEST_SUITE_P(All, FailingActions,
                         testing::Values(DamosAction::kWillneed, DamosAction::kCold, DamosAction::kPageout,
                                         DamosAction::kHugepage, DamosAction::kNohugepage, DamosAction::kCollapse,
                                         DamosAction::kLruDeprio, DamosAction::kMigrateHot, DamosAction::kStat),
                         [](const auto& tested) { return "Action" + std::to_string(static_cast<int>(tested.param)); });

TEST(RefusedBatches, AreDoneOneByOne) {
    Memory memory(64);
    for (size_t page = 0; page < 64; page += 2) memory.data(page)[0] = 1;
    const auto refuse = [](sys::Call call) { return call == sys::Call::kProcessMadvise ? EPERM : 0; };
    for (const bool refused : {false, true}) {
        Acting cold(DamosAction::kCold);
        sys::set_fault_hook(refused ? +refuse : nullptr);
        EXPECT_EQ(cold.apply(memory.range()).applied, 32 * page_bytes());
        sys::set_fault_hook(nullptr);
    }
}

// Before Linux 6.7 the page tables are read entry by entry, before 6.11 mappings are read as text. An emulator of user
// space (qemu) refuses these requests with ENOSYS.
TEST(OldKernels, TellTheSameOfPresence) {
    Memory memory(2000);
    for (size_t page = 0; page < 2000; page += 3) memory.data(page)[0] = 1;
    const auto refuse = [](sys::Call call) { return call == sys::Call::kIoctl ? ENOTTY : 0; };
    const auto emulate = [](sys::Call call) { return call == sys::Call::kIoctl ? ENOSYS : 0; };
    for (const sys::FaultHook hook : {sys::FaultHook{nullptr}, +refuse, +emulate}) {
        sys::set_fault_hook(hook);
        Acting cold(DamosAction::kCold);
        EXPECT_EQ(cold.apply(memory.range()).applied, 667 * page_bytes());
        EXPECT_EQ(cold.skipped(Skip::kAbsent), 1333 * page_bytes());
        sys::set_fault_hook(nullptr);
    }
}

TEST(OldKernels, FindTheMappingOfAnAddress) {
    Memory memory(3);
    const auto refuse = [](sys::Call call) { return call == sys::Call::kIoctl ? ENOTTY : 0; };
    const auto emulate = [](sys::Call call) { return call == sys::Call::kIoctl ? ENOSYS : 0; };
    for (const sys::FaultHook hook : {sys::FaultHook{nullptr}, +refuse, +emulate}) {
        sys::set_fault_hook(hook);
        ProcMaps maps;
        Mapping mapping;
        EXPECT_EQ(maps.open(getpid()), 0);
        EXPECT_EQ(maps.find(memory.range().start, mapping), 0);
        EXPECT_TRUE(mapping.range.contains(memory.range().start));
        EXPECT_TRUE(mapping.writable);
        sys::set_fault_hook(nullptr);
    }
}

}  // namespace
}  // namespace damon::test
