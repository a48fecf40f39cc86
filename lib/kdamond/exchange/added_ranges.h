// The ranges that a program adds to a running context one by one, and takes away again: any thread, no allocation of
// the program's, never waiting for an interval.
//
// The worker takes them over at the next interval. What it does with memory (arm, look, act) it does inside of a Touch,
// in which a range cannot go away: remove waits for the end of the one that is under way, and callbacks are none.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/range_tree.h"
#include "base/vector.h"
#include "model/address_range.h"
#include "model/sample.h"
#include "os/lock.h"

namespace damon {

class AddedRanges {
public:
    // --- any thread ---

    // 0; -EEXIST: overlaps one that was added; -ENOMEM.
    int add(AddressRange range, uint32_t flags);
    // The range as it was added. When it returns no Touch is under way that may know of it. `on_worker`: inside of a
    // callback, where none is. 0 or -ENOENT.
    int remove(AddressRange range, bool on_worker, uint32_t& flags);
    size_t size() const { return size_.load(std::memory_order_relaxed); }
    // Whether the context watches added ranges alone.
    bool only() const { return only_.load(std::memory_order_relaxed); }
    void set_only() { only_.store(true, std::memory_order_relaxed); }

    // --- the worker ---

    // Grows with every change.
    uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
    // All ranges in order; `joined`: those that touch as one. Holds the lock for a thousand of them at a time. Any
    // thread. False: out of memory.
    [[nodiscard]] bool read(Vector<AddressRange>& ranges, bool joined = true) const;
    // Moves a sample that lies in no range to the next one inside of its region. False: there is none.
    [[nodiscard]] bool place(Sample& sample) const;
    bool contains(uint64_t address) const;
    // The first part of `rest` that lies in a range; empty: there is none.
    AddressRange next_part(AddressRange rest) const;

    // `ours` false: what touches memory is the program's own code (custom ops), for which nobody waits.
    class Touch {
    public:
        Touch(AddedRanges& ranges, bool ours) : mutex_(ours ? &ranges.touching_ : nullptr) {
            if (mutex_ != nullptr) mutex_->lock();
        }
        ~Touch() {
            if (mutex_ != nullptr) mutex_->unlock();
        }
        Touch(const Touch&) = delete;
        Touch& operator=(const Touch&) = delete;

    private:
        Mutex* mutex_;
    };

private:
    mutable Mutex mutex_;  // the tree's; held for O(log n)
    mutable Mutex touching_;
    RangeTree tree_;
    std::atomic<size_t> size_{0};
    std::atomic<uint64_t> generation_{1};
    std::atomic<bool> only_{false};
};

}  // namespace damon
