// The mappings of a process as /proc/PID/maps lists them: a pure parser, and a reader that allocates nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "model/address_range.h"
#include "os/own_file.h"
#include "os/uapi.h"

namespace damon {

// What is mapped, by its name.
enum class MappingKind : uint8_t {
    kAnonymous,     // no name, [heap], [anon:...], private mappings of /dev/zero and of anonymous huge pages
    kSharedMemory,  // shared anonymous memory, memfd, System V, POSIX shared memory
    kFile,
    kStack,    // of the first thread
    kSpecial,  // the kernel's own pages, drivers' memory, rings of sockets and anonymous inodes
};

// One mapping (VMA) of a process.
struct Mapping {
    AddressRange range;
    uint64_t inode = 0;                          // 0: anonymous
    uint64_t offset = 0;                         // where in the file it begins, bytes
    MappingKind kind = MappingKind::kAnonymous;  // of the text and query_named only
    bool readable = false;
    bool writable = false;
    bool shared = false;
    bool vsyscall = false;    // the fixed page above the address space: not a real mapping (C-9)
    uint64_t page_bytes = 0;  // backing page size; 0: not told
    uint64_t name = 0;        // of the text only: mapping_name_of()
    std::string_view path;    // what the text ends with, or query_named() read; as long as that lives

    // Whether the program can use it: a reservation (PROT_NONE) is no memory.
    bool usable() const { return readable || writable; }
    bool operator==(const Mapping&) const = default;
};

// One line of the text, without its newline. False: not such a line, `mapping` is then unspecified.
bool parse_maps_line(std::string_view line, Mapping& mapping);

// Reads one process's maps, for one thread at a time. The file describes the process that opened it, also after a fork.
class ProcMaps {
public:
    ProcMaps() = default;
    ~ProcMaps() { close(); }
    ProcMaps(const ProcMaps&) = delete;
    ProcMaps& operator=(const ProcMaps&) = delete;

    // `pid` 0: this process. 0 or a negative errno.
    int open(pid_t pid);
    void close();
    // Open, and not closed by the program meanwhile.
    bool is_open() const { return file_.is_ours(); }

    // Calls visit(context, mapping) for each mapping in address order, from the text. 0 or a negative errno; lines that
    // cannot be understood are passed over and counted in `bad_lines`. -EBADF: the program closed the file, or its
    // number is another file now. `name`: of the mappings whose lines end so, alone.
    using Visit = void (*)(void* context, const Mapping& mapping);
    int read_all(Visit visit, void* context, uint64_t& bad_lines, std::string_view name = {});

    // The mapping that covers `address`, through PROCMAP_QUERY. -ENOENT: there is none; -ENOTTY: this kernel has no
    // such query, read_all is the way.
    int query(uint64_t address, Mapping& mapping);

    // The same, or the next mapping above `address`.
    int query_next(uint64_t address, Mapping& mapping);

    // query, which writes what the mapping's line in the text ends with to `name`. -ENAMETOOLONG: it is longer.
    int query_named(uint64_t address, std::span<char> name, Mapping& mapping);

    // query by whatever this kernel has.
    int find(uint64_t address, Mapping& mapping);

private:
    int64_t read_at(uint64_t offset, char* text, size_t bytes);
    int ask(uint64_t flags, uint64_t address, std::span<char> name, Mapping& mapping);

    OwnFile file_;
    pid_t pid_ = 0;
};

}  // namespace damon
