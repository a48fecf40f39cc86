#include "support/declared_skip.h"

#include <gtest/gtest.h>

namespace damon::test {
namespace {

// Compiled in, so that a test program also knows its list where the source tree is not (in a virtual machine).
constexpr std::string_view kList =
#include "skips_list.inc"
    ;

}  // namespace

std::string_view declared_reason(std::string_view identifier) {
    std::string_view rest = kList;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.starts_with(identifier) && line.substr(identifier.size()).starts_with(": ")) {
            return line.substr(identifier.size() + 2);
        }
    }
    return {};
}

void declared_skip(std::string_view identifier, std::string_view seen) {
    const std::string_view reason = declared_reason(identifier);
    if (identifier.empty() || reason.empty()) {
        ADD_FAILURE() << "tests/skips.txt does not allow the skip '" << identifier << "' (" << seen << ")";
        return;
    }
    GTEST_SKIP() << "SKIP " << identifier << ": " << seen << "\n" << reason;
}

}  // namespace damon::test
