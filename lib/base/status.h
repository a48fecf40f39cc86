// The result of an operation that the world can make fail: 0 or a negative errno, with one line for a human.
#pragma once

#include <cstdint>

namespace damon {

// Carries its text inside, so that reporting an error allocates nothing (the caller may be an allocator).
class [[nodiscard]] Status {
public:
    static constexpr unsigned kTextBytes = 200;

    Status() = default;

    // `negative_errno` < 0. The text names the value that was wrong and what would be right; one line, no full stop.
    // Longer texts are cut.
    [[gnu::format(printf, 2, 3)]] static Status fail(int negative_errno, const char* format, ...);

    bool ok() const { return error_ == 0; }
    int error() const { return error_; }
    const char* text() const { return text_; }

private:
    int error_ = 0;
    char text_[kTextBytes] = {};
};

}  // namespace damon
