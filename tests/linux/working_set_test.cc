// The working set by the accessed bits of the whole process: every touch counts, whatever the processors remember.
#include "ops/linux/working_set.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "os/accessed_bits.h"
#include "os/syscalls.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr uint64_t kIntervalUs = 50'000;

// All pages present, in a mapping that merges with none beside it.
class Present : public Memory {
public:
    explicit Present(size_t nr_pages) : Memory(nr_pages) {
        EXPECT_EQ(madvise(data(), bytes(), MADV_DONTFORK), 0);
        for (size_t page = 0; page < nr_pages; ++page) write(page);
    }
};

// Touches the first pages of the memory round and round, until it ends.
class Toucher {
public:
    Toucher(const Memory& memory, size_t nr_pages, bool writes)
        : thread_([this, &memory, nr_pages, writes] {
              while (!ends_) {
                  for (size_t page = 0; page < nr_pages; ++page) writes ? memory.write(page) : memory.read(page);
                  ++rounds_;
              }
          }) {
        wait();
    }
    ~Toucher() {
        ends_ = true;
        thread_.join();
    }

    // Until every page has been touched since.
    void wait() const {
        const uint64_t begun = rounds_;
        while (rounds_ < begun + 2) sys::sleep_us(100);
    }

private:
    std::atomic<bool> ends_{false};
    std::atomic<uint64_t> rounds_{0};
    std::thread thread_;
};

// Of one mapping, as the kernel tells it.
uint64_t referenced_bytes(const Memory& memory) {
    FILE* file = fopen("/proc/self/smaps", "re");
    if (file == nullptr) return 0;
    char line[512];
    bool inside = false;
    uint64_t bytes = 0;
    while (fgets(line, sizeof line, file) != nullptr) {
        unsigned long long start = 0;
        unsigned long long end = 0;
        unsigned long long kb = 0;
        if (sscanf(line, "%llx-%llx ", &start, &end) == 2) {
            inside = start < memory.range().end && end > memory.range().start;
        } else if (inside && sscanf(line, "Referenced: %llu", &kb) == 1) {
            bytes += kb << 10;
        }
    }
    fclose(file);
    return bytes;
}

bool measured(WorkingSet& found) {
    const int error = measure_working_set(kIntervalUs, found);
    EXPECT_EQ(error, 0) << strerror(-error);
    return error == 0;
}

class WorkingSets : public testing::TestWithParam<bool> {};

TEST_P(WorkingSets, ATouchedQuarterIsToldFromTheRest) {
    const Present memory((64 << 20) / page_bytes());
    const Toucher toucher(memory, memory.nr_pages() / 4, GetParam());
    const uint64_t bytes = memory.bytes();
    WorkingSet found;
    // On a busy machine the other thread may not get its turn in that time.
    for (int tries = 0; tries < 20 && found.touched_bytes < bytes / 4; ++tries) ASSERT_TRUE(measured(found));
    EXPECT_GE(found.present_bytes, bytes);
    EXPECT_GE(found.touched_bytes, bytes / 4);
    EXPECT_LE(found.touched_bytes + bytes * 3 / 4, found.present_bytes);
    EXPECT_LE(found.unseen_bytes, found.present_bytes - found.touched_bytes);
    toucher.wait();
    EXPECT_EQ(referenced_bytes(memory), bytes / 4);
}

// Without dropping what the processors remember, some of these or all would not be seen again.
TEST_P(WorkingSets, PagesThatAreTouchedAllTheTimeAreSeen) {
    const Present memory(256);
    const Toucher toucher(memory, 200, GetParam());
    for (int i = 0; i < 10; ++i) {
        WorkingSet found;
        ASSERT_TRUE(measured(found));
        toucher.wait();
        EXPECT_EQ(referenced_bytes(memory), 200 * page_bytes());
    }
}

INSTANTIATE_TEST_SUITE_P(, WorkingSets, testing::Bool(),
                         [](const auto& test) { return test.param ? "Written" : "Read"; });

// Linux before 6.7 that balances NUMA nodes does not count some of them in smaps.
TEST(WorkingSet, HugePagesThatTheKernelHidesArePresentAndNotSeen) {
    constexpr uint64_t kHugeBytes = 2u << 20;
    Memory memory(8 * kHugeBytes / page_bytes(), Kind::kAnonymous, kHugeBytes);
    memory.fill();
    if (smaps_may_hide_huge_pages()) work_for_seconds(kBalancingSeconds);
    WorkingSet found;
    ASSERT_TRUE(measured(found));
    HeldMemory held;
    ASSERT_EQ(read_held_memory(held), 0);
    EXPECT_GE(found.present_bytes + kHugeBytes, held.present);
    EXPECT_LE(found.touched_bytes + found.unseen_bytes, found.present_bytes);
}

TEST(WorkingSet, OneMeasurementOfAProcessAtATime) {
    std::atomic<bool> ends{false};
    std::atomic<int> measurements{0};
    std::thread other([&] {
        while (!ends) {
            WorkingSet found;
            if (measure_working_set(200'000, found) == 0) ++measurements;
        }
    });
    WorkingSet found;
    int refused = 0;
    for (int tries = 0; tries < 5000 && refused == 0; ++tries) {
        const int error = measure_working_set(1, found);
        if (error == -EBUSY) ++refused;
        EXPECT_TRUE(error == 0 || error == -EBUSY) << strerror(-error);
        sys::sleep_us(1000);  // the other's turn
    }
    // A child has bits of its own, which nobody measures.
    const pid_t child = fork();
    if (child == 0) _exit(measure_working_set(1, found) == 0 ? 0 : 1);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ends = true;
    other.join();
    EXPECT_EQ(refused, 1);
    EXPECT_GT(measurements, 0);
}

std::atomic<int> calls_made;
std::atomic<int> failing_call;  // 0: none

int fail_one(sys::Call) { return ++calls_made == failing_call ? EIO : 0; }

TEST(WorkingSet, ASystemCallThatFailsIsAnErrorOrTellsWhatIsNotKnown) {
    WorkingSet found;
    failing_call = 0;
    calls_made = 0;
    sys::set_fault_hook(fail_one);
    EXPECT_EQ(measure_working_set(1, found), 0);
    const int nr_calls = calls_made;
    EXPECT_GT(nr_calls, 6);
    int errors = 0;
    for (int nth = 1; nth <= nr_calls; ++nth) {
        calls_made = 0;
        failing_call = nth;
        const int error = measure_working_set(1, found);
        EXPECT_TRUE(error == 0 || error == -EIO) << nth << ": " << error;
        errors += error != 0;
    }
    sys::set_fault_hook(nullptr);
    EXPECT_GE(errors, 5);
    EXPECT_EQ(measure_working_set(1, found), 0);
}

}  // namespace
}  // namespace damon::test
