// A worker among the things that a process does: signals, fork, exec, exit, and its death.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "support/declared_skip.h"
#include "toy.h"

#if defined(__SANITIZE_THREAD__)
// A child of a process with threads may make threads of its own; but this sanitizer knows threads of the parent by ids
// that the child gives out again, so that the child's own context is driven manually under it.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }
static constexpr bool kChildMakesThreads = false;
#else
static constexpr bool kChildMakesThreads = true;
#endif

namespace damon::test {
namespace {

int exit_code_of(pid_t child) {
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string line_of(const std::string& path, const char* name) {
    FILE* file = fopen(path.c_str(), "re");
    if (file == nullptr) return "no " + path;
    char line[512];
    std::string found;
    while (found.empty() && fgets(line, sizeof line, file) != nullptr) {
        if (strncmp(line, name, strlen(name)) == 0) found = line + strlen(name);
    }
    fclose(file);
    while (!found.empty() && found.back() == '\n') found.pop_back();
    return found;
}

TEST(Process, TheWorkerHasANameAndBlocksTheProgramsSignals) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    const std::string thread = "/proc/self/task/" + std::to_string(damon_kdamond_tid(context));
    EXPECT_EQ(line_of(thread + "/comm", "kdamond.").find_first_not_of("0123456789"), std::string::npos);
    EXPECT_NE(line_of(thread + "/comm", "kdamond."), "");
    const uint64_t blocked = strtoull(line_of(thread + "/status", "SigBlk:\t").c_str(), nullptr, 16);
    for (int number = 1; number <= 64; ++number) {
        // KILL and STOP cannot be blocked; 32 and 33 are the C library's own.
        if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33) continue;
        const bool own_fault = number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
                               number == SIGTRAP || number == SIGSYS;
        EXPECT_EQ(blocked >> (number - 1) & 1, own_fault ? 0u : 1u) << "signal " << number;
    }
    sigset_t mine;
    pthread_sigmask(SIG_SETMASK, nullptr, &mine);
    EXPECT_EQ(sigismember(&mine, SIGUSR1), 0) << "the mask of the starting thread is as it was";
}

std::atomic<int> nr_signals{0};
std::atomic<int> nr_on_worker{0};
std::atomic<int> worker_tid{0};

TEST(Process, AStormOfSignalsIsNeverHandledOnTheWorker) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    worker_tid = damon_kdamond_tid(context);
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {
        ++nr_signals;
        nr_on_worker += gettid() == worker_tid;
    };
    ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
    const uint64_t intervals = stats_of(context).nr_intervals;
    for (int i = 0; i < 5000; ++i) kill(getpid(), SIGUSR2);
    pass_windows(context, 2);
    sigaction(SIGUSR2, &before, nullptr);
    EXPECT_GT(nr_signals, 0);
    EXPECT_EQ(nr_on_worker, 0);
    EXPECT_GT(stats_of(context).nr_intervals, intervals);
}

// What a child may expect of a context that its parent runs; the number of the first thing that is otherwise.
int look_from_the_child(damon_ctx* ctx) {
    alarm(20);  // a hang ends the child
    damon_ctx* group[] = {ctx};
    damon_region_info regions[64];
    damon_call_control call;
    damon_call_control_init(&call);
    call.fn = [](void*) { return 0; };
    const damon_attrs attrs = quick_attrs();
    damon_ctx_stats stats;
    damon_ctx_stats_init(&stats);
    const int answers[] = {damon_snapshot_read(ctx, regions, 64, nullptr),
                           damon_snapshot_wait(ctx, 0, -1),
                           damon_live_read(ctx, regions, 64, nullptr),
                           damon_call(ctx, &call),
                           damon_call_cancel(ctx, 1),
                           damon_set_pause(ctx, 1),
                           damon_is_paused(ctx),
                           damon_commit_ctx(ctx, ctx),
                           damon_start(group, 1, 0),
                           damon_stop(group, 1),
                           damon_step(ctx, 1),
                           damon_ctx_set_attrs(ctx, &attrs),
                           damon_ctx_set_seed(ctx, 1),
                           damon_ctx_get_stats(ctx, &stats),
                           damon_ctx_errmsg(ctx, nullptr, 0),
                           damon_ctx_remove_target(ctx, 0)};
    int number = 1;
    for (const int answer : answers) {
        if (answer != -ECHILD) return number;
        ++number;
    }
    if (damon_is_running(ctx) != 0 || damon_nr_running_ctxs() != 0 || damon_kdamond_tid(ctx) != 0) return 50;
    if (damon_ctx_nr_targets(ctx) != 0 || damon_ctx_target(ctx, 0) != nullptr) return 51;
    damon_ctx_free(ctx);
    // A context of its own works as in any process.
    Context own(!kChildMakesThreads);
    if (own.start(1) != 0 || damon_nr_running_ctxs() != 1) return 52;
    if (!kChildMakesThreads && own.step(10) != 0) return 53;
    return damon_snapshot_wait(own, 1, -1) == 0 && own.stop() == 0 ? 0 : 54;
}

// As the first process of a PID namespace: a context runs, and its child is the first process of the next one.
int first_of_namespaces() {
    alarm(60);
    Context context;
    if (getpid() != 1 || context.start() != 0) return 100;
    if (unshare(CLONE_NEWPID) != 0) return 101;
    const pid_t child = fork();
    if (child == 0) _exit(getpid() == 1 ? look_from_the_child(context) : 102);
    const int code = exit_code_of(child);
    return damon_is_running(context) == 1 && context.stop() == 0 ? code : 103;
}

TEST(Process, AChildWithTheSameProcessIdIsAnotherProcess) {
    constexpr int kNotAllowed = 77;
    const pid_t outer = fork();
    if (outer == 0) {
        if (unshare(CLONE_NEWPID) != 0) _exit(kNotAllowed);
        const pid_t first = fork();
        if (first == 0) _exit(first_of_namespaces());
        _exit(exit_code_of(first));
    }
    const int code = exit_code_of(outer);
    if (code == kNotAllowed) return declared_skip("pid-namespace", strerror(errno));
    EXPECT_EQ(code, 0);
}

TEST(Process, AChildCanOnlyFreeWhatItsParentRuns) {
    Context context;
    ASSERT_EQ(context.start(), 0);
    pass_windows(context, 1);
    for (int i = 0; i < 20; ++i) {  // caught at whatever moment of the worker's
        const pid_t child = fork();
        if (child == 0) _exit(look_from_the_child(context));
        ASSERT_EQ(exit_code_of(child), 0);
    }
    EXPECT_EQ(damon_is_running(context), 1);
    pass_windows(context, 2);
    EXPECT_EQ(context.stop(), 0);
}

TEST(Process, ItMayExitWhileItMonitors) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        auto* context = new Context;
        if (context->start() != 0 || damon_snapshot_wait(*context, 1, -1) != 0) _exit(1);
        exit(42);
    }
    EXPECT_EQ(exit_code_of(child), 42);
}

int nr_inherited_descriptors() {
    int nr = 0;
    for (int fd = 0; fd < 256; ++fd) {
        const int flags = fcntl(fd, F_GETFD);
        nr += flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    return nr;
}

TEST(Process, ItMayBecomeAnotherProgramWhileItMonitors) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        const int before = nr_inherited_descriptors();
        auto* context = new Context;
        if (damon_ctx_set_ops(*context, DAMON_OPS_FVADDR) != 0 || context->start() != 0) _exit(1);
        if (damon_snapshot_wait(*context, 1, -1) != 0) _exit(2);
        if (nr_inherited_descriptors() != before) _exit(3);
        execl("/bin/sh", "sh", "-c", "exit 43", static_cast<char*>(nullptr));
        _exit(4);
    }
    EXPECT_EQ(exit_code_of(child), 43);
}

TEST(Process, ItMayBeKilledWhileItMonitors) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        auto* context = new Context;
        if (context->start() != 0 || damon_snapshot_wait(*context, 1, -1) != 0) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(2);
        for (;;) pause();
    }
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    EXPECT_EQ(exit_code_of(child), 128 + SIGKILL);
    close(ready[0]);
    close(ready[1]);
}

}  // namespace
}  // namespace damon::test
