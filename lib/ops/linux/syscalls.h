// The only raw system calls of the eyes. Every one answers its result, or a negative errno; the thread's own errno is
// left alone. Tests can make any of them fail, and count them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

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
};

// Tests: called before every system call below except getpid and close; a result other than 0 (a positive errno)
// makes the call fail with it, undone. nullptr removes the hook. Process-wide.
using FaultHook = int (*)(Call call);
void set_fault_hook(FaultHook hook);

int userfaultfd(int flags);
int open_read(const char* path);  // read-only, close-on-exec
void close(int fd);               // a negative fd is fine
long ioctl(int fd, unsigned long request, void* argument);
ssize_t read(int fd, void* buffer, size_t bytes);
ssize_t pread(int fd, void* buffer, size_t bytes, uint64_t offset);
// Anonymous private memory where fd < 0, else a shared mapping of the file. nullptr: `error` holds the errno, negative.
void* mmap(size_t bytes, int fd, int& error);
int munmap(void* address, size_t bytes);
int madvise(uint64_t address, uint64_t bytes, int advice);
int memfd_create(const char* name);  // close-on-exec
int ftruncate(int fd, uint64_t bytes);
int kill(pid_t pid, int signal);
pid_t getpid();

}  // namespace damon::sys
