// Huge pages that are not anonymous: of hugetlbfs, and of shared memory (fact 7).
#include <gtest/gtest.h>

#include <cstring>

#include "os/page_sizes.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

// Samples at the given places, in bytes.
std::vector<Sample> samples_at(const char* memory, std::initializer_list<uint64_t> offsets) {
    std::vector<Sample> samples(offsets.size());
    size_t i = 0;
    for (const uint64_t offset : offsets) samples[i++].addr = reinterpret_cast<uint64_t>(memory) + offset;
    return samples;
}

TEST(Hugetlb, ReadWriteProtectionSeesPagesWhole) {
    Checker checker(AccessCheck::kUffdRwp);
    if (!checker.works()) return;
    const uint64_t huge = read_page_sizes().huge_bytes;
    void* mapping = mmap(nullptr, 4 * huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (mapping == MAP_FAILED) return declared_skip("hugetlb", strerror(errno));
    auto* memory = static_cast<volatile char*>(mapping);
    for (uint64_t page = 0; page < 4; ++page) memory[page * huge + page] = static_cast<char>('a' + page);
    auto samples = samples_at(static_cast<char*>(mapping), {5, huge + 7 * 4096, 2 * huge + 100, 4 * huge - 1});
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        (void)memory[huge + 300 * 4096];  // another part of the same page
        memory[3 * huge + 9] = 'x';
        checker->look(samples);
        EXPECT_EQ(answers(samples), "NYNY");
    }
    checker->disarm();
    for (uint64_t page = 0; page < 4; ++page) EXPECT_EQ(memory[page * huge + page], static_cast<char>('a' + page));
    munmap(mapping, 4 * huge);
}

TEST(SharedHugePages, ReadWriteProtectionKeepsTheirContent) {
    Checker checker(AccessCheck::kUffdRwp);
    if (!checker.works()) return;
    const uint64_t huge_bytes = read_page_sizes().huge_bytes;
    const size_t in_huge = huge_bytes / page_bytes();
    Memory memory(2 * in_huge, Kind::kShared, huge_bytes);
    memory.fill();
    if (madvise(memory.data(), memory.bytes(), uapi::kAdviseCollapse) != 0 ||
        smaps_kb(memory.address(0), "ShmemPmdMapped") <= 0) {
        return declared_skip("shared-huge-pages", "MADV_COLLAPSE on a memfd");
    }
    const long before = smaps_kb(memory.address(0), "ShmemPmdMapped");
    auto samples = memory.samples({5, in_huge + 9});
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        memory.read(100);
        checker->look(samples);
        EXPECT_EQ(answers(samples), "YN");
    }
    memory.read(in_huge);  // not accessed since it was armed: its entry is not back yet
    EXPECT_EQ(smaps_kb(memory.address(0), "ShmemPmdMapped"), before);
    EXPECT_TRUE(memory.is_as_filled());
}

}  // namespace
}  // namespace damon::test
