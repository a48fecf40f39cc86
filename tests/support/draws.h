// Where random tests get their choices from: a seeded generator, or the bytes of a fuzzer's input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/random.h"

namespace damon::test {

class Draws {
public:
    // On [0, bound), bound > 0.
    virtual uint64_t below(uint64_t bound) = 0;
    virtual bool exhausted() const = 0;

    uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low); }
    bool one_in(uint64_t n) { return below(n) == 0; }
    template <typename T>
    T pick(std::initializer_list<T> choices) {
        return choices.begin()[below(choices.size())];
    }

protected:
    ~Draws() = default;
};

// Never exhausted.
class RandomDraws final : public Draws {
public:
    explicit RandomDraws(uint64_t seed) : random_(seed) {}
    uint64_t below(uint64_t bound) override { return random_.between(0, bound); }
    bool exhausted() const override { return false; }

private:
    Random random_;
};

// Takes as many bytes as the bound needs; zeroes after the end.
class ByteDraws final : public Draws {
public:
    explicit ByteDraws(std::span<const uint8_t> bytes) : bytes_(bytes) {}
    uint64_t below(uint64_t bound) override {
        uint64_t value = 0;
        for (uint64_t left = bound - 1; left != 0; left >>= 8) value = value << 8 | next();
        return value % bound;
    }
    bool exhausted() const override { return position_ >= bytes_.size(); }

private:
    uint8_t next() { return exhausted() ? uint8_t{0} : bytes_[position_++]; }

    std::span<const uint8_t> bytes_;
    size_t position_ = 0;
};

}  // namespace damon::test
