// A skip is only a skip where tests/skips.txt says so.
#include "support/declared_skip.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace damon::test {
namespace {

TEST(DeclaredSkip, ReasonsComeFromTheList) {
    EXPECT_NE(declared_reason("shellcheck"), "");
    EXPECT_EQ(declared_reason("shell"), "");
    EXPECT_EQ(declared_reason("no-such-skip"), "");
}

TEST(DeclaredSkip, AnUndeclaredSkipFails) {
    EXPECT_NONFATAL_FAILURE(declared_skip("no-such-skip", "EPERM"), "does not allow the skip 'no-such-skip' (EPERM)");
}

}  // namespace
}  // namespace damon::test
