// The ranges that the program declared as shared mappings that stay until withdrawn (fact 5). Process-wide, any thread.
// Only inside of them may a check drop page table entries: of a private mapping that would destroy data, and between
// looking at a mapping and acting on it another thread could replace it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/address_range.h"

namespace damon {

// A whole number of pages. 0; -EINVAL: not aligned or empty; -EEXIST: overlaps a declared range; -ENODEV: not all of it
// is a shared mapping of this process; -ENOMEM.
int shared_declare(AddressRange range);

// The range, or a part of one, may no longer be touched: returns when no check can do so any more. 0; -EINVAL: not
// aligned or empty; -ENOENT: not all of it is declared, nothing was withdrawn; -ENOMEM: the same, only where a range is
// to be split, never for one that is withdrawn as it was declared.
int shared_withdraw(AddressRange range);

// Memory of its own, declared: a shared mapping of a nameless file. nullptr: `error` holds a negative errno.
void* shared_map(size_t bytes, int& error);
// Withdraws and unmaps memory of shared_map, or a part of it. 0 or what shared_withdraw says.
int shared_unmap(void* address, size_t bytes);

// The lowest start of a declared range above `address`; UINT64_MAX: there is none.
uint64_t next_declared(uint64_t address);

// Keeps the declared range around one address from being withdrawn. Short: withdrawing waits for it.
class SharedPin {
public:
    SharedPin() = default;
    ~SharedPin() { unpin(); }
    SharedPin(const SharedPin&) = delete;
    SharedPin& operator=(const SharedPin&) = delete;

    // False: `address` is not declared. Lets go of what was pinned before.
    bool pin(uint64_t address);
    void unpin();
    AddressRange range() const { return range_; }

private:
    struct SharedSlot* slot_ = nullptr;
    AddressRange range_;
};

}  // namespace damon
