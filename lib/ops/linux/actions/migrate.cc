#include "ops/linux/actions/migrate.h"

#include <algorithm>
#include <cerrno>

#include "os/syscalls.h"
#include "os/uapi.h"

namespace damon {
namespace {

// Pages on their way: one address for each page, huge or not. A call for few pages costs as much as one for many.
class MoveBatch {
public:
    explicit MoveBatch(ActionPass& pass) : pass_(pass) {}

    void add(uint64_t address, uint64_t bytes, int node) {
        pages_[count_] = address;
        bytes_[count_] = bytes;
        nodes_[count_] = node;
        if (++count_ == kMaxPages) flush();
    }

    void flush() {
        leave_out_those_there();
        size_t done = 0;
        for (int calls = 0; done < count_ && calls < kMaxTries; ++calls) done = move_from(done);
        skip_from(done, -EBUSY);
        count_ = 0;
    }

private:
    static constexpr size_t kMaxPages = 512;
    static constexpr int kMaxTries = 8;

    static Skip refusal(int error) {
        switch (error) {
            case -ENODEV:
            case -EACCES:
                return Skip::kNoNode;
            case -ENOMEM:
                return Skip::kNoRoom;
            case -EBUSY:
            case -EAGAIN:
                return Skip::kBusy;
            case -ENOENT:
            case -EFAULT:
                return Skip::kAbsent;
            case -EPERM:
            case -ESRCH:
                return Skip::kForbidden;
            default:
                return Skip::kFailed;
        }
    }

    // Of the pages from `first` on.
    int ask(size_t first) { return call(first, {}); }
    int call(size_t first, std::span<const int> nodes) {
        const size_t count = count_ - first;
        ++pass_.statistics.nr_calls;
        const int error =
            sys::move_pages(pass_.subject.pid(), {pages_ + first, count}, nodes, {status_ + first, count});
        if (error < 0) ++pass_.statistics.nr_failed_calls;
        return error;
    }

    void skip_from(size_t first, int error) {
        for (size_t i = first; i < count_; ++i) pass_.statistics.skip(refusal(error), bytes_[i]);
    }

    // Linux 6.1 says of pages that NUMA balancing has marked that they are absent, and does not move them; cold pages
    // stay marked, so they would never move. A read takes the mark away. Memory of others is not read for that.
    bool unmark_those_hidden() const {
        if (!pass_.subject.own()) return false;
        bool unmarked = false;
        for (size_t i = 0; i < count_; ++i) {
            if (status_[i] != -ENOENT) continue;
            const uint64_t start = pages_[i];
            uint64_t bytes = bytes_[i];
            for (; i + 1 < count_ && status_[i + 1] == -ENOENT && pages_[i + 1] == start + bytes; ++i) {
                bytes += bytes_[i + 1];
            }
            unmarked = sys::madvise(start, bytes, uapi::kAdvisePopulateRead) == 0 || unmarked;
        }
        return unmarked;
    }

    void leave_out_those_there() {
        if (count_ == 0) return;
        int error = ask(0);
        if (error >= 0 && unmark_those_hidden()) error = ask(0);
        size_t kept = 0;
        if (error < 0) {
            skip_from(0, error);
            count_ = 0;
        }
        for (size_t i = 0; i < count_; ++i) {
            if (status_[i] == nodes_[i]) continue;
            if (status_[i] < 0) {
                pass_.statistics.skip(refusal(status_[i]), bytes_[i]);
                continue;
            }
            pages_[kept] = pages_[i];
            bytes_[kept] = bytes_[i];
            nodes_[kept++] = nodes_[i];
        }
        count_ = kept;
    }

    // Returns up to where it is known what became of the pages. The kernel moves neighbours with one destination
    // together. At a page that cannot move now it ends the call after those, and reports nothing of them.
    size_t move_from(size_t first) {
        for (size_t i = first; i < count_; ++i) status_[i] = -EAGAIN;
        int error = call(first, {nodes_ + first, count_ - first});
        size_t end = count_;
        const bool stopped = error > 0;
        if (stopped) {
            error = ask(first);
            for (end = first; end < count_ && status_[end] == nodes_[end];) ++end;
            for (const size_t at = end; end < count_ && nodes_[end] == nodes_[at];) ++end;
        }
        if (error < 0) {
            skip_from(first, error);
            return count_;
        }
        const Skip stayed = stopped ? Skip::kBusy : Skip::kKept;
        for (size_t i = first; i < end; ++i) {
            if (status_[i] == nodes_[i]) {
                pass_.outcome.applied += bytes_[i];
            } else {
                pass_.statistics.skip(status_[i] < 0 ? refusal(status_[i]) : stayed, bytes_[i]);
            }
        }
        return end;
    }

    ActionPass& pass_;
    size_t count_ = 0;
    uint64_t pages_[kMaxPages];
    uint64_t bytes_[kMaxPages];
    int nodes_[kMaxPages];
    int status_[kMaxPages];
};

void migrate_chunk(ActionPass& pass, const Mapping& mapping, const Chunk& chunk, MoveBatch& batch) {
    pass.outcome.filter_passed += chunk.passing_bytes();
    const SchemeParams& scheme = *pass.request.scheme;
    for (const PageRun& run : chunk.passing()) {
        const uint64_t block_bytes = run.huge() ? pass.sizes.huge_bytes : pass.sizes.base_bytes;
        // A chunk may begin or end inside of a huge page: the part that is there moves the whole.
        for (uint64_t at = run.range.start; at < run.range.end;) {
            const uint64_t block_end = std::min((at / block_bytes + 1) * block_bytes, run.range.end);
            const uint64_t offset = mapping.inode == 0 ? at : mapping.offset + (at - mapping.range.start);
            const int node = destination_of(offset, block_bytes, scheme.target_nid, scheme.migrate_dests.span());
            if (node >= 0) batch.add(at, block_end - at, node);
            at = block_end;
        }
    }
}

}  // namespace

int destination_of(uint64_t offset, uint64_t block_bytes, int32_t target_nid, std::span<const MigrateDest> dests) {
    if (dests.empty()) return target_nid;
    uint64_t sum_weights = 0;
    for (const MigrateDest& dest : dests) sum_weights += dest.weight;
    if (sum_weights == 0) return -1;
    uint64_t place = offset / block_bytes % sum_weights;
    for (const MigrateDest& dest : dests) {
        if (place < dest.weight) return static_cast<int>(dest.nid);
        place -= dest.weight;
    }
    return -1;
}

void migrate_range(ActionPass& pass) {
    MappingWalk mappings(pass, pass.range());
    MoveBatch batch(pass);
    Mapping mapping;
    AddressRange part;
    while (mappings.next(mapping, part)) {
        if (mapping.page_bytes > pass.sizes.base_bytes) {
            pass.statistics.skip(Skip::kHugetlb, part.size());
            continue;
        }
        ChunkWalk chunks(pass, mapping, part);
        Chunk chunk;
        while (chunks.next(chunk)) migrate_chunk(pass, mapping, chunk, batch);
    }
    batch.flush();
}

}  // namespace damon
