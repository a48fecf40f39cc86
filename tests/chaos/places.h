// The memory that a host uses: places at fixed addresses, so that two hosts of one seed can be compared. Nothing else
// is mapped there.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace damon::test {

inline constexpr uint64_t kMiB = 1u << 20;

enum class PlaceKind : uint32_t { kNone, kPrivate, kShared, kMemfd, kPrivateFile, kReserved };

struct Place {
    static constexpr uint64_t kStride = 64 * kMiB;
    static constexpr uint64_t kMaxBytes = 16 * kMiB;

    uint32_t index = 0;
    PlaceKind kind = PlaceKind::kNone;
    uint64_t bytes = 0;
    int protection = PROT_READ | PROT_WRITE;
    bool whole = true;   // one mapping, as far as the host's own calls go
    bool grown = false;  // since it was mapped
    bool locked = false;
    bool set_apart = false;  // advised or moved: what is mapped beside it stays a mapping of its own

    // Well below where the kernel puts mappings by itself, well above a heap.
    uint64_t start() const { return 0x1000'0000'0000 + index * kStride; }
    char* data(uint64_t offset = 0) const { return reinterpret_cast<char*>(start() + offset); }
    bool mapped() const { return kind != PlaceKind::kNone; }
    bool is_private() const { return kind == PlaceKind::kPrivate || kind == PlaceKind::kReserved; }
    bool writable() const { return (protection & PROT_WRITE) != 0; }
    bool readable() const { return (protection & PROT_READ) != 0; }
};

}  // namespace damon::test
