#include "ops/linux/registration/range_release.h"

#include <cerrno>

#include "ops/linux/registration/call_pieces.h"
#include "ops/linux/registration/uffd.h"
#include "os/clock.h"
#include "os/proc_maps.h"
#include "os/syscalls.h"
#include "os/thread.h"
#include "os/uapi.h"

namespace damon {
namespace {

struct Release {
    PageScan scan;
    PageSizes sizes;
    AddressRange range;
    UnregisteringLength length;

    // A part of one mapping.
    void part(AddressRange left) {
        const Clock clock;
        while (!left.empty()) {
            const uint64_t begin_ns = clock.now_ns();
            const AddressRange piece{left.start, end_of_unregistering(scan, sizes, left, length)};
            const uint64_t cpu_ns = thread_cpu_ns();
            for (const uint64_t mode : {uapi::kRegisterModeWp, uapi::kRegisterModeRwp}) {
                if (uffd_unregister(piece, mode) == 0) break;
            }
            length.note(thread_cpu_ns() - cpu_ns);
            left.start = piece.end;
            if (!left.empty()) sys::sleep_us((clock.now_ns() - begin_ns) / 1000 + 1);
        }
    }
};

void visit(void* context, const Mapping& mapping) {
    auto* release = static_cast<Release*>(context);
    release->part(release->range.intersection(mapping.range));
}

}  // namespace

int release_range(AddressRange range) {
    if (uffd_users() == 0) return 0;
    Release release;
    release.sizes = read_page_sizes();
    release.range = range;
    ProcMaps maps;
    if (const int error = maps.open(0)) return error;
    if (const int error = release.scan.open(release.sizes.base_bytes)) return error;
    int tries_left = kTriesToOpen;
    while (!range.empty()) {
        Mapping mapping;
        int error = maps.query_next(range.start, mapping);
        if (error == -EBADF && tries_left-- > 0) {
            error = maps.open(0);
            if (error == 0) continue;
        }
        if (error == -ENOTTY) {
            uint64_t bad_lines = 0;
            return maps.read_all(visit, &release, bad_lines);
        }
        if (error == -ENOENT || mapping.range.start >= range.end) return 0;
        if (error != 0) return error;
        release.part(mapping.range.intersection(range));
        range.start = mapping.range.end;
    }
    return 0;
}

}  // namespace damon
