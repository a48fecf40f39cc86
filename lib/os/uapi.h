// Numbers of the Linux user interface that the C library's headers may be too old to have. Facts of the interface of
// Linux 7.3: the newest one here is read-write protection (RWP). Names follow the kernel's own.
#pragma once

#include <sys/ioctl.h>

#include <cstdint>

namespace damon::uapi {

// --- userfaultfd(2) ---------------------------------------------------------------------------------------------

inline constexpr int kUffdUserModeOnly = 1;
inline constexpr uint64_t kUffdApi = 0xAA;

// UFFD_FEATURE_*
inline constexpr uint64_t kFeatureWpAsync = uint64_t{1} << 15;   // Linux 6.7
inline constexpr uint64_t kFeatureRwp = uint64_t{1} << 17;       // Linux 7.3
inline constexpr uint64_t kFeatureRwpAsync = uint64_t{1} << 18;  // Linux 7.3

// UFFDIO_REGISTER_MODE_*; the two exclude each other in one mapping.
inline constexpr uint64_t kRegisterModeWp = uint64_t{1} << 1;
inline constexpr uint64_t kRegisterModeRwp = uint64_t{1} << 3;

struct UffdApi {
    uint64_t api = kUffdApi;
    uint64_t features = 0;
    uint64_t ioctls = 0;
};
struct UffdRange {
    uint64_t start = 0;
    uint64_t len = 0;
};
struct UffdRegister {
    UffdRange range;
    uint64_t mode = 0;
    uint64_t ioctls = 0;
};
struct UffdProtect {
    UffdRange range;
    uint64_t mode = 0;  // kRwprotect, or 0 to lift the protection
};
inline constexpr uint64_t kRwprotect = 1;
inline constexpr uint64_t kProtectNobodyWaits = 2;  // with the lifting: no thread needs to be woken

inline constexpr unsigned long kUffdNew = _IO(0xAA, 0x00);  // on /dev/userfaultfd
inline constexpr unsigned long kUffdioApi = _IOWR(0xAA, 0x3F, UffdApi);
inline constexpr unsigned long kUffdioRegister = _IOWR(0xAA, 0x00, UffdRegister);
inline constexpr unsigned long kUffdioUnregister = _IOR(0xAA, 0x01, UffdRange);
inline constexpr unsigned long kUffdioWriteprotect = _IOWR(0xAA, 0x06, UffdProtect);
inline constexpr unsigned long kUffdioRwprotect = _IOWR(0xAA, 0x09, UffdProtect);

// --- /proc/PID/pagemap ------------------------------------------------------------------------------------------

// PAGE_IS_*
inline constexpr uint32_t kPageWpAllowed = 1u << 0;  // in a mapping registered for asynchronous write protection
inline constexpr uint32_t kPageWritten = 1u << 1;    // not write-protected by userfaultfd
inline constexpr uint32_t kPageFile = 1u << 2;       // of a file or shared, not anonymous
inline constexpr uint32_t kPagePresent = 1u << 3;
inline constexpr uint32_t kPageSwapped = 1u << 4;
inline constexpr uint32_t kPageZero = 1u << 5;      // the shared page of zeroes
inline constexpr uint32_t kPageHuge = 1u << 6;      // mapped by a huge page table entry
inline constexpr uint32_t kPageAccessed = 1u << 9;  // in an RWP mapping and not protected; Linux 7.3

inline constexpr uint64_t kScanWpMatching = 1;    // PM_SCAN_WP_MATCHING
inline constexpr uint64_t kScanCheckWpAsync = 2;  // PM_SCAN_CHECK_WPASYNC: EPERM where a page cannot be armed

struct PageRegion {  // left uninitialised: the kernel fills hundreds of them
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};
struct ScanArguments {
    uint64_t size = sizeof(ScanArguments);
    uint64_t flags = 0;
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t walk_end = 0;
    uint64_t vec = 0;
    uint64_t vec_len = 0;
    uint64_t max_pages = 0;
    uint64_t category_inverted = 0;
    uint64_t category_mask = 0;
    uint64_t category_anyof_mask = 0;
    uint64_t return_mask = 0;
};
static_assert(sizeof(ScanArguments) == 96);
inline constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArguments);  // Linux 6.7

// One entry of the file itself, 8 bytes a page.
inline constexpr uint64_t kEntryPresent = uint64_t{1} << 63;
inline constexpr uint64_t kEntrySwapped = uint64_t{1} << 62;
inline constexpr uint64_t kEntryMarked = uint64_t{1} << 57;  // protected by userfaultfd; on Linux 7.3 by RWP too
inline constexpr uint64_t kEntryFile = uint64_t{1} << 61;

// --- /proc/PID/maps ---------------------------------------------------------------------------------------------

inline constexpr uint64_t kVmaReadable = 0x01;
inline constexpr uint64_t kVmaWritable = 0x02;
inline constexpr uint64_t kVmaExecutable = 0x04;
inline constexpr uint64_t kVmaShared = 0x08;

inline constexpr uint64_t kQueryOrNext = 0x10;  // the mapping that covers query_addr, else the next above it

struct ProcmapQuery {
    uint64_t size = sizeof(ProcmapQuery);
    uint64_t query_flags = 0;  // 0: the mapping that covers query_addr
    uint64_t query_addr = 0;
    uint64_t vma_start = 0;
    uint64_t vma_end = 0;
    uint64_t vma_flags = 0;
    uint64_t vma_page_size = 0;
    uint64_t vma_offset = 0;
    uint64_t inode = 0;
    uint32_t dev_major = 0;
    uint32_t dev_minor = 0;
    uint32_t vma_name_size = 0;
    uint32_t build_id_size = 0;
    uint64_t vma_name_addr = 0;
    uint64_t build_id_addr = 0;
};
static_assert(sizeof(ProcmapQuery) == 104);
inline constexpr unsigned long kProcmapQuery = _IOWR('f', 17, ProcmapQuery);  // Linux 6.11

// --- madvise(2) -------------------------------------------------------------------------------------------------

inline constexpr int kAdviseWillneed = 3;
inline constexpr int kAdviseHugepage = 14;
inline constexpr int kAdviseNohugepage = 15;
inline constexpr int kAdviseCold = 20;          // Linux 5.4
inline constexpr int kAdvisePageout = 21;       // Linux 5.4
inline constexpr int kAdvisePopulateRead = 22;  // Linux 5.14
inline constexpr int kAdviseCollapse = 25;      // Linux 6.1

}  // namespace damon::uapi
