#include "os/syscalls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

namespace damon::sys {
namespace {

std::atomic<FaultHook> fault_hook{nullptr};

// The same numbers on every architecture.
constexpr long kPidfdOpenNumber = 434;       // Linux 5.3
constexpr long kProcessMadviseNumber = 440;  // Linux 5.10

// Of file systems that are the kernel's own. <linux/magic.h> does not come with the C library, and is old in places.
constexpr uint32_t kProc = 0x9fa0;
constexpr uint32_t kSysfs = 0x62656572;
constexpr uint32_t kCgroup = 0x27e0eb;
constexpr uint32_t kCgroup2 = 0x63677270;
constexpr uint32_t kAnonInode = 0x09041934;
constexpr uint32_t kDebugfs = 0x64626720;
constexpr uint32_t kTracefs = 0x74726163;
constexpr uint32_t kPidFileSystem = 0x50494446;  // of pidfd descriptors from Linux 6.9 on

// The signal number that marks our files. Never sent: no file of ours is asynchronous.
constexpr int kFileMark = 61;

// A negative errno where the hook wants the call to fail, else 0.
int injected(Call call) {
    const FaultHook hook = fault_hook.load(std::memory_order_acquire);
    return hook == nullptr ? 0 : -hook(call);
}

// The host may call into the library between a failing call of its own and its look at errno.
class KeepErrno {
public:
    KeepErrno() : saved_(errno) {}
    ~KeepErrno() { errno = saved_; }
    KeepErrno(const KeepErrno&) = delete;
    KeepErrno& operator=(const KeepErrno&) = delete;

    template <typename Result>
    static Result answer(Result result) {
        return result < 0 ? static_cast<Result>(-errno) : result;
    }

private:
    const int saved_;
};

}  // namespace

void set_fault_hook(FaultHook hook) { fault_hook.store(hook, std::memory_order_release); }

int userfaultfd(int flags) {
    const KeepErrno keep;
    if (const int error = injected(Call::kUserfaultfd)) return error;
    return static_cast<int>(KeepErrno::answer(::syscall(SYS_userfaultfd, flags)));
}

int open_read(const char* path) {
    const KeepErrno keep;
    if (const int error = injected(Call::kOpen)) return error;
    return KeepErrno::answer(::open(path, O_RDONLY | O_CLOEXEC));
}

void close(int fd) {
    const KeepErrno keep;
    if (fd >= 0) ::close(fd);
}

int duplicate_above(int fd, int lowest) {
    const KeepErrno keep;
    if (const int error = injected(Call::kFcntl)) return error;
    return KeepErrno::answer(::fcntl(fd, F_DUPFD_CLOEXEC, lowest));
}

int mark_file(int fd, pid_t opener) {
    const KeepErrno keep;
    if (const int error = injected(Call::kFcntl)) return error;
    if (::fcntl(fd, F_SETOWN, opener) < 0 || ::fcntl(fd, F_SETSIG, kFileMark) < 0) return -errno;
    return 0;
}

void unmark_file(int fd) {
    const KeepErrno keep;
    ::fcntl(fd, F_SETSIG, 0);
    ::fcntl(fd, F_SETOWN, 0);
}

bool is_marked_file(int fd, pid_t opener) {
    const KeepErrno keep;
    return ::fcntl(fd, F_GETSIG) == kFileMark && ::fcntl(fd, F_GETOWN) == opener;
}

bool is_closed_on_exec(int fd) {
    const KeepErrno keep;
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0) return errno != EBADF;  // a sandbox refuses to tell
    return (flags & FD_CLOEXEC) != 0;
}

bool is_same_file(int fd, int other) {
    const KeepErrno keep;
    struct stat facts;
    struct stat others;
    return ::fstat(fd, &facts) == 0 && ::fstat(other, &others) == 0 && facts.st_ino == others.st_ino &&
           facts.st_dev == others.st_dev;
}

long ioctl(int fd, unsigned long request, void* argument) {
    const KeepErrno keep;
    if (const int error = injected(Call::kIoctl)) return error;
    return KeepErrno::answer(::ioctl(fd, request, argument));
}

ssize_t read(int fd, void* buffer, size_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kRead)) return error;
    return KeepErrno::answer(::read(fd, buffer, bytes));
}

ssize_t pread(int fd, void* buffer, size_t bytes, uint64_t offset) {
    const KeepErrno keep;
    if (const int error = injected(Call::kPread)) return error;
    return KeepErrno::answer(::pread(fd, buffer, bytes, static_cast<off_t>(offset)));
}

void* mmap(size_t bytes, int fd, int& error) {
    const KeepErrno keep;
    error = injected(Call::kMmap);
    if (error != 0) return nullptr;
    const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (address != MAP_FAILED) return address;
    error = -errno;
    return nullptr;
}

int munmap(void* address, size_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kMunmap)) return error;
    return KeepErrno::answer(::munmap(address, bytes));
}

void* map_again(uint64_t address, size_t bytes) {
    const KeepErrno keep;
    if (injected(Call::kMmap) != 0) return nullptr;
    void* memory = ::mremap(reinterpret_cast<void*>(address), 0, bytes, MREMAP_MAYMOVE);
    return memory == MAP_FAILED ? nullptr : memory;
}

int madvise(uint64_t address, uint64_t bytes, int advice) {
    const KeepErrno keep;
    if (const int error = injected(Call::kMadvise)) return error;
    return KeepErrno::answer(::madvise(reinterpret_cast<void*>(address), bytes, advice));
}

int memfd_create(const char* name) {
    const KeepErrno keep;
    if (const int error = injected(Call::kMemfdCreate)) return error;
    return KeepErrno::answer(::memfd_create(name, MFD_CLOEXEC));
}

int ftruncate(int fd, uint64_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kFtruncate)) return error;
    return KeepErrno::answer(::ftruncate(fd, static_cast<off_t>(bytes)));
}

int kill(pid_t pid, int signal) {
    const KeepErrno keep;
    if (const int error = injected(Call::kKill)) return error;
    return KeepErrno::answer(::kill(pid, signal));
}

pid_t getpid() { return ::getpid(); }

bool swap_is_empty() {
    const KeepErrno keep;
    struct sysinfo info {};
    return ::sysinfo(&info) == 0 && info.freeswap == info.totalswap;
}

ssize_t process_madvise(int pidfd, std::span<const AddressRange> ranges, int advice) {
    const KeepErrno keep;
    if (const int error = injected(Call::kProcessMadvise)) return error;
    iovec vectors[kMaxAdvisedRanges];
    const size_t count = ranges.size() < kMaxAdvisedRanges ? ranges.size() : kMaxAdvisedRanges;
    for (size_t i = 0; i < count; ++i) vectors[i] = {reinterpret_cast<void*>(ranges[i].start), ranges[i].size()};
    return static_cast<ssize_t>(KeepErrno::answer(::syscall(kProcessMadviseNumber, pidfd, vectors, count, advice, 0)));
}

int pidfd_open(pid_t pid) {
    const KeepErrno keep;
    if (const int error = injected(Call::kPidfdOpen)) return error;
    return static_cast<int>(KeepErrno::answer(::syscall(kPidfdOpenNumber, pid, 0)));
}

int move_pages(pid_t pid, std::span<const uint64_t> pages, std::span<const int> nodes, std::span<int> status) {
    const KeepErrno keep;
    if (const int error = injected(Call::kMovePages)) return error;
    constexpr int kMoveOwn = 2;  // MPOL_MF_MOVE
    return static_cast<int>(
        KeepErrno::answer(::syscall(SYS_move_pages, pid, pages.size(), pages.data(),
                                    nodes.empty() ? nullptr : nodes.data(), status.data(), kMoveOwn)));
}

int mincore(uint64_t address, uint64_t bytes, unsigned char* answer) {
    const KeepErrno keep;
    if (const int error = injected(Call::kMincore)) return error;
    return KeepErrno::answer(::mincore(reinterpret_cast<void*>(address), bytes, answer));
}

int is_locked(uint64_t address, uint64_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kMsync)) return error;
    // MS_INVALIDATE is refused where memory is locked, and does nothing otherwise: file mappings are always coherent.
    if (::syscall(SYS_msync, address, bytes, MS_INVALIDATE) == 0) return 0;
    return errno == EBUSY ? 1 : -errno;
}

int robust_list_of(pid_t tid, uint64_t& head) {
    const KeepErrno keep;
    if (const int error = injected(Call::kGetRobustList)) return error;
    void* list = nullptr;
    size_t bytes = 0;
    const int result = KeepErrno::answer(static_cast<int>(::syscall(SYS_get_robust_list, tid, &list, &bytes)));
    head = reinterpret_cast<uint64_t>(list);
    return result;
}

ssize_t getdents(int directory_fd, void* buffer, size_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kGetdents)) return error;
    return static_cast<ssize_t>(KeepErrno::answer(::syscall(SYS_getdents64, directory_fd, buffer, bytes)));
}

int open_read_at(int directory_fd, const char* name) {
    const KeepErrno keep;
    if (const int error = injected(Call::kOpen)) return error;
    return KeepErrno::answer(::openat(directory_fd, name, O_RDONLY | O_CLOEXEC));
}

bool is_of_proc(int fd) {
    const KeepErrno keep;
    struct statfs facts;
    return ::fstatfs(fd, &facts) == 0 && static_cast<uint32_t>(facts.f_type) == kProc;
}

bool is_of_kernel(int fd) {
    const KeepErrno keep;
    struct statfs facts;
    if (::fstatfs(fd, &facts) != 0) return false;
    switch (static_cast<uint32_t>(facts.f_type)) {
        case kProc:
        case kSysfs:
        case kCgroup:
        case kCgroup2:
        case kAnonInode:
        case kPidFileSystem:
            return true;
        default:
            return false;
    }
}

bool is_no_regular_file(const char* path, uint64_t inode) {
    const KeepErrno keep;
    if (injected(Call::kFstat) != 0) return false;
    struct stat facts;
    struct statfs system;
    if (::stat(path, &facts) != 0 || facts.st_ino != inode || ::statfs(path, &system) != 0) return false;
    if (!S_ISREG(facts.st_mode)) return true;
    switch (static_cast<uint32_t>(system.f_type)) {
        case kProc:
        case kSysfs:
        case kDebugfs:
        case kTracefs:
            return true;
        default:
            return false;
    }
}

int inode_of(int fd, uint64_t& inode) {
    const KeepErrno keep;
    if (const int error = injected(Call::kFstat)) return error;
    struct stat facts;
    if (::fstat(fd, &facts) != 0) return -errno;
    inode = facts.st_ino;
    return 0;
}

int open_write_at(int directory_fd, const char* name) {
    const KeepErrno keep;
    if (const int error = injected(Call::kOpen)) return error;
    return KeepErrno::answer(::openat(directory_fd, name, O_WRONLY | O_CLOEXEC));
}

ssize_t write(int fd, const void* buffer, size_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kWrite)) return error;
    return KeepErrno::answer(::write(fd, buffer, bytes));
}

int flock(int fd, bool lock) {
    const KeepErrno keep;
    if (const int error = injected(Call::kFlock)) return error;
    return static_cast<int>(KeepErrno::answer(::syscall(SYS_flock, fd, lock ? LOCK_EX | LOCK_NB : LOCK_UN)));
}

ssize_t path_of(int fd, char* buffer, size_t bytes) {
    const KeepErrno keep;
    if (const int error = injected(Call::kReadlink)) return error;
    char link[40];
    snprintf(link, sizeof link, "/proc/thread-self/fd/%d", fd);
    const auto length =
        static_cast<ssize_t>(KeepErrno::answer(::syscall(SYS_readlinkat, AT_FDCWD, link, buffer, bytes - 1)));
    if (length >= 0) buffer[length] = '\0';
    return length;
}

void sleep_us(uint64_t us) {
    const KeepErrno keep;
    const timespec duration = {static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000 * 1000)};
    ::nanosleep(&duration, nullptr);
}

}  // namespace damon::sys
