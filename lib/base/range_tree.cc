#include "base/range_tree.h"

#include <cerrno>

#include "base/heap.h"

namespace damon {

RangeTree::~RangeTree() {
    for (Node* chunk : chunks_) heap_free(chunk, kNodesInChunk * sizeof(Node));
}

uint32_t RangeTree::take_node() {
    if (free_ != 0) {
        const uint32_t taken = free_;
        free_ = node(taken).left;
        return taken;
    }
    if (nr_nodes_ == UINT32_MAX) return 0;
    while (nr_nodes_ / kNodesInChunk >= chunks_.size()) {
        auto* chunk = static_cast<Node*>(heap_allocate(kNodesInChunk * sizeof(Node)));
        if (chunk == nullptr) return 0;
        if (!chunks_.push_back(static_cast<Node* const&>(chunk))) {
            heap_free(chunk, kNodesInChunk * sizeof(Node));
            return 0;
        }
    }
    return nr_nodes_++;
}

int RangeTree::insert(const Range& range) {
    Range above;
    if (first_above(range.start, above) && above.start < range.end) return -EEXIST;
    const uint32_t number = take_node();
    if (number == 0) return -ENOMEM;
    Node& fresh = node(number);
    fresh.start = range.start;
    fresh.end = range.end;
    fresh.flags = range.flags;
    fresh.priority = static_cast<uint32_t>(random_.next());
    uint32_t* link = &root_;
    while (*link != 0 && node(*link).priority >= fresh.priority) {
        link = range.start < node(*link).start ? &node(*link).left : &node(*link).right;
    }
    // What hung there goes below the fresh node, cut at its start.
    uint32_t rest = *link;
    *link = number;
    uint32_t* left = &fresh.left;
    uint32_t* right = &fresh.right;
    while (rest != 0) {
        Node& cut = node(rest);
        if (cut.start < range.start) {
            *left = rest;
            left = &cut.right;
            rest = cut.right;
        } else {
            *right = rest;
            right = &cut.left;
            rest = cut.left;
        }
    }
    *left = *right = 0;
    ++size_;
    return 0;
}

int RangeTree::erase(Range& range) {
    uint32_t* link = &root_;
    while (*link != 0 && node(*link).start != range.start) {
        link = range.start < node(*link).start ? &node(*link).left : &node(*link).right;
    }
    const uint32_t gone = *link;
    if (gone == 0 || node(gone).end != range.end) return -ENOENT;
    range.flags = node(gone).flags;
    uint32_t left = node(gone).left;
    uint32_t right = node(gone).right;
    while (left != 0 && right != 0) {
        uint32_t& upper = node(left).priority > node(right).priority ? left : right;
        *link = upper;
        link = &upper == &left ? &node(left).right : &node(right).left;
        upper = *link;
    }
    *link = left != 0 ? left : right;
    node(gone).left = free_;
    free_ = gone;
    --size_;
    return 0;
}

bool RangeTree::first_above(uint64_t address, Range& range) const {
    uint32_t best = 0;
    for (uint32_t at = root_; at != 0;) {
        const Node& seen = node(at);
        if (seen.end > address) {
            best = at;
            at = seen.left;
        } else {
            at = seen.right;
        }
    }
    if (best == 0) return false;
    range = {node(best).start, node(best).end, node(best).flags};
    return true;
}

size_t RangeTree::read(uint64_t address, std::span<Range> out) const {
    size_t filled = 0;
    collect(root_, address, out, filled);
    return filled;
}

// As deep as the tree is high: some 40 levels for 100,000 ranges.
void RangeTree::collect(uint32_t tree, uint64_t address, std::span<Range> out, size_t& filled) const {
    for (; tree != 0 && filled < out.size(); tree = node(tree).right) {
        const Node& seen = node(tree);
        if (seen.end <= address) continue;
        collect(seen.left, address, out, filled);
        if (filled < out.size()) out[filled++] = {seen.start, seen.end, seen.flags};
    }
}

}  // namespace damon
