#include "ops/linux/registration/declared_ranges.h"

#include <cerrno>
#include <cstring>

#include "base/arithmetic.h"
#include "base/fork_safe_lock.h"
#include "base/heap.h"
#include "ops/linux/registration/declared_index.h"
#include "os/own_file.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr size_t kSlotsInChunk = 64;
constexpr size_t kMaxPath = 4096;
// How long a pin may last that somebody waits for: sleeping, as the thread that has it may be one of a lesser class.
constexpr uint64_t kWaitUs = 20;

struct Chunk {
    SharedSlot slots[kSlotsInChunk];
    Chunk* next = nullptr;
};

struct Declared {
    ForkSafeLock lock;
    pid_t owner = 0;  // of the index: a child makes it anew, as it may have been changing at the fork
    Chunk first;
    Chunk* chunks = &first;
    DeclaredIndex index;
};
constinit Declared declared;

// The lock, and the index of this process.
class Access {
public:
    explicit Access(pid_t self) : guard_(declared.lock, self) {
        if (declared.owner == self) return;
        declared.index.clear();
        for (Chunk* chunk = declared.chunks; chunk != nullptr; chunk = chunk->next) add(*chunk);
        declared.owner = self;
    }
    DeclaredIndex& operator*() { return declared.index; }
    DeclaredIndex* operator->() { return &declared.index; }
    void add(Chunk& chunk) {
        for (SharedSlot& slot : chunk.slots) declared.index.add(slot);
    }

private:
    LockGuard guard_;
};

bool is_pinned(const SharedSlot& slot, pid_t self) { return slot.pins != 0 && slot.pinned_by == self; }

bool is_whole_pages(AddressRange range) {
    const uint64_t page = read_page_sizes().base_bytes;
    return !range.empty() && range.start % page == 0 && range.end % page == 0;
}

// Rings of sockets and memory of drivers would be emptied for good by what drops a page of the page cache from a page
// table. A device may have any name.
bool may_be_declared(const Mapping& mapping) {
    if (!mapping.shared) return false;
    if (mapping.kind == MappingKind::kSharedMemory) return true;
    if (mapping.kind != MappingKind::kFile) return false;
    char path[kMaxPath];
    if (mapping.path.size() >= sizeof path) return true;
    memcpy(path, mapping.path.data(), mapping.path.size());
    path[mapping.path.size()] = '\0';
    return !sys::is_no_regular_file(path, mapping.inode);
}

// Mapping by mapping; without the query all mappings are read.
int ask_for_shared_mapping(ProcMaps& maps, AddressRange range) {
    char name[kMaxPath];
    while (!range.empty()) {
        Mapping mapping;
        const int error = maps.query_named(range.start, name, mapping);
        if (error != 0) return error;
        if (!may_be_declared(mapping)) return -ENODEV;
        range.start = mapping.range.end;
    }
    return 0;
}

// Whether every page of the range lies in shared mappings of memory or files now.
bool is_shared_mapping(AddressRange range) {
    ProcMaps maps;
    if (maps.open(0) != 0) return false;
    const int error = ask_for_shared_mapping(maps, range);
    if (error != -ENOTTY) return error == 0;
    struct Search {
        AddressRange left;
        bool fits = true;
    } search{range};
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* self = static_cast<Search*>(context);
        if (!self->fits || self->left.empty() || mapping.range.end <= self->left.start) return;
        self->fits = mapping.range.start <= self->left.start && may_be_declared(mapping);
        self->left.start = mapping.range.end;
    };
    uint64_t bad_lines = 0;
    return maps.read_all(visit, &search, bad_lines) == 0 && search.fits && search.left.empty();
}

// Makes sure that there is a free slot. Memory is taken only where there is none, and outside of the lock.
int make_room(pid_t self) {
    if (Access(self)->has_free()) return 0;
    Chunk* fresh = heap_new<Chunk>();
    if (fresh == nullptr) return -ENOMEM;
    Access access(self);
    fresh->next = declared.chunks;
    declared.chunks = fresh;
    access.add(*fresh);
    return 0;
}

// Takes `range` out of its slot. -EBUSY: a check is at work in it; -ENOMEM: something stays on both sides, which needs
// a slot more, and none is free.
int take_out(DeclaredIndex& index, SharedSlot& slot, AddressRange range, pid_t self) {
    if (is_pinned(slot, self)) return -EBUSY;
    const AddressRange rest{range.end, slot.range.end};
    if (slot.range == range) {
        index.withdraw(slot);
        return 0;
    }
    if (slot.range.start == range.start) {
        slot.set_range(rest);
        return 0;
    }
    if (!rest.empty() && !index.has_free()) return -ENOMEM;
    slot.set_range({slot.range.start, range.start});
    if (!rest.empty()) (void)index.declare(rest);
    return 0;
}

bool is_declared(const DeclaredIndex& index, AddressRange range) {
    while (!range.empty()) {
        const SharedSlot* slot = index.at(range.start);
        if (slot == nullptr) return false;
        range.start = slot->range.end;
    }
    return true;
}

}  // namespace

int shared_declare(AddressRange range) {
    const pid_t self = process_id();
    if (!is_whole_pages(range)) return -EINVAL;
    if (!is_shared_mapping(range)) return -ENODEV;
    if (const int error = make_room(self)) return error;
    Access index(self);
    const SharedSlot* next = index->first_above(range.start);
    if (next != nullptr && next->range.intersects(range)) return -EEXIST;
    return index->declare(range) ? 0 : -ENOMEM;  // taken by others since
}

uint64_t next_declared(uint64_t address) {
    Access index(process_id());
    const SharedSlot* slot = index->first_above(address);
    if (slot != nullptr && slot->range.contains(address)) slot = index->first_above(slot->range.end);
    return slot == nullptr ? UINT64_MAX : slot->range.start;
}

int shared_withdraw(AddressRange range) {
    const pid_t self = process_id();
    if (!is_whole_pages(range)) return -EINVAL;
    bool checked = false;
    while (!range.empty()) {
        int error = 0;
        {
            Access index(self);
            if (!checked && !is_declared(*index, range)) return -ENOENT;
            checked = true;
            SharedSlot* slot = index->at(range.start);
            if (slot == nullptr) return -ENOENT;  // somebody else is withdrawing it too
            const AddressRange part{range.start, slot->range.end < range.end ? slot->range.end : range.end};
            error = take_out(*index, *slot, part, self);
            if (error == 0) range.start = part.end;
        }
        if (error == -EBUSY) sys::sleep_us(kWaitUs);
        if (error == -ENOMEM && make_room(self) != 0) return error;
    }
    return 0;
}

void* shared_map(size_t bytes, int& error) {
    const uint64_t page = read_page_sizes().base_bytes;
    error = -EINVAL;
    if (bytes == 0 || bytes > SIZE_MAX - page) return nullptr;
    bytes = align_up(bytes, page);
    void* address = nullptr;
    {
        const ScopedFile memory(sys::memfd_create("damon"), FileKind::kMemory);
        error = memory.fd();
        if (error < 0) return nullptr;
        error = sys::ftruncate(memory.fd(), bytes);
        if (error == 0) address = sys::mmap(bytes, memory.fd(), error);
    }
    if (address == nullptr) return nullptr;
    const uint64_t start = reinterpret_cast<uint64_t>(address);
    error = shared_declare({start, start + bytes});
    if (error == 0) return address;
    (void)sys::munmap(address, bytes);
    return nullptr;
}

int shared_unmap(void* address, size_t bytes) {
    const uint64_t page = read_page_sizes().base_bytes;
    const uint64_t start = reinterpret_cast<uint64_t>(address);
    if (bytes == 0 || bytes > UINT64_MAX - start - page) return -EINVAL;
    bytes = align_up(bytes, page);
    if (const int error = shared_withdraw({start, start + bytes})) return error;
    return sys::munmap(address, bytes);
}

bool SharedPin::pin(uint64_t address) {
    unpin();
    const pid_t self = process_id();
    Access index(self);
    SharedSlot* slot = index->at(address);
    if (slot == nullptr) return false;
    if (slot->pinned_by != self) slot->pins = 0;
    slot->pinned_by = self;
    ++slot->pins;
    slot_ = slot;
    range_ = slot->range;
    return true;
}

void SharedPin::unpin() {
    if (slot_ == nullptr) return;
    const pid_t self = process_id();
    const LockGuard guard(declared.lock, self);
    if (slot_->pinned_by == self && slot_->pins > 0) --slot_->pins;
    slot_ = nullptr;
    range_ = {};
}

}  // namespace damon
