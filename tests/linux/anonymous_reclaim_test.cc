// Anonymous memory is paged out where there is swap: a program loses what it does not use, and nothing else.
#include <sys/resource.h>

#include <cstdio>

#include "acted_on.h"
#include "scheme_run.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

uint64_t resident_bytes() {
    unsigned long pages = 0;
    FILE* statm = fopen("/proc/self/statm", "re");
    if (statm == nullptr || fscanf(statm, "%*u %lu", &pages) != 1) abort();
    fclose(statm);
    return pages * page_bytes();
}

// Pages that had to be read back from swap.
long nr_major_faults() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_majflt;
}

TEST(AnonymousReclaim, ColdMemoryLeavesTheResidentSetAndComesBackIntact) {
    if (!has_swap()) return declared_skip("swap", "no swap");
    if (!undeclared_memory_can_be_seen()) return;
    constexpr size_t kPages = 20'000;
    constexpr size_t kHotPages = kPages / 5;
    const uint64_t cold_bytes = (kPages - kHotPages) * page_bytes();
    Memory memory(kPages);
    memory.fill();
    const AddressRange hot = {memory.address(0), memory.address(kHotPages)};
    const uint64_t resident_before = resident_bytes();
    SchemeRun run(memory.range());
    run.add([](damos_params& params) {
        params.action = DAMOS_PAGEOUT;
        params.pattern.max_nr_accesses = 0;
        params.min_age_us = 1'000'000;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    const auto use_hot_part = [&] {
        for (size_t page = 0; page < kHotPages; ++page) memory.write(page);
    };
    run.windows(9, use_hot_part);
    EXPECT_EQ(run.stat().nr_tried, 0u) << "nothing is as old as that yet";
    const long faults_before = nr_major_faults();
    run.windows(40, use_hot_part);

    EXPECT_GE(run.stat().sz_applied, cold_bytes * 19 / 20);
    EXPECT_LE(present_bytes(memory.range()) - present_bytes(hot), cold_bytes / 20);
    EXPECT_LE(resident_bytes(), resident_before - cold_bytes * 9 / 10);
    // The hot part is where it was and never had to be read back.
    EXPECT_EQ(present_bytes(hot), kHotPages * page_bytes());
    EXPECT_LE(nr_major_faults() - faults_before, static_cast<long>(kHotPages / 100));

    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(present_bytes(memory.range()), memory.bytes()) << "reading it brought it back";
}

}  // namespace
}  // namespace damon::test
