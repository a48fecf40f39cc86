// Pages between two NUMA nodes. Where they lie is what move_pages(2) says of them.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>
#include <utility>
#include <vector>

#include "acted_on.h"
#include "os/syscalls.h"
#include "scheme_run.h"
#include "support/declared_skip.h"

namespace damon::test {
namespace {

// How many pages NUMA balancing has marked since the kernel came up, to see who uses them; 0 where it does not.
uint64_t nr_marks() {
    FILE* file = fopen("/proc/vmstat", "re");
    if (file == nullptr) return 0;
    char line[256];
    unsigned long marks = 0;
    while (fgets(line, sizeof line, file) != nullptr && sscanf(line, "numa_pte_updates %lu", &marks) != 1) continue;
    fclose(file);
    return marks;
}

bool kernel_balances() {
    FILE* file = fopen("/proc/sys/kernel/numa_balancing", "re");
    if (file == nullptr) return false;
    const int answer = fgetc(file);
    fclose(file);
    return answer != '0';
}

class TwoNodes : public testing::Test {
protected:
    static constexpr size_t kPages = 2'000;
    // From linux/mempolicy.h.
    static constexpr int kDefaultPolicy = 0;
    static constexpr int kPreferNode = 1;

    void SetUp() override {
        let_kernel_balance(false);
        memory_.fill();
        move_all_to(0);
        if (move_all_to(1) != kPages) return declared_skip("numa-nodes", "memory cannot be moved to a node 1");
        ASSERT_EQ(move_all_to(0), kPages);
    }
    // Balancing takes pages to the processor that uses them, and Linux 6.1 calls pages that it has marked absent (seen:
    // of 2,000 pages move_pages(2) said ENOENT). It leaves memory alone that has a policy of its own.
    void let_kernel_balance(bool yes) {
        const unsigned long first_node = 1;
        if (yes) {
            ASSERT_EQ(syscall(SYS_mbind, memory_.address(0), memory_.bytes(), kDefaultPolicy, nullptr, 0, 0), 0);
        } else if (syscall(SYS_mbind, memory_.address(0), memory_.bytes(), kPreferNode, &first_node, 8, 0) != 0) {
            ASSERT_EQ(errno, ENOSYS) << strerror(errno);  // then there are no nodes either
        }
    }
    // Until balancing has marked the memory. That can be seen on Linux 6.1 alone: elsewhere as long as it takes at
    // most. It spares what lies on the node of a program's only thread, so there are two.
    void use_processor_until_marked() const {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        std::thread second([from = ends[0]] {
            char nothing;
            EXPECT_EQ(read(from, &nothing, 1), 0);
        });
        wait_until_marked();
        close(ends[1]);
        second.join();
        close(ends[0]);
    }
    void wait_until_marked() const {
        timespec begin;
        ASSERT_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin), 0);
        timespec now = begin;
        while (now.tv_sec - begin.tv_sec < 4 && nr_with_status(-ENOENT, 0, kPages) == 0) {
            ASSERT_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
        }
    }
    // How many pages are there afterwards.
    size_t move_all_to(int node) {
        const std::vector<int> nodes(kPages, node);
        (void)sys::move_pages(0, addresses(0, kPages), nodes, status_);
        return nr_pages_on(node, 0, kPages);
    }
    size_t nr_pages_on(int node, size_t first, size_t last) const { return nr_with_status(node, first, last); }
    size_t nr_with_status(int node, size_t first, size_t last) const {
        const std::vector<uint64_t> pages = addresses(first, last);
        std::vector<int> status(pages.size());
        EXPECT_EQ(sys::move_pages(0, pages, {}, status), 0);
        return static_cast<size_t>(std::count(status.begin(), status.end(), node));
    }
    std::vector<uint64_t> addresses(size_t first, size_t last) const {
        std::vector<uint64_t> pages;
        for (size_t page = first; page < last; ++page) pages.push_back(memory_.address(page));
        return pages;
    }
    AddressRange range(size_t first, size_t last) const { return {memory_.address(first), memory_.address(last)}; }

    Memory memory_{kPages};
    std::vector<int> status_ = std::vector<int>(kPages);
};

TEST_F(TwoNodes, PagesMoveToTheNodeAskedForAndOnlyThose) {
    for (const DamosAction action : {DamosAction::kMigrateHot, DamosAction::kMigrateCold}) {
        ASSERT_EQ(move_all_to(0), kPages);
        Acting migrate(action);
        migrate.scheme.target_nid = 1;
        EXPECT_EQ(migrate.apply(range(500, 1'500)).applied, 1'000 * page_bytes());
        EXPECT_EQ(nr_pages_on(1, 500, 1'500), 1'000u);
        EXPECT_EQ(nr_pages_on(0, 0, 500), 500u);
        EXPECT_EQ(nr_pages_on(0, 1'500, kPages), 500u);
        // What is there already does not count.
        EXPECT_EQ(migrate.apply(range(0, 1'500)).applied, 500 * page_bytes());
        EXPECT_TRUE(memory_.is_as_filled());
    }
}

// A mark does not hide a page, and the pages that nobody uses keep theirs.
TEST_F(TwoNodes, PagesThatBalancingHasMarkedMoveAsWell) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        let_kernel_balance(false);
        ASSERT_TRUE(memory_.is_as_filled());  // and without marks now
        ASSERT_EQ(move_all_to(0), kPages);
        let_kernel_balance(true);
        if (kernel_balances()) use_processor_until_marked();
        const uint64_t marks = nr_marks();
        Acting migrate(DamosAction::kMigrateCold);
        migrate.scheme.target_nid = 1;
        const Outcome outcome = migrate.apply(memory_.range());
        if (nr_marks() != marks) continue;  // some were marked meanwhile
        EXPECT_EQ(outcome.applied, memory_.bytes());
        EXPECT_EQ(migrate.skipped(Skip::kAbsent), 0u);
        return;
    }
    FAIL() << "pages are marked without a pause";
}

// A page that waits in a pipe is referred to from there and cannot move.
class HeldPage {
public:
    explicit HeldPage(void* page) {
        const iovec one = {page, page_bytes()};
        EXPECT_EQ(pipe(ends_), 0);
        EXPECT_EQ(vmsplice(ends_[1], &one, 1, 0), static_cast<ssize_t>(page_bytes()));
    }
    ~HeldPage() {
        close(ends_[0]);
        close(ends_[1]);
    }
    HeldPage(const HeldPage&) = delete;
    HeldPage& operator=(const HeldPage&) = delete;

private:
    int ends_[2];
};

TEST_F(TwoNodes, AHeldPageStaysAndTheOthersMoveAndCount) {
    Acting migrate(DamosAction::kMigrateCold);
    migrate.scheme.target_nid = 1;
    {
        const HeldPage held(memory_.data(700));
        EXPECT_EQ(migrate.apply(memory_.range()).applied, (kPages - 1) * page_bytes());
        EXPECT_EQ(migrate.skipped(Skip::kBusy), page_bytes());
        EXPECT_EQ(nr_pages_on(1, 0, kPages), kPages - 1);
    }
    EXPECT_EQ(migrate.apply(memory_.range()).applied, page_bytes());
    EXPECT_TRUE(memory_.is_as_filled());
}

// All pages lie on the wrong one of two nodes that take turns.
TEST_F(TwoNodes, AHeldPageDoesNotKeepThoseBehindItFromTheirDestinations) {
    Acting migrate(DamosAction::kMigrateCold);
    ASSERT_TRUE(migrate.scheme.migrate_dests.push_back({.nid = 0, .weight = 1}));
    ASSERT_TRUE(migrate.scheme.migrate_dests.push_back({.nid = 1, .weight = 1}));
    ASSERT_EQ(migrate.apply(memory_.range()).applied, kPages / 2 * page_bytes());
    std::swap(migrate.scheme.migrate_dests[0].nid, migrate.scheme.migrate_dests[1].nid);
    const HeldPage first(memory_.data(520));
    const HeldPage second(memory_.data(701));
    EXPECT_EQ(migrate.apply(memory_.range()).applied, (kPages - 2) * page_bytes());
    EXPECT_EQ(migrate.skipped(Skip::kBusy), 2 * page_bytes());
    EXPECT_EQ(nr_pages_on(0, 0, kPages), kPages / 2) << "one of each is held";
    EXPECT_TRUE(memory_.is_as_filled());
}

// S-8: by weight, page by page.
TEST_F(TwoNodes, DestinationsShareByWeight) {
    Acting migrate(DamosAction::kMigrateCold);
    migrate.scheme.target_nid = 900;  // not looked at where there are destinations
    ASSERT_TRUE(migrate.scheme.migrate_dests.push_back({.nid = 0, .weight = 3}));
    ASSERT_TRUE(migrate.scheme.migrate_dests.push_back({.nid = 1, .weight = 1}));
    EXPECT_EQ(migrate.apply(memory_.range()).applied, kPages / 4 * page_bytes());
    EXPECT_EQ(nr_pages_on(1, 0, kPages), kPages / 4);
    EXPECT_EQ(nr_pages_on(0, 0, kPages), kPages / 4 * 3);
    EXPECT_TRUE(memory_.is_as_filled());
}

// A whole run: what is used goes to one node, what is not to the other.
TEST_F(TwoNodes, HotAndColdMemoryPartUnderTheMonitor) {
    if (!undeclared_memory_can_be_seen()) return;
    constexpr size_t kHotPages = kPages / 4;
    SchemeRun run(memory_.range());
    run.add([](damos_params& params) {
        params.action = DAMOS_MIGRATE_COLD;
        params.pattern.max_nr_accesses = 0;
        params.pattern.min_age = 5;
        params.target_nid = 1;
    });
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    const auto use_hot_part = [&] {
        for (size_t page = 0; page < kHotPages; ++page) memory_.write(page);
    };
    run.windows(30, use_hot_part);
    EXPECT_EQ(nr_pages_on(0, 0, kHotPages), kHotPages);
    EXPECT_GE(nr_pages_on(1, kHotPages, kPages), (kPages - kHotPages) * 19 / 20);
    EXPECT_EQ(run.stat().sz_applied, nr_pages_on(1, 0, kPages) * page_bytes());

    // And back where it is used: what was on the slow node alone moves.
    damon_ctx* ctx = run;
    ASSERT_EQ(damon_stop(&ctx, 1), 0);
    ASSERT_EQ(move_all_to(1), kPages);
    ASSERT_EQ(damon_ctx_remove_scheme(run, 0), 0);
    run.add([](damos_params& params) {
        params.action = DAMOS_MIGRATE_HOT;
        params.pattern.min_nr_accesses = 15;
        params.target_nid = 0;
    });
    run.restart_clock();
    ASSERT_EQ(run.start(), 0) << run.errmsg();
    run.windows(30, use_hot_part);
    EXPECT_GE(nr_pages_on(0, 0, kHotPages), kHotPages * 19 / 20);
    EXPECT_GE(nr_pages_on(1, kHotPages, kPages), (kPages - kHotPages) * 19 / 20);
    EXPECT_TRUE(memory_.is_as_filled());
}

}  // namespace
}  // namespace damon::test
