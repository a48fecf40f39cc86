#include "ops/linux/access/checks/referenced.h"

#include <cerrno>

#include "ops/linux/access/checks/scratch_page.h"
#include "ops/linux/registration/uffd.h"
#include "os/smaps.h"
#include "os/syscalls.h"
#include "os/uapi.h"

namespace damon {
namespace {

// Whether smaps can be read, by its first entry. What it says of accesses is for the passes to see: reading all of it,
// to find a page of our own, would take long in a large process.
int read_first_entry() {
    SmapsFile file;
    if (const int error = file.open()) return error;
    bool found = false;
    const auto visit = [](void* context, const SmapsEntry&) { *static_cast<bool*>(context) = true; };
    for (int i = 0; i < 2 && !found; ++i) {
        const int64_t got = file.read(SmapsFile::kLargeRead, visit, &found);
        if (got < 0) return static_cast<int>(got);
    }
    return found ? 0 : -EIO;
}

AccessCheckProbe probe() {
    ScratchPage page;
    if (page.error() != 0) return probe_failed(page.error(), "no memory to try it out on");
    page.write(1);
    if (const int error = sys::madvise(page.range().start, page.range().size(), uapi::kAdviseCold)) {
        return probe_failed(error, "MADV_COLD failed (Linux 5.4)");
    }
    if (page.read() != 1) return probe_failed(-EIO, "a page lost its content");
    if (const int error = read_first_entry()) return probe_failed(error, "/proc/self/smaps shows no accessed bits");
    if (uffd_offered().wp_async) {
        return probe_works("memory that is flagged stable, by passes (damon_attrs.referenced_us)", true);
    }
    return probe_works(
        "memory that is flagged stable, by passes (damon_attrs.referenced_us) that answer for a mapping as a whole: "
        "there is no asynchronous write protection (Linux 6.7, userfaultfd)",
        true);
}

}  // namespace

constinit const AccessCheckRow kReferencedRow = {
    .id = AccessCheck::kReferenced,
    .name = "referenced",
    .constant = "DAMON_ACCESS_CHECK_REFERENCED",
    .source = AnswerSource::kPasses,
    .probe = probe,
    .sees_reads = true,
};

}  // namespace damon
