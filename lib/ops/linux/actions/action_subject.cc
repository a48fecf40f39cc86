#include "ops/linux/actions/action_subject.h"

#include <algorithm>
#include <cerrno>

#include "os/syscalls.h"

namespace damon {

int ActionSubject::open(pid_t pid, const PageSizes& sizes) {
    close();
    int error = scan_.open(pid, sizes.base_bytes);
    if (error == 0) error = maps_.open(pid);
    if (error != 0) {
        close();
        return error;
    }
    pid_ = pid;
    return 0;
}

void ActionSubject::close() {
    pidfd_.close();
    batches_refused_ = false;
    list_read_ = false;
    maps_.close();
    scan_.close();
}

int ActionSubject::next_mapping(uint64_t address, Mapping& mapping) {
    int error = maps_.query_next(address, mapping);
    if (error != -ENOTTY) return error;
    if (!list_read_) {
        error = read_list();
        if (error != 0) return error;
    }
    const auto found = std::ranges::find_if(list_, [&](const Mapping& it) { return it.range.end > address; });
    if (found == list_.end()) return -ENOENT;
    mapping = *found;
    return 0;
}

int ActionSubject::read_list() {
    list_.clear();
    uint64_t bad_lines = 0;
    bool fits = true;
    struct Reading {
        Vector<Mapping>* list;
        bool* fits;
    } reading{&list_, &fits};
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* into = static_cast<Reading*>(context);
        if (!mapping.vsyscall && !into->list->push_back(mapping)) *into->fits = false;
    };
    const int error = maps_.read_all(visit, &reading, bad_lines);
    if (error != 0) return error;
    list_read_ = fits;
    return fits ? 0 : -ENOMEM;
}

// Several ranges in one call, also for this process itself; and the only way for another one.
bool ActionSubject::ask_in_batches() {
    if (batches_refused_) return false;
    if (!pidfd_.is_ours())
        batches_refused_ = pidfd_.adopt(sys::pidfd_open(own() ? sys::getpid() : pid_), FileKind::kKernel) != 0;
    return !batches_refused_;
}

int ActionSubject::advise(std::span<const AddressRange> ranges, int advice, uint64_t& done) {
    done = 0;
    int error = 0;
    while ((!own() || ranges.size() > 1) && !ranges.empty() && ask_in_batches()) {
        const auto batch = ranges.first(std::min(ranges.size(), sys::kMaxAdvisedRanges));
        ssize_t advised = sys::process_madvise(pidfd_.number(), batch, advice);
        if (advised == -ENOSYS || advised == -EPERM) batches_refused_ = own();
        if (advised <= 0) {
            error = advised == 0 ? -EAGAIN : static_cast<int>(advised);
            break;
        }
        // Whole ranges are done, from the first on.
        for (; !ranges.empty() && static_cast<ssize_t>(ranges.front().size()) <= advised; ranges = ranges.subspan(1)) {
            advised -= static_cast<ssize_t>(ranges.front().size());
            done += ranges.front().size();
        }
    }
    if (!own()) return ranges.empty() ? 0 : error != 0 ? error : -EPERM;
    // One range, or what a batch left over where it was refused (seccomp, an old kernel) or stopped.
    for (const AddressRange range : ranges) {
        error = sys::madvise(range.start, range.size(), advice);
        if (error != 0) return error;
        done += range.size();
    }
    return 0;
}

}  // namespace damon
