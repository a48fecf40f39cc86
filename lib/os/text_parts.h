// Parts of texts. The standard's own members for this can throw, which needs a C++ runtime that the library does not
// link to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace damon {

// The first `count` characters, or all there are.
constexpr std::string_view text_front(std::string_view text, size_t count) {
    return {text.data(), std::min(count, text.size())};
}

// What is left without the first `count` characters; nothing where there are no more.
constexpr std::string_view text_after(std::string_view text, size_t count) {
    const size_t skipped = std::min(count, text.size());
    return {text.data() + skipped, text.size() - skipped};
}

constexpr bool text_begins(std::string_view text, std::string_view with) {
    return text_front(text, with.size()) == with;
}

constexpr bool text_ends(std::string_view text, std::string_view with) {
    return text.size() >= with.size() && text_after(text, text.size() - with.size()) == with;
}

// Takes the first line off, without its newline.
constexpr std::string_view take_line(std::string_view& text) {
    const std::string_view line = text_front(text, text.find('\n'));
    text = text_after(text, line.size() + 1);
    return line;
}

}  // namespace damon
