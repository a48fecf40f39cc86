// What vaddr covers of this process without ranges: its memory, and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/heap.h"
#include "ops/linux/registration/uffd.h"
#include "ops/linux/vaddr.h"
#include "os/own_pages.h"
#include "os/range_scan.h"
#include "os/syscalls.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

using Ranges = std::vector<AddressRange>;

// The coverage of one target without ranges.
Ranges covered(uint32_t flags = 0, uint64_t max_nr_regions = 1000, uint64_t min_region_sz = 4096) {
    Params params;
    params.min_region_sz = min_region_sz;
    params.coverage = flags;
    params.attrs.max_nr_regions = max_nr_regions;
    EXPECT_TRUE(params.targets.push_back(TargetParams()));
    VaddrOps ops;
    TargetCoverage coverage;
    EXPECT_TRUE(ops.start(params).ok());
    ops.refresh(0, RefreshReason::kInit, coverage);
    EXPECT_TRUE(coverage.changed);
    ops.stop();
    return {coverage.ranges.begin(), coverage.ranges.end()};
}

uint64_t bytes_in(const Ranges& ranges) {
    uint64_t bytes = 0;
    for (const AddressRange range : ranges) bytes += range.size();
    return bytes;
}

uint64_t bytes_of(const Ranges& ranges, AddressRange part) {
    uint64_t bytes = 0;
    for (const AddressRange range : ranges) {
        if (range.intersects(part)) bytes += range.intersection(part).size();
    }
    return bytes;
}

// A mapping that ends with its scope.
class Mapped {
public:
    explicit Mapped(uint64_t bytes, int protection = PROT_READ | PROT_WRITE,
                    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, int fd = -1)
        : bytes_(bytes), start_(mmap(nullptr, bytes, protection, flags, fd, 0)) {
        EXPECT_NE(start_, MAP_FAILED);
        (void)madvise(start_, bytes, MADV_NOHUGEPAGE);
    }
    ~Mapped() { munmap(start_, bytes_); }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    char* at(uint64_t offset) const { return static_cast<char*>(start_) + offset; }
    AddressRange range() const { return part(0, bytes_); }
    AddressRange part(uint64_t offset, uint64_t bytes) const {
        const uint64_t start = reinterpret_cast<uint64_t>(start_) + offset;
        return {start, start + bytes};
    }

private:
    uint64_t bytes_;
    void* start_;
};

TEST(MemoryCoverage, IsWhatWasPopulated) {
    const Mapped heap(4 * kGiB);
    memset(heap.at(kGiB), 1, 64 * kMiB);
    const Ranges ranges = covered();
    EXPECT_EQ(bytes_of(ranges, heap.part(kGiB, 64 * kMiB)), 64 * kMiB);
    EXPECT_LE(bytes_of(ranges, heap.range()), 68 * kMiB);
    EXPECT_LE(bytes_in(ranges), 1 * kGiB) << "no more than memory";
}

TEST(MemoryCoverage, ATebibyteOfNothingTakesNoRegion) {
    if (thread_sanitized()) return declared_skip("sanitizer", "no terabytes can be mapped");
    const Mapped reserved(2048 * kGiB);
    const Mapped forbidden(512 * kGiB, PROT_NONE);
    *reserved.at(1024 * kGiB) = 1;
    const Ranges ranges = covered();
    EXPECT_LE(bytes_of(ranges, reserved.range()), 2 * kMiB);
    // Page by page, without PAGEMAP_SCAN, nobody gets so far.
    RangeScan scan;
    ASSERT_EQ(scan.open(0, page_bytes()), 0);
    const uint64_t reached = scan.passes_holes() ? page_bytes() : 0;
    EXPECT_GE(bytes_of(ranges, reserved.part(1024 * kGiB, page_bytes())), reached);
    EXPECT_EQ(bytes_of(ranges, forbidden.range()), 0u);
}

// In blocks of a huge page they would be a fifth of what is watched.
TEST(MemoryCoverage, SmallPiecesOfALargeReservationAreCutToTheirPages) {
    if (thread_sanitized()) return declared_skip("sanitizer", "no terabytes can be mapped");
    RangeScan scan;
    ASSERT_EQ(scan.open(0, page_bytes()), 0);
    if (!scan.passes_holes()) return declared_skip("pagemap-scan", "nobody gets so far page by page");
    const Mapped reserved(2048 * kGiB);
    const auto offset = [](uint64_t piece) { return piece * 32 * kGiB + (piece * 7919 % 1000) * page_bytes(); };
    for (uint64_t piece = 0; piece < 64; ++piece) memset(reserved.at(offset(piece)), 1, kMiB / 2);
    const Ranges ranges = covered();
    for (uint64_t piece = 0; piece < 64; ++piece) {
        EXPECT_EQ(bytes_of(ranges, reserved.part(offset(piece), kMiB / 2)), kMiB / 2) << piece;
    }
    EXPECT_LE(bytes_of(ranges, reserved.range()), 33 * kMiB);
}

// Ranges of which two lie in one unit were refused together, and nothing was watched.
TEST(MemoryCoverage, RangesThatMeetInUnitsOfTheSmallestRegionAreJoined) {
    const Mapped heap(32 * kMiB);
    memset(heap.at(0), 1, kMiB);
    memset(heap.at(31 * kMiB), 1, kMiB);
    for (const uint32_t flags : {uint32_t{0}, uint32_t{kCoverThreeAreas}}) {
        for (const uint64_t unit : {2 * kMiB, 64 * kMiB, 1024 * kGiB}) {
            const Ranges ranges = covered(flags, 1000, unit);
            ASSERT_FALSE(ranges.empty()) << unit;
            EXPECT_EQ(bytes_of(ranges, heap.part(0, kMiB)), kMiB) << unit;
            EXPECT_EQ(bytes_of(ranges, heap.part(31 * kMiB, kMiB)), kMiB) << unit;
            for (size_t i = 0; i < ranges.size(); ++i) {
                EXPECT_EQ(ranges[i].start % unit, 0u) << unit;
                EXPECT_EQ(ranges[i].end % unit, 0u) << unit;
                if (i != 0) {
                    EXPECT_GT(ranges[i].start, ranges[i - 1].end) << unit;
                }
            }
        }
    }
}

TEST(MemoryCoverage, SmallMappingsAreLookedAtPageByPage) {
    const Mapped small(kMiB);
    memset(small.at(0), 1, kMiB / 4);
    memset(small.at(kMiB / 2), 1, kMiB / 4);
    const Mapped reader(kMiB, PROT_READ);
    volatile const char* read = reader.at(0);
    (void)*read;
    const Ranges ranges = covered();
    EXPECT_EQ(bytes_of(ranges, small.part(0, kMiB / 4)), kMiB / 4);
    EXPECT_EQ(bytes_of(ranges, small.part(kMiB / 2, kMiB / 4)), kMiB / 4);
    EXPECT_GE(bytes_of(ranges, reader.part(0, page_bytes())), page_bytes());
}

TEST(MemoryCoverage, LeavesOutReservationsAndTheStack) {
    const Mapped heap(64 * kMiB);
    memset(heap.at(0), 1, 64 * kMiB);
    ASSERT_EQ(mprotect(heap.at(16 * kMiB), 32 * kMiB, PROT_NONE), 0);
    const Ranges ranges = covered();
    EXPECT_EQ(bytes_of(ranges, heap.part(16 * kMiB, 32 * kMiB)), 0u);
    EXPECT_EQ(bytes_of(ranges, heap.part(48 * kMiB, 16 * kMiB)), 16 * kMiB);
    const auto stack = reinterpret_cast<uint64_t>(&ranges);
    EXPECT_EQ(bytes_of(ranges, {stack, stack + 1}), 0u);
}

TEST(MemoryCoverage, LeavesOutStacksOfThreads) {
    char* local = nullptr;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 2);
    std::thread thread([&] {
        char large[256 * 1024];
        memset(large, 1, sizeof large);
        local = large;
        asm volatile("" : : "r"(local) : "memory");
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    });
    pthread_barrier_wait(&barrier);
    const auto at = reinterpret_cast<uint64_t>(local);
    const Ranges ranges = covered();
    pthread_barrier_wait(&barrier);
    thread.join();
    EXPECT_EQ(bytes_of(ranges, {at, at + 256 * 1024}), 0u);
}

// A userfaultfd of the program's own, which one mapping is registered with.
class OwnUserfaultfd {
public:
    explicit OwnUserfaultfd(AddressRange range) : fd_(sys::userfaultfd(uapi::kUffdUserModeOnly)), range_(range) {
        uapi::UffdApi api;
        uapi::UffdRegister request;
        request.range = {range.start, range.size()};
        request.mode = 1;  // missing pages, of which there are none
        works_ = fd_ >= 0 && sys::ioctl(fd_, uapi::kUffdioApi, &api) == 0 &&
                 sys::ioctl(fd_, uapi::kUffdioRegister, &request) == 0;
    }
    ~OwnUserfaultfd() { close(fd_); }
    OwnUserfaultfd(const OwnUserfaultfd&) = delete;
    OwnUserfaultfd& operator=(const OwnUserfaultfd&) = delete;
    bool works() const { return works_; }
    bool unregister() {
        uapi::UffdRange range{range_.start, range_.size()};
        return sys::ioctl(fd_, uapi::kUffdioUnregister, &range) == 0;
    }

private:
    int fd_;
    AddressRange range_;
    bool works_ = false;
};

TEST(MemoryCoverage, LeavesOutWhatTheProgramRegisteredItselfAsLongAsItIs) {
    const Mapped lazy(64 * kMiB);
    memset(lazy.at(0), 1, 64 * kMiB);
    OwnUserfaultfd own(lazy.range());
    if (!own.works()) return declared_skip("uffd-wp", "no userfaultfd");
    if (!uffd_offered().wp_async) return declared_skip("uffd-wp", "nothing would be registered, and nobody finds out");
    Params params;
    params.attrs.max_nr_regions = 1000;
    ASSERT_TRUE(params.targets.push_back(TargetParams()));
    VaddrOps ops;
    TargetCoverage coverage;
    ASSERT_TRUE(ops.start(params).ok());
    const auto covered_bytes = [&](RefreshReason reason) {
        ops.refresh(0, reason, coverage);
        EXPECT_TRUE(coverage.changed);
        return bytes_of({coverage.ranges.begin(), coverage.ranges.end()}, lazy.range());
    };
    EXPECT_EQ(covered_bytes(RefreshReason::kInit), 64 * kMiB) << "nobody has found out";
    Sample sample;
    sample.addr = lazy.range().start;
    sample.region = lazy.range();
    ops.arm({&sample, 1});
    ops.look({&sample, 1});
    EXPECT_EQ(sample.seen, Seen::kUnknown);
    EXPECT_EQ(sample.unknown, Unknown::kOtherUserfaultfd);
    EXPECT_EQ(covered_bytes(RefreshReason::kUpdate), 0u);
    ASSERT_TRUE(own.unregister());
    EXPECT_EQ(covered_bytes(RefreshReason::kUpdate), 64 * kMiB);
    ops.stop();
}

TEST(MemoryCoverage, LeavesOutTheLibrarysOwnHeap) {
    void* own = heap_allocate(8 * kMiB);
    ASSERT_NE(own, nullptr);
    memset(own, 1, 8 * kMiB);
    const auto start = reinterpret_cast<uint64_t>(own);
    Vector<AddressRange> listed;
    ASSERT_TRUE(list_own_pages(listed));
    const Ranges ranges = covered();
    heap_free(own, 8 * kMiB);
    EXPECT_EQ(bytes_of(ranges, {start, start + 8 * kMiB}), 0u);
    EXPECT_EQ(bytes_of({listed.begin(), listed.end()}, {start, start + 8 * kMiB}), 8 * kMiB);
}

// A file of `bytes` in a folder that is on a disk, unlinked.
class File {
public:
    explicit File(uint64_t bytes) {
        char name[] = "memory_coverage_XXXXXX";
        fd_ = mkstemp(name);
        EXPECT_GE(fd_, 0);
        unlink(name);
        const std::vector<char> content(bytes, 1);
        EXPECT_EQ(write(fd_, content.data(), bytes), static_cast<ssize_t>(bytes));
    }
    ~File() { close(fd_); }
    int fd() const { return fd_; }

private:
    int fd_;
};

void read_all(const Mapped& mapped, uint64_t bytes) {
    for (uint64_t at = 0; at < bytes; at += page_bytes()) {
        (void)*static_cast<volatile const char*>(mapped.at(at));
    }
}

TEST(MemoryCoverage, OfFilesOnlyWhatThePrivateMappingsChanged) {
    const File file(16 * kMiB);
    const Mapped changed(16 * kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.fd());
    const Mapped shared(16 * kMiB, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd());
    read_all(changed, 16 * kMiB);
    read_all(shared, 16 * kMiB);
    memset(changed.at(8 * kMiB), 2, kMiB);
    const Ranges ranges = covered();
    EXPECT_EQ(bytes_of(ranges, changed.part(8 * kMiB, kMiB)), kMiB);
    EXPECT_LE(bytes_of(ranges, changed.range()), 4 * kMiB) << "in blocks of 2 MiB";
    EXPECT_EQ(bytes_of(ranges, shared.range()), 0u);
    const Ranges files = covered(kCoverFiles);
    EXPECT_EQ(bytes_of(files, shared.range()), 16 * kMiB);
    EXPECT_EQ(bytes_of(files, changed.range()), 16 * kMiB);
}

TEST(MemoryCoverage, SharedMemoryIsMemory) {
    int error = 0;
    const int fd = sys::memfd_create("covered");
    ASSERT_GE(fd, 0);
    ASSERT_EQ(ftruncate(fd, 8 * kMiB), 0);
    const Mapped named(8 * kMiB, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    const Mapped nameless(8 * kMiB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    close(fd);
    memset(named.at(0), 1, 8 * kMiB);
    memset(nameless.at(0), 1, 8 * kMiB);
    const Ranges ranges = covered();
    EXPECT_EQ(bytes_of(ranges, named.range()), 8 * kMiB);
    EXPECT_EQ(bytes_of(ranges, nameless.range()), 8 * kMiB);
    EXPECT_EQ(error, 0);
}

TEST(MemoryCoverage, ThreeAreasWhereTheFlagSaysSo) {
    if (thread_sanitized()) return declared_skip("sanitizer", "no terabytes can be mapped");
    const Mapped reserved(2048 * kGiB, PROT_NONE);
    EXPECT_EQ(covered(kCoverThreeAreas).size(), 3u);
}

// 60,000 mappings of a page, every other one a reservation.
TEST(MemoryCoverage, ManyMappingsMakeFewRegionsAndAllOfThemAreCovered) {
    constexpr uint64_t kPieces = 20'000;
    const uint64_t page = page_bytes();
    const Mapped spread(2 * kPieces * page, PROT_NONE);
    uint64_t nr_mapped = 0;
    while (nr_mapped < kPieces && mprotect(spread.at(2 * nr_mapped * page), page, PROT_READ | PROT_WRITE) == 0) {
        *spread.at(2 * nr_mapped++ * page) = 1;
    }
    const Mapped hot(32 * kMiB);
    memset(hot.at(0), 1, 32 * kMiB);
    const Ranges ranges = covered(0, 200);
    EXPECT_LE(ranges.size(), 100u);
    EXPECT_EQ(bytes_of(ranges, hot.range()), 32 * kMiB);
    for (uint64_t i = 0; i < nr_mapped; i += 997) {
        ASSERT_EQ(bytes_of(ranges, spread.part(2 * i * page, page)), page) << i;
    }
}

TEST(MemoryCoverage, AnUpdateChangesAreasForNewMemoryOnly) {
    if (thread_sanitized()) return declared_skip("sanitizer", "its own memory grows meanwhile");
    Params params;
    ASSERT_TRUE(params.targets.push_back(TargetParams()));
    const Mapped heap(256 * kMiB);
    memset(heap.at(0), 1, 128 * kMiB);
    VaddrOps ops;
    TargetCoverage coverage;
    ASSERT_TRUE(ops.start(params).ok());
    ops.refresh(0, RefreshReason::kInit, coverage);
    ASSERT_TRUE(coverage.changed);
    ops.refresh(0, RefreshReason::kUpdate, coverage);
    ops.refresh(0, RefreshReason::kUpdate, coverage);
    EXPECT_FALSE(coverage.changed);
    memset(heap.at(192 * kMiB), 1, 32 * kMiB);
    ops.refresh(0, RefreshReason::kUpdate, coverage);
    EXPECT_TRUE(coverage.changed);
    const Ranges grown(coverage.ranges.begin(), coverage.ranges.end());
    EXPECT_EQ(bytes_of(grown, heap.part(192 * kMiB, 32 * kMiB)), 32 * kMiB);
    ASSERT_EQ(madvise(heap.at(0), 128 * kMiB, MADV_DONTNEED), 0);
    ops.refresh(0, RefreshReason::kUpdate, coverage);
    EXPECT_TRUE(coverage.changed) << "less of it by far";
    const Ranges shrunk(coverage.ranges.begin(), coverage.ranges.end());
    EXPECT_EQ(bytes_of(shrunk, heap.part(0, 128 * kMiB)), 0u);
    ops.stop();
}

// Before Linux 6.7.
TEST(MemoryCoverage, WithoutPagemapScanPagesAreReadOneByOne) {
    if (sanitized()) return declared_skip("sanitizer", "its terabytes are too much to be read page by page");
    const Mapped heap(256 * kMiB);
    memset(heap.at(64 * kMiB), 1, 16 * kMiB);
    const Mapped forbidden(8 * kGiB, PROT_NONE);
    const Mapped small(kMiB);
    memset(small.at(0), 1, kMiB / 2);
    sys::set_fault_hook([](sys::Call call) { return call == sys::Call::kIoctl ? ENOTTY : 0; });
    CoveragePlan plan;
    ProcMaps maps;
    Vector<AddressRange> ranges;
    EXPECT_EQ(plan.open(page_bytes()), 0);
    CoverageRequest request;
    request.rule = CoverageRule::kMemory;
    request.max_areas = 500;
    plan.begin(request);
    uint64_t bad_lines = 0;
    const auto visit = [](void* context, const Mapping& mapping) { static_cast<CoveragePlan*>(context)->add(mapping); };
    EXPECT_EQ(maps.open(0), 0);
    EXPECT_EQ(maps.read_all(visit, &plan, bad_lines), 0);
    EXPECT_TRUE(plan.finish(ranges));
    sys::set_fault_hook(nullptr);
    const Ranges found(ranges.begin(), ranges.end());
    EXPECT_EQ(bytes_of(found, heap.part(64 * kMiB, 16 * kMiB)), 16 * kMiB);
    EXPECT_LE(bytes_of(found, heap.range()), 20 * kMiB);
    EXPECT_EQ(bytes_of(found, small.part(0, kMiB / 2)), kMiB / 2);
    EXPECT_EQ(bytes_of(found, forbidden.range()), 0u);
}

}  // namespace
}  // namespace damon::test
