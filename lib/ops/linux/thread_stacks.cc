#include "ops/linux/thread_stacks.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "os/own_file.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// What lies above the list in the mapping: the rest of the descriptor and, on some machines, static thread-local data.
constexpr uint64_t kMostAbove = 64 * 1024;
// struct linux_dirent64 of the kernel's interface.
constexpr size_t kLengthAt = 16;
constexpr size_t kNameAt = 19;

}  // namespace

void ThreadStacks::read() {
    descriptors_.clear();
    const ScopedFile threads(sys::open_read("/proc/self/task"), FileKind::kKernel);
    if (threads.fd() < 0) return;
    const pid_t first = sys::getpid();  // its stack has a name of its own
    alignas(8) char entries[4096];
    ssize_t bytes = 0;
    while ((bytes = sys::getdents(threads.fd(), entries, sizeof entries)) > 0) {
        uint16_t length = 0;
        for (ssize_t at = 0; at < bytes; at += length) {
            memcpy(&length, entries + at + kLengthAt, sizeof length);
            const auto tid = static_cast<pid_t>(strtoull(entries + at + kNameAt, nullptr, 10));
            uint64_t head = 0;
            if (tid <= 0 || tid == first || sys::robust_list_of(tid, head) != 0 || head == 0) continue;
            if (!descriptors_.push_back(head)) break;
        }
    }
    // With the default order libc++ calls a sort that it keeps in its own shared library.
    std::sort(descriptors_.begin(), descriptors_.end(), [](uint64_t a, uint64_t b) { return a < b; });
}

bool ThreadStacks::is_stack(AddressRange mapping) const {
    const uint64_t top = mapping.size() > kMostAbove ? mapping.end - kMostAbove : mapping.start;
    const uint64_t* found = std::lower_bound(descriptors_.begin(), descriptors_.end(), top);
    return found != descriptors_.end() && *found < mapping.end;
}

}  // namespace damon
