// damon_report_access: what it answers in each state of a context.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

#include "toy.h"

namespace damon::test {
namespace {

TEST(Reports, AreAnsweredByWhatTheContextCanDoWithThem) {
    Context context;
    damon_access_report report;
    damon_access_report_init(&report);
    report.addr = kToyRange.start;
    report.len = 8;
    EXPECT_EQ(damon_report_access(context, &report), -EOPNOTSUPP) << "another access check";
    ASSERT_EQ(damon_ctx_set_ops(context, DAMON_OPS_FVADDR), 0);
    ASSERT_EQ(damon_ctx_set_access_check(context, DAMON_ACCESS_CHECK_REPORT), 0);
    EXPECT_EQ(damon_report_access(context, &report), -ECANCELED) << "never started";
    ASSERT_EQ(damon_ctx_set_drive(context, DAMON_DRIVE_MANUAL), 0);
    ASSERT_EQ(context.start(), 0) << errmsg_of(context);
    EXPECT_EQ(damon_report_access(context, &report), 0);
    ASSERT_EQ(damon_set_pause(context, 1), 0);
    EXPECT_EQ(damon_report_access(context, &report), -ECANCELED) << "paused";
    ASSERT_EQ(context.stop(), 0);
    EXPECT_EQ(damon_report_access(context, &report), -ECANCELED) << "stopped";
    ASSERT_EQ(damon_ctx_set_access_check(context, DAMON_ACCESS_CHECK_AUTO), 0);
    EXPECT_EQ(damon_report_access(context, &report), -EOPNOTSUPP) << "another access check again";
    report.len = 0;
    EXPECT_EQ(damon_report_access(context, &report), -EINVAL);
}

// From here on every system call but exit ends the process with SIGSYS.
bool forbid_system_calls() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const sock_fprog filter = {4, program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// In a child, which may be killed; its results as its exit status.
int report_without_system_calls() {
    Context context(true);
    damon_access_report report;
    damon_access_report_init(&report);
    report.addr = kToyRange.start;
    report.len = 8;
    if (damon_ctx_set_ops(context, DAMON_OPS_FVADDR) != 0) return 1;
    if (damon_ctx_set_access_check(context, DAMON_ACCESS_CHECK_REPORT) != 0) return 2;
    if (context.start() != 0) return 3;
    if (!forbid_system_calls()) return 4;
    int failures = 0;
    for (int i = 0; i < 100; ++i) failures += damon_report_access(context, &report) != 0;
    syscall(SYS_exit_group, failures == 0 ? 0 : 5);
    return 6;
}

TEST(Reports, TakeNoSystemCall) {
    const pid_t child = fork();
    if (child == 0) _exit(report_without_system_calls());
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_FALSE(WIFSIGNALED(status)) << "killed by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace damon::test
