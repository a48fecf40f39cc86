// A program may close every descriptor, as daemons do, and get the numbers for files of its own: nothing of its is used
// or closed, and the monitor finds its way again. Each test is a process of its own, since it closes all it has.
#include <damon_c.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "ops/linux/registration/uffd.h"
#include "os/own_file.h"
#include "os/proc_maps.h"
#include "os/syscalls.h"
#include "os/uapi.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

constexpr int kNotWatchable = 77;
constexpr unsigned kPatienceSeconds = 60;
constexpr size_t kBytes = 4 << 20;

// A context over private memory of its own that is written without end by whoever calls write().
class Watched {
public:
    Watched()
        : memory_(
              static_cast<char*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        madvise(memory_, kBytes, MADV_NOHUGEPAGE);
        write();
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.sample_us = 1'000;
        attrs.aggr_us = 20'000;
        attrs.max_overhead_permil = 0;
        const auto start = reinterpret_cast<uint64_t>(memory_);
        const damon_addr_range range = {start, start + kBytes};
        damon_target* target = damon_target_new();
        damon_target_set_regions(target, &range, 1);
        damon_ctx_add_target(ctx_, target);
        damon_ctx_set_ops(ctx_, DAMON_OPS_FVADDR);
        damon_ctx_set_attrs(ctx_, &attrs);
        damon_ctx_set_access_check(ctx_, DAMON_ACCESS_CHECK_UFFD_WP);
        error_ = damon_start(&ctx_, 1, 0);
    }
    int error() const { return error_; }
    damon_ctx* ctx() { return ctx_; }
    int stop() { return damon_stop(&ctx_, 1); }
    void write() { memset(memory_, 1, kBytes); }

    // Whether some window sees all of the memory written; the alarm ends the process where none ever does.
    void wait_until_seen() {
        for (;;) {
            damon_region_info regions[1000];
            damon_snapshot_info info;
            damon_snapshot_info_init(&info);
            const uint64_t before = seq_;
            while (damon_snapshot_wait(ctx_, before, 0) == -ETIMEDOUT) write();
            const int nr = damon_snapshot_read(ctx_, regions, 1000, &info);
            seq_ = info.seq;
            bool all = nr > 0;
            for (int i = 0; i < nr; ++i) {
                all = all && (regions[i].flags & DAMON_REGION_UNKNOWN) == 0 && regions[i].nr_accesses > 0;
            }
            if (all) return;
        }
    }

private:
    damon_ctx* ctx_ = damon_ctx_new();
    char* memory_;
    int error_;
    uint64_t seq_ = 0;
};

int number_of_first_library_file() {
    for (int fd = 1023; fd > 2; --fd) {
        if (fcntl(fd, F_GETSIG) > 0) return fd;
    }
    return -1;
}

int nr_library_files() {
    int nr = 0;
    for (int fd = 3; fd < 1024; ++fd) nr += fcntl(fd, F_GETSIG) > 0;
    return nr;
}

// Runs the body in a child; 0 is success.
int in_a_child(int (*body)()) {
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(kPatienceSeconds);
        _exit(body());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool is_skipped(int result) {
    if (result != kNotWatchable) return false;
    declared_skip("uffd-wp", "a context with DAMON_ACCESS_CHECK_UFFD_WP does not start");
    return true;
}

void expect_success_in_a_child(int (*body)()) {
    const int result = in_a_child(body);
    if (is_skipped(result)) return;
    EXPECT_EQ(result, 0);
}

// Everything below 1,024 is a file of the program now.
bool take_every_number(int file) {
    for (int fd = 3; fd < 1024; ++fd) {
        if (fd == file) continue;
        while (dup2(file, fd) < 0) {
            if (errno == EBADF) return true;   // beyond the limit
            if (errno != EBUSY) return false;  // the worker is just opening a file under this number
        }
    }
    return true;
}

template <bool paused>
int stop_after_closing_all() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    watched.wait_until_seen();
    if (paused && damon_set_pause(watched.ctx(), 1) != 0) return 4;
    close_range(3, ~0u, 0);
    if (!take_every_number(open("/dev/urandom", O_RDONLY))) return 1;
    const int result = watched.stop();
    damon_ctx_free(watched.ctx());
    // A worker that is opening its files again just then may meet the program between a check and a close.
    for (int fd = 3; fd < 1000 && paused; ++fd) {
        if (fcntl(fd, F_GETFD) < 0) return 2;
    }
    return result == 0 ? 0 : 3;
}

TEST(LostFiles, StopReturnsWhileTheWorkerFindsItsFilesLost) {
    if (thread_sanitized()) return declared_skip("sanitizer", "it calls two threads that meet at a number a race");
    expect_success_in_a_child(stop_after_closing_all<false>);
}

TEST(LostFiles, StopReturnsAndClosesNothingOfTheProgram) { expect_success_in_a_child(stop_after_closing_all<true>); }

int go_on_after_closing_all() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    watched.wait_until_seen();
    close_range(3, ~0u, 0);
    // Said, where no later failure has taken its place (a wait that timed out is one).
    char message[256] = "";
    while (strstr(message, "closed file descriptors") == nullptr) {
        watched.write();
        damon_ctx_errmsg(watched.ctx(), message, sizeof message);
    }
    watched.wait_until_seen();  // the first windows may be unknown
    watched.wait_until_seen();
    const int result = watched.stop();
    damon_ctx_free(watched.ctx());
    return result;
}

TEST(LostFiles, AreOpenedAgainAndTheContextSaysSo) { expect_success_in_a_child(go_on_after_closing_all); }

// A file of the program that even bears the mark, because it took the number just while the library marked its own.
TEST(LostFiles, AFileWithoutAnEndIsNotReadForEver) {
    for (const char* path : {"/dev/urandom", "/dev/zero"}) {
        ProcMaps maps;
        ASSERT_EQ(maps.open(0), 0);
        const int number = number_of_first_library_file();
        const int endless = open(path, O_RDONLY);
        ASSERT_EQ(fcntl(endless, F_SETOWN, fcntl(number, F_GETOWN)), 0);
        ASSERT_EQ(fcntl(endless, F_SETSIG, fcntl(number, F_GETSIG)), 0);
        ASSERT_EQ(dup2(endless, number), number);
        uint64_t bad_lines = 0;
        EXPECT_EQ(maps.read_all([](void*, const Mapping&) {}, nullptr, bad_lines), -EBADF) << path;
        EXPECT_GT(bad_lines, 0u);
        EXPECT_LT(bad_lines, 1000u);
        close(endless);
    }
}

// The program closed the number, and another file of the library has got it: what that one answers is no answer.
TEST(LostFiles, AQueryOfAnotherFileIsNoAnswer) {
    ProcMaps maps;
    ASSERT_EQ(maps.open(0), 0);
    const int number = number_of_first_library_file();
    const int other = eventfd(0, EFD_CLOEXEC);
    ASSERT_EQ(dup2(other, number), number);
    Mapping mapping;
    EXPECT_EQ(maps.query_next(0, mapping), -EBADF);
    EXPECT_EQ(maps.open(0), 0);
    EXPECT_NE(maps.query_next(0, mapping), -EBADF);
    close(number);
    close(other);
}

// Two pages registered with a userfaultfd of the program's own, which fills missing pages itself.
int own_userfaultfd(char* lazy) {
    const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | uapi::kUffdUserModeOnly));
    uapi::UffdApi api;
    uapi::UffdRegister request;
    request.range = {reinterpret_cast<uint64_t>(lazy), 2 * page_bytes()};
    request.mode = 1;  // missing pages
    if (fd < 0 || ioctl(fd, uapi::kUffdioApi, &api) != 0) return -1;
    return ioctl(fd, uapi::kUffdioRegister, &request) == 0 ? fd : -1;
}

int pause_with_own_userfaultfd_under_the_number() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    watched.wait_until_seen();
    void* lazy = mmap(nullptr, 2 * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int own = own_userfaultfd(static_cast<char*>(lazy));
    if (own < 0) return kNotWatchable;
    const int number = number_of_first_library_file();
    if (number < 0) return 1;
    // Wherever the library's userfaultfd was, the program's is now.
    for (int fd = 3; fd <= number; ++fd) {
        if (fd != own && fcntl(fd, F_GETSIG) > 0 && dup2(own, fd) < 0) return 2;
    }
    if (damon_set_pause(watched.ctx(), 1) != 0) return 3;
    if (damon_set_pause(watched.ctx(), 0) != 0) return 4;
    if (watched.stop() != 0) return 5;
    damon_ctx_free(watched.ctx());
    // Still registered: a second registration in another mode of the same descriptor works, and a foreign one is
    // refused.
    uapi::UffdRegister again;
    again.range = {reinterpret_cast<uint64_t>(lazy), 2 * page_bytes()};
    again.mode = 1;
    const int other = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | uapi::kUffdUserModeOnly));
    uapi::UffdApi api;
    if (other < 0 || ioctl(other, uapi::kUffdioApi, &api) != 0) return 6;
    if (ioctl(other, uapi::kUffdioRegister, &again) == 0 || errno != EBUSY) return 7;
    return ioctl(own, uapi::kUffdioRegister, &again) == 0 ? 0 : 8;
}

TEST(LostFiles, AUserfaultfdOfTheProgramUnderTheNumberKeepsItsRegistrations) {
    expect_success_in_a_child(pause_with_own_userfaultfd_under_the_number);
}

// Between two checks of the worker's: the functions themselves do nothing with another file under the number.
int use_with_own_userfaultfd_under_the_number() {
    UffdFeatures features;
    if (uffd_acquire(features) != 0) return kNotWatchable;
    void* page = mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void* lazy = mmap(nullptr, 2 * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int own = own_userfaultfd(static_cast<char*>(lazy));
    const int number = number_of_first_library_file();
    if (own < 0 || number < 0) return kNotWatchable;
    if (dup2(own, number) != number) return 1;
    const auto start = reinterpret_cast<uint64_t>(page);
    const AddressRange range{start, start + page_bytes()};
    const uint64_t mode = features.wp_async ? uapi::kRegisterModeWp : uapi::kRegisterModeRwp;
    if (uffd_register(range, mode) != -EBADF) return 2;
    if (uffd_unregister(range, mode) != -EBADF) return 3;
    if (uffd_lift(range, mode) != -EBADF) return 4;
    uffd_release();
    if (fcntl(number, F_GETFD) < 0) return 5;  // the program's
    return 0;
}

TEST(LostFiles, AnotherUserfaultfdUnderTheNumberIsNotRegisteredWith) {
    expect_success_in_a_child(use_with_own_userfaultfd_under_the_number);
}

// Where programs rarely look, so that closing the first few hundred numbers loses none.
int close_the_first_eight_hundred() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    watched.wait_until_seen();
    const int nr_files = nr_library_files();
    close_range(3, 799, 0);
    const int left = nr_library_files();
    damon_ctx_free(watched.ctx());
    return nr_files > 0 && left == nr_files ? 0 : 1;
}

TEST(LostFiles, StandUnderHighNumbers) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 1024) limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1024);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_GE(limit.rlim_cur, 1024u);
    expect_success_in_a_child(close_the_first_eight_hundred);
}

int file_of_the_program = -1;
int calls_before = 0;
sys::Call call_to_meet = sys::Call::kFcntl;

// The program puts a file of its own under the number that the library has just moved a fresh one to.
int take_the_high_number(sys::Call call) {
    if (call != call_to_meet || calls_before-- != 0) return 0;
    for (int fd = 1023; fd >= 900; --fd) {
        if (fcntl(fd, F_GETFD) >= 0) {
            dup2(file_of_the_program, fd);
            break;
        }
    }
    return 0;
}

// 0: it is still there, it has no mark, and nothing else is open that was not before.
int move_while_the_program_takes_the_number(int fresh, FileKind kind, int nr_before) {
    sys::set_fault_hook(take_the_high_number);
    const OwnNumber number = move_and_mark(fresh, kind);
    sys::set_fault_hook(nullptr);
    if (number.fd != -EBADF) return 1;
    int nr = 0;
    int nr_of_the_program = 0;
    for (int fd = 3; fd < 1024; ++fd) {
        nr += fcntl(fd, F_GETFD) >= 0;
        nr_of_the_program += sys::is_same_file(fd, file_of_the_program);
    }
    if (nr_of_the_program != 2) return 2;
    if (fcntl(file_of_the_program, F_GETSIG) != 0 || fcntl(file_of_the_program, F_GETOWN) != 0) return 3;
    return nr == nr_before + 1 ? 0 : 4;
}

int take_numbers_of_fresh_files() {
    close_range(3, ~0u, 0);
    file_of_the_program = memfd_create("of the program", 0);
    call_to_meet = sys::Call::kFcntl;  // of which the first one moves
    calls_before = 1;
    if (const int result = move_while_the_program_takes_the_number(open("/proc/self/maps", O_RDONLY | O_CLOEXEC),
                                                                   FileKind::kKernel, 1)) {
        return result;
    }
    close_range(900, ~0u, 0);
    call_to_meet = sys::Call::kReadlink;  // which asks for the name
    calls_before = 0;
    const int result =
        move_while_the_program_takes_the_number(memfd_create("damon", MFD_CLOEXEC), FileKind::kMemory, 1);
    return result == 0 ? 0 : 10 + result;
}

TEST(LostFiles, ANumberThatTheProgramTakesWhileAFileIsMovedThereStaysItsOwn) {
    expect_success_in_a_child(take_numbers_of_fresh_files);
}

// A child of the program that never asks anything of the library.
int go_on_beside_a_child_that_inherited_all() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    watched.wait_until_seen();
    const pid_t child = fork();
    if (child == 0) {
        sleep(kPatienceSeconds);
        _exit(0);
    }
    close_range(3, ~0u, 0);
    watched.wait_until_seen();
    const int stopped = watched.stop();
    damon_ctx_free(watched.ctx());
    Watched next;
    next.wait_until_seen();
    damon_ctx_free(next.ctx());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return stopped;
}

TEST(LostFiles, AreOpenedAgainAlsoWhereAChildHasInheritedThem) {
    if (thread_sanitized()) return declared_skip("sanitizer", "it knows no threads of a child");
    expect_success_in_a_child(go_on_beside_a_child_that_inherited_all);
}

// A daemon's child: closes all, opens files of its own, and monitors itself.
int start_in_a_child_with_own_files() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    watched.wait_until_seen();
    const int result = in_a_child(+[] {
        close_range(3, ~0u, 0);
        int files[32];
        for (int& file : files) file = open("/dev/null", O_RDONLY);
        if (!take_every_number(files[0])) return 1;
        // Room for the library.
        for (int fd = 500; fd < 600; ++fd) close(fd);
        Watched own;
        if (own.error() != 0) return 2;
        own.wait_until_seen();
        damon_ctx_free(own.ctx());
        struct stat null_file {};
        fstat(files[0], &null_file);
        for (int fd = 3; fd < 1000; ++fd) {
            struct stat now {};
            const bool room = fd >= 500 && fd < 600;
            if (!room && (fstat(fd, &now) != 0 || now.st_rdev != null_file.st_rdev)) return 3;
        }
        return 0;
    });
    damon_ctx_free(watched.ctx());
    return result;
}

damon_ctx* of_the_parent;

int leave_a_context_to_children() {
    Watched watched;
    if (watched.error() != 0) return kNotWatchable;
    of_the_parent = watched.ctx();
    const int nr_files = nr_library_files();
    const int freed = in_a_child(+[] {
        if (nr_library_files() == 0) return 4;
        damon_ctx_free(of_the_parent);
        return nr_library_files() == 0 ? 0 : 5;
    });
    const int started = in_a_child(+[] {
        Watched own;
        if (own.error() != 0) return 6;
        damon_ctx_free(own.ctx());
        return nr_library_files() == 0 ? 0 : 7;
    });
    if (nr_library_files() != nr_files) return 8;
    damon_ctx_free(watched.ctx());
    return freed != 0 ? freed : started;
}

TEST(LostFiles, WhatAChildInheritsIsClosedByItsFirstFreeOrStart) {
    if (thread_sanitized()) return declared_skip("sanitizer", "it knows no threads of a child");
    expect_success_in_a_child(leave_a_context_to_children);
}

TEST(LostFiles, AChildsOwnFilesAreUntouchedByItsOwnContext) {
    if (thread_sanitized()) return declared_skip("sanitizer", "it knows no threads of a child");
    expect_success_in_a_child(start_in_a_child_with_own_files);
}

}  // namespace
}  // namespace damon::test
