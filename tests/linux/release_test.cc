// What is left behind when nothing is looked at: after a look, a pause and a stop. Nothing that a thread of the program
// could wait for takes longer the more memory is watched.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <iterator>

#include "ops/linux/registration/call_pieces.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/syscalls.h"
#include "watched.h"

namespace damon::test {
namespace {

uint32_t state_of(const Memory& memory, size_t page) {
    PageScan scan;
    EXPECT_EQ(scan.open(page_bytes()), 0);
    const uint64_t address = memory.address(page);
    uint32_t state = 0;
    scan.look_marked({&address, 1}, {&state, 1});
    uint32_t plain = 0;
    scan.look({&address, 1}, {&plain, 1});
    return state | (plain & uapi::kPageWpAllowed);
}
bool is_marked(const Memory& memory, size_t page) { return (state_of(memory, page) & PageScan::kMarked) != 0; }
bool is_registered(const Memory& memory, size_t page) { return (state_of(memory, page) & uapi::kPageWpAllowed) != 0; }

size_t nr_registered(const Memory& memory) {
    size_t nr = 0;
    for (size_t page = 0; page < memory.nr_pages(); ++page) nr += is_registered(memory, page);
    return nr;
}

size_t nr_marked(const Memory& memory) {
    size_t nr = 0;
    for (size_t page = 0; page < memory.nr_pages(); ++page) nr += is_marked(memory, page);
    return nr;
}

// Releases all; returns in how many pieces.
size_t release_all(AccessChecker& checker) {
    size_t nr = 0;
    while (checker.release_some() != 0) ++nr;
    return nr;
}

TEST(Release, NoMarkOutlivesItsLook) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(64);
    memory.fill();
    auto samples = memory.samples({0, 1, 2, 5, 20, 63});
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        EXPECT_EQ(nr_marked(memory), 6u);
        memory.write(20);
        checker->look(samples);
        EXPECT_EQ(answers(samples), "nnnnyn");
        EXPECT_EQ(nr_marked(memory), 0u);
        EXPECT_TRUE(is_registered(memory, 0));
    }
    EXPECT_EQ(checker->statistics().registrations, 1u);
    EXPECT_TRUE(memory.is_as_filled());
}

TEST(Release, SamplesOfOnePageAnswerAlike) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(4);
    memory.fill();
    std::vector<Sample> samples(300, memory.samples({1})[0]);
    checker->arm(samples);
    checker->look(samples);
    EXPECT_EQ(answers(samples), std::string(300, 'n'));
    EXPECT_EQ(nr_marked(memory), 0u);
}

TEST(Release, APauseLiftsTheMarksOfItsIntervalAndKeepsTheRegistration) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(1024);
    memory.fill();
    auto samples = memory.samples();
    checker->arm(samples);
    checker->disarm();
    EXPECT_EQ(release_all(*checker), 4u) << "1,024 marks, 256 a piece";
    EXPECT_EQ(nr_marked(memory), 0u);
    EXPECT_EQ(nr_registered(memory), 1024u);
    // It goes on without a registration more.
    checker->arm(samples);
    memory.write(1);
    checker->look(samples);
    EXPECT_EQ(answers(samples).substr(0, 4), "nynn");
    EXPECT_EQ(checker->statistics().registrations, 1u);
}

// How far apart the marks lie that one system call lifts, which walks what is between them with the address space held.
class LongestLift {
public:
    explicit LongestLift(const Memory& memory) {
        watched = &memory;
        longest = 0;
        marked_before = marked_pages(memory);
        sys::set_fault_hook(before_a_call);
    }
    ~LongestLift() { sys::set_fault_hook(nullptr); }
    uint64_t bytes() const {
        note();
        return longest * page_bytes();
    }

private:
    static std::vector<size_t> marked_pages(const Memory& memory) {
        PageScan scan;
        EXPECT_EQ(scan.open(page_bytes()), 0);
        std::vector<uint64_t> pages;
        for (size_t page = 0; page < memory.nr_pages(); ++page) pages.push_back(memory.address(page));
        std::vector<uint32_t> states(pages.size());
        scan.look_marked(pages, states);
        std::vector<size_t> marked;
        for (size_t page = 0; page < pages.size(); ++page) {
            if ((states[page] & PageScan::kMarked) != 0) marked.push_back(page);
        }
        return marked;
    }
    static void note() {
        const std::vector<size_t> now = marked_pages(*watched);
        std::vector<size_t> lifted;
        std::ranges::set_difference(marked_before, now, std::back_inserter(lifted));
        if (!lifted.empty()) longest = std::max(longest, lifted.back() + 1 - lifted.front());
        marked_before = now;
    }
    static int before_a_call(sys::Call) {
        sys::set_fault_hook(nullptr);  // not before those that look
        note();
        sys::set_fault_hook(before_a_call);
        return 0;
    }

    static inline const Memory* watched;
    static inline size_t longest;
    static inline std::vector<size_t> marked_before;
};

// Half of the 4 MiB that were measured to hold the address space as long as a call may.
TEST(Release, NoCallThatLiftsMarksCoversMoreThanTwoMebibytes) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    constexpr size_t kApart = 9;  // as far as marks that are lifted together lie
    Memory memory(100 * kApart);
    memory.fill();
    ASSERT_GT(memory.bytes(), 3u << 20);
    std::vector<Sample> samples;
    for (size_t page = 0; page < memory.nr_pages(); page += kApart) samples.push_back(memory.samples({page})[0]);
    for (const bool looks : {true, false}) {
        checker->arm(samples);
        ASSERT_EQ(nr_marked(memory), 100u);
        const LongestLift lift(memory);
        if (looks) checker->look(samples);
        if (!looks) {
            checker->disarm();
            release_all(*checker);
        }
        EXPECT_LE(lift.bytes(), 2u << 20) << (looks ? "at the look" : "in a pause");
        EXPECT_GT(lift.bytes(), 1u << 20) << "marks that lie close are lifted together";
        EXPECT_EQ(nr_marked(memory), 0u);
    }
}

TEST(Release, AResumeBeforeItsEndLosesNothing) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(1024);
    memory.fill();
    auto all = memory.samples();
    auto one = memory.samples({7});
    checker->arm(all);
    checker->disarm();
    EXPECT_NE(checker->release_some(), 0u);
    checker->arm(one);
    EXPECT_EQ(nr_marked(memory), 1u);
    memory.write(8);
    checker->look(one);
    EXPECT_EQ(answers(one), "n");
    EXPECT_EQ(nr_marked(memory), 0u);
}

// However large the memory is, a pause has as much to do as there are samples.
TEST(Release, APauseCostsTheSameWhateverTheSize) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    size_t nr_pieces[2] = {};
    for (const size_t mib : {1, 64}) {
        Memory memory(mib << 20 >> 12);
        memory.fill();
        std::vector<Sample> samples;
        for (size_t i = 0; i < 100; ++i) samples.push_back(memory.samples({i * memory.nr_pages() / 100})[0]);
        for (int round = 0; round < 20; ++round) {
            checker->arm(samples);
            checker->look(samples);
        }
        checker->arm(samples);
        checker->disarm();
        nr_pieces[mib == 64] = release_all(*checker);
    }
    EXPECT_EQ(nr_pieces[0], 1u);
    EXPECT_EQ(nr_pieces[1], 1u);
}

TEST(Release, TheEndUnregistersTwoMebibytesAtATime) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    const size_t pages_a_piece = (2u << 20) / page_bytes();
    Memory memory(5 * pages_a_piece);
    memory.fill();
    auto samples = memory.samples({3});
    checker->arm(samples);
    ASSERT_EQ(nr_registered(memory), memory.nr_pages());
    checker->end();
    size_t left = memory.nr_pages();
    size_t nr_steps = 0;
    while (checker->release_some() != 0) {
        const size_t now = nr_registered(memory);
        EXPECT_LE(left - now, pages_a_piece);
        nr_steps += now != left;
        left = now;
    }
    EXPECT_EQ(left, 0u);
    EXPECT_GE(nr_steps, 5u);
    EXPECT_EQ(nr_marked(memory), 0u);
    EXPECT_EQ(uffd_users(), 0u);
    EXPECT_TRUE(memory.is_as_filled());
}

// Back to back, pieces would keep a thread that waits for the address space waiting for all of them.
TEST(Release, BetweenTwoPiecesIsARestAsLongAsAPiece) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory(5 * (2u << 20) / page_bytes());
    memory.fill();
    auto samples = memory.samples({3});
    checker->arm(samples);
    checker->end();
    const Clock clock;
    uint64_t rest_ns = 0;
    for (;;) {
        const uint64_t begin_ns = clock.now_ns();
        rest_ns = checker->release_some();
        const uint64_t passed_ns = clock.now_ns() - begin_ns;
        if (rest_ns == 0) break;
        EXPECT_GE(rest_ns, std::max<uint64_t>(10'000, passed_ns / 2));
    }
}

TEST(Release, HolesArePassedOverAtOnce) {
    Checker checker(AccessCheck::kUffdWp);
    if (!checker.works()) return;
    Memory memory((uint64_t{1} << 30) / page_bytes());  // a GiB, and three pages of it are there
    const size_t last = memory.nr_pages() / 4 * 3;
    for (const size_t page : {size_t{0}, size_t{1000}, last}) memory.write(page);
    auto samples = memory.samples({0, 1000, last});
    checker->arm(samples);
    checker->look(samples);
    EXPECT_EQ(answers(samples), "nnn");
    checker->end();
    EXPECT_LT(release_all(*checker), 20u);
    EXPECT_FALSE(is_registered(memory, 0) || is_registered(memory, last));
}

TEST(Release, TheLastContextUnregistersWhatTheOthersLeft) {
    Checker other(AccessCheck::kUffdWp);
    if (!other.works()) return;
    Memory memory(16);
    Memory also_seen(16);
    memory.fill();
    also_seen.fill();
    // Mappings of their own, of which the other context has seen one only.
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_DONTDUMP), 0);
    auto of_other = also_seen.samples({0, 1, 2, 3});
    {
        Checker checker(AccessCheck::kUffdWp);
        auto samples = memory.samples();
        auto more = also_seen.samples({1});
        checker->arm(samples);
        checker->arm(more);
        other->arm(of_other);
        also_seen.write(2);
    }
    EXPECT_EQ(nr_registered(memory), 16u) << "the other one is at work";
    other->look(of_other);
    EXPECT_EQ(answers(of_other), "nnyn");
    EXPECT_EQ(nr_marked(memory) + nr_marked(also_seen), 0u);
    other->end();
    // In pieces, before it closes the descriptor: that would unregister the rest at once.
    size_t nr_before = 0;
    do {
        nr_before = nr_registered(memory) + nr_registered(also_seen);
    } while (other->release_some() != 0);
    EXPECT_EQ(nr_before, 0u);
    EXPECT_EQ(uffd_users(), 0u);
}

// What one call walks keeps everybody else from the address space: 2 MiB of pages, with any amount of nothing between.
TEST(Pieces, HaveNoMorePagesThanACallMayWalk) {
    const PageSizes sizes = read_page_sizes();
    PageScan scan;
    ASSERT_EQ(scan.open(page_bytes()), 0);
    const size_t nr_allowed = (2u << 20) / page_bytes();
    Memory memory(8 * nr_allowed, Kind::kAnonymous, sizes.huge_bytes);
    ASSERT_EQ(madvise(memory.data(), memory.bytes(), MADV_NOHUGEPAGE), 0);
    EXPECT_LE(end_of_piece(scan, sizes, memory.range()), memory.range().end);
    const bool can_scan = scan.can_scan();
    EXPECT_EQ(end_of_piece(scan, sizes, memory.range()) == memory.range().end, can_scan) << "nothing is there";
    for (size_t page = 0; page < nr_allowed / 2; ++page) memory.write(page);
    memory.write(memory.nr_pages() - 1);
    EXPECT_EQ(end_of_piece(scan, sizes, memory.range()) == memory.range().end, can_scan) << "half as much as may be";
    memory.fill();
    for (AddressRange left = memory.range(); !left.empty();) {
        const uint64_t end = end_of_piece(scan, sizes, left);
        ASSERT_GT(end, left.start);
        ASSERT_LE(end - left.start, nr_allowed * page_bytes());
        left.start = end;
    }
}

}  // namespace
}  // namespace damon::test
