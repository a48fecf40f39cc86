// Makes the k-th allocation of the library fail, for every k in turn.
#pragma once

#include <cstdint>

namespace damon::test {

// While alive, the allocation number `fail_at` (from 0) of the library's heap fails, and only that one.
class HeapFault {
public:
    explicit HeapFault(uint64_t fail_at);
    ~HeapFault();
    HeapFault(const HeapFault&) = delete;
    HeapFault& operator=(const HeapFault&) = delete;

    // Whether that allocation was reached.
    bool hit() const;
};

}  // namespace damon::test
