// Disjoint ranges in address order, many of them: a treap over nodes of 32 bytes from the library's heap. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/random.h"
#include "base/vector.h"

namespace damon {

class RangeTree {
public:
    struct Range {
        uint64_t start = 0;
        uint64_t end = 0;
        uint32_t flags = 0;  // the caller's
    };

    RangeTree() = default;
    ~RangeTree();
    RangeTree(const RangeTree&) = delete;
    RangeTree& operator=(const RangeTree&) = delete;

    size_t size() const { return size_; }
    size_t bytes() const { return chunks_.size() * kNodesInChunk * sizeof(Node); }

    // O(log n). 0; -EEXIST: overlaps another; -ENOMEM.
    int insert(const Range& range);
    // O(log n). The range as it was inserted; its flags are written. 0 or -ENOENT.
    int erase(Range& range);
    // O(log n). The first range that ends above `address`; false: there is none.
    bool first_above(uint64_t address, Range& range) const;
    // O(log n + out.size()). The first ranges that end above `address`, in order; returns how many.
    size_t read(uint64_t address, std::span<Range> out) const;

private:
    struct Node {
        uint64_t start;
        uint64_t end;
        uint32_t left;   // also: the next free node
        uint32_t right;  // 0: none
        uint32_t priority;
        uint32_t flags;
    };
    static_assert(sizeof(Node) == 32);
    static constexpr size_t kNodesInChunk = 1024;

    Node& node(uint32_t number) { return chunks_[number / kNodesInChunk][number % kNodesInChunk]; }
    const Node& node(uint32_t number) const { return chunks_[number / kNodesInChunk][number % kNodesInChunk]; }
    uint32_t take_node();
    void collect(uint32_t tree, uint64_t address, std::span<Range> out, size_t& filled) const;

    Vector<Node*> chunks_;
    uint32_t root_ = 0;  // node 0 is nobody's
    uint32_t free_ = 0;
    uint32_t nr_nodes_ = 1;
    size_t size_ = 0;
    Random random_{1};
};

}  // namespace damon
