#include "ops/linux/registration/declared_ranges.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>

#include "base/arithmetic.h"
#include "base/fork_safe_lock.h"
#include "base/heap.h"
#include "os/own_file.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {

// A slot is free where its range is empty. Chunks of slots are never given back, so that pins need no lifetime rules.
struct SharedSlot {
    AddressRange range;
    uint32_t pins = 0;
    pid_t pinned_by = 0;  // pins of another process are of the parent's threads, which a child does not have
};

namespace {

constexpr size_t kSlotsInChunk = 64;
struct Chunk {
    SharedSlot slots[kSlotsInChunk];
    Chunk* next = nullptr;
};

constinit Chunk first_chunk;
constinit ForkSafeLock lock;

template <typename Visit>
SharedSlot* find_slot(Visit matches) {
    for (Chunk* chunk = &first_chunk; chunk != nullptr; chunk = chunk->next) {
        for (SharedSlot& slot : chunk->slots) {
            if (matches(slot)) return &slot;
        }
    }
    return nullptr;
}

SharedSlot* slot_at(uint64_t address) {
    return find_slot([address](const SharedSlot& slot) { return slot.range.contains(address); });
}

SharedSlot* free_slot() {
    return find_slot([](const SharedSlot& slot) { return slot.range.empty(); });
}

bool is_pinned(const SharedSlot& slot, pid_t self) { return slot.pins != 0 && slot.pinned_by == self; }

bool is_whole_pages(AddressRange range) {
    const uint64_t page = read_page_sizes().base_bytes;
    return !range.empty() && range.start % page == 0 && range.end % page == 0;
}

// Whether every page of the range lies in shared mappings of memory or files now. Rings of sockets and memory of
// drivers would be emptied for good by what drops a page of the page cache from a page table.
bool is_shared_mapping(AddressRange range) {
    struct Search {
        AddressRange left;
        bool fits = true;
    } search{range};
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* self = static_cast<Search*>(context);
        if (!self->fits || self->left.empty() || mapping.range.end <= self->left.start) return;
        const bool kept = mapping.kind == MappingKind::kSharedMemory || mapping.kind == MappingKind::kFile;
        self->fits = mapping.shared && kept && mapping.range.start <= self->left.start;
        self->left.start = mapping.range.end;
    };
    ProcMaps maps;
    uint64_t bad_lines = 0;
    if (maps.open(0) != 0 || maps.read_all(visit, &search, bad_lines) != 0) return false;
    return search.fits && search.left.empty();
}

bool has_room(pid_t self) {
    const LockGuard guard(lock, self);
    return free_slot() != nullptr;
}

// Makes sure that there is a free slot. Memory is taken only where there is none, and outside of the lock.
int make_room(pid_t self) {
    if (has_room(self)) return 0;
    Chunk* fresh = heap_new<Chunk>();
    if (fresh == nullptr) return -ENOMEM;
    const LockGuard guard(lock, self);
    Chunk* last = &first_chunk;
    while (last->next != nullptr) last = last->next;
    last->next = fresh;
    return 0;
}

// Under the lock: takes `range` out of its slot. -EBUSY: a check is at work in it; -ENOMEM: something stays on both
// sides, which needs a slot more, and none is free.
int take_out(AddressRange range, pid_t self) {
    SharedSlot* slot = slot_at(range.start);
    if (is_pinned(*slot, self)) return -EBUSY;
    const AddressRange rest{range.end, slot->range.end};
    if (slot->range.start == range.start) {
        slot->range.start = range.end;
        return 0;
    }
    if (!rest.empty()) {
        SharedSlot* other = free_slot();
        if (other == nullptr) return -ENOMEM;
        other->range = rest;
    }
    slot->range.end = range.start;
    return 0;
}

// Under the lock.
bool is_declared(AddressRange range) {
    while (!range.empty()) {
        const SharedSlot* slot = slot_at(range.start);
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
    const LockGuard guard(lock, self);
    if (find_slot([range](const SharedSlot& slot) { return !slot.range.empty() && slot.range.intersects(range); })) {
        return -EEXIST;
    }
    SharedSlot* slot = free_slot();
    if (slot == nullptr) return -ENOMEM;  // taken by others since
    slot->pins = 0;
    slot->range.start = range.start;
    slot->range.end = range.end;  // last: what makes the slot taken
    return 0;
}

uint64_t next_declared(uint64_t address) {
    uint64_t next = UINT64_MAX;
    const LockGuard guard(lock, process_id());
    find_slot([&](const SharedSlot& slot) {
        if (!slot.range.empty() && slot.range.start > address) next = std::min(next, slot.range.start);
        return false;
    });
    return next;
}

int shared_withdraw(AddressRange range) {
    const pid_t self = process_id();
    if (!is_whole_pages(range)) return -EINVAL;
    bool checked = false;
    while (!range.empty()) {
        int error = 0;
        {
            const LockGuard guard(lock, self);
            if (!checked && !is_declared(range)) return -ENOENT;
            checked = true;
            const SharedSlot* slot = slot_at(range.start);
            if (slot == nullptr) return -ENOENT;  // somebody else is withdrawing it too
            const AddressRange part{range.start, slot->range.end < range.end ? slot->range.end : range.end};
            error = take_out(part, self);
            if (error == 0) range.start = part.end;
        }
        if (error == -EBUSY) sched_yield();
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
    const LockGuard guard(lock, self);
    SharedSlot* slot = slot_at(address);
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
    const LockGuard guard(lock, self);
    if (slot_->pinned_by == self && slot_->pins > 0) --slot_->pins;
    slot_ = nullptr;
    range_ = {};
}

}  // namespace damon
