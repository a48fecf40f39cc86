// Reads and writes of known pages are seen exactly, by every way that this kernel has.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/random.h"
#include "ops/linux/registration/declared_ranges.h"
#include "os/syscalls.h"
#include "watched.h"

namespace damon::test {
namespace {

TEST(UffdWp, SeesWritesOfArmedPagesAndNothingElse) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(16);
    memory.fill();
    auto samples = memory.samples();
    checker->arm(samples);
    for (const size_t page : {1, 2, 15}) memory.write(page);
    for (const size_t page : {3, 4}) memory.read(page);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "nyynnnnnnnnnnnny");
    EXPECT_TRUE(memory.is_as_filled());

    // An armed page that was not written stays armed; the written ones are armed again.
    checker->arm(samples);
    memory.write(5);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "nnnnnynnnnnnnnnn");
    EXPECT_EQ(checker->statistics().registrations, 1u);
}

TEST(UffdRwp, SeesReadsAndWritesOfArmedPages) {
    for (const Kind kind : {Kind::kAnonymous, Kind::kShared}) {
        Checker checker(AccessCheck::kUffdRwp);
        if (!checker.works()) return;
        Memory memory(16, kind);
        memory.fill();
        auto samples = memory.samples();
        checker->arm(samples);
        for (const size_t page : {1, 2, 15}) memory.write(page);
        for (const size_t page : {3, 4}) memory.read(page);
        checker->look(samples);
        EXPECT_EQ(answers(samples), "NYYYYNNNNNNNNNNY");
        checker->arm(samples);
        memory.read(0);
        checker->look(samples);
        EXPECT_EQ(answers(samples), "YNNNNNNNNNNNNNNN");
        EXPECT_TRUE(memory.is_as_filled());
    }
}

// What one look reads between its samples spares calls to the next arming.
TEST(UffdRwp, PagesThatStayedArmedAreNotArmedAgain) {
    Checker checker(AccessCheck::kUffdRwp);
    if (!checker.works()) return;
    Memory memory(64);
    memory.fill();
    const auto armed = [&] { return checker->statistics().armed[static_cast<unsigned>(AccessCheck::kUffdRwp)]; };
    auto all = memory.samples();
    checker->arm(all);
    EXPECT_EQ(armed(), 64u);
    auto ends = memory.samples({0, 30, 63});
    checker->arm(ends);
    memory.read(7);
    checker->look(ends);
    EXPECT_EQ(answers(ends), "NNN");
    const uint64_t before = armed();
    auto others = memory.samples({6, 7, 8, 40});
    checker->arm(others);
    EXPECT_EQ(armed() - before, 1u) << "only page 7 was accessed";
    checker->look(others);
    EXPECT_EQ(answers(others), "NNNN");
    checker->arm(others);
    memory.read(8);
    memory.write(40);
    checker->look(others);
    EXPECT_EQ(answers(others), "NNYY");
    EXPECT_TRUE(memory.is_as_filled());
}

// Samples close together and far apart, as they fall, over present and absent memory that changes between the
// intervals.
class Rounds : public EveryWay {};
INSTANTIATE_EVERY_WAY(Rounds);

TEST_P(Rounds, AnyDensityOfSamplesIsSeenExactly) {
    Checker checker(GetParam());
    if (!checker.works()) return;
    constexpr size_t kPages = 4096;
    Memory memory(kPages);
    Random random(7);
    for (size_t page = 0; page < kPages; ++page) {
        if (page / 256 % 4 != 3) memory.write(page);
    }
    for (int round = 0; round < 200; ++round) {
        const uint64_t step = uint64_t{1} << random.between(0, 9);
        std::vector<Sample> samples;
        std::vector<size_t> pages;
        for (size_t page = random.between(0, step); page < kPages; page += 1 + random.between(0, 2 * step)) {
            samples.push_back(memory.samples({page}).front());
            pages.push_back(page);
        }
        std::vector<bool> discarded(kPages);
        const size_t gone = random.between(0, kPages - 8);
        ASSERT_EQ(madvise(memory.data(gone), 8 * page_bytes(), MADV_DONTNEED), 0);
        for (size_t page = gone; page < gone + 8; ++page) discarded[page] = true;
        checker->arm(samples);
        std::vector<bool> touched(kPages);
        for (size_t i = 0; i < kPages / 16; ++i) {
            const size_t page = random.between(0, kPages);
            touched[page] = true;
            memory.write(page);
        }
        checker->look(samples);
        const std::string seen = plain_answers(samples);
        for (size_t i = 0; i < pages.size(); ++i) {
            if (seen[i] == (touched[pages[i]] ? 'y' : 'n')) continue;
            // Discarded between look and arm: what was there is not known.
            ASSERT_TRUE(seen[i] == '?' && discarded[pages[i]] && !touched[pages[i]])
                << "round " << round << ", page " << pages[i] << ": " << seen[i];
        }
    }
}

TEST(UffdRwp, SeesReadsOfMemoryThatIsNotWritable) {
    Checker checker(AccessCheck::kUffdRwp);
    if (!checker.works()) return;
    Memory memory(8);
    memory.fill();
    ASSERT_EQ(mprotect(memory.data(), memory.bytes(), PROT_READ), 0);
    auto samples = memory.samples();
    checker->arm(samples);
    memory.read(6);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "NNNNNNYN");
}

TEST(UffdWp, SeesWritesToSharedMemoryThatIsNotDeclared) {
    if (!undeclared_memory_can_be_seen()) return;
    Checker checker(AccessCheck::kAuto);
    if (!checker.works()) return;
    Memory memory(8, Kind::kShared);
    memory.fill();
    auto samples = memory.samples();
    checker->arm(samples);
    memory.write(7);
    checker->look(samples);
    if (access_check_probe(static_cast<int32_t>(AccessCheck::kUffdRwp)).available) {
        EXPECT_EQ(answers(samples), "NNNNNNNY");
    } else {
        EXPECT_EQ(answers(samples), "nnnnnnny");
    }
    EXPECT_TRUE(memory.is_as_filled());
}

TEST(Zap, SeesReadsAndWritesOfDeclaredSharedMemory) {
    Checker checker(AccessCheck::kZap);
    ASSERT_TRUE(checker.works());
    // One sample in 16 pages, so that a read's fault-around (fact 6) stays between the samples.
    Memory memory(16 * 16, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    auto samples = memory.samples({0, 16, 32, 48, 64, 80, 96, 112, 128});
    checker->arm(samples);
    memory.read(16);
    memory.write(48);
    memory.read(128);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "NYNYNNNNY");
    checker->arm(samples);
    memory.write(0);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "YNNNNNNNN");
    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

TEST(Zap, NeverActsOnMemoryThatIsNotDeclared) {
    Checker checker(AccessCheck::kZap);
    ASSERT_TRUE(checker.works());
    Memory shared(4, Kind::kShared);
    Memory anonymous(4);
    for (Memory* memory : {&shared, &anonymous}) {
        memory->fill();
        auto samples = memory->samples();
        checker->arm(samples);
        checker->look(samples);
        EXPECT_EQ(answers(samples), "????");
        EXPECT_TRUE(memory->is_as_filled());
    }
    EXPECT_EQ(checker->statistics().unknown[static_cast<unsigned>(UnknownReason::kNotDeclared)], 8u);
    EXPECT_EQ(checker->statistics().armed[static_cast<unsigned>(AccessCheck::kZap)], 0u);
}

TEST(Auto, HolesAreNotArmedAndFirstAccessesAreSeenBothWays) {
    Checker checker(AccessCheck::kAuto);
    ASSERT_TRUE(checker.works());
    Memory memory(8);  // no page is present
    auto samples = memory.samples();
    checker->arm(samples);
    memory.read(2);
    memory.data(5)[0] = 1;
    checker->look(samples);
    EXPECT_EQ(answers(samples), "NNYNNYNN");
    // Fact 8: arming a hole would have made page tables for it; nothing was armed, so nothing was registered.
    EXPECT_EQ(checker->statistics().armed[static_cast<unsigned>(AccessCheck::kUffdWp)], 0u);
}

TEST(Auto, UnmappedAddressesAreUnknownAndSaySo) {
    Checker checker(AccessCheck::kAuto);
    ASSERT_TRUE(checker.works());
    Memory memory(4);
    memory.fill();
    ASSERT_EQ(munmap(memory.data(1), 2 * page_bytes()), 0);
    auto samples = memory.samples({1, 2});
    checker->arm(samples);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "??");
    for (const Sample& sample : samples) EXPECT_EQ(sample.unknown, Unknown::kUnmapped);
}

TEST(Auto, DeclaredSharedMemoryShowsReadsToo) {
    Checker checker(AccessCheck::kAuto);
    ASSERT_TRUE(checker.works());
    int error = 0;
    auto* memory = static_cast<volatile char*>(shared_map(64 * page_bytes(), error));
    ASSERT_NE(memory, nullptr) << error;
    for (size_t i = 0; i < 64; ++i) memory[i * page_bytes()] = static_cast<char>(i);
    std::vector<Sample> samples(3);
    for (size_t i = 0; i < 3; ++i) samples[i].addr = reinterpret_cast<uint64_t>(memory) + i * 20 * page_bytes() + 7;
    checker->arm(samples);
    EXPECT_EQ(memory[20 * page_bytes()], 20);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "NYN");
    EXPECT_EQ(shared_unmap(const_cast<char*>(memory), 64 * page_bytes()), 0);
}

TEST(Auto, ThousandsOfSamplesOverManyMappingsAreAllExact) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(4096);
    memory.fill();
    // Every 64 pages a mapping of its own.
    for (size_t page = 0; page < 4096; page += 128)
        ASSERT_EQ(mprotect(memory.data(page), 64 * page_bytes(), PROT_READ), 0);
    for (size_t page = 0; page < 4096; page += 128) {
        ASSERT_EQ(mprotect(memory.data(page), 64 * page_bytes(), PROT_READ | PROT_WRITE), 0);
        ASSERT_EQ(madvise(memory.data(page), 64 * page_bytes(), MADV_DONTDUMP), 0);
    }
    auto samples = memory.samples();
    for (size_t round = 1; round <= 3; ++round) {
        checker->arm(samples);
        for (size_t page = 0; page < 4096; page += round * 7) memory.write(page);
        checker->look(samples);
        for (size_t page = 0; page < 4096; ++page) {
            ASSERT_EQ(samples[page].seen, page % (round * 7) == 0 ? Seen::kYes : Seen::kNo) << page;
        }
    }
    EXPECT_TRUE(memory.is_as_filled());
}

constinit std::atomic<int> nr_ioctls{0};
int count_ioctls(sys::Call call) {
    nr_ioctls += call == sys::Call::kIoctl;
    return 0;
}

// Which is then two calls: a scan tells nothing of a mapping that is not registered.
TEST(AccessCheckerCalls, ASampleThatIsAloneInItsMappingTakesNoQuestionAboutTheMapping) {
    Checker checker(AccessCheck::kUffdRwp);
    if (!checker.works()) return;
    constexpr size_t kMappings = 20;
    Memory memory(3 * kMappings);
    memory.fill();
    std::vector<Sample> samples;
    for (size_t i = 0; i < kMappings; ++i) {
        ASSERT_EQ(mprotect(memory.data(3 * i + 2), page_bytes(), PROT_NONE), 0);
        samples.push_back(memory.samples({3 * i})[0]);
    }
    for (int round = 0; round < 2; ++round) {  // the first registers
        checker->arm(samples);
        memory.read(0);
        nr_ioctls = 0;
        sys::set_fault_hook(count_ioctls);
        checker->look(samples);
        sys::set_fault_hook(nullptr);
        EXPECT_EQ(answers(samples), "Y" + std::string(kMappings - 1, 'N'));
    }
    EXPECT_LE(nr_ioctls, 3);
    EXPECT_EQ(mprotect(memory.data(), memory.bytes(), PROT_READ | PROT_WRITE), 0);
}

}  // namespace
}  // namespace damon::test
