// One page of memory of our own, for trying out access checks.
#pragma once

#include <cstdint>

#include "model/address_range.h"
#include "os/page_sizes.h"
#include "os/syscalls.h"

namespace damon {

class ScratchPage {
public:
    ScratchPage() : bytes_(read_page_sizes().base_bytes), memory_(sys::mmap(bytes_, -1, error_)) {}
    // Takes a registration along; unregistering would disturb contexts that run.
    ~ScratchPage() {
        if (memory_ != nullptr) (void)sys::munmap(memory_, bytes_);
    }
    ScratchPage(const ScratchPage&) = delete;
    ScratchPage& operator=(const ScratchPage&) = delete;

    int error() const { return error_; }  // 0 or a negative errno, and then there is no page
    AddressRange range() const {
        const uint64_t start = reinterpret_cast<uint64_t>(memory_);
        return {start, start + bytes_};
    }
    char read() const { return *static_cast<volatile const char*>(memory_); }
    void write(char value) { *static_cast<volatile char*>(memory_) = value; }

private:
    int error_ = 0;
    uint64_t bytes_;
    void* memory_;
};

}  // namespace damon
