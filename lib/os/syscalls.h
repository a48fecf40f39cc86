// The raw system calls of access checks and actions. Every one answers its result, or a negative errno; the thread's
// own errno is left alone. Tests can make any of them fail, and count them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/address_range.h"

namespace damon::sys {

enum class Call : uint8_t {
    kUserfaultfd,
    kOpen,
    kClose,
    kIoctl,
    kRead,
    kPread,
    kMmap,
    kMunmap,
    kMadvise,
    kMemfdCreate,
    kFtruncate,
    kKill,
    kProcessMadvise,
    kPidfdOpen,
    kMovePages,
    kMincore,
    kMsync,
    kGetdents,
    kFstat,
    kWrite,
    kFlock,
    kReadlink,
    kFcntl,
    kGetRobustList,
};

// Tests: called before every system call below except getpid and close; a result other than 0 (a positive errno)
// makes the call fail with it, undone. nullptr removes the hook. Process-wide.
using FaultHook = int (*)(Call call);
void set_fault_hook(FaultHook hook);

int userfaultfd(int flags);
int open_read(const char* path);  // read-only, close-on-exec
void close(int fd);               // a negative fd is fine
// The same file at the lowest free number from `lowest` on, close-on-exec; `fd` stays open.
int duplicate_above(int fd, int lowest);
// Marks an open file as opened by this library in process `opener`, and asks for that mark. OwnFile says how.
int mark_file(int fd, pid_t opener);
void unmark_file(int fd);
bool is_marked_file(int fd, pid_t opener);
bool is_closed_on_exec(int fd);
// Whether both numbers are of the same file; descriptors without a name may all look the same.
bool is_same_file(int fd, int other);
long ioctl(int fd, unsigned long request, void* argument);
ssize_t read(int fd, void* buffer, size_t bytes);
ssize_t pread(int fd, void* buffer, size_t bytes, uint64_t offset);
// Anonymous private memory where fd < 0, else a shared mapping of the file. nullptr: `error` holds the errno, negative.
void* mmap(size_t bytes, int fd, int& error);
int munmap(void* address, size_t bytes);
// One more mapping of what is mapped shared at `address`; nullptr: nothing is, or it is not shared.
void* map_again(uint64_t address, size_t bytes);
int madvise(uint64_t address, uint64_t bytes, int advice);
int memfd_create(const char* name);  // close-on-exec
int ftruncate(int fd, uint64_t bytes);
int kill(pid_t pid, int signal);
pid_t getpid();
// Whether nothing is swapped out, of any process.
bool swap_is_empty();
// Where a thread of this process keeps the head of its list of robust locks; 0: nowhere.
int robust_list_of(pid_t tid, uint64_t& head);

// --- of actions ---

// Bytes advised, from the first range on; less than all where one failed. At most kMaxAdvisedRanges.
inline constexpr size_t kMaxAdvisedRanges = 64;
ssize_t process_madvise(int pidfd, std::span<const AddressRange> ranges, int advice);
int pidfd_open(pid_t pid);
// Pages of `pid` (0: this process) to `nodes`; where `nodes` is empty it only asks where they are. `status` receives
// the node of each page, or a negative errno. Only pages that no other process maps are moved.
int move_pages(pid_t pid, std::span<const uint64_t> pages, std::span<const int> nodes, std::span<int> status);
// One byte a page, bit 0: in memory, mapped or not. Of files that the user may not write everything is said to be.
int mincore(uint64_t address, uint64_t bytes, unsigned char* answer);
// Whether (part of) the memory is locked: 1 or 0, or a negative errno. Changes nothing.
int is_locked(uint64_t address, uint64_t bytes);
ssize_t getdents(int directory_fd, void* buffer, size_t bytes);
bool is_of_proc(int fd);  // a file of a proc file system
// Of /proc, /sys or a cgroup file system, or a descriptor without a name (userfaultfd, pidfd).
bool is_of_kernel(int fd);
// Whether the path leads to the file of that inode, and that is a device, or one that the kernel makes up. False where
// it cannot be told: removed since, or of another mount namespace.
bool is_no_regular_file(const char* path, uint64_t inode);
int open_read_at(int directory_fd, const char* name);
int inode_of(int fd, uint64_t& inode);

// --- of the kernel's own DAMON ---

int open_write_at(int directory_fd, const char* name);  // never makes a file
ssize_t write(int fd, const void* buffer, size_t bytes);
// Locks the file for this open description, or gives the lock back; does not wait.
int flock(int fd, bool lock);
// Where the file behind `fd` lies, terminated; its length.
ssize_t path_of(int fd, char* buffer, size_t bytes);
void sleep_us(uint64_t us);

}  // namespace damon::sys
