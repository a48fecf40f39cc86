// A count that one thread advances and any thread may read.
#pragma once

#include <cstdint>

namespace damon {

class Counter {
public:
    constexpr Counter() = default;
    Counter(const Counter& other) : value_(other) {}
    Counter& operator=(const Counter& other) {
        __atomic_store_n(&value_, static_cast<uint64_t>(other), __ATOMIC_RELAXED);
        return *this;
    }

    void operator++() { *this += 1; }
    // Not for two threads at a time.
    void operator+=(uint64_t count) { __atomic_store_n(&value_, *this + count, __ATOMIC_RELAXED); }
    operator uint64_t() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }

private:
    uint64_t value_ = 0;
};

}  // namespace damon
