// Addresses with nothing behind them until they are written to, as an allocator reserves them.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>

#include "model/address_range.h"

namespace damon::test {

// Of small pages.
class Reservation {
public:
    explicit Reservation(uint64_t bytes) : bytes_(bytes) {
        start_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        EXPECT_NE(start_, MAP_FAILED);
        (void)madvise(start_, bytes, MADV_NOHUGEPAGE);  // refused where there are no huge pages
    }
    ~Reservation() { munmap(start_, bytes_); }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

    uint64_t bytes() const { return bytes_; }
    AddressRange range() const {
        return {reinterpret_cast<uint64_t>(start_), reinterpret_cast<uint64_t>(start_) + bytes_};
    }
    void write(uint64_t at) const { static_cast<volatile char*>(start_)[at] = 1; }

private:
    void* start_ = nullptr;
    uint64_t bytes_;
};

}  // namespace damon::test
