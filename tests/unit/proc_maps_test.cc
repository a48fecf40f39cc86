// The text of /proc/PID/maps, and the three regions of an address space (M-2, M-3, C-9).
#include "os/proc_maps.h"

#include <gtest/gtest.h>

#include <string>

#include "ops/linux/three_regions.h"

namespace damon {
namespace {

TEST(MapsLine, AnonymousPrivateMapping) {
    Mapping mapping;
    ASSERT_TRUE(parse_maps_line("7f00a000-7f00c000 rw-p 00000000 00:00 0 ", mapping));
    EXPECT_EQ(mapping.range, (AddressRange{0x7f00a000, 0x7f00c000}));
    EXPECT_TRUE(mapping.writable);
    EXPECT_FALSE(mapping.shared);
    EXPECT_EQ(mapping.inode, 0u);
    EXPECT_FALSE(mapping.vsyscall);
}

TEST(MapsLine, SharedFileMappingWithSpacesInItsName) {
    Mapping mapping;
    ASSERT_TRUE(parse_maps_line("1000-2000 r--s 0001f000 fe:01 1234567 /a file  with [vsyscall]", mapping));
    EXPECT_FALSE(mapping.writable);
    EXPECT_TRUE(mapping.shared);
    EXPECT_EQ(mapping.inode, 1234567u);
    EXPECT_FALSE(mapping.vsyscall);
}

TEST(MapsLine, VsyscallIsNotARealMapping) {
    Mapping mapping;
    ASSERT_TRUE(parse_maps_line("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
                                mapping));
    EXPECT_TRUE(mapping.vsyscall);
    EXPECT_EQ(mapping.range.end, 0xffffffffff601000u);
}

MappingKind kind_of(const char* flags, const char* name) {
    Mapping mapping;
    const std::string line = std::string("1000-2000 ") + flags + " 00000000 00:05 77      " + name;
    EXPECT_TRUE(parse_maps_line(line, mapping)) << line;
    return mapping.kind;
}

TEST(MapsLine, NamesTellWhatIsMapped) {
    for (const char* name : {"", "[heap]", "[anon:go: heap]", "/dev/zero", "/anon_hugepage (deleted)"}) {
        EXPECT_EQ(kind_of("rw-p", name), MappingKind::kAnonymous) << name;
    }
    for (const char* name : {"/dev/zero (deleted)", "/memfd:java (deleted)", "/SYSV00000000 (deleted)", "/dev/shm/pool",
                             "[anon_shmem:x]", "/anon_hugepage (deleted)"}) {
        EXPECT_EQ(kind_of("rw-s", name), MappingKind::kSharedMemory) << name;
    }
    for (const char* name : {"/usr/lib/libc.so.6", "/home/[stack]", "/tmp/x (deleted)"}) {
        EXPECT_EQ(kind_of("rw-p", name), MappingKind::kFile) << name;
    }
    for (const char* name :
         {"[vvar]", "[vdso]", "[uprobes]", "anon_inode:[perf_event]", "anon_inode:[io_uring]", "socket:[4711]",
          "/dev/dri/card0", "/dev/kvm", "/sys/kernel/tracing/per_cpu/cpu0/trace_pipe_raw",
          "/sys/devices/pci0000:00/0000:00:02.0/resource0", "/proc/bus/pci/00/02.0", "/[aio] (deleted)",
          "/secretmem (deleted)"}) {
        EXPECT_EQ(kind_of("rw-s", name), MappingKind::kSpecial) << name;
    }
    EXPECT_EQ(kind_of("rw-p", "[stack]"), MappingKind::kStack);
}

TEST(MapsLine, AReservationIsNoUsableMemory) {
    Mapping mapping;
    ASSERT_TRUE(parse_maps_line("1000-2000 ---p 00000000 00:00 0", mapping));
    EXPECT_FALSE(mapping.usable());
    ASSERT_TRUE(parse_maps_line("1000-2000 --xp 00000000 00:00 0", mapping));
    EXPECT_FALSE(mapping.usable());
    ASSERT_TRUE(parse_maps_line("1000-2000 -w-p 00000000 00:00 0", mapping));
    EXPECT_TRUE(mapping.usable());
    ASSERT_TRUE(parse_maps_line("1000-2000 r--p 00000000 00:00 0", mapping));
    EXPECT_TRUE(mapping.usable());
}

TEST(MapsLine, RefusesWhatIsNoMapping) {
    Mapping mapping;
    for (const char* line :
         {"", "-", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 rw-p", "1000-2000 rw-p 0 00:00",
          "1000-2000 rw-p 0 00:00 ", "1000-2000 rwxx 0 00:00 0", "2000-1000 rw-p 0 00:00 0", "1000-1000 rw-p 0 00:00 0",
          "11111111111111111-2 rw-p 0 00:00 0", "g-h rw-p 0 00:00 0", "1000-2000 aw-p 0 00:00 0",
          "1000-2000 rw-p 0 00:00 99999999999999999999999"}) {
        EXPECT_FALSE(parse_maps_line(line, mapping)) << line;
    }
}

TEST(ThreeRegions, VectorOfM2) {
    ThreeRegions regions;
    for (const AddressRange mapping :
         {AddressRange{10, 20}, {20, 25}, {200, 210}, {210, 220}, {300, 305}, {307, 330}}) {
        regions.add(mapping);
    }
    AddressRange ranges[3];
    ASSERT_TRUE(regions.finish(1, ranges));
    EXPECT_EQ(ranges[0], (AddressRange{10, 25}));
    EXPECT_EQ(ranges[1], (AddressRange{200, 220}));
    EXPECT_EQ(ranges[2], (AddressRange{300, 330}));
}

TEST(ThreeRegions, OfEqualGapsTheLowerOnesStayM2) {
    ThreeRegions regions;
    for (const AddressRange mapping : {AddressRange{0, 10}, {20, 30}, {40, 50}, {60, 70}}) regions.add(mapping);
    AddressRange ranges[3];
    ASSERT_TRUE(regions.finish(1, ranges));
    EXPECT_EQ(ranges[0], (AddressRange{0, 10}));
    EXPECT_EQ(ranges[1], (AddressRange{20, 30}));
    EXPECT_EQ(ranges[2], (AddressRange{40, 70}));
}

TEST(ThreeRegions, LargerGapsDemoteEarlierOnesM2) {
    ThreeRegions regions;
    for (const AddressRange mapping : {AddressRange{0, 10}, {11, 20}, {25, 30}, {130, 140}}) regions.add(mapping);
    AddressRange ranges[3];
    ASSERT_TRUE(regions.finish(1, ranges));
    EXPECT_EQ(ranges[0], (AddressRange{0, 20}));
    EXPECT_EQ(ranges[1], (AddressRange{25, 30}));
    EXPECT_EQ(ranges[2], (AddressRange{130, 140}));
}

TEST(ThreeRegions, BoundsAreAlignedUp) {
    ThreeRegions regions;
    for (const AddressRange mapping : {AddressRange{1, 10}, {101, 110}, {301, 310}}) regions.add(mapping);
    AddressRange ranges[3];
    ASSERT_TRUE(regions.finish(4, ranges));
    EXPECT_EQ(ranges[0], (AddressRange{4, 12}));
    EXPECT_EQ(ranges[1], (AddressRange{104, 112}));
    EXPECT_EQ(ranges[2], (AddressRange{304, 312}));
}

TEST(ThreeRegions, FewerThanTwoGapsFailM3) {
    AddressRange ranges[3] = {{7, 8}, {7, 8}, {7, 8}};
    ThreeRegions regions;
    EXPECT_FALSE(regions.finish(1, ranges));
    regions.add({0, 10});
    EXPECT_FALSE(regions.finish(1, ranges));
    regions.add({10, 20});
    EXPECT_FALSE(regions.finish(1, ranges));
    regions.add({30, 40});
    EXPECT_FALSE(regions.finish(1, ranges));
    EXPECT_EQ(ranges[2], (AddressRange{7, 8}));
}

}  // namespace
}  // namespace damon
