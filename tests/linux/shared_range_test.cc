// Declared shared ranges (fact 5): the only memory whose page table entries a check may drop.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "ops/linux/registration/declared_ranges.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

AddressRange pages_of(const Memory& memory, size_t first, size_t end) {
    return {memory.address(first), memory.address(0) + end * page_bytes()};
}

TEST(SharedRanges, OnlySharedMappingsCanBeDeclared) {
    Memory shared(4, Kind::kShared);
    Memory anonymous(4);
    EXPECT_EQ(shared_declare(anonymous.range()), -ENODEV);
    // What the program wrote into a private mapping of a file would be dropped for good.
    const int file = memfd_create("private", MFD_CLOEXEC);
    ASSERT_EQ(ftruncate(file, static_cast<off_t>(4 * page_bytes())), 0);
    void* copy = mmap(nullptr, 4 * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    ASSERT_NE(copy, MAP_FAILED);
    const auto start = reinterpret_cast<uint64_t>(copy);
    EXPECT_EQ(shared_declare({start, start + 4 * page_bytes()}), -ENODEV);
    munmap(copy, 4 * page_bytes());
    close(file);
    EXPECT_EQ(shared_declare({shared.address(0) + 1, shared.address(2)}), -EINVAL);
    EXPECT_EQ(shared_declare({shared.address(2), shared.address(2)}), -EINVAL);
    EXPECT_EQ(shared_declare(shared.range()), 0);
    EXPECT_EQ(shared_declare(pages_of(shared, 1, 2)), -EEXIST);
    EXPECT_EQ(shared_withdraw(shared.range()), 0);
    ASSERT_EQ(munmap(shared.data(1), page_bytes()), 0);
    EXPECT_EQ(shared_declare(shared.range()), -ENODEV);
}

TEST(SharedRanges, CanBeWithdrawnInParts) {
    Memory memory(16, Kind::kShared);
    ASSERT_EQ(shared_declare(pages_of(memory, 0, 8)), 0);
    ASSERT_EQ(shared_declare(pages_of(memory, 8, 16)), 0);
    EXPECT_EQ(shared_withdraw(pages_of(memory, 4, 12)), 0);  // across both
    EXPECT_EQ(shared_withdraw(pages_of(memory, 3, 5)), -ENOENT);
    SharedPin pin;
    EXPECT_FALSE(pin.pin(memory.address(4)));
    EXPECT_FALSE(pin.pin(memory.address(11)));
    EXPECT_TRUE(pin.pin(memory.address(3)));
    EXPECT_EQ(pin.range(), pages_of(memory, 0, 4));
    EXPECT_TRUE(pin.pin(memory.address(12)));
    EXPECT_EQ(pin.range(), pages_of(memory, 12, 16));
    pin.unpin();
    EXPECT_EQ(shared_withdraw(pages_of(memory, 1, 2)), 0);  // from the middle
    EXPECT_EQ(shared_withdraw(pages_of(memory, 0, 1)), 0);
    EXPECT_EQ(shared_withdraw(pages_of(memory, 2, 4)), 0);
    EXPECT_EQ(shared_withdraw(pages_of(memory, 12, 16)), 0);
    EXPECT_EQ(shared_withdraw(pages_of(memory, 12, 16)), -ENOENT);
}

TEST(SharedRanges, ManyFitAndAllGoAgain) {
    Memory memory(1000, Kind::kShared);
    for (size_t page = 0; page < 1000; page += 2) ASSERT_EQ(shared_declare(pages_of(memory, page, page + 1)), 0);
    for (size_t page = 0; page < 1000; page += 2) ASSERT_EQ(shared_withdraw(pages_of(memory, page, page + 1)), 0);
}

TEST(SharedRanges, MapGivesZeroedDeclaredMemory) {
    int error = 0;
    auto* memory = static_cast<char*>(shared_map(3 * page_bytes() + 1, error));
    ASSERT_NE(memory, nullptr);
    const auto start = reinterpret_cast<uint64_t>(memory);
    for (size_t i = 0; i < 4 * page_bytes(); ++i) ASSERT_EQ(memory[i], 0);
    SharedPin pin;
    ASSERT_TRUE(pin.pin(start));
    EXPECT_EQ(pin.range(), (AddressRange{start, start + 4 * page_bytes()}));
    pin.unpin();
    EXPECT_EQ(shared_unmap(memory, 3 * page_bytes() + 1), 0);
    EXPECT_EQ(shared_unmap(memory, 3 * page_bytes() + 1), -ENOENT);
    EXPECT_EQ(shared_map(0, error), nullptr);
    EXPECT_EQ(error, -EINVAL);
    EXPECT_EQ(shared_map(SIZE_MAX, error), nullptr);
    EXPECT_LT(error, 0);
}

TEST(SharedRanges, ABrokenPromiseStillDestroysNothing) {
    Checker checker(AccessCheck::kZap);
    ASSERT_TRUE(checker.works());
    Memory memory(64, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    // The program puts private memory where it promised a shared mapping.
    ASSERT_EQ(
        mmap(memory.data(), memory.bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
        memory.data());
    memory.fill();
    auto samples = memory.samples();
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        checker->look(samples);
    }
    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(checker->statistics().armed[static_cast<unsigned>(AccessCheck::kZap)], 0u);
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

TEST(SharedRanges, LockedMemoryIsUnknown) {
    Checker checker(AccessCheck::kZap);
    ASSERT_TRUE(checker.works());
    Memory memory(4, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    ASSERT_EQ(syscall(SYS_mlock, memory.data(), memory.bytes()), 0);  // sanitizers make mlock() do nothing
    auto samples = memory.samples();
    checker->arm(samples);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "????");
    EXPECT_EQ(checker.unknown(UnknownReason::kLocked), 4u);
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

TEST(SharedRanges, FaultAroundStaysWithinSixteenPages) {
    // Fact 6: a read fault maps neighbours as well, so two samples closer than that are not told apart.
    Checker checker(AccessCheck::kZap);
    ASSERT_TRUE(checker.works());
    Memory memory(64, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    auto samples = memory.samples();
    checker->arm(samples);  // every page, so that every neighbour can fault
    memory.read(24);
    checker->look(samples);
    for (size_t page = 0; page < 64; ++page) {
        const bool near = page + 16 > 24 && page < 24 + 16;
        EXPECT_TRUE(near || samples[page].seen == Seen::kNo) << page;
    }
    EXPECT_EQ(samples[24].seen, Seen::kYes);
    // In steady state the neighbours are mapped, and a read shows alone.
    for (size_t page = 0; page < 64; ++page) memory.write(page);
    auto few = memory.samples({3, 24, 26});
    checker->arm(few);
    memory.read(25);
    checker->look(few);
    EXPECT_EQ(answers(few), "NNN");
    // A write fault maps no neighbours.
    checker->arm(few);
    *reinterpret_cast<volatile char*>(memory.address(24)) = 1;
    checker->look(few);
    EXPECT_EQ(answers(few), "NYN");
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

// One thread checks without pause; the other declares, withdraws and at once replaces the mapping by private memory,
// whose content must survive.
TEST(SharedRanges, AfterWithdrawNoCheckTouchesTheRange) {
    Memory memory(256, Kind::kShared);
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> rounds{0};
    std::thread checking([&] {
        Checker checker(AccessCheck::kZap);
        auto samples = memory.samples();
        while (!stop.load()) {
            checker->arm(samples);
            checker->look(samples);
            ++rounds;
        }
    });
    const int fd = memfd_create("again", MFD_CLOEXEC);
    ASSERT_EQ(ftruncate(fd, static_cast<off_t>(memory.bytes())), 0);
    const int nr_rounds = getenv("DAMON_IN_VM") != nullptr ? 15 : 60;  // an emulator takes half a second for one
    for (int i = 0; i < nr_rounds; ++i) {
        ASSERT_EQ(mmap(memory.data(), memory.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0),
                  memory.data());
        ASSERT_EQ(shared_declare(memory.range()), 0);
        memory.fill();
        const uint64_t seen = rounds.load();
        while (rounds.load() < seen + 2) std::this_thread::yield();
        ASSERT_EQ(shared_withdraw(memory.range()), 0);
        ASSERT_EQ(
            mmap(memory.data(), memory.bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
            memory.data());
        memory.fill();
        ASSERT_TRUE(memory.is_as_filled()) << i;
    }
    stop = true;
    checking.join();
    close(fd);
    EXPECT_TRUE(memory.is_as_filled());
}

// A ring that the kernel shares with the program: dropping its pages from the page tables would lose them for good.
// Declared memory of one slot after another, each in the middle of the others: what was declared is found, alone.
TEST(SharedRanges, OfThousandsEachIsFound) {
    constexpr size_t kRanges = 5'000;
    Memory memory(2 * kRanges, Kind::kShared);
    for (size_t i = 0; i < kRanges; ++i) {
        const size_t page = 2 * (i * 7 % kRanges);
        ASSERT_EQ(shared_declare(pages_of(memory, page, page + 1)), 0);
    }
    SharedPin pin;
    for (size_t page = 0; page < 2 * kRanges; ++page) {
        ASSERT_EQ(pin.pin(memory.address(page)), page % 2 == 0);
        if (page % 2 == 0) {
            ASSERT_EQ(pin.range(), pages_of(memory, page, page + 1));
        }
        const bool last = page + 2 >= 2 * kRanges;
        ASSERT_EQ(next_declared(memory.address(page)), last ? UINT64_MAX : memory.address(page / 2 * 2 + 2));
    }
    pin.unpin();
    for (size_t i = 0; i < kRanges; ++i) {
        const size_t page = 2 * (i * 11 % kRanges);
        ASSERT_EQ(shared_withdraw(pages_of(memory, page, page + 1)), 0);
    }
    EXPECT_EQ(next_declared(0), UINT64_MAX);
}

// A child has what its parent had declared, also where that was being changed at the fork.
TEST(SharedRanges, AChildHasThemAll) {
    static Memory* shared = nullptr;
    Memory memory(512, Kind::kShared);
    shared = &memory;
    for (size_t page = 0; page < 512; page += 2) ASSERT_EQ(shared_declare(pages_of(memory, page, page + 1)), 0);
    std::atomic<bool> quit = false;
    std::thread changing([&] {
        while (!quit) {
            EXPECT_EQ(shared_declare(pages_of(memory, 1, 2)), 0);
            EXPECT_EQ(shared_withdraw(pages_of(memory, 1, 2)), 0);
        }
    });
    for (int i = 0; i < 50; ++i) {
        const int result = in_child([]() -> int {
            SharedPin pin;
            for (size_t page = 0; page < 512; ++page) {
                const bool pinned = pin.pin(shared->address(page));
                if (page != 1 && pinned != (page % 2 == 0)) return 1;
                if (pinned && pin.range() != pages_of(*shared, page, page + 1)) return 2;
            }
            pin.unpin();
            for (size_t page = 0; page < 512; page += 2) {
                if (shared_withdraw(pages_of(*shared, page, page + 1)) != 0) return 3;
            }
            return 0;
        });
        EXPECT_EQ(result, 0);
    }
    quit = true;
    changing.join();
    for (size_t page = 0; page < 512; page += 2) ASSERT_EQ(shared_withdraw(pages_of(memory, page, page + 1)), 0);
}

// A thread of a real-time class that only let others of its class go first would keep the worker off its CPU: it does
// not stop by itself, which the kernel counts.
TEST(SharedRanges, WhoWaitsForACheckSleeps) {
    Memory memory(1, Kind::kShared);
    ASSERT_EQ(shared_declare(memory.range()), 0);
    SharedPin pin;
    ASSERT_TRUE(pin.pin(memory.address(0)));
    std::atomic<bool> done = false;
    long nr_sleeps = -1;
    std::thread waiting([&] {
        EXPECT_EQ(shared_withdraw(memory.range()), 0);
        rusage usage = {};
        EXPECT_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
        nr_sleeps = usage.ru_nvcsw;
        done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_FALSE(done) << "a check is at work there";
    pin.unpin();
    waiting.join();
    EXPECT_GE(nr_sleeps, 20) << "of 20 us each, in 0.3 s";
}

// The ring of the kernel's tracing, in a file system that is mounted where nothing in its name tells what it is. A page
// of it that was taken out of the page table does not come back.
TEST(SharedRanges, RingsInFilesOfAnyNameAreRefused) {
    constexpr int kCannotBeHad = 100;
    const int result = in_child([]() -> int {
        char folder[] = "/tmp/damon-tracing-XXXXXX";
        if (unshare(CLONE_NEWNS) != 0 || mkdtemp(folder) == nullptr) return kCannotBeHad;
        const bool mounted = mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                             mount("none", folder, "tracefs", 0, nullptr) == 0;
        const std::string path = std::string(folder) + "/per_cpu/cpu0/trace_pipe_raw";
        const int ring = mounted ? open(path.c_str(), O_RDONLY | O_NONBLOCK) : -1;
        void* mapped = ring < 0 ? MAP_FAILED : mmap(nullptr, page_bytes(), PROT_READ, MAP_SHARED, ring, 0);
        int answer = kCannotBeHad;
        if (mapped != MAP_FAILED) {
            const auto start = reinterpret_cast<uint64_t>(mapped);
            answer = -shared_declare({start, start + page_bytes()});
            munmap(mapped, page_bytes());
        }
        if (ring >= 0) close(ring);
        if (mounted) (void)umount(folder);
        rmdir(folder);
        return answer;
    });
    if (result == kCannotBeHad) return declared_skip("tracing-ring", "mount(tracefs), or mmap of trace_pipe_raw");
    EXPECT_EQ(result, ENODEV);
}

TEST(SharedRanges, RingsOfTheKernelAreRefused) {
    char parameters[120] = {};
    const int ring = static_cast<int>(syscall(SYS_io_uring_setup, 4, parameters));
    if (ring < 0) return declared_skip("io-uring", strerror(errno));
    constexpr off_t kSubmissionEntries = 0x10000000;
    void* entries = mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, ring, kSubmissionEntries);
    close(ring);
    if (entries == MAP_FAILED) return declared_skip("io-uring", strerror(errno));
    const auto start = reinterpret_cast<uint64_t>(entries);
    EXPECT_LT(shared_declare({start, start + page_bytes()}), 0);
    munmap(entries, page_bytes());
}

}  // namespace
}  // namespace damon::test
