// Mappings and their content.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "host.h"
#include "os/uapi.h"

namespace damon::test {
namespace {

constexpr int kRw = PROT_READ | PROT_WRITE;

int64_t answer(int result) { return result < 0 ? -errno : result; }
int64_t answer(void* result) {
    return result == MAP_FAILED ? -errno : static_cast<int64_t>(reinterpret_cast<uintptr_t>(result));
}

uint64_t round_to(uint64_t bytes, uint64_t unit) { return bytes / unit * unit; }

}  // namespace

void Host::map(Place& place) {
    if (place.mapped()) return;
    place.kind = static_cast<PlaceKind>(random_.between(1, 6));
    place.bytes = round_to(random_.between(64 << 10, 8 * kMiB), 64 << 10);
    const int fixed = MAP_FIXED_NOREPLACE | MAP_NORESERVE;
    void* mapping = MAP_FAILED;
    int file = -1;
    switch (place.kind) {
        case PlaceKind::kPrivate:
            mapping = mmap(place.data(), place.bytes, kRw, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
            break;
        case PlaceKind::kShared:
            mapping = mmap(place.data(), place.bytes, kRw, MAP_SHARED | MAP_ANONYMOUS | fixed, -1, 0);
            break;
        case PlaceKind::kMemfd:
            file = memfd_create("chaos", MFD_CLOEXEC);
            if (ftruncate(file, static_cast<off_t>(place.bytes)) == 0) {
                mapping = mmap(place.data(), place.bytes, kRw, MAP_SHARED | fixed, file, 0);
            }
            break;
        case PlaceKind::kPrivateFile:
            file = open(scratch_path_.c_str(), O_RDONLY | O_CLOEXEC);
            mapping = mmap(place.data(), place.bytes, kRw, MAP_PRIVATE | fixed, file, 0);
            break;
        default:
            mapping = mmap(place.data(), Place::kMaxBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
            place.bytes = round_to(place.bytes / 2, 64 << 10) + (64 << 10);
            mprotect(place.data(), place.bytes, kRw);
    }
    note(answer(mapping));
    if (file >= 0) close(file);
    if (mapping == MAP_FAILED) {
        place = Place{.index = place.index};
        return;
    }
    if (embedding_ != nullptr) embedding_->place_came(place);
}

void Host::unmap(Place& place) {
    if (!place.mapped()) return;
    note(0, place.readable() ? digest(place) : 0);
    forget(place);
}

void Host::write_pages(Place& place) {
    if (!place.mapped() || !place.writable()) return;
    fill(place, piece(place));
}

void Host::read_pages(Place& place) {
    if (place.mapped() && place.readable()) note(0, digest(place));
}

// A piece is closed, tried by system calls and opened again, or the whole place is closed for a while.
void Host::protect(Place& place) {
    if (!place.mapped()) return;
    if (random_.between(0, 3) == 0) {
        static constexpr int kProtections[] = {PROT_READ, PROT_NONE, kRw};
        place.protection = kProtections[random_.between(0, 3)];
        note(answer(mprotect(place.data(), place.bytes, place.protection)));
        return;
    }
    if (place.protection != kRw) return;
    const Piece some = piece(place);
    note(answer(mprotect(place.data(some.offset), some.bytes, random_.between(0, 2) == 0 ? PROT_NONE : PROT_READ)));
    const int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    note(answer(static_cast<int>(::read(zeros, place.data(some.offset), some.bytes))));
    close(zeros);
    note(answer(mprotect(place.data(some.offset), some.bytes, kRw)));
    place.whole = false;
}

void Host::commit_reserved(Place& place) {
    if (place.kind != PlaceKind::kReserved || place.protection != kRw) return;
    const uint64_t more = std::min<uint64_t>(random_.between(1, 16) * (64 << 10), Place::kMaxBytes - place.bytes);
    if (more == 0) return;
    note(answer(mprotect(place.data(place.bytes), more, kRw)));
    place.bytes += more;
}

void Host::grow_beside(Place& place) {
    if (place.kind != PlaceKind::kPrivate || place.protection != kRw) return;
    const uint64_t more = std::min<uint64_t>(random_.between(1, 16) * (64 << 10), Place::kMaxBytes - place.bytes);
    if (more == 0) return;
    const int fixed = MAP_FIXED_NOREPLACE | MAP_NORESERVE;
    note(answer(mmap(place.data(place.bytes), more, kRw, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0)));
    place.bytes += more;
    place.grown = true;
    place.whole &= !place.locked && !place.set_apart;
}

bool Host::is_known_fault(const Place& place, bool away) {
    if (embedding_ == nullptr) return false;
    if (place.grown) {
        known(Known::kMremapAcross);
        return true;
    }
    if (away || !embedding_->releasing()) return false;
    known(Known::kMremapReleasing);
    return true;
}

void Host::remap_larger(Place& place) {
    if (place.kind != PlaceKind::kPrivate || !place.whole) return;
    const uint64_t more = std::min<uint64_t>(random_.between(1, 32) * (64 << 10), Place::kMaxBytes - place.bytes);
    if (more == 0) return;
    const bool away = may_leave_excluded();
    keep_away(place, away);
    int64_t result = answer(mremap(place.data(), place.bytes, place.bytes + more, 0));
    come_back(place, away);
    if (result == -EFAULT && is_known_fault(place, away)) {
        const int fixed = MAP_FIXED_NOREPLACE | MAP_NORESERVE;
        void* beside =
            mmap(place.data(place.bytes), more, place.protection, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
        result = beside == MAP_FAILED ? -errno : static_cast<int64_t>(place.start());
    }
    note(result);
    if (result < 0) return;
    place.bytes += more;
    place.grown = true;
}

void Host::remap_smaller(Place& place) {
    if (!place.mapped() || place.kind == PlaceKind::kReserved || place.bytes <= 2 * (64 << 10)) return;
    const uint64_t less = round_to(random_.between(64 << 10, place.bytes), 64 << 10);
    if (embedding_ != nullptr) embedding_->place_goes(place);
    note(answer(mremap(place.data(), place.bytes, less, 0)));
    place.bytes = less;
    if (embedding_ != nullptr) embedding_->place_came(place);
}

// What a program does whose mremap() failed with EFAULT. It may have moved a part: then the beginning of the place is
// a hole, and lies in the free one.
int64_t Host::move_by_copy(const Place& place, const Place& free) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    uint64_t moved = 0;
    unsigned char present = 0;
    while (moved < place.bytes && mincore(place.data(moved), page, &present) != 0) moved += page;
    std::vector<char> content(place.bytes);
    if (moved > 0) mprotect(free.data(), moved, kRw);
    if (moved < place.bytes) mprotect(place.data(moved), place.bytes - moved, kRw);
    std::memcpy(content.data(), free.data(), moved);
    std::memcpy(content.data() + moved, place.data(moved), place.bytes - moved);
    const bool shared = place.kind == PlaceKind::kShared || place.kind == PlaceKind::kMemfd;
    const int kept = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    void* copy = mmap(free.data(), place.bytes, kRw, kept, -1, 0);
    if (copy == MAP_FAILED) return -errno;
    std::memcpy(copy, content.data(), place.bytes);
    if (place.locked) mlock(free.data(), place.bytes);
    mprotect(free.data(), place.bytes, place.protection);
    return static_cast<int64_t>(free.start());
}

void Host::remap_elsewhere(Place& place) {
    if (!place.mapped() || place.kind == PlaceKind::kReserved || !place.whole) return;
    Place* free =
        std::find_if(std::begin(places_), std::end(places_), [](const Place& other) { return !other.mapped(); });
    if (free == std::end(places_)) return;
    const bool keeps = place.kind == PlaceKind::kPrivate && !place.grown && random_.between(0, 3) == 0;
    if (embedding_ != nullptr) embedding_->place_goes(place);
    const int flags = MREMAP_MAYMOVE | MREMAP_FIXED | (keeps ? MREMAP_DONTUNMAP : 0);
    const bool away = may_leave_excluded();
    keep_away(place, away);
    int64_t result = answer(mremap(place.data(), place.bytes, place.bytes, flags, free->data()));
    come_back(place, away);
    if (result == -EFAULT && is_known_fault(place, away)) {
        result = move_by_copy(place, *free);
    }
    note(result);
    if (result < 0) return;
    const uint32_t index = free->index;
    *free = place;
    free->index = index;
    free->set_apart |= free->kind == PlaceKind::kPrivate;
    munmap(place.data(), Place::kStride);
    place = Place{.index = place.index};
    note(0, free->readable() ? digest(*free) : 0);
    if (embedding_ != nullptr) embedding_->place_came(*free);
}

// Private memory is empty afterwards, also where it is watched; shared memory by a hole in its file.
void Host::discard(Place& place) {
    if (!place.mapped() || place.protection != kRw) return;
    const Piece some = piece(place);
    const bool shared = place.kind == PlaceKind::kShared || place.kind == PlaceKind::kMemfd;
    note(answer(madvise(place.data(some.offset), some.bytes, shared ? MADV_REMOVE : MADV_DONTNEED)), digest(place));
}

void Host::advise(Place& place) {
    if (!place.mapped()) return;
    static constexpr int kAdvices[] = {MADV_HUGEPAGE,        MADV_RANDOM,   MADV_SEQUENTIAL, MADV_NORMAL,
                                       MADV_DONTDUMP,        MADV_DODUMP,   MADV_WILLNEED,   uapi::kAdviseCold,
                                       uapi::kAdvisePageout, MADV_DONTFORK, MADV_DOFORK,     uapi::kAdvisePopulateRead};
    const int advice = kAdvices[random_.between(0, std::size(kAdvices))];
    place.set_apart = true;
    // All of it, so that it stays one mapping.
    note(answer(madvise(place.data(), place.bytes, advice)));
    if (advice == MADV_DONTFORK) note(answer(madvise(place.data(), place.bytes, MADV_DOFORK)));
}

void Host::collapse(Place& place) {
    if (place.kind != PlaceKind::kPrivate || place.bytes < 2 * kMiB || place.protection != kRw || !place.whole) return;
    fill(place, {0, 4096});
    const bool away = may_leave_excluded();
    keep_away(place, away);
    int64_t result = answer(madvise(place.data(), 2 * kMiB, uapi::kAdviseCollapse));
    come_back(place, away);
    if (result == -EINVAL && embedding_ != nullptr && (!away || place.grown)) {
        known(Known::kCollapse);
        result = 0;
    }
    // Whether a huge page is to be had is the system's business.
    if (result == -ENOMEM || result == -EAGAIN || result == -EBUSY) result = 0;
    note(result, digest(place));
}

void Host::lock(Place& place) {
    if (!place.mapped() || place.protection != kRw || place.kind == PlaceKind::kReserved) return;
    place.locked = !place.locked;
    note(answer(place.locked ? mlock(place.data(), place.bytes) : munlock(place.data(), place.bytes)));
}

// The kernel reads and writes the memory for the program.
void Host::system_calls(Place& place) {
    if (!place.mapped()) return;
    const Piece some = piece(place);
    char* where = place.data(some.offset);
    char buffer[8192];
    const size_t bytes = std::min<size_t>(some.bytes, sizeof buffer);
    iovec here = {buffer, bytes};
    iovec there = {where, bytes};
    int64_t result = 0;
    std::memset(buffer, static_cast<int>(random_.between(0, 256)), sizeof buffer);
    int ends[2] = {-1, -1};
    switch (random_.between(0, 5)) {
        case 0:
            result = answer(static_cast<int>(process_vm_readv(getpid(), &here, 1, &there, 1, 0)));
            break;
        case 1:
            result = answer(static_cast<int>(process_vm_writev(getpid(), &here, 1, &there, 1, 0)));
            break;
        case 2:
            result = pipe2(ends, O_CLOEXEC) == 0 ? answer(static_cast<int>(::write(ends[1], where, bytes))) : -errno;
            if (result > 0) result += answer(static_cast<int>(::read(ends[0], where, bytes)));
            break;
        case 3:
            result = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0
                         ? answer(static_cast<int>(send(ends[0], buffer, bytes, 0)))
                         : -errno;
            result = answer(static_cast<int>(recv(ends[1], where, bytes, 0)));
            break;
        default:
            result = answer(msync(where, some.bytes, MS_ASYNC));
    }
    for (const int end : ends) {
        if (end >= 0) close(end);
    }
    note(result, place.readable() ? digest(place) : 0);
}

}  // namespace damon::test
