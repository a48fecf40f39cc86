#include "ops/linux/registration/uffd.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/arithmetic.h"
#include "base/fork_safe_lock.h"
#include "ops/linux/registration/armed_page_ledger.h"
#include "os/own_file.h"
#include "os/process.h"
#include "os/syscalls.h"
#include "os/uapi.h"

namespace damon {
namespace {

// The process-wide state. A child of fork finds another process id in `owner` and starts from nothing.
struct Shared {
    ForkSafeLock lock;
    pid_t owner = 0;
    uint32_t users = 0;
    UffdFeatures features;
    std::atomic<OwnNumber> file{OwnNumber{}};
    std::atomic<OwnNumber> second{OwnNumber{}};  // see uffd_assign
    std::atomic<pid_t> fd_owner{0};
    std::atomic<uint64_t> epoch{0};
    std::atomic<uint64_t> generation{0};
};
constinit Shared shared;

// The descriptor, or -ECHILD in a process that does not own it. An inherited descriptor would act on the parent.
int own_fd() {
    if (shared.fd_owner.load(std::memory_order_acquire) != process_id()) return -ECHILD;
    return shared.file.load(std::memory_order_relaxed).fd;
}

// The same, where a foreign file under that number would be hurt: registering with a userfaultfd of the program's would
// make its faults wait for us, closing and unregistering would lose its data.
int checked_fd() {
    const pid_t self = process_id();
    if (shared.fd_owner.load(std::memory_order_acquire) != self) return -ECHILD;
    const OwnNumber file = shared.file.load(std::memory_order_relaxed);
    return is_own_number(file, self) ? file.fd : -EBADF;
}

// The second descriptor, or negative: there is none, or it is another file now.
int second_fd() {
    const OwnNumber file = shared.second.load(std::memory_order_relaxed);
    if (file.fd < 0) return -EBADF;
    return is_own_number(file, process_id()) ? file.fd : -EBADF;
}

int register_with(int fd, AddressRange range, uint64_t mode) {
    uapi::UffdRegister request;
    request.range = {range.start, range.size()};
    request.mode = mode;
    return static_cast<int>(sys::ioctl(fd, uapi::kUffdioRegister, &request));
}

// The descriptor that `range` is registered with, by this call where it was with none; or a negative errno.
int registered_fd(AddressRange range, uint64_t mode) {
    const int first = checked_fd();
    if (first < 0) return first;
    const int error = register_with(first, range, mode);
    if (error != -EBUSY) return error != 0 ? error : first;
    const int second = second_fd();
    return second >= 0 && register_with(second, range, mode) == 0 ? second : error;
}

// Drops the registration with `fd`, which was made sure of just now.
int unregister_from(int fd, AddressRange range) {
    ArmedPageLedger::lose_tracked(range, Unknown::kNotRegistered);
    // Before and after: a context that arms in between must notice too.
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    uapi::UffdRange request{range.start, range.size()};
    const long result = sys::ioctl(fd, uapi::kUffdioUnregister, &request);  // gone already: nothing to drop
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    return static_cast<int>(result);
}

int protect_with(int fd, AddressRange range, uint64_t mode) {
    uapi::UffdProtect request;
    request.range = {range.start, range.size()};
    const bool writes = mode == uapi::kRegisterModeWp;
    if (writes) request.mode = uapi::kProtectNobodyWaits;
    return static_cast<int>(sys::ioctl(fd, writes ? uapi::kUffdioWriteprotect : uapi::kUffdioRwprotect, &request));
}

// Fact 2: for the asynchronous modes the weakest kind of descriptor is enough, so it is asked for first.
int open_descriptor() {
    const int flags = O_CLOEXEC | O_NONBLOCK;
    const int user_mode = sys::userfaultfd(flags | uapi::kUffdUserModeOnly);
    if (user_mode >= 0) return user_mode;
    const int plain = sys::userfaultfd(flags);
    if (plain >= 0) return plain;
    const ScopedFile device(sys::open_read("/dev/userfaultfd"));
    if (device.fd() < 0) return user_mode;
    const long opened = sys::ioctl(device.fd(), uapi::kUffdNew, reinterpret_cast<void*>(static_cast<intptr_t>(flags)));
    return opened < 0 ? user_mode : static_cast<int>(opened);
}

// Whether `file` offers these features, which are switched on then. A refusal leaves the descriptor as it was.
bool enable(OwnNumber file, UffdFeatures wanted) {
    uapi::UffdApi api;
    if (wanted.wp_async) api.features |= uapi::kFeatureWpAsync;
    if (wanted.rwp_async) api.features |= uapi::kFeatureRwp | uapi::kFeatureRwpAsync;
    const uint64_t features = api.features;
    return sys::ioctl(file.fd, uapi::kUffdioApi, &api) == 0 && (api.features & features) == features;
}

// A descriptor with as much as it takes switched on; none (-1) where this kernel is to be asked what it offers. Asking
// takes a descriptor that is closed again, and closing one walks all mappings with the address space locked.
OwnNumber open_unasked(UffdFeatures& features) {
    const OwnNumber file = move_and_mark(open_descriptor(), FileKind::kKernel);
    if (file.fd < 0) return {};
    for (const UffdFeatures wanted : {UffdFeatures{true, true}, UffdFeatures{true, false}, UffdFeatures{false, true}}) {
        if (!enable(file, wanted)) continue;
        features = wanted;
        return file;
    }
    close_own_number(file, process_id());
    return {};
}

// A descriptor with what is offered switched on; negative errno.
OwnNumber open_enabled_once(UffdFeatures& features) {
    if (const OwnNumber file = open_unasked(features); file.fd >= 0) return file;
    features = uffd_offered();
    if (features.error != 0) return {features.error, 0};
    const OwnNumber file = move_and_mark(open_descriptor(), FileKind::kKernel);
    if (file.fd < 0) return file;
    uapi::UffdApi api;
    if (features.wp_async) api.features |= uapi::kFeatureWpAsync;
    if (features.rwp_async) api.features |= uapi::kFeatureRwp | uapi::kFeatureRwpAsync;
    const uint64_t wanted = api.features;
    const long result = sys::ioctl(file.fd, uapi::kUffdioApi, &api);
    // Without the asynchronous mode a fault would wait for a handler that nobody runs.
    if (result < 0 || (api.features & wanted) != wanted) {
        close_own_number(file, process_id());
        return {result < 0 ? static_cast<int32_t>(result) : -ENOTSUP, 0};
    }
    return file;
}

// Its registrations went with it: what was with it is with none now.
void forget_lost_second(pid_t self) {
    OwnNumber second = shared.second.load(std::memory_order_relaxed);
    if (second.fd < 0 || is_own_number(second, self)) return;
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    if (!shared.second.compare_exchange_strong(second, OwnNumber{})) return;
    shared.generation.fetch_add(1, std::memory_order_seq_cst);
    count_reopened_file();
}

OwnNumber open_enabled(UffdFeatures& features) {
    OwnNumber file = open_enabled_once(features);
    // EBADF, or what another kind of file answers: the program closed the descriptor in between.
    const auto closed = [](int error) { return error == -EBADF || error == -ENOTTY || error == -EINVAL; };
    for (int tries = 1; closed(file.fd) && tries < kTriesToOpen; ++tries) file = open_enabled_once(features);
    return file;
}

// Held by a child that never asks anything of the library, the parent's registrations would outlive the loss of its own
// descriptor (closefrom(3)), and refuse every other one.
void close_in_child() {
    const pid_t parent = shared.fd_owner.load(std::memory_order_acquire);
    if (parent == 0) return;
    close_own_number(shared.file.load(std::memory_order_relaxed), parent);
    close_own_number(shared.second.load(std::memory_order_relaxed), parent);
}

void close_in_children() {
    static constinit std::atomic<uint32_t> done{0};
    if (done.exchange(1) == 0 && !call_in_children(close_in_child)) done = 0;
}

}  // namespace

UffdFeatures uffd_offered() {
    UffdFeatures features;
    const ScopedFile file(open_descriptor(), FileKind::kKernel);
    if (file.fd() < 0) {
        features.error = file.fd();
        return features;
    }
    uapi::UffdApi api;
    const long result = sys::ioctl(file.fd(), uapi::kUffdioApi, &api);
    if (result < 0) {
        features.error = static_cast<int>(result);
        return features;
    }
    features.wp_async = (api.features & uapi::kFeatureWpAsync) != 0;
    const uint64_t rwp = uapi::kFeatureRwp | uapi::kFeatureRwpAsync;
    features.rwp_async = (api.features & rwp) == rwp;
    if (!features.wp_async && !features.rwp_async) features.error = -ENOTSUP;
    return features;
}

int uffd_acquire(UffdFeatures& features) {
    const pid_t self = process_id();
    close_in_children();
    OwnNumber fresh;
    UffdFeatures fresh_features;
    for (;;) {
        OwnNumber inherited;
        OwnNumber inherited_second;
        pid_t parent = 0;
        {
            const LockGuard guard(shared.lock, self);
            if (shared.owner != self) {  // of the parent: forget it
                inherited = shared.file.exchange({});
                inherited_second = shared.second.exchange({});
                parent = shared.owner;
                shared.users = 0;
                shared.owner = self;
            }
            if (shared.users == 0 && fresh.fd >= 0) {
                shared.features = fresh_features;
                shared.file.store(fresh, std::memory_order_relaxed);
                shared.fd_owner.store(self, std::memory_order_release);
                fresh = {};
                ++shared.users;
                features = shared.features;
                return 0;
            }
            if (shared.users > 0) {
                ++shared.users;
                features = shared.features;
                break;
            }
        }
        close_own_number(inherited, parent);
        close_own_number(inherited_second, parent);
        fresh = open_enabled(fresh_features);
        if (fresh.fd < 0) return fresh.fd;
    }
    close_own_number(fresh, self);  // another context was faster
    return 0;
}

void uffd_release() {
    const pid_t self = process_id();
    OwnNumber closing;
    OwnNumber closing_second;
    {
        const LockGuard guard(shared.lock, self);
        if (shared.owner != self || shared.users == 0) return;
        if (--shared.users == 0) {
            closing = shared.file.exchange({});
            closing_second = shared.second.exchange({});
        }
    }
    close_own_number(closing, self);
    close_own_number(closing_second, self);
}

int uffd_verify() {
    const pid_t self = process_id();
    if (shared.fd_owner.load(std::memory_order_acquire) != self) return -ECHILD;
    forget_lost_second(self);
    const OwnNumber lost = shared.file.load(std::memory_order_relaxed);
    if (is_own_number(lost, self)) return 0;
    // Before the new one: whoever looks now must not trust what it sees.
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    UffdFeatures features;
    const OwnNumber fresh = open_enabled(features);
    bool replaced = false;
    {
        const LockGuard guard(shared.lock, self);
        replaced = shared.users > 0 && shared.file.load() == lost;
        if (replaced) {
            shared.file.store(fresh.fd < 0 ? OwnNumber{} : fresh, std::memory_order_relaxed);
            shared.generation.fetch_add(1, std::memory_order_seq_cst);
        }
    }
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    if (fresh.fd < 0) return fresh.fd;
    if (replaced) {
        count_reopened_file();
    } else {
        close_own_number(fresh, self);  // another context was faster
    }
    return 0;
}

uint64_t uffd_generation() { return shared.generation.load(std::memory_order_seq_cst); }

int uffd_register(AddressRange range, uint64_t mode) {
    const int fd = registered_fd(range, mode);
    return fd < 0 ? fd : 0;
}

int uffd_unregister(AddressRange range, uint64_t mode, uint64_t* grown) {
    if (grown != nullptr) *grown = 0;
    if (const int fd = own_fd(); fd < 0) return fd;
    // Older kernels let one descriptor unregister the mappings of another. Registering is always checked: where it is
    // refused, the program has put a mapping of its own there meanwhile.
    const int fd = registered_fd(range, mode);
    if (fd < 0) return fd;
    if (grown != nullptr) *grown = 2;
    return unregister_from(fd, range);
}

int uffd_open_second() {
    const pid_t self = process_id();
    if (shared.fd_owner.load(std::memory_order_acquire) != self) return -ECHILD;
    if (second_fd() >= 0) return 0;
    UffdFeatures features;
    const OwnNumber fresh = open_enabled(features);
    if (fresh.fd < 0) return fresh.fd;
    bool taken = false;
    {
        const LockGuard guard(shared.lock, self);
        OwnNumber none;
        taken = shared.owner == self && shared.users > 0 && shared.second.compare_exchange_strong(none, fresh);
    }
    if (taken) return 0;
    close_own_number(fresh, self);
    return second_fd() >= 0 ? 0 : -EAGAIN;
}

int uffd_assign(AddressRange range, uint64_t mode, UffdFile file, uint64_t* grown) {
    *grown = 0;
    const int wanted = file == UffdFile::kFirst ? checked_fd() : second_fd();
    if (wanted < 0) return wanted;
    const int error = register_with(wanted, range, mode);
    if (error != -EBUSY) return error;
    const int other = file == UffdFile::kFirst ? second_fd() : checked_fd();
    if (other < 0 || register_with(other, range, mode) != 0) return error;
    *grown = 2;
    if (const int refused = unregister_from(other, range)) return refused;
    const int result = register_with(wanted, range, mode);
    if (result != 0) (void)register_with(other, range, mode);
    return result;
}

int uffd_lift(AddressRange range, uint64_t mode) {
    if (const int fd = own_fd(); fd < 0) return fd;
    if (const int error = uffd_register(range, mode)) return error;  // whose it is, see above
    ArmedPageLedger::lose_tracked(range, Unknown::kOther);
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    const int result = uffd_lift_own(range, mode);
    shared.epoch.fetch_add(1, std::memory_order_seq_cst);
    return result;
}

int uffd_lift_own(AddressRange range, uint64_t mode) {
    const int fd = own_fd();
    if (fd < 0) return fd;
    const int error = protect_with(fd, range, mode);
    if (error != -ENOENT || second_fd() < 0) return error;
    // Some of it is registered with the second descriptor: windows begin at multiples of kUffdSplitBytes.
    int result = 0;
    while (!range.empty()) {
        const AddressRange part{range.start,
                                std::min(align_down(range.start, kUffdSplitBytes) + kUffdSplitBytes, range.end)};
        int lifted = protect_with(fd, part, mode);
        if (lifted == -ENOENT) lifted = protect_with(second_fd(), part, mode);
        if (lifted != 0) result = lifted;
        range.start = part.end;
    }
    return result;
}

uint32_t uffd_users() {
    const LockGuard guard(shared.lock, process_id());
    return shared.owner == process_id() ? shared.users : 0;
}

int uffd_rwprotect(AddressRange range) {
    const int fd = own_fd();
    if (fd < 0) return fd;
    uapi::UffdProtect request;
    request.range = {range.start, range.size()};
    request.mode = uapi::kRwprotect;
    return static_cast<int>(sys::ioctl(fd, uapi::kUffdioRwprotect, &request));
}

uint64_t uffd_epoch() { return shared.epoch.load(std::memory_order_seq_cst); }

}  // namespace damon
