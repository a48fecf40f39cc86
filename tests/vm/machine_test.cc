// The virtual machine has what the Linux tests rely on there. Runs inside it only.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace damon::test {
namespace {

std::string content_of(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int kernel_major() {
    utsname names{};
    uname(&names);
    return std::atoi(names.release);
}

TEST(Machine, SwapsToCompressedMemorySoThatPageoutCanWork) {
    EXPECT_NE(content_of("/proc/swaps").find("/dev/zram0"), std::string::npos) << content_of("/proc/swaps");
}

TEST(Machine, HasTwoNodesSoThatMemoryCanMove) { EXPECT_EQ(content_of("/sys/devices/system/node/has_memory"), "0-1\n"); }

TEST(Machine, OffersUserfaultfdToUserModeFaults) {
    const long fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    ASSERT_GE(fd, 0);
    uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
    EXPECT_EQ(ioctl(static_cast<int>(fd), UFFDIO_API, &api), 0);
    close(static_cast<int>(fd));
}

TEST(Machine, CurrentKernelHasItsOwnDamonIdleAndAtOurDisposal) {
    const std::string switch_of_stat = content_of("/sys/module/damon_stat/parameters/enabled");
    if (kernel_major() < 7) {
        EXPECT_EQ(switch_of_stat, "") << "an old kernel with DAMON_STAT: init.sh should know";
        return;
    }
    EXPECT_EQ(switch_of_stat, "N\n");
    EXPECT_EQ(access("/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", W_OK), 0);
}

}  // namespace
}  // namespace damon::test
