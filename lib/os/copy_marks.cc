#include "os/copy_marks.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/arithmetic.h"

namespace damon {
namespace {

constexpr char kName[] = "libdamon";
constexpr uint32_t kType = 1;

struct Note {
    ElfW(Nhdr) header;
    char name[12];  // padded, as notes are
    uint32_t version;
};
static_assert(offsetof(Note, version) == sizeof(ElfW(Nhdr)) + 12);

[[gnu::used, gnu::section(".note.libdamon"), gnu::aligned(4)]] const Note note = {
    {sizeof kName, sizeof(uint32_t), kType}, "libdamon", 1};

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
        const bool named = header.n_namesz == sizeof kName && memcmp(notes + name, kName, sizeof kName) == 0;
        if (named && header.n_type == kType) ++marks;
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

}  // namespace

bool is_only_copy_loaded() {
    Count count;
    const bool all = dl_iterate_phdr(visit, &count) == 0;
    return all && count.marks == 1 && count.objects == count.loaded;
}

}  // namespace damon
