#include "ops/linux/uffd_wp.h"

#include <sys/mman.h>

#include "ops/linux/page_sizes.h"
#include "ops/linux/probe_answer.h"
#include "ops/linux/syscalls.h"
#include "ops/linux/uffd.h"
#include "ops/linux/uffd_mapping.h"

namespace damon {

ArmResult wp_arm(PageScan& scan, CachedMapping& mapping, uint64_t page, AccessStatistics& statistics) {
    int result = scan.arm_written(page);
    if (result == -EPERM) {
        const ArmResult registered = register_mapping(mapping, AccessCheck::kUffdWp, statistics);
        if (registered != ArmResult::kArmed) return registered;
        result = scan.arm_written(page);
        // Registered, and yet not: the program changes this mapping right now.
        if (result == -EPERM) return ArmResult::kGone;
    }
    if (result == 1) {
        ++statistics.armed[static_cast<unsigned>(AccessCheck::kUffdWp)];
        return ArmResult::kArmed;
    }
    if (result >= 0) return ArmResult::kNothing;
    mapping.blind = Blind::kFailed;  // of this call; the mapping itself may work the next time
    return ArmResult::kBlind;
}

Blind wp_judge(uint32_t state, bool& accessed) {
    if ((state & PageScan::kFailed) != 0) return Blind::kFailed;
    if ((state & uapi::kPageWpAllowed) == 0) return Blind::kGone;
    // The marks survive swap, but not MADV_DONTNEED and truncation (fact 8).
    if ((state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) return Blind::kDropped;
    accessed = (state & uapi::kPageWritten) != 0;
    return Blind::kNot;
}

namespace {

struct Trial {
    volatile char* memory;
    uint64_t page;
    uint64_t page_bytes;
    PageScan scan;

    uint32_t state() {
        uint32_t answer = PageScan::kFailed;
        scan.look({&page, 1}, {&answer, 1});
        return answer;
    }
};

AccessCheckProbe try_out(Trial& trial) {
    AccessStatistics statistics;
    CachedMapping mapping;
    mapping.range = {trial.page, trial.page + trial.page_bytes};
    if (const int error = trial.scan.open(trial.page_bytes))
        return probe_failed(error, "cannot open /proc/self/pagemap");
    if (!trial.scan.can_scan()) return probe_failed(-ENOTTY, "no PAGEMAP_SCAN (Linux 6.7)");
    *trial.memory = 42;
    if (wp_arm(trial.scan, mapping, trial.page, statistics) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a present page could not be write-protected");
    }
    bool idle = true;
    const Blind before = wp_judge(trial.state(), idle);
    const bool readable = *trial.memory == 42;
    bool read = true;
    const Blind after_read = wp_judge(trial.state(), read);
    *trial.memory = 43;
    bool written = false;
    const Blind after_write = wp_judge(trial.state(), written);
    const bool judged = before == Blind::kNot && after_read == Blind::kNot && after_write == Blind::kNot;
    if (!judged || idle || read || !written || !readable || *trial.memory != 43) {
        return probe_failed(-EIO, "a write did not show, or something else did");
    }
    return probe_works("writable memory; reads and huge pages cannot be seen", false);
}

}  // namespace

AccessCheckProbe probe_uffd_wp() {
    UffdFeatures features;
    int error = uffd_acquire(features);
    if (error != 0) return probe_failed(error, "cannot open a userfaultfd");
    AccessCheckProbe probe = probe_failed(-ENOTSUP, "no asynchronous write protection (Linux 6.7)");
    if (features.wp_async) {
        const uint64_t page_bytes = read_page_sizes().base_bytes;
        void* memory = sys::mmap(page_bytes, -1, error);
        if (memory == nullptr) {
            probe = probe_failed(error, "no memory to try it on");
        } else {
            Trial trial{static_cast<volatile char*>(memory), reinterpret_cast<uint64_t>(memory), page_bytes, {}};
            probe = try_out(trial);
            // Takes the registration along; unregistering would disturb contexts that run.
            (void)sys::munmap(memory, page_bytes);
        }
    }
    uffd_release();
    return probe;
}

}  // namespace damon
