// The declared ranges in address order: a treap whose nodes are the slots themselves, so that nothing is taken from the
// heap and a child of fork can make it anew from the slots. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "model/address_range.h"

namespace damon {

// A slot is free where its range is empty. Slots are never given back, so that pins need no lifetime rules.
struct SharedSlot {
    alignas(16) AddressRange range;  // in one page, which a child of fork has as it was at one moment
    uint32_t pins = 0;
    pid_t pinned_by = 0;         // pins of another process are of the parent's threads, which a child does not have
    SharedSlot* left = nullptr;  // also: the next free slot
    SharedSlot* right = nullptr;

    // Empty, or as before, or as afterwards at each moment: fork may happen at any of them.
    void set_range(AddressRange range);
};

class DeclaredIndex {
public:
    // Nothing is declared, and no slot is free.
    void clear() { root_ = free_ = nullptr; }
    // A slot that is in no index: among the free ones, or by its range.
    void add(SharedSlot& slot);

    bool has_free() const { return free_ != nullptr; }
    // O(log n). A free slot gets `range`, which overlaps none; false: none is free.
    bool declare(AddressRange range);
    // O(log n). Frees a slot.
    void withdraw(SharedSlot& slot);

    // O(log n). The first slot that ends above `address`; nullptr: none.
    SharedSlot* first_above(uint64_t address) const;
    // O(log n). The slot that contains `address`; nullptr: none.
    SharedSlot* at(uint64_t address) const;

private:
    SharedSlot* root_ = nullptr;
    SharedSlot* free_ = nullptr;
};

}  // namespace damon
