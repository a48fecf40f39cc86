#include "os/library_copies.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "base/arithmetic.h"
#include "base/fork_safe_lock.h"
#include "os/clock.h"
#include "os/own_file.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"
#include "os/process.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr const char* kName = "damon-contexts";
constexpr const char* kMapped = "/memfd:damon-contexts (deleted)";
constexpr int kMaxNumbers = 1024;  // of descriptors: the usual limit, below which files of the library lie
constexpr size_t kMaxPages = 8;    // that are looked at

// Part of no interface, but of every release that may meet another one in a process: new members go to the end.
struct Page {
    std::atomic<uint64_t> made_ns;  // 0: not yet to be used
    std::atomic<int32_t> pid;       // another one: a child's, by a fork that came before the advice
    std::atomic<uint32_t> nr_copies;
    SharedState state;
};

// Of this copy, in this process.
struct Own {
    ForkSafeLock lock;
    pid_t owner = 0;
    uint32_t nr_contexts = 0;
    Page* page = nullptr;
};
constinit Own own;
constinit Page alone{};

// Each copy carries an ELF note, which the list of loaded objects leads to: asking costs microseconds, reading the maps
// of a program with tens of thousands of mappings tens of milliseconds.
constexpr char kNoteName[] = "libdamon";
constexpr uint32_t kNoteType = 1;

struct Note {
    ElfW(Nhdr) header;
    char name[12];  // padded, as notes are
    uint32_t version;
};
static_assert(offsetof(Note, version) == sizeof(ElfW(Nhdr)) + 12);

// What clang's address sanitizer puts behind a variable would be among the notes, and must not be read.
#if defined(__clang__)
#define DAMON_NO_REDZONE [[clang::no_sanitize("address")]]
#else
#define DAMON_NO_REDZONE
#endif
DAMON_NO_REDZONE [[gnu::used, gnu::section(".note.libdamon"), gnu::aligned(4)]] const Note note = {
    {sizeof kNoteName, sizeof(uint32_t), kNoteType}, "libdamon", 1};

struct Count {
    uint64_t objects = 0;
    uint64_t loaded = 0;  // of all lists
    uint32_t marks = 0;
};

uint32_t marks_in(const char* notes, size_t bytes, size_t alignment) {
    uint32_t marks = 0;
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= bytes;) {
        ElfW(Nhdr) header;
        memcpy(&header, notes + at, sizeof header);
        const size_t name = at + sizeof header;
        const size_t next =
            align_up(name + align_up(uint64_t{header.n_namesz}, alignment) + header.n_descsz, alignment);
        if (next > bytes) break;
        const bool named =
            header.n_namesz == sizeof kNoteName && memcmp(notes + name, kNoteName, sizeof kNoteName) == 0;
        if (named && header.n_type == kNoteType) ++marks;
        at = next;
    }
    return marks;
}

int visit(dl_phdr_info* object, size_t info_bytes, void* context) {
    auto* count = static_cast<Count*>(context);
    ++count->objects;
    if (info_bytes < offsetof(dl_phdr_info, dlpi_subs) + sizeof object->dlpi_subs) return 1;
    count->loaded = object->dlpi_adds - object->dlpi_subs;
    for (size_t i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = object->dlpi_phdr[i];
        if (part.p_type != PT_NOTE) continue;
        const auto* notes = reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr);
        count->marks += marks_in(notes, part.p_memsz, part.p_align == 8 ? 8 : 4);
    }
    return 0;
}

size_t page_bytes() { return read_page_sizes().base_bytes; }

void unmap(Page* page) {
    if (page != nullptr && page != &alone) (void)sys::munmap(page, page_bytes());
}

Page* make_page() {
    const ScopedFile file(sys::memfd_create(kName), FileKind::kMemory);
    int error = 0;
    if (file.fd() < 0 || sys::ftruncate(file.fd(), page_bytes()) != 0) return nullptr;
    void* memory = sys::mmap(page_bytes(), file.fd(), error);
    if (memory == nullptr) return nullptr;
    if (sys::madvise(reinterpret_cast<uint64_t>(memory), page_bytes(), MADV_DONTFORK) != 0) {
        (void)sys::munmap(memory, page_bytes());
        return nullptr;
    }
    auto* page = ::new (memory) Page{};
    page->pid.store(sys::getpid());
    page->made_ns.store(Clock().now_ns());
    return page;
}

// The pages that are mapped by this name; false: cannot be read.
struct Found {
    uint64_t pages[kMaxPages];
    size_t nr_pages = 0;

    bool read() {
        nr_pages = 0;
        ProcMaps maps;
        uint64_t bad_lines = 0;
        const auto visit = [](void* context, const Mapping& mapping) {
            auto* found = static_cast<Found*>(context);
            const bool fits = mapping.shared && mapping.writable && mapping.range.size() == page_bytes();
            if (fits && found->nr_pages < kMaxPages) found->pages[found->nr_pages++] = mapping.range.start;
        };
        return maps.open(0) == 0 && maps.read_all(visit, this, bad_lines, kMapped) == 0;
    }
    bool has(uint64_t address) const {
        for (size_t i = 0; i < nr_pages; ++i) {
            if (pages[i] == address) return true;
        }
        return false;
    }
};

// The first page that was made, by a mapping of its own; `mine` is unmapped where another is that.
Page* settle(Page* mine) {
    // A copy that is loaded after this has its own page later, and finds this one.
    if (is_only_copy_loaded()) return mine;
    Found found;
    if (!found.read()) return mine;
    Page* doubles[kMaxPages];
    size_t nr_doubles = 0;
    for (size_t i = 0; i < found.nr_pages; ++i) {
        if (found.pages[i] == reinterpret_cast<uint64_t>(mine)) continue;
        // Whose page it is may unmap it at any time; not what is mapped here.
        if (void* twice = sys::map_again(found.pages[i], page_bytes()))
            doubles[nr_doubles++] = static_cast<Page*>(twice);
    }
    if (nr_doubles == 0) return mine;
    // What was mapped again may have been something else by then: it is not looked into unless it has the name.
    const bool read = found.read();
    Page* first = mine;
    for (size_t i = 0; i < nr_doubles; ++i) {
        Page* other = doubles[i];
        const bool known = read && found.has(reinterpret_cast<uint64_t>(other)) && other->pid.load() == sys::getpid() &&
                           sys::madvise(reinterpret_cast<uint64_t>(other), page_bytes(), MADV_DONTFORK) == 0;
        const uint64_t made_ns = known ? other->made_ns.load() : 0;
        const bool earlier = made_ns != 0 && made_ns < first->made_ns.load();
        unmap(earlier ? first : other);
        if (earlier) first = other;
    }
    return first;
}

void give_up(Page* page) {
    page->nr_copies.fetch_sub(1);
    unmap(page);
}

}  // namespace

bool is_only_copy_loaded() {
    Count count;
    const bool all = dl_iterate_phdr(visit, &count) == 0;
    return all && count.marks == 1 && count.objects == count.loaded;
}

void close_inherited_files(pid_t opener) {
    if (opener == 0 || opener == process_id()) return;
    const pid_t pid = pid_of(opener);
    for (int fd = 0; fd < kMaxNumbers; ++fd) {
        if (sys::is_marked_file(fd, pid)) sys::close(fd);
    }
}

SharedState& join_copies() {
    const pid_t self = process_id();
    Page* fresh = nullptr;
    pid_t parent = 0;
    for (;;) {
        Page* page = nullptr;
        {
            const LockGuard guard(own.lock, self);
            if (own.owner != self) {  // of the parent, which kept the page
                parent = own.owner;
                own.owner = self;
                own.nr_contexts = 0;
                own.page = nullptr;
                alone.state.store(0);
                alone.nr_copies.store(0);
            }
            if (own.page == nullptr && fresh != nullptr) {
                own.page = fresh;
                fresh = nullptr;
                own.page->nr_copies.fetch_add(1);
            }
            page = own.page;
            if (page != nullptr) ++own.nr_contexts;
        }
        close_inherited_files(parent);
        if (page != nullptr) {
            if (fresh != nullptr) unmap(fresh);  // another thread was faster
            return page->state;
        }
        fresh = make_page();
        fresh = fresh == nullptr ? &alone : settle(fresh);
    }
}

void leave_copies(void (*before)(SharedState& state)) {
    const pid_t self = process_id();
    Page* closing = nullptr;
    {
        const LockGuard guard(own.lock, self);
        if (own.owner != self || own.nr_contexts == 0) return;
        before(own.page->state);
        if (--own.nr_contexts == 0) {
            closing = own.page;
            own.page = nullptr;
        }
    }
    if (closing != nullptr) give_up(closing);
}

uint32_t nr_copies_at_work() {
    const pid_t self = process_id();
    const LockGuard guard(own.lock, self);
    return own.owner == self && own.page != nullptr ? own.page->nr_copies.load() : 0;
}

uint32_t nr_own_contexts() {
    const pid_t self = process_id();
    const LockGuard guard(own.lock, self);
    return own.owner == self ? own.nr_contexts : 0;
}

}  // namespace damon
