// System calls of the program that touch armed pages behave as without a monitor, and their accesses are seen.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

#include "ops/linux/registration/declared_ranges.h"
#include "watched.h"

namespace damon::test {
namespace {

class KernelAccess : public testing::TestWithParam<AccessCheck> {
protected:
    KernelAccess()
        : checker_(GetParam()),
          memory_(16 * 8, GetParam() == AccessCheck::kZap ? Kind::kShared : Kind::kAnonymous),
          declared_(GetParam() == AccessCheck::kZap && shared_declare(memory_.range()) == 0) {
        memory_.fill();
        // Zap: far enough apart for fault-around (fact 6) to stay between the samples.
        samples_ = memory_.samples({0, 16, 32, 48, 64, 80, 96, 112});
    }
    ~KernelAccess() override { EXPECT_TRUE(!declared_ || shared_withdraw(memory_.range()) == 0); }
    // 0 where only writes can be seen and nothing was written.
    char read_letter() const { return GetParam() == AccessCheck::kUffdWp ? 'n' : 'y'; }

    Checker checker_;
    Memory memory_;
    bool declared_;
    std::vector<Sample> samples_;
};
INSTANTIATE_TEST_SUITE_P(Ways, KernelAccess,
                         testing::Values(AccessCheck::kUffdWp, AccessCheck::kUffdRwp, AccessCheck::kZap), way_name);

TEST_P(KernelAccess, ReadWriteAndReceiveNeverFail) {
    if (!checker_.works()) return;
    int pipe_ends[2];
    int sockets[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    for (int round = 0; round < 3; ++round) {
        checker_->arm(samples_);
        const auto size = static_cast<ssize_t>(64);
        ASSERT_EQ(write(pipe_ends[1], memory_.data(16), 64), size);  // the kernel reads page 16
        ASSERT_EQ(read(pipe_ends[0], memory_.data(32), 64), size);   // and writes page 32
        ASSERT_EQ(send(sockets[0], memory_.data(48), 64, 0), size);
        ASSERT_EQ(recv(sockets[1], memory_.data(64), 64, 0), size);
        checker_->look(samples_);
        std::string expected = "n.y.ynnn";
        expected[1] = expected[3] = read_letter();
        EXPECT_EQ(plain_answers(samples_), expected);
        EXPECT_EQ(memcmp(memory_.data(16), memory_.data(32), 64), 0);
        EXPECT_EQ(memcmp(memory_.data(48), memory_.data(64), 64), 0);
    }
    for (const int fd : {pipe_ends[0], pipe_ends[1], sockets[0], sockets[1]}) close(fd);
}

TEST_P(KernelAccess, VectorsAndOtherProcessCallsNeverFail) {
    if (!checker_.works()) return;
    checker_->arm(samples_);
    char buffer[32];
    iovec local{buffer, sizeof buffer};
    iovec remote{memory_.data(80), sizeof buffer};
    ASSERT_EQ(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), static_cast<ssize_t>(sizeof buffer));
    EXPECT_EQ(memcmp(buffer, memory_.data(80), sizeof buffer), 0);
    ASSERT_EQ(mlock(memory_.data(112), page_bytes()), 0);
    ASSERT_EQ(munlock(memory_.data(112), page_bytes()), 0);
    checker_->look(samples_);
    EXPECT_TRUE(memory_.is_as_filled());
}

}  // namespace
}  // namespace damon::test
