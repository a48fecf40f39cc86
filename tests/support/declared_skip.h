// The one way for a test to skip: tests/skips.txt lists every reason that is allowed, and any other skip fails.
#pragma once

#include <string_view>

namespace damon::test {

// Marks the running test as skipped where `identifier` is in tests/skips.txt, as failed where it is not. `seen` is what
// this machine showed, for the report: "userfaultfd: EPERM". Return from the test right after:
//     if (fd < 0) return declared_skip("userfaultfd", strerror(errno));
void declared_skip(std::string_view identifier, std::string_view seen);

// The reason that the list gives; empty where the list has no such identifier.
std::string_view declared_reason(std::string_view identifier);

// Whether the test runs under a sanitizer.
#if defined(__SANITIZE_THREAD__)
constexpr bool thread_sanitized() { return true; }
#else
constexpr bool thread_sanitized() { return false; }
#endif
#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized() { return true; }
#else
constexpr bool sanitized() { return thread_sanitized(); }
#endif

}  // namespace damon::test
