// A program with one copy of the library reads no maps to find others: see capi.two_copies for those with two.
#include "os/copy_marks.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

TEST(CopyMarks, TellThatTheOnlyCopyIsTheOnlyOne) { EXPECT_TRUE(is_only_copy_loaded()); }

}  // namespace
}  // namespace damon
