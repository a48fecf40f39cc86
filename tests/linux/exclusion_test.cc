// The program keeps the library away from a range: when exclude_range has returned no mark, no registration and no
// action touches it, whatever the contexts do.
#include "ops/linux/registration/exclusion.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "damon_c.h"
#include "ops/linux/vaddr.h"
#include "os/syscalls.h"
#include "watched.h"

namespace damon::test {
namespace {

// Pages of the range that the program's own scan of written pages would tell, and whether any is registered.
struct HostsScan {
    size_t nr_written = 0;
    size_t nr_registered = 0;
};

HostsScan scan_as_host(const Memory& memory, size_t first, size_t last) {
    PageScan scan;
    EXPECT_EQ(scan.open(page_bytes()), 0);
    HostsScan result;
    for (size_t page = first; page < last; ++page) {
        const uint64_t address = memory.address(page);
        uint32_t state = 0;
        scan.look({&address, 1}, {&state, 1});
        result.nr_written += (state & uapi::kPageWritten) != 0;
        result.nr_registered += (state & uapi::kPageWpAllowed) != 0;
    }
    return result;
}

// What the same scan says of so many written pages that nobody ever watched: kernels differ in that.
size_t written_of_unwatched(size_t nr_pages) {
    Memory memory(nr_pages);
    memory.fill();
    return scan_as_host(memory, 0, nr_pages).nr_written;
}

// Ends a thread also where an assertion leaves the test.
struct Ending {
    std::atomic<bool>& quit;
    std::thread& thread;
    ~Ending() {
        quit = true;
        thread.join();
    }
};

class Excluding : public testing::Test {
protected:
    Excluding() { memory_.fill(); }
    AddressRange pages(size_t first, size_t last) const { return {memory_.address(first), memory_.address(last)}; }

    Checker checker_{AccessCheck::kUffdWp};
    Memory memory_{64};
};

TEST_F(Excluding, MarksAndRegistrationsAreGoneWhenItReturns) {
    if (!checker_.works()) return;
    auto samples = memory_.samples();
    checker_->arm(samples);
    EXPECT_EQ(scan_as_host(memory_, 0, 64).nr_written, 0u);
    ASSERT_EQ(exclude_range(pages(16, 32)), 0);
    const HostsScan inside = scan_as_host(memory_, 16, 32);
    EXPECT_EQ(inside.nr_written, written_of_unwatched(16));
    EXPECT_EQ(inside.nr_registered, 0u);
    EXPECT_EQ(scan_as_host(memory_, 0, 16).nr_registered, 16u);
    EXPECT_EQ(scan_as_host(memory_, 32, 64).nr_registered, 32u);
    EXPECT_EQ(include_range(pages(16, 32)), 0);
}

TEST_F(Excluding, SamplesInsideSayWhyAndThoseAroundAreExact) {
    if (!checker_.works()) return;
    auto samples = memory_.samples({0, 15, 16, 31, 32, 63});
    checker_->arm(samples);
    ASSERT_EQ(exclude_range(pages(16, 32)), 0);
    for (int round = 0; round < 3; ++round) {
        if (round != 0) {
            checker_->arm(samples);
            memory_.write(15);
            memory_.write(31);
        }
        checker_->look(samples);
        EXPECT_EQ(answers(samples), round == 0 ? "??????" : "ny??nn") << "an interval is lost";
        EXPECT_EQ(samples[2].seen, Seen::kUnknown);
        EXPECT_EQ(samples[2].unknown, Unknown::kExcluded);
        EXPECT_EQ(scan_as_host(memory_, 16, 32).nr_registered, 0u);
        checker_->refresh();
    }
    EXPECT_EQ(include_range(pages(16, 32)), 0);
    checker_->refresh();
    checker_->arm(samples);
    memory_.write(31);
    checker_->look(samples);
    EXPECT_EQ(answers(samples), "nnnynn");
    EXPECT_TRUE(memory_.is_as_filled());
}

TEST_F(Excluding, IsCounted) {
    if (!checker_.works()) return;
    auto samples = memory_.samples({20});
    ASSERT_EQ(exclude_range(pages(16, 32)), 0);
    ASSERT_EQ(exclude_range(pages(16, 32)), 0);
    ASSERT_EQ(include_range(pages(16, 32)), 0);
    checker_->arm(samples);
    checker_->look(samples);
    EXPECT_EQ(answers(samples), "?");
    ASSERT_EQ(include_range(pages(16, 32)), 0);
    checker_->arm(samples);
    checker_->look(samples);
    EXPECT_EQ(answers(samples), "n");
    EXPECT_EQ(include_range(pages(16, 32)), -ENOENT);
    EXPECT_FALSE(any_excluded());
}

TEST_F(Excluding, RefusesWhatIsNoWholePages) {
    EXPECT_EQ(exclude_range({}), -EINVAL);
    EXPECT_EQ(exclude_range({memory_.address(0) + 1, memory_.address(1)}), -EINVAL);
    EXPECT_EQ(include_range({memory_.address(0), memory_.address(1) - 1}), -EINVAL);
    EXPECT_EQ(include_range(pages(0, 1)), -ENOENT);
}

TEST_F(Excluding, WaitsForTheCallsThatAreUnderWay) {
    Exclusion at_work;
    ASSERT_TRUE(at_work.join_group());
    at_work.enter();
    std::atomic<bool> excluded{false};
    std::thread thread([this, &excluded] {
        EXPECT_EQ(exclude_range(pages(16, 32)), 0);
        excluded = true;
    });
    for (int ms = 0; !any_excluded() && ms < 60'000; ++ms) usleep(1000);  // it has come to where it waits
    usleep(50'000);                                                       // and would return
    EXPECT_FALSE(excluded);
    at_work.exit();
    thread.join();
    EXPECT_TRUE(excluded);
    EXPECT_EQ(include_range(pages(16, 32)), 0);
}

TEST_F(Excluding, ContextsThatSampleAllTheTimeKeepOutAtEveryMoment) {
    if (!checker_.works()) return;
    const size_t nr_written = written_of_unwatched(32);
    std::atomic<bool> quit{false};
    std::thread worker([this, &quit] {
        auto samples = memory_.samples();
        while (!quit) {
            checker_->arm(samples);
            checker_->look(samples);
        }
    });
    const Ending ending{quit, worker};
    for (int round = 0; round < 50; ++round) {
        ASSERT_EQ(exclude_range(pages(8, 40)), 0);
        for (int look = 0; look < 5; ++look) {
            const HostsScan inside = scan_as_host(memory_, 8, 40);
            ASSERT_EQ(inside.nr_written, nr_written) << "round " << round;
            ASSERT_EQ(inside.nr_registered, 0u) << "round " << round;
        }
        ASSERT_EQ(include_range(pages(8, 40)), 0);
    }
    EXPECT_TRUE(memory_.is_as_filled());
}

// The program's own registration of pages, which nobody else may touch meanwhile.
bool register_as_host(AddressRange range) {
    const auto fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | uapi::kUffdUserModeOnly));
    uapi::UffdApi api;
    uapi::UffdRegister request{.range = {range.start, range.size()}, .mode = uapi::kRegisterModeWp};
    const bool done = ioctl(fd, uapi::kUffdioApi, &api) == 0 && ioctl(fd, uapi::kUffdioRegister, &request) == 0;
    close(fd);
    return done;
}

// A registration of the program's own, for asynchronous write protection, with all of its present pages protected.
class HostsProtection {
public:
    explicit HostsProtection(AddressRange range)
        : fd_(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | uapi::kUffdUserModeOnly))) {
        uapi::UffdApi api;
        api.features = uapi::kFeatureWpAsync;
        uapi::UffdRegister request{.range = {range.start, range.size()}, .mode = uapi::kRegisterModeWp};
        uapi::UffdProtect protect;
        protect.range = {range.start, range.size()};
        protect.mode = 1;  // UFFDIO_WRITEPROTECT_MODE_WP
        works_ = ioctl(fd_, uapi::kUffdioApi, &api) == 0 && ioctl(fd_, uapi::kUffdioRegister, &request) == 0 &&
                 ioctl(fd_, uapi::kUffdioWriteprotect, &protect) == 0;
    }
    ~HostsProtection() { close(fd_); }
    HostsProtection(const HostsProtection&) = delete;
    HostsProtection& operator=(const HostsProtection&) = delete;
    bool works() const { return works_; }

private:
    int fd_;
    bool works_ = false;
};

// The program may register memory while it is excluded, and include it again: it is the program's from then on.
TEST_F(Excluding, WhatTheProgramRegisteredMeanwhileIsNotTouchedWhenItIsIncluded) {
    if (!checker_.works()) return;
    auto samples = memory_.samples();
    for (const bool armed : {false, true}) {
        checker_->arm(samples);
        if (!armed) checker_->look(samples);
        ASSERT_EQ(exclude_range(pages(16, 32)), 0);
        {
            const HostsProtection own(pages(16, 32));
            ASSERT_TRUE(own.works());
            ASSERT_EQ(scan_as_host(memory_, 16, 32).nr_written, 0u);
            ASSERT_EQ(include_range(pages(16, 32)), 0);
            memory_.write(20);
            if (armed) checker_->look(samples);
            for (int round = 0; round < 3; ++round) {
                checker_->arm(samples);
                checker_->look(samples);
                EXPECT_EQ(answers(samples).substr(16, 16), std::string(16, '?')) << "the program's own";
            }
            EXPECT_EQ(answers(samples).substr(0, 16), std::string(16, 'n'));
            EXPECT_EQ(scan_as_host(memory_, 16, 32).nr_written, 1u) << "what it wrote to, and nothing else";
            EXPECT_EQ(scan_as_host(memory_, 20, 21).nr_written, 1u);
        }
        checker_->refresh();
    }
}

AddressRange pages_of_the_host;
size_t nr_tried = 0;
size_t nr_refused = 0;

int register_before_each_call(sys::Call call) {
    if (call != sys::Call::kIoctl) return 0;
    ++nr_tried;
    nr_refused += !register_as_host(pages_of_the_host);
    return 0;
}

// Giving back what is registered proves first whose it is, by registering it.
TEST_F(Excluding, IsCompleteAlsoWhileMoreIsExcludedAroundIt) {
    if (!checker_.works()) return;
    auto samples = memory_.samples();
    checker_->arm(samples);
    pages_of_the_host = pages(16, 32);
    ASSERT_EQ(exclude_range(pages_of_the_host), 0);
    nr_tried = nr_refused = 0;
    sys::set_fault_hook(register_before_each_call);
    EXPECT_EQ(exclude_range(pages(0, 64)), 0);
    sys::set_fault_hook(nullptr);
    EXPECT_GT(nr_tried, 0u);
    EXPECT_EQ(nr_refused, 0u);
    EXPECT_EQ(scan_as_host(memory_, 0, 64).nr_registered, 0u);
    EXPECT_EQ(include_range(pages(0, 64)), 0);
    EXPECT_EQ(include_range(pages_of_the_host), 0);
}

std::atomic<bool> is_inside;
std::atomic<bool> is_cancelled;

int wait_for_the_cancellation(sys::Call) {
    is_inside = true;
    while (!is_cancelled) {
    }
    return 0;
}

void* exclude_and_include(void* memory) {
    sys::set_fault_hook(wait_for_the_cancellation);
    const size_t bytes = 64 * page_bytes();
    const bool done = damon_exclude(memory, bytes) == 0 && damon_include(memory, bytes) == 0;
    sys::set_fault_hook(nullptr);
    pthread_testcancel();
    return done ? nullptr : memory;
}

// A thread that is cancelled in the middle would leave the range to be released by nobody, and the next one waiting.
TEST(ExcludingThreads, AreNotCancelledInside) {
    const int result = in_child([]() -> int {
        alarm(20);
        Checker checker(AccessCheck::kUffdWp);
        if (!checker.works()) return 0;
        Memory memory(64);
        memory.fill();
        auto samples = memory.samples();
        checker->arm(samples);
        pthread_t thread;
        void* answer = nullptr;
        if (pthread_create(&thread, nullptr, exclude_and_include, memory.data()) != 0) return 1;
        while (!is_inside) std::this_thread::yield();
        pthread_cancel(thread);
        is_cancelled = true;
        if (pthread_join(thread, &answer) != 0 || answer != PTHREAD_CANCELED) return 2;
        sys::set_fault_hook(nullptr);
        if (damon_include(memory.data(), memory.bytes()) != -ENOENT) return 3;
        return damon_exclude(memory.data(), memory.bytes()) == 0 ? 0 : 4;
    });
    EXPECT_EQ(result, 0);
}

TEST(ExcludingActions, NoActionTouchesTheRange) {
    VaddrOps ops;
    Params params;
    TargetParams target;
    ASSERT_TRUE(params.targets.push_back(std::move(target)));
    if (!ops.start(params).ok()) return;
    Memory memory(64);
    memory.fill();
    SchemeParams scheme;
    scheme.action = DamosAction::kCold;
    ActionRequest request;
    request.scheme = &scheme;
    request.range = memory.range();
    const AddressRange excluded{memory.address(10), memory.address(30)};
    EXPECT_EQ(ops.apply(request).applied, memory.bytes());
    ASSERT_EQ(exclude_range(excluded), 0);
    EXPECT_EQ(ops.apply(request).applied, memory.bytes() - excluded.size());
    ASSERT_EQ(include_range(excluded), 0);
    EXPECT_EQ(ops.apply(request).applied, memory.bytes());
    ops.stop();
}

}  // namespace
}  // namespace damon::test
