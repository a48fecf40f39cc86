#include "ops/linux/actions/advise.h"

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "ops/linux/actions/page_set.h"
#include "ops/linux/registration/declared_ranges.h"
#include "ops/linux/registration/uffd_mapping.h"
#include "os/syscalls.h"

namespace damon {
namespace {

// Which pages of a chunk are in memory, mapped or not, as far as this process may know.
class Residency {
public:
    Residency(const ActionPass& pass, AddressRange chunk)
        : nr_pages_(chunk.size() / pass.sizes.base_bytes),
          known_(pass.subject.own() && sys::mincore(chunk.start, chunk.size(), answer_) == 0) {}

    bool known() const { return known_; }
    size_t nr_pages() const { return nr_pages_; }
    bool in_memory(size_t index) const { return (answer_[index] & 1) != 0; }

private:
    size_t nr_pages_;
    unsigned char answer_[PageSet::kMaxPages];
    bool known_;
};

// Calls visit for each run of the chunk as it is now. False: it cannot be looked at.
template <typename Visit>
bool look_again(ActionPass& pass, AddressRange range, Visit visit) {
    PageRun runs[Chunk::kMaxRuns];
    while (!range.empty()) {
        uint64_t until = 0;
        const int nr_runs = pass.subject.scan().look(range, runs, until);
        if (nr_runs < 0) return false;
        for (int i = 0; i < nr_runs; ++i) visit(runs[i]);
        range.start = until;
    }
    return true;
}

// Fact 13: what is out now and was in before, not what was asked for.
uint64_t paged_out_bytes(ActionPass& pass, const Chunk& chunk) {
    PageSet in_swap(chunk.range, pass.sizes.base_bytes);
    PageSet off_the_file(chunk.range, pass.sizes.base_bytes);
    for (const PageRun& run : chunk.passing()) {
        ((run.state & uapi::kPageFile) != 0 ? off_the_file : in_swap).add(run.range);
    }
    const bool seen = look_again(pass, chunk.range, [&](const PageRun& now) {
        if ((now.state & uapi::kPageSwapped) == 0) in_swap.remove(now.range);
        if (now.present()) off_the_file.remove(now.range);
    });
    if (!seen) return 0;
    uint64_t bytes = in_swap.bytes();
    if (off_the_file.bytes() == 0 || !pass.subject.own()) return bytes + off_the_file.bytes();
    const Residency residency(pass, chunk.range);
    if (!residency.known()) return bytes;
    for (size_t page = 0; page < residency.nr_pages(); ++page) {
        if (residency.in_memory(page)) off_the_file.remove_page(page);
    }
    return bytes + off_the_file.bytes();
}

// Of what was in no memory `before`, what is there now.
uint64_t arrived_bytes(ActionPass& pass, const Chunk& chunk, const Residency& before) {
    PageSet arrived(chunk.range, pass.sizes.base_bytes);
    for (const PageRun& run : chunk.passing()) arrived.add(run.range);
    const Residency now(pass, chunk.range);
    if (!now.known()) return 0;
    for (size_t page = 0; page < now.nr_pages(); ++page) {
        if (before.in_memory(page) || !now.in_memory(page)) arrived.remove_page(page);
    }
    return arrived.bytes();
}

uint64_t missing_bytes(const ActionPass& pass, const Chunk& chunk, const Residency& before) {
    PageSet missing(chunk.range, pass.sizes.base_bytes);
    for (const PageRun& run : chunk.passing()) missing.add(run.range);
    for (size_t page = 0; page < before.nr_pages(); ++page) {
        if (before.in_memory(page)) missing.remove_page(page);
    }
    return missing.bytes();
}

// The chunk's passing pages, neighbours joined.
size_t ranges_of(const Chunk& chunk, AddressRange* ranges) {
    size_t count = 0;
    for (const PageRun& run : chunk.passing()) {
        if (count != 0 && ranges[count - 1].end == run.range.start) {
            ranges[count - 1].end = run.range.end;
        } else {
            ranges[count++] = run.range;
        }
    }
    return count;
}

int advise_chunk(ActionPass& pass, const Chunk& chunk, uint64_t& done) {
    AddressRange ranges[Chunk::kMaxRuns];
    const size_t count = ranges_of(chunk, ranges);
    ++pass.statistics.nr_calls;
    const int error = pass.subject.advise({ranges, count}, pass.advice, done);
    if (error != 0) ++pass.statistics.nr_failed_calls;
    return error;
}

// Maps those of `pages`, in `range`, again that are in memory and not in the page table.
void map_again(ActionPass& pass, AddressRange range, PageSet& pages) {
    const Residency residency(pass, range);
    if (!residency.known()) return;
    const bool seen = look_again(pass, range, [&](const PageRun& now) {
        if (now.present()) pages.remove(now.range);
    });
    if (!seen) return;
    for (size_t page = 0; page < residency.nr_pages();) {
        size_t end = page;
        while (end < residency.nr_pages() && pages.has_page(end) && residency.in_memory(end)) ++end;
        if (end > page) {
            const uint64_t start = range.start + page * pass.sizes.base_bytes;
            (void)sys::madvise(start, (end - page) * pass.sizes.base_bytes, uapi::kAdvisePopulateRead);
        }
        page = end + 1;
    }
}

// Whether the kernel says which pages of the mapping's file are in memory.
bool tells_residency(ActionPass& pass, const Mapping& mapping, AddressRange range) {
    if (mapping.shared) return mapping.writable;  // the file was opened for writing
    if (pass.subject.is_told(mapping.inode)) return true;
    const Residency residency(pass, range);
    for (size_t page = 0; residency.known() && page < residency.nr_pages(); ++page) {
        if (!residency.in_memory(page)) pass.subject.note_told(mapping.inode);
    }
    return pass.subject.is_told(mapping.inode);
}

// The kernel takes all of a large folio out of the page table, and of its pages those that it keeps in memory too: what
// is out of the table could never be paged out again, and would cost the program a fault. Pages that a private mapping
// of a file has changed are not the file's.
int reclaim_chunk(ActionPass& pass, const Mapping& mapping, const Chunk& chunk, uint64_t& done) {
    const bool of_a_file = mapping.shared ? mapping.writable : mapping.inode != 0;
    if (!pass.subject.own() || !of_a_file) return advise_chunk(pass, chunk, done);
    const uint64_t step = ChunkWalk::chunk_bytes(pass.sizes);
    const AddressRange around =
        AddressRange{align_down(chunk.range.start, step), align_up(chunk.range.end, step)}.intersection(mapping.range);
    PageSet present(around, pass.sizes.base_bytes);
    const bool seen = look_again(pass, around, [&](const PageRun& now) {
        if (now.present() && (mapping.shared || (now.state & uapi::kPageFile) != 0)) present.add(now.range);
    });
    const int error = advise_chunk(pass, chunk, done);
    if (seen && tells_residency(pass, mapping, around)) map_again(pass, around, present);
    return error;
}

// False: nothing more can be done to this mapping, because of `why`.
bool apply_chunk(ActionPass& pass, const Mapping& mapping, const Chunk& chunk, Skip& why) {
    const uint64_t wanted = chunk.passing_bytes();
    pass.outcome.filter_passed += wanted;
    uint64_t done = 0;
    uint64_t applied = 0;
    int error = 0;
    why = Skip::kKept;
    if (pass.request.scheme->action != DamosAction::kWillneed) {
        pass.wanted += wanted;
        // A marked page of a large folio keeps the folio where it is, out of the page table, and would never be tried
        // again (fact 19).
        if (pass.subject.own()) (void)lift_marks(chunk.range, pass.sizes.base_bytes);
    }
    if (pass.request.scheme->action == DamosAction::kWillneed && pass.subject.own()) {
        const Residency before(pass, chunk.range);
        error = advise_chunk(pass, chunk, done);
        applied = before.known() ? arrived_bytes(pass, chunk, before) : 0;
        why = before.known() && missing_bytes(pass, chunk, before) == 0 ? Skip::kAbsent : Skip::kPending;
    } else {
        const DamosAction action = pass.request.scheme->action;
        const bool pages_out = action == DamosAction::kPageout;
        const bool reclaims = action != DamosAction::kWillneed;
        error = reclaims ? reclaim_chunk(pass, mapping, chunk, done) : advise_chunk(pass, chunk, done);
        applied = pages_out ? paged_out_bytes(pass, chunk) : done;
    }
    pass.outcome.applied += applied;
    if (error != 0) why = refusal_of(pass, mapping, chunk.range, error);
    pass.statistics.skip(why, wanted - applied);
    // Unmapped half-way: the rest of the chunk was dealt with. Other refusals are of the whole mapping.
    return error == 0 || why == Skip::kUnmapped || why == Skip::kBusy;
}

}  // namespace

Skip refusal_of(const ActionPass& pass, const Mapping& mapping, AddressRange range, int error) {
    switch (error) {
        case -EINVAL:
            if (pass.subject.own() && sys::is_locked(range.start, range.size()) == 1) return Skip::kLocked;
            return mapping.page_bytes > pass.sizes.base_bytes ? Skip::kHugetlb : Skip::kDevice;
        case -EPERM:
        case -EACCES:
        case -ESRCH:
        case -EBADF:
            return Skip::kForbidden;
        case -EAGAIN:
        case -EBUSY:
        case -EINTR:
            return Skip::kBusy;
        case -ENOMEM:
            return Skip::kUnmapped;
        default:
            return Skip::kFailed;
    }
}

namespace {

// Only in ranges that are declared does the monitor take pages out of the page table.
void map_zapped_again(ActionPass& pass, AddressRange part) {
    const uint64_t step = ChunkWalk::chunk_bytes(pass.sizes);
    while (!part.empty()) {
        const AddressRange chunk{part.start, std::min(align_down(part.start, step) + step, part.end)};
        SharedPin pin;
        if (pin.pin(chunk.start)) {
            const AddressRange declared = chunk.intersection(pin.range());
            PageSet all(declared, pass.sizes.base_bytes);
            all.add(declared);
            map_again(pass, declared, all);
        }
        part.start = chunk.end;
    }
}

}  // namespace

void advise_range(ActionPass& pass) {
    MappingWalk mappings(pass, pass.range());
    Mapping mapping;
    AddressRange part;
    while (mappings.next(mapping, part)) {
        if (mapping.page_bytes > pass.sizes.base_bytes) {
            pass.statistics.skip(Skip::kHugetlb, part.size());
            continue;
        }
        if (pass.request.scheme->action != DamosAction::kWillneed && pass.subject.own() && mapping.shared) {
            map_zapped_again(pass, part);
        }
        ChunkWalk chunks(pass, mapping, part);
        Chunk chunk;
        while (chunks.next(chunk)) {
            Skip why{};
            if (apply_chunk(pass, mapping, chunk, why)) continue;
            pass.statistics.skip(why, chunks.rest().size());
            break;
        }
    }
}

}  // namespace damon
