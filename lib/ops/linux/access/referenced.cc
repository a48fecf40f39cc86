#include "ops/linux/access/referenced.h"

#include <cerrno>

#include "ops/linux/registration/uffd.h"
#include "os/page_sizes.h"
#include "os/smaps.h"
#include "os/syscalls.h"
#include "os/uapi.h"

namespace damon {
namespace {

// A page that is a mapping of its own: what lay on both sides of it is unmapped.
class LonePage {
public:
    LonePage() : bytes_(read_page_sizes().base_bytes) {
        int error = 0;
        auto* const three = static_cast<char*>(sys::mmap(3 * bytes_, -1, error));
        if (three == nullptr) return;
        page_ = three + bytes_;
        (void)sys::munmap(three, bytes_);
        (void)sys::munmap(page_ + bytes_, bytes_);
    }
    ~LonePage() {
        if (page_ != nullptr) (void)sys::munmap(page_, bytes_);
    }
    LonePage(const LonePage&) = delete;
    LonePage& operator=(const LonePage&) = delete;

    bool is_mapped() const { return page_ != nullptr; }
    AddressRange range() const {
        const auto start = reinterpret_cast<uint64_t>(page_);
        return {start, start + bytes_};
    }
    void write() { *static_cast<volatile char*>(page_) = 1; }
    char read() const { return *static_cast<const volatile char*>(page_); }
    int clear() const { return sys::madvise(range().start, bytes_, uapi::kAdviseCold); }

private:
    uint64_t bytes_;
    char* page_ = nullptr;
};

// Whether smaps counts the page's mapping as accessed: 1, 0 or a negative errno.
int is_accessed(const LonePage& page) {
    struct Search {
        AddressRange range;
        int answer;
    } search{page.range(), -ENOENT};
    const auto visit = [](void* context, const SmapsEntry& entry) {
        auto* wanted = static_cast<Search*>(context);
        if (entry.range == wanted->range) wanted->answer = entry.accessed != 0;
    };
    SmapsFile file;
    if (const int error = file.open()) return error;
    int64_t got = 0;
    while ((got = file.read(SmapsFile::kLargeRead, visit, &search)) > 0) {
    }
    return got < 0 ? static_cast<int>(got) : search.answer;
}

AccessCheckProbe probe() {
    const UffdFeatures offered = uffd_offered();
    if (!offered.wp_async) return probe_failed(-ENOTSUP, "no asynchronous write protection (Linux 6.7)");
    LonePage page;
    if (!page.is_mapped()) return probe_failed(-ENOMEM, "no memory to try it out on");
    page.write();
    const int written = is_accessed(page);
    if (written < 0) return probe_failed(written, "/proc/self/smaps does not tell");
    if (const int error = page.clear()) return probe_failed(error, "MADV_COLD failed (Linux 5.4)");
    const int idle = is_accessed(page);
    (void)page.read();
    if (written != 1 || idle != 0 || is_accessed(page) != 1) return probe_failed(-EIO, "a read did not show");
    return probe_works("reads and writes of memory that is flagged stable, by passes", true);
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
