#include "ops/offload/sysfs_tree.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "ops/offload/offload_text.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr const char* kFolder = "/sys/kernel/mm/damon/admin/kdamonds";
constexpr int kTries = 100;  // of a write that finds the kernel busy
constexpr int kGiveBackTries = 3;
constexpr uint64_t kPauseUs = 2'000;
constexpr size_t kPathBytes = 512;

// The kernel's own users of DAMON: while one runs, nobody else may.
struct KernelUser {
    const char* name;
    const char* file;
};
constexpr KernelUser kKernelUsers[] = {
    {"DAMON_STAT", "/sys/module/damon_stat/parameters/enabled"},
    {"DAMON_RECLAIM", "/sys/module/damon_reclaim/parameters/enabled"},
    {"DAMON_LRU_SORT", "/sys/module/damon_lru_sort/parameters/enabled"},
};

std::atomic<const FakeKernel*> fake_kernel{nullptr};

int open_below_root(const char* path) {
    char whole[kPathBytes];
    snprintf(whole, sizeof whole, "%s%s", kernel_root(), path);
    return sys::open_read(whole);
}

Status not_permitted(int error) {
    return Status::fail(-EPERM, "%s cannot be written to (errno %d): driving the kernel's DAMON needs root", kFolder,
                        -error);
}

}  // namespace

void set_fake_kernel(const FakeKernel* fake) { fake_kernel.store(fake, std::memory_order_release); }

const char* kernel_root() {
    const FakeKernel* fake = fake_kernel.load(std::memory_order_acquire);
    return fake == nullptr ? "" : fake->root;
}

Status SysfsTree::claim() {
    kdamonds_ = open_below_root(kFolder);
    if (kdamonds_ == -ENOENT || kdamonds_ == -ENOTDIR) {
        return Status::fail(-EOPNOTSUPP, "there is no %s: this kernel has no DAMON that can be driven", kFolder);
    }
    if (kdamonds_ < 0) return not_permitted(kdamonds_);
    Status status = lock();
    if (status.ok()) status = check_unused();
    if (status.ok()) status = make();
    if (!status.ok()) unlock();
    return status;
}

// Somebody who does not use this library does not know of the lock; check_unused sees those.
Status SysfsTree::lock() {
    lock_ = sys::open_read_at(kdamonds_, "nr_kdamonds");
    if (lock_ < 0) return not_permitted(lock_);
    const int error = sys::flock(lock_, true);
    if (error == 0) return {};
    return Status::fail(-EBUSY, "the kernel's DAMON is driven by another context, of this process or another one");
}

Status SysfsTree::check_unused() const {
    uint64_t nr = 0;
    const int error = read_number_at(kdamonds_, "nr_kdamonds", nr);
    if (error != 0) return not_permitted(error);
    if (nr != 0) {
        return Status::fail(-EBUSY, "the kernel's DAMON is in use by another user: %s/nr_kdamonds is %llu, must be 0",
                            kFolder, static_cast<unsigned long long>(nr));
    }
    for (const KernelUser& user : kKernelUsers) {
        char enabled[8];
        const int fd = open_below_root(user.file);
        const ssize_t length = fd < 0 ? fd : sys::read(fd, enabled, sizeof enabled);
        sys::close(fd);
        if (length > 0 && (enabled[0] == 'Y' || enabled[0] == '1')) {
            return Status::fail(-EBUSY, "%s uses the kernel's DAMON: %s is Y, must be N", user.name, user.file);
        }
    }
    return {};
}

Status SysfsTree::make() {
    int error = write_at(kdamonds_, "nr_kdamonds", "1");
    if (error == -EBUSY) return Status::fail(-EBUSY, "another process is changing %s at this moment", kFolder);
    if (error != 0) return not_permitted(error);
    kdamond_ = sys::open_read_at(kdamonds_, "0");
    error = kdamond_ < 0 ? kdamond_ : sys::inode_of(kdamond_, inode_);
    if (error == 0) error = write("contexts/nr_contexts", "1");
    if (error == 0) return {};
    (void)write_at(kdamonds_, "nr_kdamonds", "0");
    return Status::fail(error, "the kdamond that was made in %s cannot be used (errno %d)", kFolder, -error);
}

void SysfsTree::release() {
    for (int tried = 0; tried < kGiveBackTries && claimed() && !give_back(); ++tried) {
    }
    unlock();
}

// False: something failed on the way.
bool SysfsTree::give_back() {
    int32_t worker = -1;
    const int error = worker_pid(worker);
    // A worker that is not the one turned on here is somebody else's, who took the folder over after ours had ended.
    if (error == 0 && worker > 0 && worker != worker_) return true;
    if ((error != 0 || worker > 0) && command("off") != 0) return false;
    bool ours = false;
    if (is_still_ours(ours) != 0) return false;
    return !ours || write_at(kdamonds_, "nr_kdamonds", "0") == 0;
}

// Also after a fork: the lock belongs to every process that has it open, and is given back for all of them.
void SysfsTree::unlock() {
    if (lock_ >= 0) (void)sys::flock(lock_, false);
    sys::close(kdamond_);
    sys::close(lock_);
    sys::close(kdamonds_);
    kdamond_ = lock_ = kdamonds_ = -1;
    worker_ = 0;
}

// Whether the claimed folder is there, and the only one. 0 or a negative errno.
int SysfsTree::is_still_ours(bool& ours) const {
    uint64_t nr = 0;
    uint64_t inode = 0;
    const int folder = sys::open_read_at(kdamonds_, "0");
    int error = folder < 0 ? folder : sys::inode_of(folder, inode);
    sys::close(folder);
    if (error == 0) error = read_number_at(kdamonds_, "nr_kdamonds", nr);
    ours = error == 0 && inode == inode_ && nr == 1;
    return error == -ENOENT ? 0 : error;
}

int SysfsTree::write(const char* path, const char* text) { return write_at(kdamond_, path, text); }

int SysfsTree::write_at(int folder, const char* path, const char* text) {
    int error = 0;
    for (int tried = 0; tried < kTries; ++tried) {
        if (tried > 0) sys::sleep_us(kPauseUs);
        const int fd = sys::open_write_at(folder, path);
        if (fd < 0) return fd;
        const ssize_t written = sys::write(fd, text, strlen(text));
        error = written < 0 ? static_cast<int>(written) : 0;
        sys::close(fd);
        const FakeKernel* fake = fake_kernel.load(std::memory_order_acquire);
        if (error == 0 && fake != nullptr) error = fake->written(path, text);
        if (error != -EBUSY && error != -EINTR) break;
    }
    return error;
}

ssize_t SysfsTree::read_at(int folder, const char* path, char* text, size_t bytes) {
    ssize_t length = -EBUSY;
    // Some files cannot be read while the kernel is busy with somebody's command.
    for (int tried = 0; tried < kTries && (length == -EBUSY || length == -EINTR); ++tried) {
        if (tried > 0) sys::sleep_us(kPauseUs);
        const int fd = sys::open_read_at(folder, path);
        if (fd < 0) return fd;
        length = sys::read(fd, text, bytes - 1);
        sys::close(fd);
    }
    if (length < 0) return length;
    while (length > 0 && text[length - 1] == '\n') --length;
    text[length] = '\0';
    return length;
}

int SysfsTree::read_number_at(int folder, const char* path, uint64_t& value) {
    char text[32];
    const ssize_t length = read_at(folder, path, text, sizeof text);
    if (length < 0) return static_cast<int>(length);
    return parse_number({text, static_cast<size_t>(length)}, value) ? 0 : -EINVAL;
}

bool SysfsTree::exists(const char* path) const {
    const int fd = sys::open_read_at(kdamond_, path);
    sys::close(fd);
    return fd >= 0;
}

int SysfsTree::open_folder(const char* path) const { return sys::open_read_at(kdamond_, path); }
void SysfsTree::close_folder(int folder) { sys::close(folder); }

// The kernel's worker; -1: none runs. 0 or a negative errno.
int SysfsTree::worker_pid(int32_t& pid) const {
    char text[32];
    const ssize_t length = read("pid", text, sizeof text);
    if (length < 0) return static_cast<int>(length);
    uint64_t number = 0;
    const bool runs = parse_number({text, static_cast<size_t>(length)}, number) && number <= INT32_MAX;
    pid = runs ? static_cast<int32_t>(number) : -1;
    return 0;
}

bool SysfsTree::runs() const {
    int32_t worker = -1;
    return claimed() && worker_pid(worker) == 0 && worker > 0 && worker == worker_;
}

int SysfsTree::turn_on() {
    int error = command("on");
    if (error != 0) return error;
    // It may have ended already: that is -1 then, which is nobody's.
    error = worker_pid(worker_);
    if (error != 0) (void)command("off");
    return error;
}

}  // namespace damon
