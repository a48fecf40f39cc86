// How long reading the smaps entry of memory would take, told before it is read.
#include "ops/linux/passes/stall_scan.h"

#include "reservation.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr uint64_t kMostBytes = 12u << 20;

// The steps that a scan takes, until it is over.
size_t scan_all(StallScan& scan, AddressRange part) {
    scan.begin(read_page_sizes(), kMostBytes);
    EXPECT_TRUE(scan.add(part));
    size_t nr_steps = 0;
    for (; !scan.over(); ++nr_steps) scan.step();
    return nr_steps;
}

TEST(StallScan, MemoryThatIsNotThereTakesNoTimeToReadHoweverMuchItIs) {
    const Reservation sparse(64ull << 30);
    for (uint64_t at = 0; at < sparse.bytes(); at += sparse.bytes() / 16) sparse.write(at);
    StallScan scan;
    EXPECT_GT(scan_all(scan, sparse.range()), 1u) << "other threads get at the address space in between";
    EXPECT_TRUE(scan.stalled().empty());
}

TEST(StallScan, SmallPagesBeyondTheLimitStall) {
    Memory memory(2 * kMostBytes / page_bytes());
    StallScan scan;
    for (size_t page = 0; page < memory.nr_pages() / 3; ++page) memory.write(page);
    (void)scan_all(scan, memory.range());
    EXPECT_TRUE(scan.stalled().empty()) << "8 of 12 MiB";
    memory.fill();
    (void)scan_all(scan, memory.range());
    EXPECT_EQ(scan.stalled(), memory.range());
}

// They are walked one by one, and each is somewhere else in memory.
TEST(StallScan, ManyPageTablesWithAPageInEachStall) {
    const uint64_t table_bytes = read_page_sizes().huge_bytes;
    const Reservation sparse(96 * table_bytes);
    StallScan scan;
    for (uint64_t at = 0; at < sparse.bytes() / 3; at += table_bytes) sparse.write(at);
    (void)scan_all(scan, sparse.range());
    EXPECT_TRUE(scan.stalled().empty()) << "32 of 48";
    for (uint64_t at = 0; at < sparse.bytes(); at += table_bytes) sparse.write(at);
    (void)scan_all(scan, sparse.range());
    EXPECT_EQ(scan.stalled(), sparse.range());
}

TEST(StallScan, TheFirstOfSeveralPartsThatStallsIsTold) {
    const Reservation absent(2 * kMostBytes);
    Memory first(2 * kMostBytes / page_bytes()), second(2 * kMostBytes / page_bytes());
    first.fill();
    second.fill();
    StallScan scan;
    scan.begin(read_page_sizes(), kMostBytes);
    for (const AddressRange part : {absent.range(), first.range(), second.range()}) ASSERT_TRUE(scan.add(part));
    while (!scan.over()) scan.step();
    EXPECT_EQ(scan.stalled(), first.range());
    EXPECT_EQ(scan.most_bytes(), kMostBytes);
}

}  // namespace
}  // namespace damon::test
