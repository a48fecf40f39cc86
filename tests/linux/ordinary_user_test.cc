// A process that an ordinary user started sees what root sees: this very program, executed as nobody, passes the tests
// of what each way sees.
#include <gtest/gtest.h>
#include <unistd.h>

#include "watched.h"

namespace damon::test {
namespace {

constexpr uid_t kNobody = 65534;

// Also the tests that walk through system calls, forks, changed mappings and two contexts; those that need root or
// reserved huge pages skip or are left out.
constexpr char kFilter[] =
    "--gtest_filter=UffdRwp.*:UffdWp.*:Zap.*:Auto.*:HugePages.*:*/KernelAccess.*:*/Fork.*:*/ChangedMapping.*:*/"
    "Contexts.*:*/Rounds.*";

int execute_as_nobody() {
    if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 100;
    char name[] = "linux_tests";
    char filter[sizeof kFilter];
    snprintf(filter, sizeof filter, "%s", kFilter);
    char brief[] = "--gtest_brief=1";
    char* words[] = {name, filter, brief, nullptr};
    // Nothing that root may and nobody may not is handed over.
    char* environment[] = {nullptr};
    execve("/proc/self/exe", words, environment);
    return 101;
}

TEST(OrdinaryUser, SeesWhatRootSees) { EXPECT_EQ(in_child(execute_as_nobody), 0); }

}  // namespace
}  // namespace damon::test
