// Fact 4 in earnest: mappings come, go, move and change around watched memory, and within it, while the monitor arms
// and looks. What is left alone is answered exactly; what changes keeps its content.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/random.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr size_t kPages = 64;

// Changes the mappings of a place of its own until it is told to end: the thread that the monitor races with.
class Storm {
public:
    explicit Storm(uint64_t seed) : random_(seed), place_(kPages), thread_([this] { run(); }) {}
    ~Storm() {
        quit_ = true;
        thread_.join();
    }
    Storm(const Storm&) = delete;
    Storm& operator=(const Storm&) = delete;

    const Memory& place() const { return place_; }
    uint64_t nr_changes() const { return nr_changes_; }
    uint64_t nr_lost() const { return nr_lost_; }

private:
    void run() {
        while (!quit_) {
            change();
            ++nr_changes_;
        }
    }

    // One change of a few pages, which are then written and read back: no check may lose or mix them up.
    void change() {
        const size_t first = random_.between(0, kPages - 8);
        char* where = place_.data(first);
        const size_t bytes = random_.between(1, 8) * page_bytes();
        switch (random_.between(0, 5)) {
            case 0:
                // Never a hole: another thread's mapping could land in it.
                mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
                break;
            case 1:
                move_in(where, bytes);
                break;
            case 2:
                mprotect(where, bytes, PROT_READ);
                mprotect(where, bytes, PROT_READ | PROT_WRITE);
                break;
            case 3:
                madvise(where, bytes, MADV_DONTNEED);
                break;
            default:
                madvise(where, bytes, nr_changes_ % 2 == 0 ? MADV_DONTDUMP : MADV_DODUMP);
        }
        const auto mark = static_cast<char>(random_.next());
        for (size_t at = 0; at < bytes; at += page_bytes()) static_cast<volatile char*>(where)[at] = mark;
        for (size_t at = 0; at < bytes; at += page_bytes()) nr_lost_ += static_cast<volatile char*>(where)[at] != mark;
    }

    // A mapping from elsewhere takes the place of what is there.
    static void move_in(char* where, size_t bytes) {
        void* other = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *static_cast<volatile char*>(other) = 1;
        EXPECT_EQ(mremap(other, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, where), where);
    }

    Random random_;
    Memory place_;
    std::atomic<bool> quit_ = false;
    std::atomic<uint64_t> nr_changes_ = 0;
    std::atomic<uint64_t> nr_lost_ = 0;
    std::thread thread_;
};

class MappingStorm : public EveryWay {};
INSTANTIATE_EVERY_WAY(MappingStorm);

TEST_P(MappingStorm, LosesNothingAndLeavesTheRestExact) {
    constexpr uint64_t kSeed = 20260303;
    SCOPED_TRACE("seed " + std::to_string(kSeed));
    Checker checker(GetParam());
    if (!checker.works()) return;
    Memory quiet(8);
    quiet.fill();
    Random random(kSeed);
    Storm storm(kSeed + 1);
    uint64_t nr_exact = 0;
    for (int round = 0; round < 120 || storm.nr_changes() < 120; ++round) {
        auto samples = quiet.samples();
        for (const Sample& sample : storm.place().samples()) samples.push_back(sample);
        checker->arm(samples);
        const size_t page = random.between(0, 8);
        quiet.write(page);
        checker->look(samples);
        const std::string seen = plain_answers({samples.data(), 8});
        ASSERT_EQ(seen, std::string(8, 'n').replace(page, 1, "y")) << "round " << round;
        ++nr_exact;
        if (round % 30 == 29) checker->refresh();
        if (round % 50 == 49) checker->disarm();
    }
    EXPECT_GE(nr_exact, 120u);
    EXPECT_EQ(storm.nr_lost(), 0u);
    EXPECT_TRUE(quiet.is_as_filled());
}

}  // namespace
}  // namespace damon::test
