// A program with one copy of the library reads no maps to find others: see capi.two_copies for those with two.
#include "os/library_copies.h"

#include <gtest/gtest.h>

namespace damon {
namespace {

TEST(LibraryCopies, TheOnlyCopyIsToldToBeTheOnlyOne) { EXPECT_TRUE(is_only_copy_loaded()); }

}  // namespace
}  // namespace damon
