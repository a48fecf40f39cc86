// The folder in sysfs through which the running kernel's own DAMON is driven. One kdamond is claimed, made and given
// back; nothing that somebody else made is ever written to. Worker thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/status.h"

namespace damon {

class SysfsTree {
public:
    SysfsTree() = default;
    ~SysfsTree() { release(); }
    SysfsTree(const SysfsTree&) = delete;
    SysfsTree& operator=(const SysfsTree&) = delete;

    // Makes the kdamond. -EOPNOTSUPP: this kernel has no such folder; -EPERM: the caller may not write there; -EBUSY:
    // somebody uses the kernel's DAMON already, the text says who. Failure: nothing is held, and nothing was changed.
    Status claim();
    // Turns the kdamond off and removes it, as far as it is still the claimed one. Fine where nothing is claimed.
    void release();
    bool claimed() const { return kdamond_ >= 0; }

    // Below, paths are relative to the kdamond's folder; results are negative errnos on failure.

    // Waits a little where the kernel is busy with another write (K-2).
    int write(const char* path, const char* text);
    // Length of the content without the newline at its end; always terminated.
    ssize_t read(const char* path, char* text, size_t bytes) const { return read_at(kdamond_, path, text, bytes); }
    int read_number(const char* path, uint64_t& value) const { return read_number_at(kdamond_, path, value); }
    bool exists(const char* path) const;
    int open_folder(const char* path) const;
    static void close_folder(int folder);
    static int read_number_at(int folder, const char* path, uint64_t& value);

    // Gives a command (K-1) to the kdamond.
    int command(const char* word) { return write("state", word); }
    // Whether the kdamond runs, and is the one that was turned on here.
    bool runs() const;
    // Turns it on. What runs() and release() look for from here on.
    int turn_on();

private:
    static ssize_t read_at(int folder, const char* path, char* text, size_t bytes);
    static int write_at(int folder, const char* path, const char* text);
    int worker_pid(int32_t& pid) const;
    Status lock();
    Status check_unused() const;
    Status make();
    bool give_back();
    int is_still_ours(bool& ours) const;
    void unlock();

    int kdamonds_ = -1;   // the folder of all kdamonds
    int lock_ = -1;       // its file nr_kdamonds, held to keep other users of this library out
    int kdamond_ = -1;    // the folder of the claimed one
    uint64_t inode_ = 0;  // of that folder: another one in its place has another number
    int32_t worker_ = 0;  // process id of the kernel's worker thread; 0: never turned on
};

// Tests alone: the file system to use, for all SysfsTrees of the process.
struct FakeKernel {
    const char* root = "";  // what stands in place of "/"
    // Called after each write with the path below .../kdamonds; gives what the kernel would: 0 or a negative errno.
    int (*written)(const char* path, const char* text) = nullptr;
};
// `fake` must live until the next call; nullptr: the real one again.
void set_fake_kernel(const FakeKernel* fake);
// "" but in tests.
const char* kernel_root();

}  // namespace damon
