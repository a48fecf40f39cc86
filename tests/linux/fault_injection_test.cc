// Every system call made to fail in turn, with every error that it may give: no crash, no data lost, no untrue answer.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>

#include "base/heap.h"
#include "ops/linux/registration/declared_ranges.h"
#include "os/syscalls.h"
#include "support/heap_fault.h"
#include "watched.h"

namespace damon::test {
namespace {

std::atomic<int64_t> calls_left;
std::atomic<int> injected_error;

int fail_the_chosen_call(sys::Call) { return calls_left.fetch_sub(1) == 0 ? injected_error.load() : 0; }
int fail_from_the_chosen_call_on(sys::Call) { return calls_left.fetch_sub(1) <= 0 ? injected_error.load() : 0; }

class Injection {
public:
    Injection(int64_t call, int error, bool all_later_too = false) {
        calls_left = call;
        injected_error = error;
        sys::set_fault_hook(all_later_too ? fail_from_the_chosen_call_on : fail_the_chosen_call);
    }
    ~Injection() { sys::set_fault_hook(nullptr); }
    bool hit() const { return calls_left.load() < 0; }
};

// Anonymous and declared shared memory through a whole life of a checker. Every answer must be true or unknown.
void live(AccessCheck choice, const Memory& anonymous, const Memory& shared) {
    AccessChecker checker;
    if (!checker.start(choice, 100).ok()) return;
    auto of_anonymous = anonymous.samples();
    auto of_shared = shared.samples({0, 16, 32, 48});
    for (int round = 0; round < 2; ++round) {
        checker.arm(of_anonymous);
        anonymous.write(1);
        checker.look(of_anonymous);
        for (size_t page = 0; page < of_anonymous.size(); ++page) {
            EXPECT_NE(of_anonymous[page].seen, page == 1 ? Seen::kNo : Seen::kYes) << page;
        }
        checker.arm(of_shared);
        shared.write(32);
        checker.look(of_shared);
        for (size_t i = 0; i < of_shared.size(); ++i) {
            EXPECT_NE(of_shared[i].seen, i == 2 ? Seen::kNo : Seen::kYes) << i;
        }
        checker.refresh();
    }
    checker.disarm();
    checker.stop();
}

class FaultInjection : public testing::TestWithParam<int> {
protected:
    FaultInjection() {
        anonymous_.fill();
        shared_.fill();
        EXPECT_EQ(shared_declare(shared_.range()), 0);
    }
    ~FaultInjection() override { EXPECT_EQ(shared_withdraw(shared_.range()), 0); }

    Memory anonymous_{4};
    Memory shared_{64, Kind::kShared};
};

constexpr int kErrors[] = {EPERM, EACCES, EINVAL, ENOMEM, EAGAIN, ENOENT, EBUSY, EFAULT, ENOTTY, EMFILE, ENOSYS, EIO};
INSTANTIATE_TEST_SUITE_P(Errors, FaultInjection, testing::ValuesIn(kErrors),
                         [](const auto& error) { return std::string(strerrorname_np(error.param)); });

TEST_P(FaultInjection, NoSingleFailureHurts) {
    const size_t heap_before = heap_bytes_in_use();
    bool hit = true;
    int64_t call = 0;
    for (; hit; ++call) {
        const Injection injection(call, GetParam());
        live(AccessCheck::kAuto, anonymous_, shared_);
        hit = injection.hit();
        ASSERT_TRUE(anonymous_.is_as_filled()) << "call " << call;
        ASSERT_TRUE(shared_.is_as_filled()) << "call " << call;
        ASSERT_EQ(heap_bytes_in_use(), heap_before) << "call " << call;
        if (HasFailure()) FAIL() << "call " << call;
    }
    EXPECT_GT(call, 50);  // all of it was gone through
    // Nothing was left registered or armed, and it still works.
    live(AccessCheck::kAuto, anonymous_, shared_);
}

TEST_P(FaultInjection, NoLastingFailureHurts) {
    bool hit = true;
    for (int64_t call = 0; hit; ++call) {
        const Injection injection(call, GetParam(), true);
        live(AccessCheck::kAuto, anonymous_, shared_);
        hit = injection.hit();
        ASSERT_TRUE(anonymous_.is_as_filled()) << "call " << call;
        ASSERT_TRUE(shared_.is_as_filled()) << "call " << call;
        if (HasFailure()) FAIL() << "call " << call;
    }
}

TEST_P(FaultInjection, ProbesAnswerWhateverFails) {
    for (int32_t id = 0; id < kNrAccessChecks; ++id) {
        bool hit = true;
        for (int64_t call = 0; hit; ++call) {
            const Injection injection(call, GetParam(), true);
            const AccessCheckProbe probe = access_check_probe(id);
            hit = injection.hit();
            EXPECT_EQ(probe.available, probe.error == 0);
            EXPECT_NE(probe.reason[0], 0);
        }
    }
}

TEST(FaultInjectionOfSharedMemory, MappingFailsWholeOrNotAtAll) {
    const size_t heap_before = heap_bytes_in_use();
    bool hit = true;
    for (int64_t call = 0; hit; ++call) {
        const Injection injection(call, ENOMEM);
        int error = 0;
        void* memory = shared_map(8 * page_bytes(), error);
        hit = injection.hit();
        if (memory == nullptr) {
            EXPECT_LT(error, 0) << call;
            continue;
        }
        sys::set_fault_hook(nullptr);
        EXPECT_EQ(shared_unmap(memory, 8 * page_bytes()), 0);
    }
    EXPECT_EQ(heap_bytes_in_use(), heap_before);
}

TEST(FaultInjectionOfTheHeap, StartingFailsWholeAndHoldsNothing) {
    const size_t heap_before = heap_bytes_in_use();
    Memory memory(4);
    memory.fill();
    Memory shared(64, Kind::kShared);
    bool hit = true;
    for (uint64_t allocation = 0; hit; ++allocation) {
        const HeapFault fault(allocation);
        live(AccessCheck::kUffdWp, memory, shared);
        hit = fault.hit();
        ASSERT_EQ(heap_bytes_in_use(), heap_before) << allocation;
    }
}

// Fact 2: the weakest descriptor that the system gives is taken, whichever it is.
std::atomic<int> refused_descriptors;
int refuse_descriptors(sys::Call call) {
    return call == sys::Call::kUserfaultfd && refused_descriptors.fetch_sub(1) > 0 ? EPERM : 0;
}

TEST(OpeningOrder, FallsFromUserModeToPlainToTheDevice) {
    if (!access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp)).available) return;
    // Opened twice: once to ask, once to use.
    for (const int refused : {1, 4}) {
        refused_descriptors = refused;
        sys::set_fault_hook(refuse_descriptors);
        const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp));
        sys::set_fault_hook(nullptr);
        // The plain system call is root's; the device may not be there, or may not be ours.
        const bool expected = refused == 1 ? geteuid() == 0 : access("/dev/userfaultfd", R_OK | W_OK) == 0;
        EXPECT_EQ(probe.available, expected) << refused << ": " << probe.reason;
        EXPECT_EQ(probe.error, expected ? 0 : EPERM);
    }
}

}  // namespace
}  // namespace damon::test
