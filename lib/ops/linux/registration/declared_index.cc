#include "ops/linux/registration/declared_index.h"

#include <atomic>

namespace damon {
namespace {

// Of the heap order: as good as random, and the same for a slot at all times.
uint64_t priority(const SharedSlot* slot) {
    uint64_t mixed = reinterpret_cast<uint64_t>(slot) / alignof(SharedSlot) + 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

void split(SharedSlot* tree, uint64_t start, SharedSlot** below, SharedSlot** above) {
    while (tree != nullptr) {
        if (tree->range.start < start) {
            *below = tree;
            below = &tree->right;
            tree = tree->right;
        } else {
            *above = tree;
            above = &tree->left;
            tree = tree->left;
        }
    }
    *below = *above = nullptr;
}

SharedSlot* joined(SharedSlot* below, SharedSlot* above) {
    SharedSlot* tree = nullptr;
    SharedSlot** at = &tree;
    while (below != nullptr && above != nullptr) {
        if (priority(below) > priority(above)) {
            *at = below;
            at = &below->right;
            below = below->right;
        } else {
            *at = above;
            at = &above->left;
            above = above->left;
        }
    }
    *at = below != nullptr ? below : above;
    return tree;
}

}  // namespace

void SharedSlot::set_range(AddressRange now) {
    if (now.start == range.start || now.end == range.end) {  // a part of what it was
        range = now;
        return;
    }
    range.end = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    range.start = now.start;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    range.end = now.end;
}

void DeclaredIndex::add(SharedSlot& slot) {
    if (slot.range.empty()) {
        slot.left = free_;
        free_ = &slot;
        return;
    }
    SharedSlot** at = &root_;
    while (*at != nullptr && priority(*at) > priority(&slot)) {
        at = slot.range.start < (*at)->range.start ? &(*at)->left : &(*at)->right;
    }
    split(*at, slot.range.start, &slot.left, &slot.right);
    *at = &slot;
}

bool DeclaredIndex::declare(AddressRange range) {
    SharedSlot* slot = free_;
    if (slot == nullptr) return false;
    free_ = slot->left;
    slot->pins = 0;
    slot->set_range(range);
    add(*slot);
    return true;
}

void DeclaredIndex::withdraw(SharedSlot& slot) {
    SharedSlot** at = &root_;
    while (*at != &slot) at = slot.range.start < (*at)->range.start ? &(*at)->left : &(*at)->right;
    *at = joined(slot.left, slot.right);
    slot.set_range({slot.range.end, slot.range.end});
    add(slot);
}

SharedSlot* DeclaredIndex::first_above(uint64_t address) const {
    SharedSlot* found = nullptr;
    for (SharedSlot* slot = root_; slot != nullptr;) {
        if (slot->range.end > address) found = slot;
        slot = slot->range.end > address ? slot->left : slot->right;
    }
    return found;
}

SharedSlot* DeclaredIndex::at(uint64_t address) const {
    SharedSlot* slot = first_above(address);
    return slot != nullptr && slot->range.contains(address) ? slot : nullptr;
}

}  // namespace damon
