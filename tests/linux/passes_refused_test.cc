// Passes where userfaultfd is refused, as the default filters of containers do: mappings stay as they are, and are
// looked at as a whole.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "os/accessed_bits.h"
#include "os/range_scan.h"
#include "pass_run.h"
#include "reservation.h"

namespace damon::test {
namespace {

constexpr unsigned kNewFromDevice = 0xaa00;  // USERFAULTFD_IOC_NEW
constexpr size_t kPagesPerWindow = 512;

// For this process, for good.
bool refuse_userfaultfd() {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNewFromDevice, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program = {sizeof rules / sizeof *rules, rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

// In a child of its own, which the filter ends with.
void under_the_filter(void (*test)()) {
    if (sanitized()) return declared_skip("sanitizer", "its shadow memory lies below, which takes long to read");
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        EXPECT_TRUE(refuse_userfaultfd());
        test();
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "see above";
}

// Two mappings of small pages, which the memory between them keeps apart.
struct TwoMappings {
    TwoMappings() {
        memory.fill();
        const AddressRange gap = part(14, 1);
        EXPECT_EQ(mprotect(reinterpret_cast<void*>(gap.start), gap.size(), PROT_NONE), 0);
    }
    AddressRange part(size_t first, size_t count) const {
        const uint64_t start = memory.range().start + first * kWindowBytes;
        return {start, start + count * kWindowBytes};
    }
    Memory memory{30 * kPagesPerWindow};
};

uint64_t resident_bytes(AddressRange part) {
    std::vector<unsigned char> pages(part.size() / page_bytes());
    if (mincore(reinterpret_cast<void*>(part.start), part.size(), pages.data()) != 0) return 0;
    return static_cast<uint64_t>(std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; })) *
           page_bytes();
}

// Of the regions in a part, and what the context says.
std::string facts_of(PassRun& run, AddressRange part) {
    std::string facts = run.errmsg();
    for (const damon_region_info& region : run.regions()) {
        if (AddressRange{region.start, region.end}.intersection(part).empty()) continue;
        facts += "\n" + std::to_string((region.end - region.start) >> 20) + " MiB: flags " +
                 std::to_string(region.flags) + ", unknown_reason " + std::to_string(region.unknown_reason) +
                 ", idle " + std::to_string(region.idle_us) + " us";
    }
    return facts + "\n" + std::to_string(resident_bytes(part) >> 10) + " KiB present, " +
           std::to_string(mappings_in({0, UINT64_MAX})) + " mappings";
}

void run_passes(PassRun& run, int count, const Memory& memory, size_t read_page) {
    run.passes(count, [&] { memory.read(read_page); });
}

void start_over_all_memory(PassRun& run) {
    damon_target* target = damon_target_new();
    ASSERT_EQ(damon_ctx_set_coverage(run, DAMON_COVER_STABLE), 0);
    ASSERT_EQ(damon_ctx_add_target(run, target), 0);
    ASSERT_EQ(run.start(), 0) << run.errmsg();
}

TEST(PassesWithoutUserfaultfd, TellAMappingThatIsReadFromAnIdleOne) {
    under_the_filter([] {
        TwoMappings two;
        const size_t before = mappings_in(two.memory.range());
        PassRun run;
        start_over_all_memory(run);
        // Not later than it is known: a machine that is short of memory pages out what is idle, and of memory that is
        // not present nothing is known.
        for (int pass = 0; pass < 40 && run.bytes(two.part(0, 14), is_cold) == 0; ++pass) {
            run_passes(run, 1, two.memory, 20 * kPagesPerWindow + 7);
        }
        EXPECT_EQ(run.bytes(two.part(15, 15), is_cold), 0u) << "one page of it is read";
        EXPECT_GE(run.bytes(two.part(0, 14), is_cold), 14 * kWindowBytes * 95 / 100) << facts_of(run, two.part(0, 14));
        EXPECT_EQ(mappings_in(two.memory.range()), before);
        run_passes(run, 4, two.memory, 3);
        EXPECT_EQ(run.bytes(two.part(0, 14), is_cold), 0u) << "now it is read as well";
        ASSERT_EQ(run.stop(), 0);
    });
}

// Of a mapping that passes know.
bool is_called_idle(const damon_region_info& region) {
    return (region.flags & (DAMON_REGION_UNKNOWN | DAMON_REGION_REFERENCED)) == DAMON_REGION_REFERENCED &&
           region.idle_us != 0;
}

// Where smaps hides huge pages (Linux before 6.7 that balances NUMA nodes) the idle pages beside it are all it counts.
TEST(PassesWithoutUserfaultfd, AMappingOfAHugePageThatIsReadIsNeverCalledIdle) {
    under_the_filter([] {
        const bool hides = smaps_may_hide_huge_pages();
        Memory memory(kPagesPerWindow + 3, Kind::kAnonymous, kWindowBytes);
        memory.fill();
        PassRun run(DAMON_ACCESS_CHECK_REFERENCED);
        start_over_all_memory(run);
        for (int pass = 0; pass < 9; ++pass) {
            memory.read(7);
            if (hides) work_for_seconds(kBalancingSeconds);
            run.passes(1);
            EXPECT_EQ(run.bytes(memory.range(), is_called_idle), 0u)
                << "pass " << pass << facts_of(run, memory.range());
        }
        ASSERT_EQ(run.stop(), 0);
    });
}

// An allocator's reservation: a pass over it takes as long as what is there, not as long as its addresses.
TEST(PassesWithoutUserfaultfd, AHugeReservationWithLittleInItIsPassedOverQuickly) {
    under_the_filter([] {
        RangeScan scan;
        ASSERT_EQ(scan.open(0, page_bytes()), 0);
        const bool quick = scan.passes_holes();  // else in parts that grow, each a call
        const uint64_t reserved = (quick ? 256ull : 16ull) << 30;
        const Reservation sparse(reserved);
        for (uint64_t at = 0; at < reserved; at += reserved / 2048) sparse.write(at);
        PassRun run(sparse.range(), DAMON_ACCESS_CHECK_REFERENCED);  // where nothing is, samples know
        ASSERT_EQ(run.start(), 0) << run.errmsg();
        const auto begin = std::chrono::steady_clock::now();
        const bool hides = smaps_may_hide_huge_pages();
        for (int pass = 0; pass < (hides ? 6 : 20) && run.bytes(sparse.range(), is_cold) == 0; ++pass) run.passes(1);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        if (hides) {
            EXPECT_EQ(run.bytes(sparse.range(), is_cold), 0u) << "huge pages may be hidden there";
        } else {
            EXPECT_GE(run.bytes(sparse.range(), is_cold), reserved * 95 / 100) << facts_of(run, sparse.range());
        }
        // 65,536 calls of 4 MiB with a rest after each were 10 s a pass.
        if (quick) {
            EXPECT_LT(took.count(), 10);
        }
        run.passes(4, [&] { sparse.write(reserved / 2); });
        EXPECT_EQ(run.bytes(sparse.range(), is_cold), 0u) << "one page of it is written";
        ASSERT_EQ(run.stop(), 0);
    });
}

}  // namespace
}  // namespace damon::test
